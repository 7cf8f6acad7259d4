"""Time in the cluster: timestamps as the API writes them, timers that may run faster than the wall clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any


def stamp(moment: datetime) -> str:
    """Return an RFC 3339 timestamp with seconds, as `metav1.Time` is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: datetime) -> str:
    """Return an RFC 3339 timestamp with microseconds, as `metav1.MicroTime` is written."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str | None) -> datetime | None:
    """Return the moment an API timestamp names; None for an absent one.

    Raises:
        ValueError: the text is no timestamp.
    """
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """The wall clock, and timers whose delays are divided by `speed`.

    Timestamps stay those of the wall clock at every speed, so that ages seen by clients are true.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._handles: set[asyncio.TimerHandle] = set()

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def stamp(self) -> str:
        """Return the present moment as the API writes it."""
        return stamp(self.now())

    def after(self, delay_s: float, call: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        """Run `call(*args)` after `delay_s` simulated seconds; cancel the handle to forget it."""
        return self._schedule(delay_s / self.speed, call, *args)

    def at(self, moment: datetime, call: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        """Run `call(*args)` at a moment of the wall clock, at once when it has passed."""
        return self._schedule(max((moment - self.now()).total_seconds(), 0.0), call, *args)

    def real(self, delay_s: float) -> timedelta:
        """Return how long `delay_s` simulated seconds last on the wall."""
        return timedelta(seconds=delay_s / self.speed)

    def stop(self) -> None:
        """Forget every timer."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()

    def _schedule(self, delay_s: float, call: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        def fire() -> None:
            self._handles.discard(handle)
            call(*args)

        handle = asyncio.get_running_loop().call_later(delay_s, fire)
        self._handles.add(handle)
        if len(self._handles) > 64 and len(self._handles) % 64 == 0:
            self._handles = {h for h in self._handles if not h.cancelled()}
        return handle
