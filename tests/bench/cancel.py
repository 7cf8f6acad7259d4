"""How often a cancel strikes the statement after the one that was meant: ours beside a bare pg_cancel_backend.

The worst case on purpose: a client runs statements of half a millisecond one after the other, and the signal is sent
up to a millisecond after one has been read, about when it moves on.
"""

import asyncio
import contextlib
import queue
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from profiles.systems import Database
from tests.bench.figures import Figure
from tests.bench.stage import Stage, script
from tests.debian_postgres import DEBIAN, debian_postgres
from tui.actions.action import Action, NotSentError
from tui.actions.postgres.cancel import CancelQuery, cancel_request
from tui.actions.postgres.session import found_of
from tui.sources.postgres import PostgresSource

TRIES = 300
STATEMENT_MS = 0.5
_SETTLE_S = 0.02
"""Forty statements: a signal that was sent has struck by then, or never will."""
_READ = """
SELECT a.query_start, md5(a.query) AS query_md5, a.query
FROM pg_stat_get_activity($1) a WHERE a.state = 'active' AND a.query LIKE '%/* % */'
"""


@dataclass(slots=True)
class Tally:
    """What became of the tries of one way."""

    sent: int = 0
    right: int = 0
    wrong: int = 0

    def __str__(self) -> str:
        return f"{self.wrong} wrong, {self.right} right, {self.sent} signals sent"


def measure(stage: Stage) -> Iterator[Figure]:
    """Try both ways in turn, on the sandbox's PostgreSQL and on Debian's."""
    tries = stage.count(TRIES)
    yield from _figures(stage, stage.sandbox.endpoints["postgres"], tries)
    if DEBIAN.exists():
        with debian_postgres(DEBIAN) as postgres, postgres.serving(postgres.make()) as dsn:
            yield from _figures(stage, dsn, tries)


def _figures(stage: Stage, dsn: str, tries: int) -> Iterator[Figure]:
    victim = dsn.replace("//opstui@", "//app@")
    command = script("moving_on", victim, str(STATEMENT_MS))
    with subprocess.Popen(command, env=stage.env, stdout=subprocess.PIPE, text=True) as client:
        try:
            version, ours, bare = asyncio.run(_both(dsn, client, tries))
        finally:
            client.terminate()
    what = f"cancelling a {STATEMENT_MS} ms statement that moves on, PostgreSQL {version}, {tries} tries"
    yield Figure(f"{what}, bare pg_cancel_backend", str(bare))
    yield Figure(f"{what}, opstui", str(ours), "fewer wrong than bare", ours.wrong < bare.wrong)


async def _both(dsn: str, client: "subprocess.Popen[str]", tries: int) -> tuple[int, Tally, Tally]:
    pid, struck = int(_line(client).split()[1]), queue.SimpleQueue[int]()
    source, watch = PostgresSource("bench", Database(dsn=dsn)), await asyncpg.connect(dsn)
    verb, ours, bare = CancelQuery(source), Tally(), Tally()
    try:
        action = await _planned(source, verb, pid)
        await watch.execute("SELECT pg_cancel_backend($1)", pid)
        _line(client)
        threading.Thread(target=_listen, args=(client, struck), daemon=True).start()
        for _ in range(tries):
            meant, seen = await _read(watch, pid)
            with contextlib.suppress(NotSentError):
                await verb.execute(replace(action, payload=replace(found_of(action), **seen)))
                ours.sent += 1
            await _count(struck, meant, ours)
            meant, _ = await _read(watch, pid)
            bare.sent += await watch.fetchval("SELECT pg_cancel_backend($1)", pid)
            await _count(struck, meant, bare)
        return watch.get_server_version().major, ours, bare
    finally:
        await watch.close()
        await source.close()


def _line(client: "subprocess.Popen[str]") -> str:
    line = client.stdout.readline() if client.stdout is not None else ""
    if not line:
        raise OSError("the client that is to be cancelled ended")
    return line


def _listen(client: "subprocess.Popen[str]", struck: "queue.SimpleQueue[int]") -> None:
    with contextlib.suppress(OSError):
        while True:
            struck.put(int(_line(client)))


async def _planned(source: PostgresSource, verb: CancelQuery, pid: int) -> Action:
    """Return the action against the client's first statement; each try then means the one that it reads itself."""
    while True:
        snapshot = await source.read()
        for session in snapshot.sessions:
            if session.pid == pid and "pg_sleep" in session.query:
                return await verb.plan(cancel_request(source.name, snapshot.server, session))


async def _read(watch: "asyncpg.Connection[asyncpg.Record]", pid: int) -> tuple[int, dict[str, Any]]:
    """Return the number of a statement that ran a moment ago, and its identity."""
    while (row := await watch.fetchrow(_READ, pid)) is None:
        pass
    sends_at = time.monotonic() + random.uniform(0, 2 * STATEMENT_MS / 1000)
    while time.monotonic() < sends_at:  # no sleep is that short
        pass
    return int(row["query"].split()[-2]), {"query_start": row["query_start"], "query_md5": row["query_md5"]}


async def _count(struck: "queue.SimpleQueue[int]", meant: int, tally: Tally) -> None:
    await asyncio.sleep(_SETTLE_S)
    while not struck.empty():
        if struck.get() == meant:
            tally.right += 1
        else:
            tally.wrong += 1
