"""Hooks: run once, with the words that were shown; refused in the sandbox; unknown where no good answer came."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST
from tui.actions.action import Action, NotSentError, Phase, Request, Risk
from tui.actions.guard import GuardState, refusal
from tui.actions.hooks import TellOthers, tell_request
from tui.sources.errors import Unreachable


class Receiver(BaseHTTPRequestHandler):
    status = 200
    got: ClassVar[list[tuple[str, dict[str, str], Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(Receiver.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Receiver.got.clear()
    Receiver.status = 200
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/T0/secret-path"
    server.shutdown()
    server.server_close()


def profile_of(environment: str = "staging", **hook: Any) -> Profile:
    return Profile.model_validate({"name": "t", "environment": environment, "hooks": {"page": hook}})


def asked(profile: Profile, words: str = "orders is down") -> Request:
    return tell_request("page", profile.hooks["page"], words)


async def planned(profile: Profile, words: str = "orders is down") -> tuple[TellOthers, Action]:
    verb = TellOthers(profile)
    return verb, await verb.plan(asked(profile, words))


async def test_a_program_gets_the_words_on_its_standard_input_and_no_shell_reads_them(tmp_path: Path) -> None:
    told = tmp_path / "told"
    profile = profile_of(command=["tee", str(told)])
    verb, action = await planned(profile, "$(touch /tmp/no) `id` it's down")
    receipt = await verb.execute(action)
    assert told.read_text() == "$(touch /tmp/no) `id` it's down"
    assert receipt.answer == "exit code 0"
    assert (await verb.look(action.sent(0.0).learned(receipt))).phase is Phase.CONVERGED
    assert action.risk is Risk.MEDIUM


async def test_what_looks_like_a_secret_is_taken_out_before_anybody_sees_it(tmp_path: Path) -> None:
    told = tmp_path / "told"
    verb, action = await planned(profile_of(command=["tee", str(told)]), "login with password=hunter2 works")
    await verb.execute(action)
    assert "hunter2" not in told.read_text() + str(action)
    assert action.preview == ("the words: login with password=••• works",)


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        (["/nonexistent/page"], NotSentError, "No such file"),
        (["false"], Unreachable, "exit code 1"),
        (["sleep", "60"], Unreachable, "not finished within"),
    ],
)
async def test_a_program_that_did_not_end_well_may_have_told_somebody(
    command: list[str], error: type[Exception], words: str
) -> None:
    verb, action = await planned(profile_of(command=command, timeout="1s"))
    with pytest.raises(error, match=words):
        await verb.execute(action)
    assert (await verb.look(action.sent(0.0))).phase is Phase.UNKNOWN


async def test_an_address_from_a_secret_is_called_once_and_never_shown(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", url)
    monkeypatch.setenv("KEY", "s3cr3t")
    profile = profile_of(url="env:HOOK", field="message", headers={"X-Key": "env:KEY"})
    verb, action = await planned(profile)
    assert await verb.execute(action)
    ((path, headers, body),) = Receiver.got
    assert (path, body, headers["X-Key"]) == ("/T0/secret-path", {"message": "orders is down"}, "s3cr3t")
    assert "secret-path" not in str(action)
    assert "s3cr3t" not in str(action)
    assert "env:HOOK" in action.command


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [(404, NotSentError, "refused: HTTP 404"), (500, Unreachable, "HTTP 500"), (302, Unreachable, "HTTP 302")],
)
async def test_an_answer_that_is_not_good(url: str, status: int, error: type[Exception], words: str) -> None:
    Receiver.status = status
    verb, action = await planned(profile_of(url=url))
    with pytest.raises(error, match=words):
        await verb.execute(action)
    assert len(Receiver.got) == 1, "it is never sent again by itself"


async def test_nobody_listens() -> None:
    verb, action = await planned(profile_of(url="http://127.0.0.1:9/x"))
    with pytest.raises(NotSentError, match="nobody was reached"):
        await verb.execute(action)


async def test_the_sandbox_tells_nobody() -> None:
    profile = profile_of("sandbox", command=["false"])
    verb = TellOthers(profile)
    assert "off" in verb.forbidden(asked(profile))
    action = await verb.plan(asked(profile))
    assert action.permission
    with pytest.raises(NotSentError, match="sandbox"):
        await verb.execute(action)


async def test_a_hook_that_was_edited_meanwhile_is_another_one() -> None:
    request = asked(profile_of(command=["true"]))
    with pytest.raises(NotSentError, match="no longer has this hook"):
        await TellOthers(profile_of(command=["rm", "-rf", "/"])).plan(request)


@pytest.mark.parametrize(
    ("guards", "read_only", "words"),
    [({}, False, None), ({}, True, "read-only"), ({"verbs": {"deny": ["tell"]}}, False, "denies tell")],
)
def test_the_guard_is_asked_as_for_any_change(guards: dict[str, Any], read_only: bool, words: str | None) -> None:
    profile = profile_of(command=["true"]).model_copy(
        update={"guards": Profile.model_validate({"name": "t", "guards": guards}).guards}
    )
    why = refusal(asked(profile), profile, GuardState(read_only=read_only))
    assert (why is None) if words is None else (why is not None and words in why)
    assert refusal(REQUEST, profile, GuardState(read_only=False)) is not None, "a system that is not there still counts"
