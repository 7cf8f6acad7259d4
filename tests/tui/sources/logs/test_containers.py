"""Logs of containers: frames taken apart, every line once, through restarts, cuts and an engine that is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.logs import LogSource
from tests.tui.docker_engine import RECORDED, Engine, frame
from tui.sources.docker.connection import DockerConnection
from tui.sources.docker.logs import ContainerLogs, ContainerRef, Frames
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.logs import LogsSource, many
from tui.sources.logs import containers as module
from tui.sources.logs.line import LogLine


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=12), st.integers(1, 17))
def test_frames_come_out_as_they_went_in_however_they_are_cut(pieces: list[tuple[int, bytes]], step: int) -> None:
    data = b"".join(frame(stream, piece) for stream, piece in pieces)
    frames, found = Frames(), []
    for start in range(0, len(data), step):
        found += frames.feed(data[start : start + step])
    for stream in (1, 2):
        assert b"".join(piece for number, piece in found if number == stream) == b"".join(
            piece for number, piece in pieces if number == stream
        )


def test_lines_of_one_stream_that_follow_each_other_come_as_one_piece() -> None:
    assert Frames().feed(frame(1, b"a\n") + frame(1, b"b\n") + frame(2, b"c\n")) == [(1, b"a\nb\n"), (2, b"c\n")]


def test_what_is_not_in_frames_is_said_to_be_so() -> None:
    with pytest.raises(Unreadable, match="not in the engine's frames"):
        Frames().feed(b"2026-11-26T14:18:37Z plain text of a terminal")


Answer = list[tuple[int, bytes]] | Exception


@dataclass
class FakeLogs:
    """One engine of a few lines; each `follow` gives what `answers` holds next."""

    refs: list[ContainerRef]
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, int | None]] = field(default_factory=list)
    error: Exception | None = None
    is_closed: bool = False

    async def containers(self, pattern: str) -> list[ContainerRef]:
        if self.error:
            raise self.error
        return self.refs

    async def follow(self, container_id: str, since: str, tail: int | None) -> AsyncIterator[tuple[int, bytes]]:
        self.asked.append((since, tail))
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        for piece in answer:
            yield piece
        if not self.answers:
            await asyncio.Event().wait()

    async def close(self) -> None:
        self.is_closed = True


WEB = ContainerRef("f" * 64, "web", is_running=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (module, many):
        monkeypatch.setattr(place, "BACKOFF_S", (0.0, 0.0))
    monkeypatch.setattr(many, "_LIST_S", 0.01)
    monkeypatch.setattr(module, "_IDLE_S", 0.01)
    monkeypatch.setattr("tui.sources.logs.source.QUIET_S", 0.1)


async def lines_of(source: LogsSource, is_enough: Callable[[list[LogLine]], bool]) -> list[LogLine]:
    found: list[LogLine] = []
    async with asyncio.timeout(30):
        while not is_enough(found):
            found += (await source.read()).lines
    return found


def source_of(logs: FakeLogs) -> LogsSource:
    return LogsSource("web", LogSource(docker="web"), None, logs)


async def test_lines_have_the_engine_s_time_where_they_have_none_and_errors_are_told_apart() -> None:
    logs = FakeLogs(
        [WEB], [[(1, b"2026-11-26T14:00:00.000000001Z hello\n"), (2, b"2026-11-26T14:00:00.000000002Z oops\n")]]
    )
    source = source_of(logs)
    found = await lines_of(source, lambda lines: len(lines) == 2)
    assert [(line.text, line.origin) for line in found] == [("hello", "web"), ("oops", "web stderr")]
    assert [round(line.at) for line in found] == [1_795_701_600] * 2
    assert logs.asked[0] == ("", 200)
    await source.close()
    assert logs.is_closed


@pytest.mark.parametrize(
    "own",
    ["2026-11-26T13:00:00Z started", '{"time":"2026-11-26T13:00:00Z","msg":"started"}', "    at Main.run(Main.java:7)"],
)
async def test_a_line_s_own_time_and_what_belongs_to_a_trace_are_left_as_they_are(own: str) -> None:
    logs = FakeLogs([WEB], [[(1, b"2026-11-26T14:00:00.000000001Z " + own.encode() + b"\n")]])
    source = source_of(logs)
    (found,) = await lines_of(source, lambda lines: len(lines) == 1)
    assert found.raw == own
    await source.close()


async def test_after_a_cut_reading_goes_on_and_no_line_comes_twice() -> None:
    first = [(1, b"2026-11-26T14:00:00.000000001Z one\n2026-11-26T14:00:00.000000002Z two\n")]
    again = [(1, first[0][1] + b"2026-11-26T14:00:01.000000001Z three\n")]
    logs = FakeLogs([WEB], [first, Unreachable("cut"), again])
    source = source_of(logs)
    found = await lines_of(source, lambda lines: len(lines) >= 3)
    assert [line.text for line in found] == ["one", "two", "three"]
    assert logs.asked[-1] == ("1795701599", None)  # a second before the last line, which another may have overtaken
    await source.close()


async def test_of_an_engine_with_whole_seconds_equal_lines_of_a_second_are_all_there_and_none_twice() -> None:
    second = b"2026-11-26T14:00:00Z tick\n"
    answers: list[Answer] = [[(1, second * 2)], Unreachable("cut"), [(1, second * 3)]]
    logs = FakeLogs([WEB], answers)
    source = source_of(logs)
    found = await lines_of(source, lambda lines: len(lines) >= 3)
    assert [line.text for line in found] == ["tick"] * 3
    await source.close()


STAMP = b"2026-11-26T14:00:0%d.00000000%dZ "


def stamped(*lines: tuple[int, int, str]) -> bytes:
    return b"".join(STAMP % (second, nano) + text.encode() + b"\n" for second, nano, text in lines)


async def test_a_line_that_was_cut_in_the_middle_comes_once_and_whole() -> None:
    ends: list[list[Answer]] = [[], [Unreachable("cut")]]
    for end in ends:
        whole = stamped((0, 1, "one"), (0, 2, "two"))
        answers: list[Answer] = [[(1, whole[:-2])], *end, [(1, whole)]]
        source = source_of(logs := FakeLogs([WEB], answers))
        found = await lines_of(source, lambda lines: len(lines) >= 2)
        await lines_after(source, logs, found, 2 + len(end))
        assert [line.text for line in found] == ["one", "two"]


async def test_last_words_without_an_end_come_once_whether_it_runs_or_not() -> None:
    for is_running in (True, False):
        words = [(1, stamped((0, 1, "one"))), (2, stamped((0, 2, "bye"))[:-1])]
        ref = ContainerRef(WEB.id, "web", is_running=is_running)
        source = source_of(logs := FakeLogs([ref], [words, words, words] if is_running else [words, []]))
        found = await lines_of(source, lambda lines: len(lines) >= 2)
        await lines_after(source, logs, found, 3 if is_running else 1)
        assert [line.text for line in found] == ["one", "bye"]


async def test_lines_out_of_order_are_all_there_and_none_twice() -> None:
    first = stamped((2, 1, "a"), (1, 9, "b"), (2, 1, "c"), (2, 0, "d"))
    answers: list[Answer] = [
        [(1, first)],
        [(1, first + stamped((2, 0, "e"), (1, 8, "f")))],
    ]
    source = source_of(logs := FakeLogs([WEB], answers))
    found = await lines_of(source, lambda lines: len(lines) >= 6)
    await lines_after(source, logs, found, 2)
    assert [line.text for line in found] == list("abcdef")


async def test_what_the_engine_no_longer_has_is_told_as_a_gap() -> None:
    answers: list[Answer] = [
        [(1, stamped((0, 1, "one"))), (2, stamped((0, 1, "bad")))],
        Unreachable("away"),
        [(1, stamped((9, 1, "z")))],
    ]
    source = source_of(logs := FakeLogs([WEB], answers))
    found = await lines_of(source, lambda lines: len(lines) >= 4)
    await lines_after(source, logs, found, 3)
    assert [line.text for line in found if line.origin == "web"] == [
        "one",
        "opstui: gap in web: the engine no longer has what was written after 14:00:00 UTC and before 14:00:09 UTC",
        "z",
    ]


async def test_a_container_that_is_removed_while_it_cannot_be_read_leaves_a_gap_and_else_none() -> None:
    for is_away in (True, False):
        then: list[Answer] = [Unreachable("away")] * 5_000 if is_away else [[]]
        answers: list[Answer] = [[(1, stamped((0, 1, "one")))], *then]
        logs = FakeLogs([ContainerRef(WEB.id, "web", is_running=is_away)], answers)
        source = source_of(logs)
        found = await lines_of(source, lambda lines: len(lines) >= 1)
        async with asyncio.timeout(30):
            while is_away and not (await source.read()).problems:
                pass
            logs.refs = []
            while (batch := await source.read()).following:
                found += batch.lines
        found += (*batch.lines, *(await source.read()).lines)
        await source.close()
        words = "the container was removed while its log could not be read, after 14:00:00 UTC"
        assert [line.text for line in found[1:]] == ([f"opstui: gap in web: {words}"] if is_away else [])


async def lines_after(source: LogsSource, logs: FakeLogs, found: list[LogLine], asked: int) -> None:
    """Let it go on until it was asked so often, and take what else comes."""
    async with asyncio.timeout(30):
        while len(logs.asked) < asked:
            found += (await source.read()).lines
    for _ in range(3):
        found += (await source.read()).lines
    await source.close()


async def test_one_that_does_not_run_is_read_once_and_again_when_it_is_started() -> None:
    logs = FakeLogs(
        [ContainerRef(WEB.id, "web", is_running=False)], [[(1, b"2026-11-26T14:00:00.000000001Z bye\n")], []]
    )
    source = source_of(logs)
    await lines_of(source, lambda lines: len(lines) == 1)
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert len(logs.asked) == 1
    logs.refs = [WEB]
    for _ in range(300):
        await asyncio.sleep(0.01)
        if len(logs.asked) == 2:
            break
    assert len(logs.asked) == 2
    await source.close()


async def test_an_engine_that_is_away_is_the_failure_of_the_log() -> None:
    logs = FakeLogs([], error=Unreachable("no engine listens"))
    source = source_of(logs)
    with pytest.raises(Unreachable, match="no engine listens"):
        await lines_of(source, lambda lines: False)
    await source.close()


async def test_recorded_frames_of_a_real_engine_are_lines(tmp_path: Path) -> None:
    async with Engine().at(tmp_path / "s"):
        logs = ContainerLogs(DockerConnection(str(tmp_path / "s")))
        refs = await logs.containers("ap*")
        assert [ref.name for ref in refs] == ["api"]
        pieces = [piece async for piece in logs.follow(refs[0].id, "", 4)]
        await logs.close()
    assert {number for number, _ in pieces} == {1, 2}
    assert sum(data.count(b"\n") for _, data in pieces) == 4
    assert b"".join(data for _, data in pieces).count(b"oops") == (RECORDED / "logs-api-20.10.bin").read_bytes().count(
        b"oops"
    )


async def test_without_an_engine_it_is_said_what_to_add() -> None:
    with pytest.raises(Unreadable, match="add docker"):
        await LogsSource("web", LogSource(docker="web")).read()
