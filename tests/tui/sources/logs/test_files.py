"""Following real files through everything that happens to log files."""

import asyncio
import gzip
import os
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tui.sources.errors import Denied
from tui.sources.logs.files import FIRST_LINES, FileFollower
from tui.sources.logs.intake import Intake


class Followed:
    """A follower that is told when to look."""

    def __init__(self, pattern: Path, capacity: int = 20_000) -> None:
        self.intake = Intake(capacity=capacity)
        self.follower = FileFollower("app", str(pattern), self.intake)

    def texts(self) -> list[str]:
        while self.follower.scan():
            pass
        return [line.raw for line in self.intake.take()]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_it_starts_with_the_end_of_the_file(log: Path) -> None:
    append(log, *(f"line {n}" for n in range(10_000)))
    assert Followed(log).texts() == [f"line {n}" for n in range(10_000 - FIRST_LINES, 10_000)]


def test_the_end_of_the_file_begins_with_a_whole_message(log: Path) -> None:
    whole = ["7 ERROR failed", *(f"    at a.b(c:{n})" for n in range(FIRST_LINES + 7))]
    append(log, "6 INFO fine", *whole)
    assert Followed(log).texts() == whole


def test_a_message_too_long_for_that_is_shown_by_its_last_lines(log: Path) -> None:
    append(log, "7 ERROR failed", *(f"    at {'x' * 500} {n:03}" for n in range(500)))
    texts = Followed(log).texts()
    assert [text[-3:] for text in texts] == [f"{n:03}" for n in range(500 - FIRST_LINES, 500)]


def test_the_end_of_the_file_counts_in_no_rate(log: Path) -> None:
    append(log, "ERROR old")
    followed = Followed(log)
    followed.texts()
    assert followed.intake.rates() == (0.0, 0.0)
    append(log, "ERROR new")
    followed.texts()
    lines, errors = followed.intake.rates()
    assert lines == errors > 0


def test_new_lines_come_once(log: Path) -> None:
    append(log, "old")
    followed = Followed(log)
    followed.texts()
    append(log, "one", "two")
    assert followed.texts() == ["one", "two"]
    assert followed.texts() == []


def test_rotation_by_rename_loses_nothing_and_keeps_the_order(log: Path) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    append(log, "b")
    log.rename(log.with_name("app.log.1"))
    append(log.with_name("app.log.1"), "c written late")
    append(log, "d")
    assert followed.texts() == ["b", "c written late", "d"]


def test_generations_that_came_and_went_between_two_looks_are_read(log: Path) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    for text in ("b", "c", "d"):
        for number in (3, 2, 1, 0):
            older = log.with_name(f"app.log.{number}") if number else log
            if older.exists():
                older.rename(log.with_name(f"app.log.{number + 1}"))
        append(log, text)
    assert followed.texts() == ["b", "c", "d"]


def test_a_glob_that_also_matches_rotated_files_reads_no_line_twice(log: Path) -> None:
    append(log, "a")
    followed = Followed(log.with_name("app.log*"))
    assert followed.texts() == ["a"]
    log.rename(log.with_name("app.log.1"))
    append(log, "b")
    followed.follower._globbed_at = -100.0  # a second later
    assert followed.texts() == ["b"]


def test_truncation_is_noticed_and_said(log: Path) -> None:
    append(log, "a long first line")
    followed = Followed(log)
    followed.texts()
    os.truncate(log, 0)
    append(log, "b")
    gap, line = followed.texts()
    assert line == "b"
    assert gap.startswith("opstui: gap in app.log: it was truncated")
    assert "app.log was truncated" in followed.follower.problems[0]
    assert (followed.intake.gaps, followed.intake.dropped) == (1, 0)


def test_a_file_cut_and_grown_beyond_where_we_were_is_read_anew_and_the_gap_told(log: Path) -> None:
    append(log, *(f"old {n}" for n in range(10)))
    followed = Followed(log)
    followed.texts()
    os.truncate(log, 0)
    append(log, *(f"new {n:02}" for n in range(40)))
    gap, *rest = followed.texts()
    assert gap.startswith("opstui: gap in app.log")
    assert rest == [f"new {n:02}" for n in range(40)]


def test_a_writer_that_goes_on_where_it_was_leaves_a_hole_that_is_no_line(log: Path) -> None:
    with log.open("w") as writer:  # without O_APPEND, as a shell's > has it
        writer.write("old\n" * 3_000)
        writer.flush()
        followed = Followed(log)
        followed.texts()
        os.truncate(log, 0)
        writer.write("after\n")
        writer.flush()
        assert os.stat(log).st_size > 12_000
        gap, *rest = followed.texts()
    assert gap.startswith("opstui: gap in app.log")
    assert rest == ["after"]


