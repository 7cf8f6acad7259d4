"""What opstui says of its own cost."""

import asyncio
import time

import pytest

from tui.own_cost import OwnCost, resident_bytes
from tui.poller import Pace, Poller
from tui.sources.reading import Number, Reading


def test_the_last_minute_is_told_from_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cpu = 1000.0, 5.0
    monkeypatch.setattr("tui.own_cost.time.monotonic", lambda: now)
    monkeypatch.setattr("tui.own_cost.time.process_time", lambda: cpu)
    cost = OwnCost()
    cost.mark(1_000)
    now, cpu = 1010.0, 5.25
    cost.mark(1_500)
    now, cpu = 1020.0, 5.5
    page = cost.page(3_000, [Pace("database:shop", 30, None, 0.0123), Pace("kubernetes:", 40, 6.2, None)])
    assert "cpu            2.5 % of a core" in page
    assert "to the screen  100 bytes/s" in page
    assert page.splitlines()[-2:] == [
        "  database:shop                          30             –  12 ms",
        "  kubernetes                             40             6  –",
    ]


def test_before_anything_was_marked_there_is_no_rate() -> None:
    assert "of a core" not in OwnCost().page(0, ())
    assert (resident_bytes() or 0) > 2**20


class Facts:
    def numbers(self) -> list[Number]:
        return []


class Source:
    name, interval_s, timeout_s = "host:", 0.02, 1.0

    def __init__(self) -> None:
        self.requests = 0

    async def read(self) -> Facts:
        self.requests += 3
        return Facts()

    async def close(self) -> None: ...


async def test_readings_and_requests_are_counted() -> None:
    seen: list[Reading[Facts]] = []
    source = Source()
    poller = Poller(source, seen.append)
    poller.start()
    try:
        deadline = time.monotonic() + 20
        while poller.pace.reads_per_min == 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        pace = poller.pace
    finally:
        await poller.close()
    assert pace.reads_per_min > 60
    assert pace.requests_per_min is not None
    assert 2.5 < pace.requests_per_min / pace.reads_per_min < 3.5
    assert pace.took_s is not None
