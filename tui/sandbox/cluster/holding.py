"""How often CPU limits hold containers: accounts that only ever grow, as those of control groups do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tui.sandbox.cluster.clock import Clock, parse_time
from tui.sandbox.cluster.resources import Object

PERIODS_PER_S = 10
"""Of simulated time, while a container runs."""
HELD_S = 0.031
"""How long one is held in a period, on average."""
_CALM, _LOADED = 0.012, 0.37
_LOAD = 1.5
"""From this much load on an app is held often."""


@dataclass
class Account:
    """What has been counted of one container since it started."""

    since: str
    """When it started: another start is another account."""
    app: tuple[str, str]
    """Namespace and app label of its pod."""
    counted_to: datetime
    periods: float = 0.0
    held: float = 0.0


class Holding:
    """Counts when it is asked, by what each app does at that time."""

    def __init__(self, clock: Clock, load: Mapping[tuple[str, str], float]) -> None:
        """`load` multiplies the CPU of an app, by namespace and app label."""
        self._clock = clock
        self._load = load
        self._shares: dict[tuple[str, str], float] = {}
        self._accounts: dict[tuple[str, str], Account] = {}

    def throttle(self, namespace: str, app: str, share: float | None) -> None:
        """Hold an app's containers in this part of their periods from now on; None: as its load says."""
        for account in self._accounts.values():
            if account.app == (namespace, app):
                self._count(account)
        if share is None:
            self._shares.pop((namespace, app), None)
        else:
            self._shares[namespace, app] = share

    def account(self, pod: Object, container: Object, since: str) -> Account:
        """Return the account of a container that runs since then; without a CPU limit nothing is counted in it."""
        meta = pod["metadata"]
        key = meta["uid"], container["name"]
        found = self._accounts.get(key)
        if found is None or found.since != since:
            app = meta["namespace"], (meta.get("labels") or {}).get("app", "")
            found = self._accounts[key] = Account(since, app, parse_time(since) or self._clock.now())
        if limit_millis(container):
            self._count(found)
        return found

    def _count(self, account: Account) -> None:
        now = self._clock.now()
        periods = max((now - account.counted_to).total_seconds(), 0.0) * self._clock.speed * PERIODS_PER_S
        share = self._shares.get(account.app, _LOADED if self._load.get(account.app, 1.0) > _LOAD else _CALM)
        account.counted_to = now
        account.periods += periods
        account.held += periods * share


def limit_millis(container: Object) -> int:
    """Return a container's CPU limit in thousandths of a core; 0 without one."""
    quantity = ((container.get("resources") or {}).get("limits") or {}).get("cpu", "")
    if quantity.endswith("m"):
        return int(quantity[:-1])
    return int(float(quantity) * 1000) if quantity else 0
