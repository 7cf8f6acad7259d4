"""A stage without servers, for scenarios that happen in the simulated cluster, seen as the demo's profile sees it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from profiles.loader import load
from profiles.schema import Profile
from profiles.systems import Service
from tui.rules import Rules
from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import Client
from tui.sandbox.scenarios.stage import Scenarios, Stage
from tui.sandbox.service_logs import ServiceLogs
from tui.sandbox.services import ServicePorts, shop_services
from tui.sandbox.traffic import Traffic
from tui.sources.reading import Reading, Source
from tui.systems import systems_of

CALM = {"service:search state WARN"}
"""What is always up in the sandbox."""
_STEP_S = 60.0
_PATIENCE_S = 0.2
"""For a log's next line; a source of logs waits longer for one."""
_READ = ("service:", "kubernetes:", "logs:services")


class Play:
    """A scenario under way, its cluster, and the alerts that the profile's rules raise for it.

    The rules' clock moves on by a minute with every look, so that nobody waits for their `for`.
    """

    def __init__(self, stage: Stage, client: Client, profile: Profile) -> None:
        self.cluster = stage.cluster
        self.client = client
        self.running = "calm"
        self.failure = ""
        self.scenarios = Scenarios(stage, self._changed)
        self._sources = [source for source in systems_of(profile).sources if source.name.startswith(_READ)]
        self._rules = Rules(profile.rules)
        self._now = 0.0

    def _changed(self, name: str, failure: str) -> None:
        self.running, self.failure = name, failure

    async def alerts(self) -> set[str]:
        """Read every source once more and return what is up beyond a calm day's: `service:api state WARN`."""
        self._now += _STEP_S
        await asyncio.gather(*(self._judge(source, self._now) for source in self._sources))
        return {f"{alert.source} {alert.metric} {alert.level.name}" for alert in self._rules.alerts} - CALM

    async def is_over(self) -> bool:
        """Return whether the scenario has ended by itself, cured."""
        assert not self.failure
        return self.running == "calm"

    async def _judge(self, source: Source[Any], now: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S if source.name.startswith("logs:") else None):
                snapshot = await source.read()
            self._rules.judge(Reading(source.name, source.interval_s, snapshot, now), now)

    async def close(self) -> None:
        """End the scenario and close what was opened."""
        await self.scenarios.end()
        for source in self._sources:
            await source.close()


async def eventually(asked: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], within_s: float = 30) -> Any:
    """Ask again and again until the answer is as wanted; fail with the last answer."""
    deadline = time.monotonic() + within_s
    while not wanted(answer := await asked()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        await asyncio.sleep(0.05)
    return answer


@contextlib.asynccontextmanager
async def playing(folder: Path, name: str, speed: float = 20) -> AsyncIterator[Play]:
    """Begin a scenario where minutes of the cluster are seconds."""
    logs, ports, services = ServiceLogs(folder / "logs"), ServicePorts(), shop_services()
    traffic = Traffic(folder, str(folder / "redis.sock"), services, logs)  # never started: it needs the servers
    async with Cluster(speed=speed) as cluster, Client(cluster) as client:
        endpoints = {f"service_{name}": url for name, url in (await ports.listen(services)).items()}
        endpoints |= {"kubeconfig": str(cluster.write_kubeconfig(folder / "kubeconfig")), "logs": str(logs.folder)}
        endpoints |= {"postgres": f"postgresql://opstui@/shop?host={folder}", "redis": f"unix://{folder}/redis.sock"}
        endpoints |= {"base": str(folder), "service_edge": "https://127.0.0.1:9/health"}
        profile = load("demo", sandbox=endpoints).profile
        profile = profile.model_copy(update={"services": _by_health_alone(profile)})
        play = Play(Stage(folder, str(folder / "redis.sock"), services, logs, traffic, cluster), client, profile)
        try:
            await play.alerts()  # what is in the logs from now on is news
            await play.scenarios.begin(name)
            yield play
        finally:
            await play.close()
            await ports.close()
            logs.close()


def _by_health_alone(profile: Profile) -> dict[str, Service]:
    """Return the services without what only the whole sandbox serves: the edge, probes, logins, statistics."""
    played = {name: entry for name, entry in profile.services.items() if name != "edge"}
    return {
        name: entry.model_copy(update={"probes": {}, "login": None, "token": None, "stats": []})
        for name, entry in played.items()
    }
