"""The poller against five-line sources."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tui.poller import Poller, Pollers
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.reading import Reading


@dataclass
class Facts:
    number: int

    def numbers(self) -> tuple[()]:
        return ()


@dataclass
class Scripted:
    """Plays its steps one read after another, then hangs."""

    steps: list[Facts | Exception]
    name: str = "service:x"
    interval_s: float = 0.001
    timeout_s: float = 0.02
    reads: int = 0
    overlapping: bool = False
    closed: bool = False
    _reading: bool = field(default=False, repr=False)

    async def read(self) -> Facts:
        self.overlapping |= self._reading
        self._reading = True
        try:
            self.reads += 1
            if not self.steps:
                await asyncio.Event().wait()
            step = self.steps.pop(0)
            await asyncio.sleep(0)
            if isinstance(step, Exception):
                raise step
            return step
        finally:
            self._reading = False

    async def close(self) -> None:
        self.closed = True


async def readings(source: Scripted, enough: Callable[[list[Reading[Any]]], bool]) -> list[Reading[Any]]:
    """Poll `source` until what it published is enough."""
    seen: list[Reading[Any]] = []
    done = asyncio.Event()

    def publish(reading: Reading[Any]) -> None:
        seen.append(reading)
        if enough(seen):
            done.set()

    poller = Poller(source, publish, clock=lambda: 1000.0, jitter=0)
    poller.start()
    async with asyncio.timeout(30):
        await done.wait()
    await poller.close()
    return seen


async def test_a_failure_keeps_the_last_good_snapshot_and_says_since_when() -> None:
    seen = await readings(Scripted([Facts(1), Denied("no")]), lambda seen: len(seen) >= 2)
    assert seen[1].snapshot == Facts(1)
    assert isinstance(seen[1].error, Denied)
    assert seen[1].failing_since == 1000.0
    assert seen[1].is_stale(1000.0)


async def test_recovery_clears_the_error() -> None:
    source = Scripted([Facts(1), Unreachable("gone"), Facts(2)])
    seen = await readings(source, lambda seen: len(seen) >= 3)
    assert (seen[2].snapshot, seen[2].error, seen[2].failing_since) == (Facts(2), None, None)


async def test_a_hung_source_counts_as_unreachable_after_its_timeout() -> None:
    seen = await readings(Scripted([]), bool)
    assert isinstance(seen[0].error, Unreachable)
    assert "within 0.02 s" in str(seen[0].error)


async def test_a_bug_in_a_source_becomes_words_and_the_poller_goes_on() -> None:
    seen = await readings(Scripted([ZeroDivisionError("secret detail"), Facts(1)]), lambda seen: len(seen) >= 2)
    assert isinstance(seen[0].error, Unreadable)
    assert "ZeroDivisionError" in str(seen[0].error)
    assert "secret detail" not in str(seen[0].error)
    assert seen[1].snapshot == Facts(1)


async def test_reads_never_overlap_and_closing_reaches_the_source() -> None:
    source = Scripted([Facts(n) for n in range(20)])
    await readings(source, lambda seen: len(seen) >= 20)
    assert not source.overlapping
    assert source.closed


async def test_a_paused_source_is_not_read_until_it_goes_on() -> None:
    source = Scripted([Facts(1), Facts(2)], interval_s=0.001)
    seen: list[Reading[Any]] = []
    poller = Poller(source, seen.append)
    poller.pause(True)
    poller.start()
    for _ in range(50):
        await asyncio.sleep(0)
    assert source.reads == 0
    poller.pause(False)
    async with asyncio.timeout(30):
        while len(seen) < 2:
            await asyncio.sleep(0.001)
    await poller.close()


async def test_refresh_ends_the_wait_of_a_long_interval() -> None:
    source = Scripted([Facts(1), Facts(2)], interval_s=3600)
    seen: list[Reading[Any]] = []
    poller = Poller(source, seen.append)
    poller.start()
    async with asyncio.timeout(30):
        while not seen:
            await asyncio.sleep(0.001)
        poller.refresh()
        while len(seen) < 2:
            await asyncio.sleep(0.001)
    await poller.close()


async def test_a_pane_that_fails_to_draw_does_not_end_polling() -> None:
    source = Scripted([Facts(1), Facts(2)])
    calls: list[object] = []

    def publish(reading: Reading[Any]) -> None:
        calls.append(reading.snapshot)
        raise RuntimeError("cannot draw")

    poller = Poller(source, publish)
    poller.start()
    async with asyncio.timeout(30):
        while len(calls) < 2:
            await asyncio.sleep(0.001)
    await poller.close()


@pytest.mark.parametrize("error", [Unreachable("a"), Denied("a"), Unreadable("a")])
def test_the_remedy_follows_the_words_of_the_system(error: SourceError) -> None:
    assert str(error) == "a"
    assert str(type(error)("a", "try b")) == "a; try b"


async def test_a_paused_source_is_read_once_when_somebody_asks() -> None:
    source = Scripted([Facts(1), Facts(2)], interval_s=0.001)
    seen: list[Reading[Any]] = []
    poller = Poller(source, seen.append)
    poller.pause(True)
    poller.start()
    poller.refresh()
    async with asyncio.timeout(30):
        while not seen:
            await asyncio.sleep(0.001)
    for _ in range(50):
        await asyncio.sleep(0)
    assert source.reads == 1
    await poller.close()


async def test_logs_are_read_while_all_else_is_paused() -> None:
    logs = Scripted([Facts(number) for number in range(50)], name="logs:app")
    other = Scripted([Facts(number) for number in range(50)])
    pollers = Pollers(lambda reading: None, interval_s=None, is_hasty=False)
    pollers.pause()
    pollers.start([logs, other], optional=())
    async with asyncio.timeout(5):
        while logs.reads < 10:
            await asyncio.sleep(0.005)
    assert other.reads == 0
    pollers.pause()
    pollers.pause()
    before = logs.reads
    async with asyncio.timeout(5):
        while logs.reads < before + 5:
            await asyncio.sleep(0.005)
    await pollers.close()


async def test_going_on_without_a_pause_reads_nothing_before_its_time() -> None:
    source = Scripted([Facts(1), Facts(2)], interval_s=3600.0)
    seen: list[Reading[Any]] = []
    poller = Poller(source, seen.append)
    poller.pause(False)
    poller.start()
    async with asyncio.timeout(30):
        while not seen:
            await asyncio.sleep(0.001)
    for _ in range(50):
        await asyncio.sleep(0)
    assert source.reads == 1
    await poller.close()


class Metric(Scripted):
    is_steady = True


async def test_a_source_that_keeps_its_pace_is_neither_slowed_nor_hurried_unless_all_are() -> None:
    source = Metric([], "metric:errors", 15.0)
    for is_hasty, seconds in ((False, 15.0), (True, 1.0)):
        pollers = Pollers(lambda reading: None, interval_s=1.0, is_hasty=is_hasty)
        pollers.start([source], optional=())
        pollers.attend(())
        try:
            (poller,) = pollers._of(None)
            assert poller._interval() == seconds
            assert pollers.pace(["metric"], -1) is None
        finally:
            await pollers.close()
