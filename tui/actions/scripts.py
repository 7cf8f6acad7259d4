"""Running a program that the profile declares, as an action: its output while it runs, its exit code as the outcome."""

import asyncio
import hashlib
import shlex
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from profiles import programs
from profiles.people import Script
from profiles.schema import Profile
from tui.actions.action import (
    CANNOT_BE_UNDONE,
    NO_SYSTEM,
    About,
    Action,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.sources.masking import without_secrets
from tui.sources.text import clean
from tui.units import span

RUN_SCRIPT: Final = "run-script"
LINES: Final = 2000
"""Lines of output that are kept; the oldest go first."""
_LONG_LINE: Final = 2000
_LAST: Final = 3
"""Lines that are told when it did not go well."""
_MARGIN_S: Final = 15.0
_KEPT_BYTES: Final = 64 * 1024
_RISKS: Final = {"low": Risk.LOW, "medium": Risk.MEDIUM, "high": Risk.HIGH}


def script_request(name: str, script: Script) -> Request:
    """Return the request to run a script as the profile has it."""
    return Request(RUN_SCRIPT, Target(NO_SYSTEM, "script", name, "", {"script": name, "digest": _digest(script)}))


def _digest(script: Script) -> str:
    return hashlib.sha256(script.model_dump_json().encode()).hexdigest()[:16]


class ScriptRun:
    """One run of a script: what it says, and how it ended."""

    def __init__(self, name: str, title: str, now: float) -> None:
        self.name = name
        self.title = title
        self.began_at = now
        """`time.time()`."""
        self.lines: deque[str] = deque(maxlen=LINES)
        """What it said, cleaned and without what looks like a secret: the last `LINES` lines."""
        self.count = 0
        """How many lines it said in all."""
        self.status: int | None = None
        """Its exit code; negative: the signal that ended it; None while it runs, or where it was ended."""
        self.ended = ""
        """How it ended, in words; empty while it runs."""
        self._partial = b""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return bool(self.ended)

    def hear(self, data: bytes) -> None:
        """Take what it says."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONG_LINE:  # one that ends no line must not fill the memory
            whole, self._partial = [*whole, self._partial], b""
        for line in whole:
            self._take(line)

    def end(self, words: str, status: int | None = None) -> None:
        """Take that it has ended."""
        if self._partial:
            self._take(self._partial)
            self._partial = b""
        self.status, self.ended = status, words

    def _take(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        self.lines.append(without_secrets(clean(text, limit=_LONG_LINE)))
        self.count += 1

    def last_words(self) -> str:
        """Return its last lines that say anything, on one line."""
        return " ↵ ".join([line.strip() for line in self.lines if line.strip()][-_LAST:])


class RunScript:
    """Runs a script once, in a session and process group of its own, without a shell or input.

    Identity: the script as the profile declares it; a profile that was edited since is refused. The program's name is
    looked up on PATH when it starts: what lies there is not pinned.
    """

    name = RUN_SCRIPT
    title = "Run script"
    about = About(
        system="Scripts of the profile",
        targets="script: a declared program with fixed arguments; none in the sandbox",
        risk="as the profile says; high when it does not",
        inverse=CANNOT_BE_UNDONE,
        identity="the script as the profile declared it when the person saw it",
        window="the program's file may change between the dialog and its start: its content is not pinned",
        command="PROGRAM ARGUMENTS",
        verification="exit code 0, within its own timeout; then its whole process group is killed",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, profile: Profile, *, now: Callable[[], float] = time.time) -> None:
        """Make the verb for the scripts of a profile."""
        self._profile = profile
        self._now = now
        self._runs: dict[str, ScriptRun] = {}
        """By the action's id."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.started: Callable[[ScriptRun], None] = lambda run: None
        """Told each run that has begun."""

    def forbidden(self, request: Request) -> str:
        """Return why no script runs here; empty where they do."""
        return "the sandbox runs no program of yours" if self._profile.environment == "sandbox" else ""

    async def plan(self, request: Request) -> Action:
        """Show what will be run. Raises NotSentError when the profile no longer has it, or it runs already."""
        script, name = self._script(request), request.target.name
        self._must_not_run(name)
        effect = "it changes something, says the profile" if script.changes else "it changes nothing, says the profile"
        return Action(
            request=request,
            before="it does not run",
            after=f"{script.title or name} has run to its end, with exit code 0",
            risk=_RISKS[script.risk],
            command=without_secrets(shlex.join(clean(word) for word in script.command)),
            preview=("no preview: only the program knows what it does",),
            deadline_s=script.timeout + _MARGIN_S,
            impact=(effect, f"after {span(script.timeout)} it is killed, with everything it has started"),
            permission=self.forbidden(request),
        )

    def _script(self, request: Request) -> Script:
        script = self._profile.scripts.get(request.target.name)
        if script is None or _digest(script) != request.target.identity.get("digest"):
            raise NotSentError(f"the profile no longer has this script {request.target.name}")
        return script

    def _must_not_run(self, name: str) -> None:
        if any(run.name == name and not run.is_over for run in self._runs.values()):
            raise NotSentError(f"{name} runs already, started here; wait until it ends")

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """A script stays as it is: the profile is not read again while opstui runs."""
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Start it. Raises NotSentError when it cannot be started, or runs already."""
        if why := self.forbidden(action.request):
            raise NotSentError(why)
        script, name = self._script(action.request), action.request.target.name
        self._must_not_run(name)
        run = ScriptRun(name, script.title or name, self._now())
        began: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._runs[action.id] = run
        task = self._tasks[action.id] = asyncio.create_task(self._run(script, run, began), name=f"script {name}")
        either: set[asyncio.Future[Any]] = {task, began}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not began.done():
            raise NotSentError(f"{clean(script.command[0])}: {run.ended}")
        self.started(run)
        return Receipt(f"started, process group {began.result()}", {"pid": began.result()})

    async def _run(self, script: Script, run: ScriptRun, began: "asyncio.Future[int]") -> None:
        try:
            finished = await programs.run(
                script.command,
                timeout_s=script.timeout,
                most=_KEPT_BYTES,
                keeps_end=True,
                begun=began.set_result,
                heard=run.hear,
            )
        except programs.ProgramError as error:
            run.end(f"it could not be started: {error}")
        except TimeoutError:
            run.end(f"not finished within {script.timeout:g} s: killed, with everything it had started")
        except asyncio.CancelledError:
            run.end("killed from here, with everything it had started")
            raise
        else:
            code = finished.status
            run.end(f"ended by signal {-code}" if code is not None and code < 0 else f"exit code {code}", code)

    def kill(self, run: ScriptRun) -> bool:
        """Kill a run with its whole process group; tells whether it still ran."""
        for action, known in self._runs.items():
            if known is run and not run.is_over:
                return self._tasks[action].cancel()
        return False

    async def look(self, sent: Sent) -> Look:
        """Tell whether it still runs, or how it ended; of one that an earlier opstui started nothing can be told."""
        run = self._runs.get(sent.id)
        if run is None:
            return Look(Phase.UNKNOWN, "opstui was ended while it ran, and nothing tells how it ended")
        if (task := self._tasks[sent.id]).done() and not run.is_over:
            await task  # a bug ended it: whoever looks is told
        words = run.last_words()
        if not run.is_over:
            said = f": {words.rpartition(' ↵ ')[2]}" if words else ""
            return Look(Phase.WAITING, f"runs for {span(self._now() - run.began_at)}{said}")
        told = f"{run.ended}{f': {words}' if words else ''}"
        return Look(Phase.CONVERGED if run.status == 0 else Phase.NOT_CONVERGED, clean(told, limit=1000))
