"""What a chart shows of numbers, thresholds and the timeline."""

from tui.panes.charts import Charted, chart, moments
from tui.rules import Level
from tui.sources.history import Past
from tui.timeline.entry import OVER, Entry

NOW = 1_800_000_000.0


def past(*values: float, every_s: float = 10.0) -> Past:
    kept = Past()
    for n, value in enumerate(values):
        kept.add(NOW - every_s * (len(values) - 1 - n), value)
    return kept


def entry(at: float, level: Level = Level.WARN, *, text: str = "api restarted", by: str = "", stage: str = "") -> Entry:
    return Entry(f"{at}", at, "kubernetes:", "restart", text, level, by=by, stage=stage)


def test_one_number_has_its_figures_and_levels() -> None:
    shown = chart([Charted("cpu", "%", past(10, 20, 90), warn=85, critical=95)], 300, NOW)
    assert shown.title == "cpu"
    assert shown.curves[0].words == "90 %"
    assert shown.note == "watched for 20s: min 10 % avg 40 % max 90 % p95 90 % warn 85 % critical 95 %"
    assert list(shown.levels) == [85, 95]
    assert shown.first == NOW - 20
    assert shown.last == NOW


def test_values_and_levels_are_in_the_units_of_the_axis() -> None:
    shown = chart([Charted("memory", "MiB", past(2**20, 2**21), 2.0**20, warn=2.0**22)], 300, NOW)
    assert [value for _, value in shown.curves[0].points] == [1, 2]
    assert list(shown.levels) == [4]
    assert "warn 4 MiB" in shown.note


def test_a_second_unit_has_the_right_axis_and_a_third_is_left_out() -> None:
    one, two, three = Charted("a", "%", past(1, 2)), Charted("b", "ms", past(3, 4)), Charted("c", "B", past(5, 6))
    shown = chart([one, two, three], 300, NOW)
    assert [(curve.name, curve.is_right) for curve in shown.curves] == [("a", False), ("b", True)]
    assert "1 left out: two units and 4 curves at most" in shown.note


def test_what_happened_meanwhile_is_marked() -> None:
    entries = [
        entry(NOW - 400),
        entry(NOW - 200, text="first"),
        entry(NOW - 100, Level.OK, by="someone", text="scaled api to 3"),
        entry(NOW - 50, Level.OK, text="calm"),
        entry(NOW - 20, Level.WARN, stage=OVER, text="over"),
    ]
    assert [one.text for one in moments(entries, NOW - 300, NOW)] == ["first", "scaled api to 3"]
    shown = chart([Charted("cpu", "%", past(*range(40)))], 300, NOW, entries)
    assert list(shown.moments) == [NOW - 200, NOW - 100]
    assert shown.note.endswith("┊ 2 changes, the last 07:58:20Z scaled api to 3")


def test_nothing_to_chart_is_an_empty_chart() -> None:
    assert not chart([], 300, NOW).curves
    assert not chart([Charted("cpu", "%", Past())], 300, NOW).drawable
