"""Log lines into little memory and out again."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.panes import log_memory
from tui.panes.log_memory import HeldLines
from tui.sources.logs.line import LogLine
from tui.sources.logs.parse import LineParser
from widgets.log_store import LogStore

TEXTS = st.sampled_from(
    ["2026-11-22 08:11:24,5 ERROR x", '{"level":"warn","msg":"x","a":1}', "plain", "\tat a.b.c(d:1)", "é漢", ""]
)


def lines(*texts: str, origin: str = "app.log") -> list[LogLine]:
    return LineParser("app", origin).parse_all(texts, 1.0)


@given(st.lists(st.lists(TEXTS, max_size=5), max_size=5), st.integers(0, 8))
def test_lines_come_out_as_they_went_in(batches: list[list[str]], dropped: int) -> None:
    held, told = HeldLines(), list[LogLine]()
    for number, batch in enumerate(batches):
        told += (new := lines(*batch, origin=f"{number % 2}.log"))
        held.extend(new)
    del held[:dropped]
    told = told[dropped:]
    assert held[:] == told
    assert [held[index] for index in range(len(held))] == told
    assert [(line.text, line.raw) for line in held[1:3]] == [(line.text, line.raw) for line in told[1:3]]
    held.clear()
    assert (len(held), held.size_bytes) == (0, 0)


def test_a_copy_stays_as_it_is_while_lines_come_and_go() -> None:
    held = HeldLines()
    held.extend(lines("a", "b"))
    copied = held.copy()
    held.extend(lines("c", origin="other.log"))
    del held[:1]
    assert [line.text for line in copied[:]] == ["a", "b"]


def test_no_line_is_an_object_the_garbage_collector_follows() -> None:
    held = HeldLines()
    held.extend(lines("x"))
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1000):
        held.extend(lines(f"{number} x"))
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_long_lines_go_before_their_number_is_too_great(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_memory, "MAX_BYTES", 10_000)
    store = LogStore(1000, HeldLines())
    store.extend(lines(*(f"{number} {'x' * 950}" for number in range(20))))
    store.trim()
    kept = [line.text[:2] for line in store.shown()]
    assert 8 <= len(kept) <= 10, "ten lines of 1,000 bytes, less what Python keeps beside each text"
    assert kept == [str(number) for number in range(20 - len(kept), 20)]
    assert store.dropped + len(store) == 20
