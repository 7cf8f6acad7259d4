"""What a pane reads by itself: when it is due again, after a reading that went well and after one that did not."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tui.panes.periodic import Periodic
from tui.sources.errors import Unreachable


class _Reading:
    """A system that takes its time, on a clock of its own."""

    def __init__(self, every_s: float) -> None:
        self.now, self.took_s, self.count = 1_000.0, 0.0, 0
        self.error: Unreachable | None = None
        self.periodic = Periodic(self._read, self._start, lambda: None, lambda: self.now, every_s=every_s)

    async def _read(self) -> int:
        self.count += 1
        self.now += self.took_s
        if self.error is not None:
            raise self.error
        return self.count

    def _start(self, reading: Coroutine[Any, Any, None]) -> None:
        asyncio.run(reading)

    def due_in_s(self) -> float:
        """Read once, and return after how many seconds it is read again."""
        self.periodic.poll()
        before, waited = self.count, 0.0
        while self.count == before:
            self.now += 0.5
            waited += 0.5
            self.took_s = 0.0
            self.periodic.poll()
        return waited


def test_what_takes_long_is_read_rarely() -> None:
    slow = _Reading(every_s=5.0)
    slow.took_s = 2.0
    assert slow.due_in_s() == 18.0


def test_what_failed_is_read_again_soon_however_long_the_silence_was() -> None:
    hung = _Reading(every_s=5.0)
    hung.took_s, hung.error = 10.0, Unreachable("connected, but no answer in time")
    assert hung.due_in_s() <= 5.0
    rare = _Reading(every_s=60.0)
    rare.error = Unreachable("connected, but no answer in time")
    assert rare.due_in_s() <= 5.0
