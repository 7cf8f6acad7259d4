"""Probes that write: sent once, with what was shown; refused, unknown and not as expected told apart."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from profiles.systems import Service
from tests.tui.sources.probes.serving import serving
from tui.actions.action import Action, NotSentError, Phase, Risk
from tui.actions.services.probe import SendProbe, probe_request
from tui.sources.errors import Unreachable
from tui.sources.http import HttpSource


class Ingestion:
    """A server that takes log lines."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, Any]] = []
        self.status = 202
        self.hangs_up = False

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.got.append((request.method, request.headers.get("X-API-Key", ""), json.loads(body) if body else None))
        if self.hangs_up and request.transport is not None:
            request.transport.abort()
        return web.Response(status=self.status)


PROBES = {
    "ingest": {"post": "/logs", "json": {"level": "info", "token": "t0k3n-t0k3n"}, "expect": {"status": 202},
               "headers": {"X-API-Key": "env:INGEST_KEY"}},
    "clear": {"delete": "/logs"},
}  # fmt: skip


@pytest.fixture
def ingestion() -> Ingestion:
    return Ingestion()


@pytest.fixture
async def entry(ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("INGEST_KEY", "s3kr1t-key-4711")
    async with serving({"POST /logs": ingestion.take, "DELETE /logs": ingestion.take}) as url:
        yield Service.model_validate({"url": url + "/health", "probes": PROBES})


async def planned(entry: Service, name: str = "ingest") -> tuple[SendProbe, Action]:
    verb = SendProbe(HttpSource("api", entry), entry)
    return verb, await verb.plan(probe_request("api", entry, name))


async def test_it_is_sent_once_with_what_was_shown_and_secrets_stay_references(
    entry: Service, ingestion: Ingestion
) -> None:
    verb, action = await planned(entry)
    assert not ingestion.got, "planning sends nothing"
    assert action.preview == (
        "POST /logs", "X-API-Key: from env:INGEST_KEY", '{"level": "info", "token": •••}',
    )  # fmt: skip
    assert '-H "X-API-Key: $INGEST_KEY"' in action.command
    receipt = await verb.execute(action)
    assert ingestion.got == [("POST", "s3kr1t-key-4711", {"level": "info", "token": "t0k3n-t0k3n"})]
    assert (await verb.look(action.sent(0.0).learned(receipt))).phase is Phase.CONVERGED
    assert (action.risk, action.inverse) == (Risk.MEDIUM, None)
    assert "s3kr1t" not in f"{action}{receipt}"
    assert "t0k3n" not in f"{action.preview}{action.command}{receipt}"


async def test_an_answer_that_is_not_as_expected_has_not_converged(entry: Service, ingestion: Ingestion) -> None:
    ingestion.status = 422
    verb, action = await planned(entry)
    look = await verb.look(action.sent(0.0).learned(await verb.execute(action)))
    assert look.phase is Phase.NOT_CONVERGED
    assert look.detail == "not as expected: HTTP 422: status 202: HTTP 422"


async def test_what_hung_up_after_it_was_sent_is_unknown_and_not_sent_again(
    entry: Service, ingestion: Ingestion
) -> None:
    ingestion.hangs_up = True
    verb, action = await planned(entry)
    with pytest.raises(Unreachable):
        await verb.execute(action)
    assert len(ingestion.got) == 1
    assert (await verb.look(action.sent(0.0))).phase is Phase.UNKNOWN


async def test_without_a_connection_or_a_secret_certainly_nothing_was_sent(
    entry: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb, action = await planned(entry)
    monkeypatch.delenv("INGEST_KEY")
    with pytest.raises(NotSentError, match="INGEST_KEY is not set"):
        await verb.execute(action)
    nobody = Service.model_validate({"url": "http://127.0.0.1:1/", "probes": {"clear": {"delete": "/x"}}})
    verb, action = await planned(nobody, "clear")
    assert action.risk is Risk.HIGH
    with pytest.raises(NotSentError, match="connection refused"):
        await verb.execute(action)


async def test_a_probe_that_was_edited_since_is_refused(entry: Service) -> None:
    request = probe_request("api", entry, "ingest")
    probes = {"ingest": {"post": "/other"}}
    edited = Service.model_validate({"url": entry.url, "probes": probes})
    with pytest.raises(NotSentError, match="no longer has this probe"):
        await SendProbe(HttpSource("api", edited), edited).plan(request)


def test_the_file_of_a_secret_is_not_read_to_plan(tmp_path: Path) -> None:
    missing = {"post": "/x", "headers": {"A": f"file:{tmp_path}/none"}}
    entry = Service.model_validate({"url": "http://127.0.0.1:1/", "probes": {"p": missing}})
    assert probe_request("api", entry, "p").target.name == "p"
