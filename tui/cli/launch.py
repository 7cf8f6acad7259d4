"""From the arguments to the running screen: profile, terminal, log, sandbox, app, in that order.

Everything that can be wrong is said before the screen opens, and the terminal is not touched until then.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from profiles.loader import Loaded, load
from profiles.places import log_file
from profiles.problems import ProfileError, nearest
from profiles.schema import Profile
from tui.cli.log import keep_no_log, start_log
from tui.cli.piped import is_piped, take_keyboard
from tui.wishes import Wishes

if TYPE_CHECKING:
    from tui.sandbox.blocking import BlockingSandbox
    from tui.sandbox.scenarios import Scenario

_FAILED: Final = 1
_USAGE: Final = 2
_NOT_DONE: Final = 3
"""Exit status without a screen, where 2 means that a check has failed."""


class SandboxOnScreen:
    """What the app may ask of the sandbox: its scenarios. The sandbox's own event loop runs in a thread."""

    def __init__(self, sandbox: "BlockingSandbox", scenarios: Mapping[str, "Scenario"]) -> None:
        self._sandbox = sandbox
        self._scenarios = scenarios

    @property
    def scenarios(self) -> Mapping[str, "Scenario"]:
        """Every scenario by name, `calm` first."""
        return self._scenarios

    async def scenario(self, name: str) -> None:
        """Begin a scenario; it ends by itself, and `calm` ends it at once."""
        await asyncio.to_thread(self._sandbox.scenario, name)


def launch(name: str | None, wishes: Wishes, scenario: str | None = None) -> int:
    """Run opstui on a profile; ask for one when `name` is None and no log is given. Returns the exit status."""
    has_pipe = is_piped(sys.stdin)
    has_logs = has_pipe or bool(wishes.logs)
    if name is None and not has_logs:
        from tui.cli.profiles_page import choose

        name = choose()
        if name is None:
            return _USAGE
    try:
        loaded = _with_logs(None if name is None else load(name), wishes, has_pipe)
    except ProfileError as error:
        _say(str(error))
        return _USAGE
    except ValueError as error:
        _say(f"opstui: {error}")
        return _USAGE
    is_sandbox = loaded.profile.environment == "sandbox"
    if reason := _scenario_reason(scenario, loaded, is_sandbox) or _terminal_reason(has_pipe):
        _say(f"opstui: {reason}")
        return _USAGE
    if has_pipe:
        try:
            wishes = replace(wishes, stdin=take_keyboard())
        except OSError as error:
            _say(f"opstui: its standard input is no terminal, and there are no keys at /dev/tty: {error.strerror}")
            return _USAGE
    _start_log()
    # Textual reads it when it is imported. Nothing moves by itself: it would cost bytes on every slow link.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if name is not None and is_sandbox:
        return _run_in_sandbox(name, scenario, wishes)
    from tui.app import run

    return run(loaded, wishes, sandbox=None)


def with_profile(name: str, scenario: str | None, work: Callable[[Profile], int], *, is_logged: bool = True) -> int:
    """Do something with a profile without a screen, on a sandbox of its own where the profile is one.

    Args:
        name: of the profile, or its path.
        scenario: what the sandbox plays; None plays nothing.
        work: takes the profile and returns the exit status.
        is_logged: whether opstui's own troubles go to the log file; False keeps no trace of them.

    Returns:
        What `work` returns, or 3 when the profile, the scenario or the sandbox is at fault.
    """
    try:
        loaded = load(name)
        is_sandbox = loaded.profile.environment == "sandbox"
        if reason := _scenario_reason(scenario, loaded, is_sandbox):
            _say(f"opstui: {reason}")
            return _NOT_DONE
        if is_logged:
            _start_log()
        else:
            keep_no_log()
        if not is_sandbox:
            return work(loaded.profile)
        from tui.sandbox.environment import wall_off
        from tui.sandbox.errors import SandboxError

        wall_off(os.environ)
        try:
            with _sandbox(scenario) as sandbox:
                return work(load(name, sandbox=sandbox.endpoints).profile)
        except SandboxError as error:
            _say(f"opstui: the sandbox cannot start: {error}")
    except ProfileError as error:
        _say(str(error))
    return _NOT_DONE


def _run_in_sandbox(name: str, scenario: str | None, wishes: Wishes) -> int:
    from tui.sandbox.environment import wall_off
    from tui.sandbox.errors import SandboxError

    wall_off(os.environ)
    try:
        with _sandbox(scenario) as sandbox:
            from tui.app import run
            from tui.sandbox.scenarios import SCENARIOS

            # Read again, now that there is something to dial.
            loaded = _with_logs(load(name, sandbox=sandbox.endpoints), wishes, wishes.stdin is not None)
            shown = SandboxOnScreen(sandbox, SCENARIOS)
            return run(loaded, wishes, sandbox=shown)
    except SandboxError as error:
        _say(f"opstui: the sandbox cannot start: {error}")
        return _FAILED
    except ProfileError as error:
        _say(str(error))
        return _USAGE


@contextlib.contextmanager
def _sandbox(scenario: str | None) -> Iterator["BlockingSandbox"]:
    from tui.sandbox.blocking import BlockingSandbox

    sandbox = BlockingSandbox.start(scenario=scenario or "calm", progress=_say)
    try:
        yield sandbox
    finally:
        sandbox.stop()


def _scenario_reason(scenario: str | None, loaded: Loaded, is_sandbox: bool) -> str:
    if scenario is None:
        return ""
    if not is_sandbox:
        return f"--scenario is for the sandbox, and {loaded.profile.name} is {loaded.profile.environment}"
    from tui.sandbox.scenarios import SCENARIOS

    if scenario in SCENARIOS:
        return ""
    known = list(SCENARIOS)
    return f"there is no scenario {scenario}; {nearest(scenario, known) or 'there are ' + ', '.join(known)}"


def _with_logs(loaded: Loaded | None, wishes: Wishes, has_pipe: bool) -> Loaded:
    if loaded is not None and not has_pipe and not wishes.logs:
        return loaded
    from tui.cli.log_arguments import with_logs

    return with_logs(loaded, wishes.logs, is_piped=has_pipe)


def _terminal_reason(has_pipe: bool) -> str:
    """Return why this is no terminal for a full screen; empty when it is one."""
    streams = [(sys.stdout, "output"), (sys.stderr, "error output")]
    for stream, word in streams if has_pipe else [(sys.stdin, "input"), *streams]:
        if stream is None or not stream.isatty():
            return f"needs a terminal, and its standard {word} is not one; see opstui --help for what works without"
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb", "unknown"):
        shown = f"TERM={kind}" if kind else "TERM is not set"
        return f"this terminal cannot show a full screen ({shown}); set TERM to its kind, such as xterm-256color"
    return ""


def _start_log() -> None:
    try:
        start_log(log_file())
    except OSError as error:
        _say(f"opstui: no log: {log_file()}: {error.strerror}")


def _say(text: str) -> None:
    click.echo(text, err=True)
