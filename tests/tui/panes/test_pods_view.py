"""Which rows of a table are built again as time goes by."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from tui.panes.pods_rows import Light
from tui.panes.pods_view import FactView
from tui.rules import Level
from widgets.cell import Row


class _Table:
    """Takes change sets as the live table does."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def apply(self, changed: Mapping[str, Row], removed: list[str]) -> None:
        self.built += changed


def _light(now: float) -> Light:
    return Light(now, lambda *_: Level.OK, lambda _: None, lambda _: None)


def _facts(**facts: float | None) -> Callable[[Hashable], Any]:
    return lambda key: facts.get(str(key))


def _view(table: _Table, moments: Callable[[Any], list[float | None]]) -> FactView:
    return FactView(table, lambda fact, light: Row((str(fact),)), moments)  # type: ignore[arg-type]  # as the table's


def test_a_row_is_built_again_when_its_age_reads_differently_and_no_sooner() -> None:
    table = _Table()
    facts = _facts(young=0.0, old=-10_000_000.0)
    view = _view(table, lambda at: [at])
    view.touch(["young", "old"])
    view.drain(facts, _light(0.0))
    table.built.clear()
    for now in (0.5, 1.0, 2.0):
        view.age(now)
        view.drain(facts, _light(now))
    assert table.built == ["young", "young"]


def test_what_went_or_changed_meanwhile_is_not_built_for_its_time_of_before() -> None:
    table = _Table()
    view = _view(table, lambda at: [at])
    view.touch(["gone", "moved"])
    view.drain(_facts(gone=0.0, moved=0.0), _light(0.0))
    moved = _facts(moved=1.5)
    view.touch(["gone", "moved"])
    view.drain(moved, _light(1.5))
    table.built.clear()
    view.age(1.6)
    view.drain(moved, _light(1.6))
    assert table.built == []
    view.age(2.6)
    view.drain(moved, _light(2.6))
    assert table.built == ["moved"]


def test_rows_that_change_all_the_time_fill_no_memory() -> None:
    table = _Table()
    view = _view(table, lambda at: [at])
    for turn in range(5000):
        view.touch(["it"])
        view.drain(_facts(it=float(turn)), _light(float(turn)))
    assert len(view._queue) < 500