def test_generations_with_a_date_in_their_name_that_came_and_went_between_two_looks_are_read(log: Path) -> None:
    append(log, "a")
    (log.parent / "app.log-20261101").write_text("from long ago\n")
    os.utime(log.parent / "app.log-20261101", (1, 1))
    followed = Followed(log)
    followed.texts()
    append(log, "b")
    log.rename(log.with_name("app.log-20261122"))
    append(log, "c")
    log.rename(log.with_name("app.log-20261123"))
    append(log, "d")
    assert followed.texts() == ["b", "c", "d"]


@pytest.mark.parametrize(("named", "packs"), [("app.log.{}", False), ("app.log-{}", False), ("app.log.{}", True)])
def test_rotation_every_200_ms_loses_no_line_and_keeps_the_order(log: Path, named: str, packs: bool) -> None:
    count, rotations = 6_000, 0
    followed, seen = Followed(log), list[str]()
    log.write_text("")
    followed.texts()
    followed.follower.start()

    def rotate() -> None:
        nonlocal rotations
        rotations += 1
        if "." in named.removeprefix("app.log"):
            if packs and (older := log.with_name(named.format(1))).exists():  # the newest is packed one turn later
                packed = log.with_name(f"{named.format(2)}.{rotations:08}.gz")
                packed.write_bytes(gzip.compress(older.read_bytes()))
                older.unlink()
            for number in range(20, 0, -1):
                if (older := log.with_name(named.format(number))).exists():
                    older.rename(log.with_name(named.format(number + 1)))
            log.rename(log.with_name(named.format(1)))
        else:
            log.rename(log.with_name(named.format(f"{rotations:08}")))

    rotated_at, written = time.monotonic(), 0
    deadline = time.monotonic() + 30
    while f"line {count - 1}" not in seen[-50:] and time.monotonic() < deadline:
        if written < count:
            append(log, *(f"line {n}" for n in range(written, written + 20)))
            written += 20
            if time.monotonic() - rotated_at > 0.2:
                rotate()
                rotated_at = time.monotonic()
        seen += [line.raw for line in followed.intake.take()]
        time.sleep(0.005)
    asyncio.run(followed.follower.close())
    assert rotations >= 5
    assert followed.intake.dropped == 0
    if packs and followed.intake.gaps:  # a busy machine: two turns between two looks
        assert at_gaps(seen, count)
    else:
        assert seen == [f"line {n}" for n in range(count)]
        assert followed.intake.gaps == 0


def at_gaps(seen: list[str], count: int) -> bool:
    """Tell whether each line is there once and in order, and whatever is missing is missing at a gap."""
    expected, is_told = 0, False
    for text in seen:
        if text.startswith("opstui: gap"):
            is_told = True
        elif (number := int(text.split()[1])) == expected or (is_told and number > expected):
            expected, is_told = number + 1, False
        else:
            return False
    return expected == count


def test_generations_that_were_packed_between_two_looks_are_a_gap_and_the_last_one_we_read_is_none(log: Path) -> None:
    append(log, "line 0")
    followed = Followed(log)
    seen = followed.texts()

    def turn(number: int) -> None:
        older = log.with_name(f"app.log.{number}.gz")
        older.write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()

    append(log, "line 1")
    turn(1)  # this one is open, and read to its end
    append(log, "line 2")
    seen += followed.texts()
    assert seen == ["line 0", "line 1", "line 2"]
    append(log, "line 3")
    turn(2)
    append(log, "line 4")
    turn(3)  # this one was never seen
    append(log, "line 5")
    gap = "opstui: gap in app.log: packed before its lines were read, and not shown: app.log.3.gz"
    assert followed.texts() == ["line 3", gap, "line 5"]
    append(log, "line 6")
    assert followed.texts() == ["line 6"]


