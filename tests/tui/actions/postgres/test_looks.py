"""What a look at a backend says when the answer is not what it was planned with: rows in, words out."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tui.actions.action import Look, Phase, Request, Sent, Target
from tui.actions.postgres.terminate import TerminateBackend
from tui.sources.postgres.source import PostgresSource

STARTED = datetime(2026, 11, 22, 8, tzinfo=UTC)
SERVER = {
    "started": STARTED,
    "database": "shop",
    "is_standby": False,
    "address": None,
    "port": None,
    "system_identifier": 7,
}


@dataclass
class Answers:
    """A server that answers each query with fixed rows."""

    rows: dict[str, list[dict[str, Any]]]

    @contextlib.asynccontextmanager
    async def for_action(self) -> AsyncIterator["Answers"]:
        yield self

    async def fetch(self, name: str, *values: object, asks_system: bool = False) -> list[dict[str, Any]]:
        return self.rows[name]


async def look(**rows: list[dict[str, Any]]) -> Look:
    answers = Answers({"answering": [SERVER], "backend": [], "blockers": []} | rows)
    identity: dict[str, Any] = {"pid": 7, "backend_start": STARTED.isoformat(), "server_started": STARTED.isoformat()}
    identity |= {f"server_{name}": value for name, value in SERVER.items() if name != "started"}
    request = Request("terminate-backend", Target("database:shop", "backend", "7", "shop", identity))
    sent = Sent(request, {"query_start": None, "waiters": []}, 0.0, "id")
    return await TerminateBackend(cast("PostgresSource", answers)).look(sent)


@pytest.mark.parametrize(
    ("rows", "phase"),
    [
        ({"backend": []}, Phase.CONVERGED),
        ({"backend": [{"backend_start": datetime(2026, 11, 22, 9, tzinfo=UTC)}]}, Phase.CONVERGED),
        ({"backend": [{"backend_start": None}]}, Phase.UNKNOWN),
        ({"answering": [SERVER | {"is_standby": True}]}, Phase.UNKNOWN),
        ({"answering": [SERVER | {"system_identifier": 8}]}, Phase.UNKNOWN),
        ({"answering": [SERVER | {"started": datetime(2026, 11, 22, 9, tzinfo=UTC)}]}, Phase.UNKNOWN),
    ],
)
async def test_a_session_is_gone_only_when_the_same_server_says_so_and_may(
    rows: dict[str, list[dict[str, Any]]], phase: Phase
) -> None:
    assert (await look(**rows)).phase is phase
