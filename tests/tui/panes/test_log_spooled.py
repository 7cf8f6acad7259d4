"""A log in three parts, of which one is on disk, is still one log."""

import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.panes.log_spooled import SpooledLines
from tui.sources.logs.line import LogLine, Severity, line_kind
from tui.sources.logs.spool import Spool, SpoolFile
from widgets.log_store import LogStore

MIB = 1024 * 1024


def lines(start: int, count: int, width: int = 0) -> list[LogLine]:
    kinds = [line_kind("app", f"{number}.log", Severity.INFO, False, 0) for number in range(3)]
    return [LogLine(float(n), kinds[n % 3], f"{n} é{'x' * width}") for n in range(start, start + count)]


def held(tmp_path: Path, max_lines: int = 1_000, max_bytes: int = 100 * MIB, cap: int = MIB) -> SpooledLines:
    return SpooledLines(Spool(cap, str(tmp_path)), max_lines=max_lines, max_bytes=max_bytes)


def written(of: SpooledLines) -> None:
    deadline = time.monotonic() + 20
    while of._writes is not None and of._writes.takes and of._writes.waiting_lines:
        assert time.monotonic() < deadline
        time.sleep(0.005)


STEPS = st.lists(
    st.tuples(st.sampled_from(["back", "front", "drop", "write"]), st.integers(0, 300)), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(-400, 400), st.integers(-400, 400))
def test_it_is_what_a_list_would_be(tmp_path: Path, steps: list[tuple[str, int]], start: int, stop: int) -> None:
    log, told = held(tmp_path, max_lines=50), list[LogLine]()
    first, end = 0, 0
    for step, count in steps:
        match step:
            case "back":
                log.extend(new := lines(end, count))
                told, end = told + new, end + count
            case "front":
                first -= count
                log.extend_front(new := lines(first, count))
                told = new + told
            case "drop":
                del log[:count]
                told = told[count:]
            case "write":
                written(log)
    assert len(log) == len(told)
    assert log[:] == told
    assert log[start:stop] == told[start:stop]
    assert [log[index] for index in range(len(told))] == told
    assert not told or log[-1] == told[-1]
    log.close()


def test_old_lines_are_filtered_moved_to_and_saved_from_disk(tmp_path: Path) -> None:
    log = held(tmp_path)
    store = LogStore(1_000, log)
    for start in range(0, 20_000, 100):
        store.extend(lines(start, 100))
        written(log)
    assert (len(store), store.dropped) == (20_000, 0)
    assert log.on_disk >= 18_000
    copied = store.shown()
    store.predicate = lambda line: line.text.startswith("77 ")
    while store.is_filtering:
        store.filter_older(0.01)
    assert [store[store.number(index)].at for index in range(store.count)] == [77.0]
    assert [line.at for line in copied] == [float(n) for n in range(20_000)]
    log.close()


def test_a_disk_that_is_too_slow_costs_old_lines_and_never_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_disk = threading.Event()
    append = SpoolFile.append

    def slow(file: SpoolFile, content: bytes) -> int:
        has_disk.wait(20)
        return append(file, content)

    monkeypatch.setattr(SpoolFile, "append", slow)
    log = held(tmp_path)
    store = LogStore(1_000, log)
    for start in range(0, 20_000, 500):
        store.extend(lines(start, 500))
        assert len(log) - log.on_disk <= 1_750
    has_disk.set()
    written(log)
    assert store.dropped + len(store) == 20_000
    assert [line.at for line in log[:]] == [float(n) for n in range(store.dropped, 20_000)]
    log.close()


def test_the_cap_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    log = held(tmp_path)
    store = LogStore(1_000, log)
    for start in range(0, 100_000, 1_000):
        store.extend(lines(start, 1_000, width=80))
        written(log)
    store.trim()
    assert store.dropped + len(store) == 100_000
    assert store.dropped > 50_000
    assert store[store.first].at == float(store.dropped)
    assert store[store.end - 1].at == 99_999.0
    log.close()


def test_memory_stays_bounded_by_bytes_too(tmp_path: Path) -> None:
    log = held(tmp_path, max_bytes=200_000, cap=8 * MIB)
    for start in range(0, 1_000, 10):
        log.extend(lines(start, 10, width=5_000))
    written(log)
    assert log.size_bytes <= 250_000
    assert [line.at for line in log[:]] == [float(n) for n in range(1_000)]
    log.close()


def test_without_a_disk_memory_is_all_there_is(tmp_path: Path) -> None:
    log = held(tmp_path / "no", max_lines=1_000)
    store = LogStore(1_000, log)
    for start in range(0, 10_000, 1_000):
        store.extend(lines(start, 1_000))
    deadline = time.monotonic() + 20
    while log._writes is not None and log._writes.takes:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    store.trim()
    assert log.problem == "older lines are not kept on disk: No such file or directory"
    assert (len(store), log.on_disk, store.dropped) == (1_000, 0, 9_000)
    assert [line.at for line in log[:2]] == [9_000.0, 9_001.0]
    log.close()


def test_what_is_read_back_has_its_own_share_of_memory(tmp_path: Path) -> None:
    log = held(tmp_path)
    log.extend(lines(0, 5_000))
    assert log.room == 900
    log.extend_front(lines(-900, 900))
    assert log.room == 0
    assert [line.at for line in log[:2]] == [-900.0, -899.0]
    log.close()


def test_where_nothing_is_spooled_what_is_held_counts_against_that_share() -> None:
    log = SpooledLines(None, max_lines=1_000)
    log.extend(lines(0, 500))
    assert log.room == 400
