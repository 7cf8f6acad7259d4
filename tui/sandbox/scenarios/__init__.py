"""Troubles that start, run and end by themselves; one file each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a person may choose."""

    meaning: str
    """One line: what will be seen and where."""
    duration_s: float
    """Seconds after which it ends by itself."""


CALM = "calm"
SCENARIOS: Mapping[str, Scenario] = {
    CALM: Scenario("an ordinary day; ends a scenario that is under way", 0),
    "lock-pileup": Scenario(
        "two sessions block trees of writers: one idle in transaction (only terminate helps), one with a"
        " running query (cancel helps)",
        300,
    ),
    "slow-queries": Scenario(
        "two reports without a join condition run for hours, orders and api answer slowly; cancelling or terminating"
        " sales-report's sessions helps",
        600,
    ),
    "pool-exhaustion": Scenario(
        "a new shop/reporting-worker leaks database sessions until nobody else gets one, orders is DOWN; scaling it to"
        " 0 or restarting it helps",
        600,
    ),
    "crash-loop": Scenario("a new version of shop/api crashes as soon as it starts", 240),
    "redis-full": Scenario("an export fills Redis with big keys up to maxmemory; others are evicted", 180),
    "error-burst": Scenario("payments loses its provider: errors, stack traces and latency everywhere", 180),
    "bad-rollout": Scenario(
        "a release of shop/orders is ready but answers errors, and slowly: orders degraded, errors in the logs;"
        " undoing the rollout helps",
        600,
    ),
    "oom": Scenario(
        "a release of shop/search leaks memory until it is OOMKilled, again and again; undoing the rollout helps,"
        " a restart only for a while",
        600,
    ),
    "cpu-throttling": Scenario(
        "shop/search has more to do than its CPU limit allows: it is held in half of its periods and answers slowly;"
        " raising its CPU limit helps",
        600,
    ),
    "failing-service": Scenario(
        "payments is DOWN: its pods run but are not ready, their processes are wedged; a restart helps, or deleting"
        " those pods",
        600,
    ),
    "expired-certificate": Scenario(
        "edge serves a certificate that has expired: DOWN for whoever checks it; Credentials (tab) shows the chain", 180
    ),
    "hostile": Scenario("queries, keys, log lines, a pod and a health component that try to take over a terminal", 120),
}
"""Every scenario by name. What it does is `run` in the module of that name."""
