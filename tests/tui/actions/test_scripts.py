"""Scripts: run once as declared, heard while they run, green only with exit code 0, killed as a whole."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.schema import Profile
from tui.actions.action import NO_SYSTEM, Action, NotSentError, Phase, Receipt, Request, Risk, Sent
from tui.actions.guard import GuardState, refusal
from tui.actions.perform import Ask, Consent, Ending, Performer
from tui.actions.scripts import LINES, RUN_SCRIPT, RunScript, ScriptRun, script_request
from tui.journal import Journal


def profile_of(*command: str, environment: str = "staging", **more: Any) -> Profile:
    script = {"command": list(command), **more}
    return Profile.model_validate({"name": "t", "environment": environment, "scripts": {"flush": script}})


def asked(profile: Profile) -> Request:
    return script_request("flush", profile.scripts["flush"])


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


class Running:
    """A script that was started."""

    def __init__(self, profile: Profile) -> None:
        self.runs: list[ScriptRun] = []
        self.verb = RunScript(profile)
        self.verb.started = self.runs.append
        self.profile = profile

    async def start(self) -> "Running":
        self.action: Action = await self.verb.plan(asked(self.profile))
        self.receipt: Receipt = await self.verb.execute(self.action)
        return self

    @property
    def run(self) -> ScriptRun:
        return self.runs[0]

    @property
    def sent(self) -> Sent:
        return self.action.sent(time.time()).learned(self.receipt)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_the_plan_shows_the_arguments_and_the_profile_s_risk() -> None:
    profile = profile_of("flush-cdn", "--zone", "a b", "token=abc", changes=True, title="Flush the CDN")
    action = await RunScript(profile).plan(asked(profile))
    assert action.command == "flush-cdn --zone 'a b' token=•••"
    assert action.risk is Risk.HIGH
    assert "it changes something, says the profile" in action.impact
    assert action.inverse is None


async def test_output_is_heard_while_it_runs_and_cleaned_and_without_secrets() -> None:
    code = "printf 'one\\n\\033[2Jtwo password=hunter2\\n'; sleep 60"
    running = await Running(profile_of("sh", "-c", code)).start()
    await until(lambda: running.run.count == 2)
    assert list(running.run.lines) == ["one", "␛[2Jtwo password=•••"]
    look = await running.verb.look(running.sent)
    assert (look.phase, "two password=•••" in look.detail) == (Phase.WAITING, True)
    assert running.verb.kill(running.run)
    await until(lambda: running.run.is_over)
    assert (await running.verb.look(running.sent)).phase is Phase.NOT_CONVERGED


@pytest.mark.parametrize(
    ("code", "phase", "words"),
    [
        ("echo fine", Phase.CONVERGED, "exit code 0: fine"),
        ("echo a; echo b >&2; exit 3", Phase.NOT_CONVERGED, "exit code 3: a ↵ b"),
        ("kill -9 $$", Phase.NOT_CONVERGED, "ended by signal 9"),
        ("printf unfinished", Phase.CONVERGED, "exit code 0: unfinished"),
    ],
)
async def test_the_outcome_is_the_exit_code_with_its_last_words(code: str, phase: Phase, words: str) -> None:
    running = await Running(profile_of("sh", "-c", code)).start()
    await until(lambda: running.run.is_over)
    look = await running.verb.look(running.sent)
    assert (look.phase, look.detail) == (phase, words)


async def test_after_its_timeout_the_whole_group_is_killed() -> None:
    running = await Running(profile_of("sh", "-c", "sleep 77 & echo $!; wait", timeout="1s")).start()
    await until(lambda: running.run.is_over)
    assert "not finished within 1 s: killed" in running.run.ended
    child = int(running.run.lines[0])
    await until(lambda: not is_alive(child))


async def test_killing_it_kills_what_it_has_started() -> None:
    running = await Running(profile_of("sh", "-c", "sleep 77 & echo $!; wait")).start()
    await until(lambda: running.run.count)
    child = int(running.run.lines[0])
    assert is_alive(child)
    running.verb.kill(running.run)
    await until(lambda: not is_alive(child))
    await until(lambda: running.run.is_over)
    assert not running.verb.kill(running.run), "it has ended"


async def test_what_cannot_be_started_was_not_sent() -> None:
    with pytest.raises(NotSentError, match="No such file"):
        await Running(profile_of("/nonexistent/flush")).start()


async def test_one_runs_at_a_time() -> None:
    running = await Running(profile_of("sleep", "60")).start()
    with pytest.raises(NotSentError, match="runs already"):
        await running.verb.plan(asked(running.profile))
    running.verb.kill(running.run)
    await until(lambda: running.run.is_over)
    assert await running.verb.plan(asked(running.profile))


async def test_a_flood_is_bounded_and_counted() -> None:
    running = await Running(profile_of("sh", "-c", "seq 10000; head -c 100000 /dev/zero")).start()
    await until(lambda: running.run.is_over)
    assert len(running.run.lines) <= LINES
    assert running.run.count >= 10_000
    assert max(map(len, running.run.lines)) < 70_000


async def test_a_profile_that_was_edited_since_is_refused() -> None:
    request = asked(profile_of("true"))
    with pytest.raises(NotSentError, match="no longer has this script"):
        await RunScript(profile_of("false")).plan(request)


async def test_of_a_run_that_an_earlier_opstui_began_nothing_can_be_told() -> None:
    running = await Running(profile_of("true")).start()
    look = await RunScript(running.profile).look(running.sent)
    assert look.phase is Phase.UNKNOWN


async def test_the_sandbox_runs_none_and_a_read_only_profile_says_how_to_arm() -> None:
    sandbox = profile_of("true", environment="sandbox")
    action = await RunScript(sandbox).plan(asked(sandbox))
    assert "sandbox" in action.permission
    with pytest.raises(NotSentError, match="sandbox"):
        await RunScript(sandbox).execute(action)
    why = refusal(asked(sandbox), profile_of("true"), GuardState(read_only=True))
    assert why is not None
    assert "press W" in why


async def test_intent_and_outcome_are_on_record_with_the_arguments(tmp_path: Path) -> None:
    profile = profile_of("sh", "-c", "exit 4", risk="low")
    journal = Journal(tmp_path, "t", "staging")
    verb = RunScript(profile)
    performer = Performer(
        profile,
        {(RUN_SCRIPT, NO_SYSTEM): verb},
        GuardState(read_only=False),
        journal,
        pause=lambda s: asyncio.sleep(0.01),
    )

    async def confirm(*_: object) -> Consent:
        return Consent(Ask.KEY)

    outcome = await performer.perform(asked(profile), confirm, lambda request, what: None)
    assert outcome.ending is Ending.NOT_CONVERGED
    intent, *_, last = journal.entries()
    assert (intent["what"], intent["command"]) == ("intent", "sh -c 'exit 4'")
    assert last["detail"] == "exit code 4"
