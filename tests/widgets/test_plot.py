import math

import pytest
from textual.app import App, ComposeResult

from widgets.plot import Chart, Curve, Plot, build, finite, legend, time_ticks

NOW = 1.7e9


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
    assert build(Chart([Curve("a", points)]), 80, 15) == ""


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
    chart = Chart([Curve("a", points), Curve("b", points, is_right=True)], levels=[1.0, 1e300], moments=[1.7e9 + 1])
    assert len(build(chart, 60, 12).rstrip("\n").split("\n")) == 12


def test_levels_and_moments_are_drawn_where_they_are() -> None:
    curve = Curve("a", [(NOW + n, 50.0 + n) for n in range(60)])
    drawn = build(Chart([curve], levels=[100.0], moments=[NOW + 30], first=NOW, last=NOW + 60), 80, 20)
    assert drawn.count("┈") > 40
    assert drawn.count("┊") > 10
    assert "┈" not in build(Chart([curve], levels=[5000.0]), 80, 20), "it would press the curve flat"
    assert "┊" not in build(Chart([curve], moments=[NOW - 900], first=NOW, last=NOW + 60), 80, 20)


def test_over_an_hour_times_are_read_by_the_minute() -> None:
    assert time_ticks(0, 7200, 3)[1] == ["00:00", "01:00", "02:00"]


def test_the_legend_holds_names_as_text() -> None:
    chart = Chart(
        [Curve("p99[/x]\x1b", [(1.0, 12.5)]), Curve("empty", []), Curve("b", [(1.0, 2)], True, "2 ms")], "Latency"
    )
    assert legend(chart) == "Latency   ⠒ p99[/x]␛ 12.5   • b → 2 ms"


async def test_a_chart_is_drawn_and_an_empty_one_says_so() -> None:
    class PlotApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Plot(empty="no values yet")

    async with PlotApp().run_test(size=(60, 15)) as pilot:
        plot = pilot.app.query_one(Plot)
        assert plot.render_line(1).text.strip() == "no values yet"
        plot.show(Chart([Curve("a", [(1.7e9 + i, float(i)) for i in range(50)])], "Load", "min 0 max 49"))
        for _ in range(1500):
            await pilot.pause(0.02)
            if any("┤" in plot.render_line(y).text for y in range(15)):
                break
        text = "\n".join(plot.render_line(y).text for y in range(15))
        assert text.startswith("Load")
        assert plot.render_line(1).text.startswith("min 0 max 49")
        assert "22:13:20" in text
        assert "\x1b" not in text
        await pilot.resize_terminal(10, 3)
        for _ in range(1500):
            await pilot.pause(0.02)
            if plot.render_line(2).text.startswith("too"):
                break
        assert plot.render_line(2).text.startswith("too")
