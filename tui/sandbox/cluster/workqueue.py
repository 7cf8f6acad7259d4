"""A controller's queue: keys that wait to be reconciled, each at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tui.sandbox.cluster.clock import Clock
from tui.sandbox.cluster.store import Key


class WorkQueue:
    """Calls `reconcile(key)` soon after `add(key)`; many additions before that are one.

    Args:
        clock: whose time delays are in.
        reconcile: brings one object closer to what its spec says.
        pause_s: how long a key waits for further changes before it is reconciled.
    """

    def __init__(self, clock: Clock, reconcile: Callable[[Key], None], pause_s: float = 0.02) -> None:
        self._clock = clock
        self._reconcile = reconcile
        self._pause_s = pause_s
        self._soon: set[Key] = set()
        self._later: dict[Key, asyncio.TimerHandle] = {}

    def add(self, key: Key) -> None:
        """Reconcile `key` soon."""
        if key not in self._soon:
            self._soon.add(key)
            self._clock.after(self._pause_s, self._run, key)

    def add_after(self, key: Key, delay_s: float) -> None:
        """Reconcile `key` after `delay_s`, in place of an earlier request of this kind."""
        if (old := self._later.pop(key, None)) is not None:
            old.cancel()
        self._later[key] = self._clock.after(delay_s, self._wake, key)

    def forget(self, key: Key) -> None:
        """Drop what `add_after` asked for."""
        if (old := self._later.pop(key, None)) is not None:
            old.cancel()

    def _wake(self, key: Key) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _run(self, key: Key) -> None:
        self._soon.discard(key)
        self._reconcile(key)
