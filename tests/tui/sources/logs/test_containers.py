"""Logs of containers: frames taken apart, every line once, through restarts, cuts and an engine that is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.schema import LogSource
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


@dataclass
class FakeLogs:
    """One engine of a few lines; each `follow` gives what `answers` holds next."""

    refs: list[ContainerRef]
    answers: list[list[tuple[int, bytes]] | Exception] = field(default_factory=list)
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


async def lines_of(source: LogsSource, is_enough: Callable[[list[LogLine]], bool]) -> list[LogLine]:
    found: list[LogLine] = []
    async with asyncio.timeout(10):
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
    assert logs.asked[-1] == ("1795701600", None)
    await source.close()


async def test_of_an_engine_with_whole_seconds_equal_lines_of_a_second_are_all_there_and_none_twice() -> None:
    second = b"2026-11-26T14:00:00Z tick\n"
    answers: list[list[tuple[int, bytes]] | Exception] = [[(1, second * 2)], Unreachable("cut"), [(1, second * 3)]]
    logs = FakeLogs([WEB], answers)
    source = source_of(logs)
    found = await lines_of(source, lambda lines: len(lines) >= 3)
    assert [line.text for line in found] == ["tick"] * 3
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
