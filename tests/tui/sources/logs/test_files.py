"""Following real files through everything that happens to log files."""

import os
from pathlib import Path

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
    assert followed.texts() == ["b"]
    assert "app.log was truncated" in followed.follower.problems[0]


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
