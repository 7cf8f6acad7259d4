"""What files held before: every line once, the newest first, whatever was rotated or packed."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.sources.logs import past
from tui.sources.logs.files import Begun, FileFollower
from tui.sources.logs.intake import Intake
from tui.sources.logs.messages import gathered
from tui.sources.logs.parse import LineParser
from tui.sources.logs.past import Past, Reading, merged
from tui.sources.logs.sieve import sieve_of
from tui.sources.logs.stack import Stack, new_filter

NOW = 1_795_335_084.0


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "BLOCK", 256)


def stamped(number: int, text: str = "INFO line") -> str:
    at = datetime.fromtimestamp(NOW - 1_000_000 + number, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {text} {number}"


def follow(pattern: Path, first_lines: int = 5) -> tuple[FileFollower, list[str]]:
    intake = Intake()
    follower = FileFollower("app", str(pattern), intake, first_lines=first_lines)
    while follower.scan():
        pass
    return follower, [line.raw for line in intake.take()]


def before(follower: FileFollower, stack: Stack | None = None) -> list[str]:
    stack = stack or Stack()
    blocks = Past("app", follower.begun).lines(stack.judge(), sieve_of(stack))
    return [line.raw for line in merged([blocks])][::-1]


def test_all_that_was_before_comes_once_across_rotated_and_packed_files(tmp_path: Path) -> None:
    log, numbers = tmp_path / "app.log", iter(range(500))
    packers: dict[str, Callable[[bytes], bytes]] = {
        ".4.xz": lzma.compress,
        ".3.bz2": bz2.compress,
        ".2.gz": gzip.compress,
        ".1": bytes,
        "": bytes,
    }
    for age, (end, pack) in enumerate(packers.items()):
        lines = "".join(f"{stamped(next(numbers))}\n" for _ in range(100))
        (tmp_path / f"app.log{end}").write_bytes(pack(lines.encode()))
        os.utime(tmp_path / f"app.log{end}", (NOW + age, NOW + age))
    (tmp_path / "app.logger").write_text("another program's\n")
    follower, shown = follow(log)
    assert shown == [stamped(n) for n in range(495, 500)]
    with log.open("a") as file:
        file.write("later\n")
    assert before(follower) == [stamped(n) for n in range(495)]


def test_a_file_that_was_rotated_since_is_read_up_to_where_it_was_shown(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"{stamped(n)}\n" for n in range(50)))
    follower, shown = follow(log)
    log.rename(tmp_path / "app.log.1")
    log.write_text("new\n")
    while follower.scan():
        pass
    assert [*before(follower), *shown] == [stamped(n) for n in range(50)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("ab \u00e4\ud800x", max_size=400), max_size=40), st.integers(0, 9), st.booleans())
def test_the_end_and_what_was_before_it_are_the_whole_file(
    tmp_path: Path, texts: list[str], first_lines: int, ends: bool
) -> None:
    log = tmp_path / "app.log"
    whole = "\n".join(f"{number}{text}" for number, text in enumerate(texts)) + ("\n" if ends and texts else "")
    log.write_bytes(whole.encode("utf-8", "surrogatepass"))
    intake = Intake()
    follower = FileFollower("app", str(log), intake, first_lines=first_lines)
    follower.scan()
    blocks = list(Past("app", follower.begun).lines(None))
    found = [line.raw for block in reversed(blocks) for line in block] + [line.raw for line in intake.take()]
    intake_left = len(texts) - len(found)
    assert intake_left in (0, int(not ends))  # an unfinished last line is still waited for
    assert [line.partition(" ")[0][:1] for line in found] == [str(n)[:1] for n in range(len(found))]


def test_only_what_passes_the_filters_is_found_with_and_without_looking_for_its_words(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    texts = [stamped(n, "ERROR Refused" if n % 17 == 0 else "INFO line") for n in range(300)]
    log.write_text("".join(f"{text}\n" for text in texts))
    follower, _ = follow(log, 1)
    for typed in ("refused", "Refused", "/refused .*/", "level = error"):
        stack = Stack((new_filter(typed, NOW),))
        assert before(follower, stack) == [text for text in texts if "Refused" in text]


def test_words_of_a_rearranged_line_stand_in_it_as_it_was_written(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text('{"msg":"placed","endpoint":"/cart"}\nx\ny\n')
    follower, _ = follow(log, 1)
    assert len(before(follower, Stack((new_filter("endpoint=/cart", NOW),)))) == 1


def test_several_logs_come_back_in_order_of_time(tmp_path: Path) -> None:
    for name, numbers in (("a", range(0, 100, 2)), ("b", range(1, 101, 2))):
        (tmp_path / f"{name}.log").write_text("".join(f"{stamped(n)}\n" for n in numbers))
    pasts = [Past(name, follow(tmp_path / f"{name}.log", 1)[0].begun) for name in ("a", "b")]
    lines = [line.raw for line in merged([one.lines(None) for one in pasts])]
    assert lines == [stamped(n) for n in reversed(range(98))]


def test_a_packed_file_that_is_broken_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("a\nb\nc\n")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"x" * 5000)[:20])
    follower, _ = follow(log, 1)
    reading = Reading([Past("app", follower.begun)], None)
    found: list[str] = []
    while not reading.is_over:
        found += [line.raw for line in reading.take(10)]
    assert found == ["a", "b"]
    assert reading.problems[0].startswith("app.log.1.gz: ")


def test_reading_stops_when_told_and_waits_while_nobody_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "_MOST_WAITING", 50)
    log = tmp_path / "app.log"
    log.write_text("".join(f"{stamped(n)}\n" for n in range(5_000)))
    one = Past("app", follow(log, 1)[0].begun)
    reading = Reading([one], None)
    found = 0
    while found < 200:
        taken = reading.take(20)
        assert [line.raw for line in taken] == sorted(line.raw for line in taken)
        found += len(taken)
    assert one.left_bytes > 0
    reading.stop()
    while not reading.is_over:
        reading.take(100)
    assert one.left_bytes > 0


_KINDS = st.sampled_from(
    [
        "2026-11-22 08:11:24 ERROR order 7 failed",
        "2026-11-22 08:11:24 INFO  order 8 placed",
        "2026-11-22 08:11:24 WARN  slow took_ms=900",
        '{"level":"error","msg":"order 7","took_ms":900}',
        '{"level":"info","msg":"ok"}',
        "java.net.SocketTimeoutException: Timeout",
        "\tat com.example.Shop.order(Shop.java:7)",
        "Caused by: a.b.DjangoException: order 7",
        "Traceback (most recent call last):",
        '  File "/django/core.py"',
        "ValueError: Timeout",
        "2026-11-22 08:11:26 UTC [12] ERROR:  duplicate key",
        "2026-11-22 08:11:26 UTC [12] DETAIL:  Key (id)=(7)",
        "2026-11-22 08:11:26 INFO  DETAIL:  of what went wrong",
        "plain words",
        "",
    ]
)
_TYPED = ("timeout", "order", "level = error", "level >= warn", "took_ms > 5", "level >= warn and line ~ timeout",
          "exception = ValueError", "not line ~ order", "line !~ java", "Key", "order.*failed")  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(_KINDS, min_size=1, max_size=60),
    st.lists(st.tuples(st.sampled_from(_TYPED), st.booleans()), max_size=2),
    st.integers(60, 600),
)
def test_messages_are_found_whole_wherever_blocks_are_cut(
    tmp_path: Path, texts: list[str], typed: list[tuple[str, bool]], block: int
) -> None:
    log = tmp_path / "app.log"
    texts = ["2026-11-22 08:11:20 INFO  begun", *texts]
    log.write_text("".join(f"{text}\n" for text in texts))
    stack = Stack(tuple(new_filter(each, NOW, excludes=excludes) for each, excludes in typed))
    judge = stack.judge()
    every = gathered(LineParser("app", "app.log").parse_all(texts, NOW))
    wanted = [line for message in every if judge is None or judge.of_message(message) for line in message]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "BLOCK", block)
        patch.setattr(past, "_PIECE", block // 3)
        blocks = list(Past("app", Begun((str(log),), {})).lines(judge, sieve_of(stack)))
    found = [line for one in blocks[::-1] for line in one]
    assert [(line.raw, line.level, line.continues) for line in found] == [
        (line.raw, line.level, line.continues) for line in wanted
    ]


def test_a_message_too_long_is_cut_and_every_line_of_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "MOST_BYTES", 1_000)
    log = tmp_path / "app.log"
    texts = [stamped(1, "ERROR a.FooError: x"), *(f"    at a.b(c:{n})" for n in range(500)), stamped(2)]
    log.write_text("".join(f"{text}\n" for text in texts))
    follower, _ = follow(log, 1)
    assert before(follower) == texts[:-1]


def test_a_line_longer_than_anything_keeps_its_end_and_the_others(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(f"{stamped(1)}\n{'y' * 300_000}\n{stamped(2)}\n{stamped(3)}\n")
    follower, _ = follow(log, 1)
    found = before(follower)
    assert (found[0], found[2]) == (stamped(1), stamped(2))
    assert len(found) == 3
