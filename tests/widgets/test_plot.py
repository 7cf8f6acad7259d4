import math

import pytest
from textual.app import App, ComposeResult

from widgets.plot import Plot, build, finite, legend, time_ticks


def test_only_finite_points_are_kept() -> None:
    points = [(1.0, 1.0), (2.0, math.nan), (3.0, math.inf), (math.nan, 1.0), (4.0, 1e308), (5.0, -2.0)]
    assert finite(points) == [(1.0, 1.0), (5.0, -2.0)]


def test_times_read_as_utc() -> None:
    assert time_ticks(0, 3600, 3)[1] == ["00:00:00", "00:30:00", "01:00:00"]
    assert time_ticks(5, 5, 3)[1] == ["00:00:05"]


@pytest.mark.parametrize(
    "points",
    [
        [(1.7e9, math.nan)],
        [],
    ],
)
def test_no_finite_point_is_no_chart(points: list[tuple[float, float]]) -> None:
    assert build({"a": points}, 80, 15) == ""


@pytest.mark.parametrize(
    "points",
    [
        [(1.7e9, 5.0)],
        [(1.7e9, 0.0), (1.7e9 + 1, 0.0)],
        [(1.7e9 + i, (-1) ** i * 1e299) for i in range(9)],
        [(1.7e9 + i, 1e-300 * i) for i in range(9)],
        [(1.7e9, 1.0), (1.7e9, 2.0), (1.7e9 - 5, 3.0)],
    ],
)
def test_odd_points_make_a_chart_of_the_size_asked_for(points: list[tuple[float, float]]) -> None:
    assert len(build({"a": points, "b": points}, 60, 12).rstrip("\n").split("\n")) == 12


def test_the_legend_holds_names_as_text() -> None:
    assert legend({"p99[/x]\x1b": [(1.0, 12.5)], "empty": []}, "Latency", "ms") == "Latency (ms)   ⠒ p99[/x]␛ 12.5"


async def test_a_chart_is_drawn_and_an_empty_one_says_so() -> None:
    class PlotApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Plot(empty="no values yet")

    async with PlotApp().run_test(size=(60, 15)) as pilot:
        plot = pilot.app.query_one(Plot)
        assert plot.render_line(1).text.strip() == "no values yet"
        plot.show({"a": [(1.7e9 + i, float(i)) for i in range(50)]}, title="Load", unit="%")
        for _ in range(250):
            await pilot.pause(0.02)
            if any("┤" in plot.render_line(y).text for y in range(15)):
                break
        text = "\n".join(plot.render_line(y).text for y in range(15))
        assert text.startswith("Load (%)")
        assert "22:13:20" in text
        assert "\x1b" not in text
        await pilot.resize_terminal(10, 3)
        await pilot.pause(0.2)
        assert plot.render_line(1).text.startswith("too")