def test_copytruncate_again_and_again_brings_no_line_twice_and_tells_each_gap(log: Path) -> None:
    log.write_text("")
    followed, seen = Followed(log), list[str]()
    followed.texts()
    followed.follower.start()
    written, cuts, deadline = 0, 0, time.monotonic() + 30
    while cuts < 8 and time.monotonic() < deadline:
        append(log, *(f"line {n:06}" for n in range(written, written + 50)))
        written += 50
        seen += [line.raw for line in followed.intake.take()]
        if written % 2_000 == 0:
            log.with_name("app.log.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)
            cuts += 1
        time.sleep(0.004)
    append(log, "the end")
    while "the end" not in seen and time.monotonic() < deadline:
        seen += [line.raw for line in followed.intake.take()]
        time.sleep(0.01)
    asyncio.run(followed.follower.close())
    lines = [line for line in seen if line.startswith("line")]
    assert len(set(lines)) == len(lines)
    assert lines == sorted(lines)
    missing = written - len(lines)
    gaps = sum(line.startswith("opstui: gap") for line in seen)
    # Whatever is missing is missing at a gap that was told.
    assert gaps == followed.intake.gaps
    numbers = [int(line.split()[1]) if line.startswith("line") else None for line in seen]
    holes = [(one, other) for one, other in pairwise(numbers) if one is not None and other not in (None, one + 1)]
    assert holes == []
    assert missing == 0 or gaps > 0


def test_a_file_that_appears_later_is_read_from_its_beginning(log: Path) -> None:
    followed = Followed(log)
    assert followed.texts() == []
    assert followed.follower.problems == (f"waiting for {log} to appear",)
    append(log, "first", "second")
    assert followed.texts() == ["first", "second"]
    assert not followed.follower.problems


def test_a_deleted_file_that_comes_again_is_followed(log: Path) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    log.unlink()
    assert followed.texts() == []
    append(log, "b")
    assert followed.texts() == ["b"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_nobody_lets_us_read_is_denied_with_a_remedy(log: Path) -> None:
    append(log, "a")
    log.chmod(0)
    followed = Followed(log)
    followed.texts()
    assert isinstance(followed.follower.failure, Denied)
    log.chmod(0o600)
    assert followed.texts() == ["a"]
    assert followed.follower.failure is None


def test_a_file_that_becomes_readable_is_read_and_one_that_no_longer_is_keeps_its_place(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, "a")
    real = os.open
    monkeypatch.setattr(os, "open", refused(PermissionError(13, "Permission denied")))
    followed = Followed(log)
    assert followed.texts() == []
    assert followed.follower.problems == (f"{log}: Permission denied",)
    assert isinstance(followed.follower.failure, Denied)
    monkeypatch.setattr(os, "open", real)
    assert followed.texts() == ["a"]
    log.chmod(0)  # who has it open already reads on, as the kernel has it
    append(log, "b")
    assert followed.texts() == ["b"]
    assert followed.follower.failure is None


def test_a_network_file_system_that_goes_away_is_said_and_nothing_is_lost_when_it_is_back(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    append(log, "b")
    for name in ("pread", "fstat"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, refused(OSError(116, "Stale file handle")))
        assert followed.texts() == []
        assert followed.follower.problems[0] == f"{log}: Stale file handle"
        monkeypatch.setattr(os, name, real)
    assert followed.texts() == ["b"]
    assert not followed.follower.problems


def test_a_file_whose_handle_stays_stale_is_read_on_under_its_name(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    real, old = os.fstat, {tail._descriptor for tail in followed.follower._tails.values()}

    def fstat(descriptor: int) -> os.stat_result:
        if descriptor in old:
            raise OSError(116, "Stale file handle")
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    append(log, "b")
    assert followed.texts() == []
    log.unlink()  # the server was made anew: the same lines, another file
    append(log, "c")
    assert [text for text in followed.texts() if "gap" not in text] == ["c"]


def refused(error: OSError) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise error

    return refuse


def test_a_file_whose_place_something_else_takes_is_read_to_its_end_and_what_comes_later_is_followed(log: Path) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    makers: tuple[Callable[[], object], ...] = (log.mkdir, lambda: os.mkfifo(log), lambda: log.symlink_to(log.parent))
    for number, make in enumerate(makers):
        append(log, f"late {number}")
        log.unlink()
        make()
        assert followed.texts() == [f"late {number}"]
        assert "is not a regular file" in followed.follower.problems[0]
        if log.is_dir() and not log.is_symlink():
            log.rmdir()
        else:
            log.unlink()
        append(log, f"again {number}")
        assert followed.texts() == [f"again {number}"]


def test_a_link_that_leads_elsewhere_is_followed_there_after_the_rest_of_the_old_one(log: Path) -> None:
    append(log.with_name("one"), "a")
    log.symlink_to(log.with_name("one"))
    followed = Followed(log)
    assert followed.texts() == ["a"]
    append(log.with_name("one"), "b")
    append(log.with_name("two"), "c")
    log.unlink()
    log.symlink_to(log.with_name("two"))
    assert followed.texts() == ["b", "c"]


def test_a_name_whose_inode_is_used_again_is_another_file(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sources.logs.files._LEFT_S", 0.0)
    followed = Followed(log)
    for number in range(5):
        append(log, f"line {number}")
        assert followed.texts() == [f"line {number}"]
        log.unlink()  # while it is open its inode is nobody else's; once it is closed, the next file may get it
        assert followed.texts() == []


def test_a_line_that_is_finished_later_is_one_line(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(log, "a")
    followed = Followed(log)
    followed.texts()
    for part in ("one ", "li", "ne\ntwo"):
        with log.open("a") as file:
            file.write(part)
        texts = followed.texts()
    assert texts == ["one line"]
    monkeypatch.setattr("tui.sources.logs.tail._UNFINISHED_S", 0.0)
    assert followed.texts() == ["two"]  # the last words of a program that died


def test_a_file_that_shrinks_but_not_to_nothing_is_read_anew_and_the_gap_told(log: Path) -> None:
    append(log, *(f"old {n}" for n in range(10)))
    followed = Followed(log)
    followed.texts()
    log.write_text("kept 1\nkept 2\n")
    gap, *rest = followed.texts()
    assert gap.startswith("opstui: gap in app.log: it was truncated")
    assert rest == ["kept 1", "kept 2"]


def test_what_is_not_a_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    followed = Followed(tmp_path / "pipe.log")
    assert followed.texts() == []
    assert "is not a regular file" in followed.follower.problems[0]


def test_every_file_of_a_glob_is_labelled_with_its_name(tmp_path: Path) -> None:
    append(tmp_path / "a.log", "from a")
    append(tmp_path / "b.log", "from b")
    append(tmp_path / "c.log.gz", "packed")
    followed = Followed(tmp_path / "*.log*")
    followed.follower.scan()
    assert [(line.origin, line.raw) for line in followed.intake.take()] == [("a.log", "from a"), ("b.log", "from b")]


def test_a_slow_reader_holds_a_file_back_without_losing_lines(log: Path) -> None:
    append(log, "start")
    followed = Followed(log, capacity=100)
    followed.texts()
    append(log, *(f"{n:060}" for n in range(20_000)))
    seen: list[str] = []
    while True:
        more = followed.follower.scan()
        seen += [line.raw for line in followed.intake.take()]
        if not more and not followed.follower.scan():
            break
    seen += [line.raw for line in followed.intake.take()]
    assert len(seen) + followed.intake.dropped == 20_000


def test_a_file_far_ahead_is_skipped_and_the_lines_left_out_are_counted_exactly(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.logs.tail.MAX_BEHIND", 100_000)
    monkeypatch.setattr("tui.sources.logs.tail._KEPT_BEHIND", 1_000)
    append(log, "start")
    followed = Followed(log)
    followed.texts()
    append(log, *(f"line {n:05}" for n in range(20_000)))
    seen = followed.texts()
    assert seen == [f"line {n:05}" for n in range(20_000 - len(seen), 20_000)]
    assert followed.intake.dropped == 20_000 - len(seen) > 0
    assert followed.intake.received == 20_001


def test_of_a_torrent_every_line_is_taken_in_order_or_counted(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sources.logs.tail.MAX_BEHIND", 400_000)
    monkeypatch.setattr("tui.sources.logs.tail._KEPT_BEHIND", 50_000)
    append(log, "0")
    followed = Followed(log)
    followed.texts()
    count = 300_000
    data = "".join(f"{n} {'x' * (n % 97)}\n" for n in range(1, count + 1)).encode()

    def pour() -> None:
        with log.open("ab", buffering=0) as file:
            for start in range(0, len(data), 77_777):  # lines are cut in the middle
                file.write(data[start : start + 77_777])

    pouring = threading.Thread(target=pour)
    pouring.start()
    seen: list[int] = []
    is_over = False
    while not is_over:
        is_over = not pouring.is_alive()
        followed.follower.scan()
        seen += [int(line.raw.split()[0]) for line in followed.intake.take()]
    pouring.join()
    seen += [int(text.split()[0]) for text in followed.texts()]
    assert seen == sorted(set(seen))
    assert seen[-1] == count
    assert len(seen) + followed.intake.dropped == count
    assert followed.intake.dropped > 0
    assert followed.intake.bytes == len(data) + 2


def test_a_file_of_two_gigabytes_is_opened_at_its_end_by_reading_little(log: Path) -> None:
    with log.open("wb") as file:
        file.truncate(2_000_000_000)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % n for n in range(1_000)))
    followed = Followed(log)
    texts = followed.texts()
    assert texts[-1] == "line 999"
    assert len(texts) == FIRST_LINES
    assert followed.intake.bytes < 1_000_000
