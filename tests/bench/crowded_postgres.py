"""A PostgreSQL of its own with room for many sessions, and the sessions."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import asyncpg
import psutil

from tests.bench.stage import Stage, script
from tui.sandbox.binaries import find_programs, reachable, server_identity
from tui.sandbox.folder import make_folder
from tui.sandbox.servers import POSTGRES_SETTINGS, make_database, postgres_ready, spawn_postgres
from tui.sandbox.shop import dsn, make_shop

ROOM = "600"
TABLES = 2000
PEER_ROLE = "peer"
"""May see as much as `opstui`, so that its backends can be told from ours."""


@contextmanager
def crowded_postgres(stage: Stage, sessions: int) -> Iterator[tuple[Path, psutil.Process]]:
    """Run it with so many sessions; yield the folder of its socket and the server's main process."""
    os.environ["HOME"] = str(stage.folder)  # no ~/.pgpass
    identity = server_identity()
    folder = make_folder(identity)
    base = folder.path
    server = None
    try:
        programs = reachable(find_programs(), identity, base)
        data = asyncio.run(make_database(programs, identity, base))
        with patch.dict(POSTGRES_SETTINGS, max_connections=ROOM):
            server = spawn_postgres(programs, identity, base, data)
        asyncio.run(postgres_ready(server, base))
        asyncio.run(make_shop(base))
        asyncio.run(_make_role(dsn(base, "postgres")))
        asyncio.run(_make_tables(dsn(base, "postgres")))
        command = script("crowded_postgres", dsn(base, "postgres"), str(sessions))
        with subprocess.Popen(command, env=stage.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
            try:
                if clients.stdout is None or not clients.stdout.readline():
                    raise OSError("the sessions could not be opened")
                yield base, psutil.Process(server.pid)
            finally:
                clients.terminate()
    finally:
        if server is not None:
            server.stop()
        folder.close()


async def _make_role(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE ROLE {PEER_ROLE} LOGIN IN ROLE pg_monitor, pg_signal_backend")
    await connection.close()


async def _make_tables(url: str) -> None:
    """Make the database one of an ordinary size: what counts its files must have some to count."""
    connection = await asyncpg.connect(url)
    for name in range(TABLES):
        await connection.execute(f"CREATE TABLE ordinary_{name} (id int PRIMARY KEY, note text)")
    await connection.close()


def backends_of(server: psutil.Process, role: str) -> list[psutil.Process]:
    """Return the server's processes that serve a role, by the titles they give themselves."""
    found = []
    for process in server.children():
        with suppress(psutil.Error):
            if f" {role} " in " ".join(process.cmdline()):
                found.append(process)
    return found


async def hold(url: str, sessions: int) -> None:
    """Open sessions: most idle, one in forty idle in a transaction, one in a hundred busy, 50 in a tree of locks."""
    held = []
    for number in range(sessions):
        connection = await asyncpg.connect(url, server_settings={"application_name": f"shop-{number % 20}"})
        await connection.execute("SELECT count(*) FROM pg_class")
        held.append(connection)
    for connection in held[::40]:
        await connection.execute("BEGIN; SELECT 1")
    busy = [asyncio.create_task(connection.execute("SELECT pg_sleep(3600)")) for connection in held[1::100]]
    busy += await _blocked([connection for number, connection in enumerate(held) if number % 40 not in (0, 1)])
    sys.stdout.write(f"{time.time()}\n")
    sys.stdout.flush()
    await asyncio.wait(busy)


async def _blocked(free: "list[asyncpg.Connection[asyncpg.Record]]") -> list[asyncio.Task[str]]:
    """Have 50 sessions wait: ten for one that idles in its transaction, and four for each of the ten."""
    update = "UPDATE tree SET n = n + 1 WHERE id = {}"
    root, *others = free
    await root.execute("CREATE TABLE tree (id int PRIMARY KEY, n int DEFAULT 0)")
    await root.execute("INSERT INTO tree SELECT generate_series(0, 10)")
    await root.execute(f"BEGIN; {update.format(0)}")
    waiting = []
    for row in range(1, 11):
        branch, *leaves = others[5 * row : 5 * row + 5]
        await branch.execute(f"BEGIN; {update.format(row)}")
        waiting.append(asyncio.create_task(branch.execute(update.format(0))))
        waiting += [asyncio.create_task(leaf.execute(update.format(row))) for leaf in leaves]
    return waiting


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1], int(sys.argv[2])))
