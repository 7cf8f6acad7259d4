import math

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from widgets.sparkline import Sparkline, sparkline


def test_a_rise_goes_from_the_lowest_block_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 7], 2, ascii=True) == "_#"


def test_the_newest_value_is_at_the_right_and_gaps_stay_open() -> None:
    assert sparkline([1, None, math.nan, math.inf, 2], 7) == "  ▁   █"


def test_no_peak_is_lost_where_there_is_little_room() -> None:
    assert sparkline([0] * 50 + [9] + [0] * 49, 10).count("█") == 1


def test_bounds_hold_the_scale() -> None:
    assert sparkline([50, 200, -5], 3, low=0, high=100) == "▅█▁"


def test_all_equal_values_are_a_flat_line() -> None:
    assert sparkline([5, 5], 2) == "▁▁"


@given(st.lists(st.none() | st.floats()), st.integers(-1, 30))
def test_it_always_has_the_width(values: list[float | None], width: int) -> None:
    assert len(sparkline(values, width)) == max(0, width)


async def test_the_widget_puts_the_curve_between_label_and_words() -> None:
    class SparkApp(App[None]):
        def compose(self) -> ComposeResult:
            yield Sparkline()

    async with SparkApp().run_test(size=(20, 3)) as pilot:
        spark = pilot.app.query_one(Sparkline)
        spark.show([1, 2], label="[cpu]", text="2 %\x1b", tone="warn")
        await pilot.pause()
        assert spark.render_line(0).text == "[cpu]        ▁█ 2 %␛"
