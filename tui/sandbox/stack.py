"""The sandbox as seen by the program that wants one: start, endpoints, scenarios, stop.

The servers run under a supervisor process of their own. It holds the reading end of a pipe from us and ends
everything at end-of-file, so nothing is left behind however this program ends.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from tui.sandbox.binaries import check_platform
from tui.sandbox.environment import kept
from tui.sandbox.errors import SandboxError
from tui.sandbox.scenarios import CALM, SCENARIOS

START_S = 30.0
"""A start that takes longer has failed."""
_ANSWER_S = 30.0
_STOP_S = 10.0


def _silent(text: str) -> None:
    """Show nothing."""


class Sandbox:
    """A running sandbox; ours until `stop`, or until this process ends."""

    def __init__(self, process: asyncio.subprocess.Process, complaints: BinaryIO) -> None:
        self._process = process
        self._complaints = complaints
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._last_id = 0
        self._listening: asyncio.Task[None] | None = None
        self.endpoints: Mapping[str, str] = {}
        """What `${sandbox.NAME}` stands for in a profile."""
        self.pids: Mapping[str, int] = {}
        """Process ids of the servers, by name."""
        self.running = CALM
        """Name of the scenario that is under way; `calm` when it has ended."""
        self.failure = ""
        """Why the last scenario ended early, in the server's words; empty when it did not."""
        self.started_in_s = 0.0
        """Seconds from the supervisor's first line to everything being up."""

    @property
    def supervisor_pid(self) -> int:
        """Process id of the supervisor."""
        return self._process.pid

    @classmethod
    async def start(cls, *, scenario: str = CALM, progress: Callable[[str], None] = _silent) -> Self:
        """Start a sandbox; `progress` gets a line for each part that is up.

        Raises:
            SandboxError: not possible on this machine, the `demo` extra is missing, or a part did not start.
        """
        check_platform()
        if scenario not in SCENARIOS:
            raise SandboxError(f"no scenario {scenario!r}: there are {', '.join(SCENARIOS)}")
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 -- the supervisor writes to it while it lives
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tui.sandbox.supervisor",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=complaints,
            env=_environment(), start_new_session=True,
        )  # fmt: skip
        sandbox = cls(process, complaints)
        try:
            async with asyncio.timeout(START_S):
                await sandbox._ready(progress)
            sandbox._listening = asyncio.create_task(sandbox._listen())
            if scenario != CALM:
                await sandbox.scenario(scenario)
        except TimeoutError:
            await sandbox.stop()
            raise SandboxError(f"the sandbox did not start within {START_S:.0f} s") from None
        except BaseException:
            await sandbox.stop()
            raise
        return sandbox

    async def _ready(self, progress: Callable[[str], None]) -> None:
        while (event := await self._event()) is not None:
            match event:
                case {"event": "progress", "text": str(text)}:
                    progress(text)
                case {"event": "fatal", "text": str(text)}:
                    raise SandboxError(text)
                case {"event": "ready", "endpoints": endpoints, "pids": pids, "seconds": seconds}:
                    self.endpoints, self.pids, self.started_in_s = endpoints, pids, seconds
                    return
                case _:
                    continue
        raise SandboxError(f"the sandbox's supervisor ended while starting: {self._last_complaint()}")

    async def _event(self) -> Mapping[str, Any] | None:
        assert self._process.stdout is not None  # noqa: S101 -- opened as a pipe above
        line = await self._process.stdout.readline()
        if not line:
            return None
        event: Mapping[str, Any] = json.loads(line)
        return event

    async def _listen(self) -> None:
        while (event := await self._event()) is not None:
            match event:
                case {"event": "scenario", "name": str(name), "failure": str(failure)}:
                    self.running, self.failure = name, failure
                case {"event": "done", "id": int(number), "pids": pids} if number in self._answers:
                    self.pids = pids
                    self._answers.pop(number).set_result(None)
                case {"event": "refused", "id": int(number), "text": str(text)} if number in self._answers:
                    self._answers.pop(number).set_exception(SandboxError(text))
                case _:
                    continue
        for answer in self._answers.values():
            answer.set_exception(SandboxError(f"the sandbox has ended: {self._last_complaint()}"))
        self._answers.clear()

    async def scenario(self, name: str, duration_s: float | None = None) -> None:
        """Begin a scenario, which ends by itself; it replaces one that is under way, `calm` only ends that.

        `duration_s` is its length in seconds; None for the scenario's own, a few minutes.

        Raises:
            SandboxError: there is no such scenario, or the sandbox has ended.
        """
        await self._ask(do="scenario", name=name, duration_s=duration_s)

    async def set_component(self, service: str, component: str, status: str) -> None:
        """Change, or add, a component of a service's health document.

        `status` is UP, DOWN or DEGRADED in either shape's spelling; other words are shown as they are and
        count as down; empty takes the change back.

        Raises:
            SandboxError: there is no such service, or the sandbox has ended.
        """
        await self._ask(do="set_component", service=service, component=component, status=status)

    async def rotate_logs(self) -> None:
        """Rename every log file to NAME.1 and begin it anew."""
        await self._ask(do="rotate_logs")

    async def stop_server(self, name: str) -> None:
        """Stop `postgres` or `redis` as its operator would, until `start_server`.

        Raises:
            SandboxError: there is no such server, or the sandbox has ended.
        """
        await self._ask(do="stop_server", server=name)

    async def start_server(self, name: str) -> None:
        """Start `postgres` or `redis` again, on the same socket; one that runs is restarted. See `pids`.

        PostgreSQL keeps its data, Valkey forgets them.

        Raises:
            SandboxError: there is no such server, it does not start, or the sandbox has ended.
        """
        await self._ask(do="start_server", server=name)

    async def _ask(self, **request: object) -> None:
        if self._process.stdin is None or self._listening is None or self._listening.done():
            raise SandboxError("the sandbox has ended")
        self._last_id += 1
        answer = self._answers[self._last_id] = asyncio.get_running_loop().create_future()
        try:
            self._process.stdin.write(json.dumps({"id": self._last_id, **request}).encode() + b"\n")
            await self._process.stdin.drain()
            async with asyncio.timeout(_ANSWER_S):
                await answer
        except (OSError, TimeoutError) as error:
            raise SandboxError("the sandbox does not answer") from error
        finally:
            self._answers.pop(self._last_id, None)

    async def ended(self) -> None:
        """Return when the sandbox has ended, by `stop` or by itself."""
        if self._listening is not None:
            await asyncio.wait((self._listening,))

    async def stop(self) -> None:
        """Stop everything and remove the sandbox's folder; a second call does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await self._drain()
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._complaints.close()

    async def _drain(self) -> None:
        if self._listening is not None:
            await self._listening
        else:
            while await self._event() is not None:
                pass

    def _last_complaint(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").splitlines()
        said = [line.strip(" |+") for line in lines if any(letter.isalnum() for letter in line)]
        return said[-1] if said else "it said nothing"


def _environment() -> dict[str, str]:
    environment = kept(os.environ)
    root = Path(__file__).resolve().parents[2]
    if root.name not in ("site-packages", "dist-packages"):
        # A clone that is not installed: its folder must come before others' packages of the same names.
        environment["PYTHONPATH"] = os.pathsep.join(part for part in (str(root), environment.get("PYTHONPATH")) if part)
    return environment
