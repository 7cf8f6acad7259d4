"""What a look at a backend says when the answer is not what it was planned with: rows in, words out."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tui.actions.action import Action, Look, Phase, Receipt, Request, Risk, Target
from tui.actions.postgres import TerminateBackend, _Payload
from tui.sources.postgres.source import PostgresSource

STARTED = datetime(2026, 11, 22, 8, tzinfo=UTC)
SERVER = {"started": STARTED, "database": "shop", "is_standby": False, "address": None, "port": None}


@dataclass
class Answers:
    """A server that answers each query with fixed rows."""

    rows: dict[str, list[dict[str, Any]]]

    @contextlib.asynccontextmanager
    async def for_action(self) -> AsyncIterator["Answers"]:
        yield self

    async def fetch(self, name: str, *values: object) -> list[dict[str, Any]]:
        return self.rows[name]


async def look(**rows: list[dict[str, Any]]) -> Look:
    answers = Answers({"answering": [SERVER], "backend": [], "blockers": []} | rows)
    payload = _Payload(7, STARTED, None, "", tuple(SERVER.values()), frozenset())
    request = Request("terminate-backend", Target("database:shop", "backend", "7", "shop", {}))
    action = Action("id", request, "", "", Risk.MEDIUM, "", "", "", (), payload=payload)
    return await TerminateBackend(cast("PostgresSource", answers)).look(action, Receipt("sent"))


@pytest.mark.parametrize(
    ("rows", "phase"),
    [
        ({"backend": []}, Phase.CONVERGED),
        ({"backend": [{"backend_start": datetime(2026, 11, 22, 9, tzinfo=UTC)}]}, Phase.CONVERGED),
        ({"backend": [{"backend_start": None}]}, Phase.UNKNOWN),
        ({"answering": [SERVER | {"is_standby": True}]}, Phase.UNKNOWN),
        ({"answering": [SERVER | {"started": datetime(2026, 11, 22, 9, tzinfo=UTC)}]}, Phase.UNKNOWN),
    ],
)
async def test_a_session_is_gone_only_when_the_same_server_says_so_and_may(
    rows: dict[str, list[dict[str, Any]]], phase: Phase
) -> None:
    assert (await look(**rows)).phase is phase
