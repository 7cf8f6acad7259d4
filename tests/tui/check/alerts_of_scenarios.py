"""Which alerts each of the sandbox's troubles raises, and whether they end with it: for a test, and for the bench."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from profiles.loader import load
from tui.cli.headless import watching
from tui.journal import Journal
from tui.rules import Level
from tui.sandbox.blocking import BlockingSandbox
from tui.walkthroughs.site import Site

EXPECTED: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    name: (frozenset(must.split()), frozenset(may.split()))
    for name, must, may in (
        ("lock-pileup", "shop.blocked", "shop.active_s shop.idle_in_transaction_s"),
        ("slow-queries", "shop.active_s api.latency_ratio", "orders.latency_ratio api.probe_state"),
        ("pool-exhaustion", "shop.connections_percent orders.state", "api.probe_state"),
        ("crash-loop", ".crash_loops .pods_failing", ".workloads_unavailable api.state api.probe_state"),
        ("redis-full", "cache.memory_percent cache.evicted_per_s", "shop.active_s"),
        (
            "error-burst",
            "payments.state services.errors_per_s",
            "gateway.state orders.latency_ratio payments.latency_ratio orders.state api.probe_state",
        ),
        ("bad-rollout", "orders.state services.errors_per_s", "orders.latency_ratio .workloads_unavailable"),
        ("oom", ".oom_kills", ".pods_failing .crash_loops .workloads_unavailable"),
        ("cpu-throttling", "search.latency_ratio", ".workloads_unavailable api.probe_state"),
        ("failing-service", "payments.state", ".workloads_unavailable"),
        ("hostile", "api.state", "shop.active_s .pods_failing .workloads_unavailable api.probe_state"),
        ("expired-certificate", "edge.state edge.certificate_days", ""),
    )
}
"""Scenario → alerts that it must raise, and those that it may raise besides: `system.metric`."""
_TROUBLE_S: Final = 90.0
_CALM_S: Final = 120.0


@asynccontextmanager
async def watched(sandbox: BlockingSandbox, folder: Path) -> AsyncIterator[Site]:
    """Watch the sandbox as the screen does with everything visible, until it is calm."""
    profile = load("demo", sandbox=sandbox.endpoints).profile
    async with watching(profile, Journal(folder, "demo", "sandbox")) as site:
        site.pollers.attend({reading.kind for reading in site.pollers.readings()})
        deadline = time.monotonic() + 60
        while any(reading.snapshot is None for reading in site.pollers.readings()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        await _until(lambda: not up(site), site, set(), _CALM_S, "the sandbox is calm")
        yield site


def up(site: Site) -> frozenset[str]:
    """Return the alerts that are up, but for the host's, which others load, and search's, which is never quite well.

    That a probe's answer was right but late is no more than the host's load either.
    """
    late = {alert for alert in site.rules.alerts if alert.metric == "probe_state" and alert.level is Level.WARN}
    names = {(alert.source, alert.metric) for alert in {*site.rules.alerts} - late if alert.source != "host:"}
    names.discard(("service:search", "state"))
    return frozenset(f"{source.partition(':')[2]}.{metric}" for source, metric in names)


async def played(name: str, sandbox: BlockingSandbox, site: Site) -> tuple[float, float, frozenset[str]]:
    """Play a scenario until all its alerts were up, then end it.

    Returns:
        Seconds until the last of those that it must raise was up, seconds from its end until none was up any more,
        and every alert that was up meanwhile.

    Raises:
        TimeoutError: they never were, or stayed.
    """
    must, _ = EXPECTED[name]
    await asyncio.to_thread(sandbox.scenario, name)
    seen: set[str] = set()
    raised_s = await _until(lambda: must <= seen, site, seen, _TROUBLE_S, f"{name} raises {sorted(must)}")
    await asyncio.to_thread(sandbox.scenario, "calm")
    cleared_s = await _until(lambda: not up(site), site, seen, _CALM_S, f"{name} ends")
    return raised_s, cleared_s, frozenset(seen)


async def _until(is_so: Callable[[], bool], site: Site, seen: set[str], within_s: float, what: str) -> float:
    began = time.monotonic()
    while True:
        seen |= up(site)
        if is_so():
            return time.monotonic() - began
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"{what}: not within {within_s:g} s; seen {sorted(seen)}, up {sorted(up(site))}")
        await asyncio.sleep(0.1)
