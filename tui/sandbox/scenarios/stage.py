"""What a scenario may touch, and the task in which one runs."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.connections import LOST, REDIS_LOST
from tui.sandbox.edge import Edge
from tui.sandbox.errors import SandboxError
from tui.sandbox.scenarios import CALM, SCENARIOS
from tui.sandbox.service_logs import ServiceLogs
from tui.sandbox.services import Service
from tui.sandbox.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Stage:
    """The running sandbox, for scenarios."""

    base: Path
    redis_path: str
    services: Mapping[str, Service]
    logs: ServiceLogs
    traffic: Traffic
    cluster: Cluster
    edge: Edge | None = None


class ScenarioModule(Protocol):
    """A module of this package."""

    async def run(self, stage: Stage) -> None:
        """Bring the trouble about; end it and clean up when cancelled. Returning early ends the scenario."""


class Scenarios:
    """At most one scenario at a time."""

    def __init__(self, stage: Stage, changed: Callable[[str, str], None]) -> None:
        """`changed` gets the name of the scenario that is now under way, and why the last one failed or ""."""
        self._stage = stage
        self._changed = changed
        self._task: asyncio.Task[None] | None = None

    async def begin(self, name: str, duration_s: float | None = None) -> None:
        """End the present scenario and begin another; `calm` begins none.

        Raises:
            SandboxError: there is no such scenario, or the length is not positive.
        """
        if name not in SCENARIOS:
            raise SandboxError(f"no scenario {name!r}: there are {', '.join(SCENARIOS)}")
        if duration_s is not None and not 0 < duration_s <= 86_400:
            raise SandboxError(f"a scenario lasts between 0 and 86400 seconds, not {duration_s:g}")
        await self.end()
        self._changed(name, "")
        if name != CALM:
            module = cast("ScenarioModule", importlib.import_module(f"{__package__}.{name.replace('-', '_')}"))
            length_s = SCENARIOS[name].duration_s if duration_s is None else duration_s
            self._task = asyncio.create_task(self._run(module.run(self._stage), length_s))

    async def _run(self, scenario: Awaitable[None], duration_s: float) -> None:
        failure = ""
        try:
            async with asyncio.timeout(duration_s) as limit:
                await scenario
        except (SandboxError, ApiError, *LOST, *REDIS_LOST) as error:
            failure = "" if limit.expired() else str(error) or type(error).__name__
        finally:
            self._changed(CALM, failure)

    async def end(self) -> None:
        """End the present scenario, if any, and wait until it has cleaned up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until_cancelled() -> None:
    """Wait for the scenario's end."""
    await asyncio.Event().wait()
