"""Clocks that are not ours."""

import time
from dataclasses import dataclass
from email.utils import formatdate

import pytest

from profiles.loader import load
from tui.clocks import clock_badge, clock_lines, skews
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Unreachable
from tui.sources.http_date import clock_offset
from tui.sources.reading import Number, Reading
from tui.systems import systems_of

NOW = 1_800_000_000.0


@dataclass(frozen=True)
class Facts:
    clock_offset_s: float | None

    def numbers(self) -> list[Number]:
        return []


def reading(name: str, offset: float | None, *, fails: bool = False) -> Reading[Facts]:
    return Reading(name, 2.0, Facts(offset), NOW, error=Unreachable("gone") if fails else None)


def test_the_worst_is_told_first_and_small_differences_never() -> None:
    readings = [
        reading("service:api", 1.9),
        reading("database:shop", -37.0),
        reading("redis:cache", 4.5),
        reading("kubernetes:", None),
        reading("service:old", 900.0, fails=True),
    ]
    assert skews(readings) == [("database:shop", -37.0), ("redis:cache", 4.5)]
    assert clock_badge(readings).text == "clock -37s database:shop +1"
    assert clock_lines(readings)[0] == "CLOCK     database:shop is -37s against this host"
    assert clock_badge([reading("service:api", 0.5)]).text == ""
    assert clock_lines([]) == []


def test_when_all_are_off_the_same_way_this_host_is_suspected() -> None:
    lines = clock_lines([reading("database:shop", 37.0), reading("redis:cache", 36.0)])
    assert "this host's own clock first" in lines[2]
    assert not any("own clock" in line for line in clock_lines([reading("a:", 37.0), reading("b:", -36.0)]))


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ({"date": formatdate(NOW + 30, usegmt=True)}, 30.5),
        ({"date": formatdate(NOW - 1, usegmt=True)}, -0.5),
        ({"date": formatdate(NOW - 500, usegmt=True), "age": "500"}, None),
        ({"date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_http_tells_whole_seconds(headers: dict[str, str], offset: float | None) -> None:
    assert clock_offset(headers, NOW) == offset


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_every_kind_of_system_tells_its_time(sandbox: BlockingSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = load("demo", sandbox=sandbox.endpoints).profile
    sources = {source.name: source for source in systems_of(profile).sources}
    asked = [sources[name] for name in ("service:api", "kubernetes:", "database:shop", "redis:cache")]
    real = time.time
    for shift, low, high in ((0.0, -1.5, 1.5), (100.0, -102.0, -98.0)):
        monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
        try:
            found = {source.name: getattr(await source.read(), "clock_offset_s", None) for source in asked}
        finally:
            monkeypatch.undo()
        for name, offset in found.items():
            assert offset is not None, name
            if not (shift and name in ("kubernetes:", "service:api")):
                assert low < offset < high, name
    for source in asked:
        await source.close()
