"""What is piped in, through real pipes: read to the end, at the reader's pace, and never lost without a word."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.logs import LogSource
from tui.sources.errors import Unreadable
from tui.sources.logs import LogBatch, LogLine, LogsSource
from tui.sources.logs.intake import Intake
from tui.sources.logs.stdin import STDIN, StdinFollower


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue


def source_of(descriptor: int | None) -> LogsSource:
    return LogsSource("stdin", LogSource(file=STDIN), stdin=descriptor)


async def to_the_end(source: LogsSource) -> tuple[list[LogLine], LogBatch]:
    seen: list[LogLine] = []
    async with asyncio.timeout(20):
        while True:
            batch = await source.read()
            seen += batch.lines
            if batch.ended:
                return seen, batch


def in_thread(content: bytes, writer: int) -> threading.Thread:
    def write() -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(writer, rest) :]
        os.close(writer)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


async def test_it_is_read_to_its_end_which_is_said_with_the_unfinished_last_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"2026-11-26T10:00:00Z ERROR broken\nno line end")
    os.close(writer)
    source = source_of(reader)
    seen, batch = await to_the_end(source)
    await source.close()
    assert [line.raw for line in seen] == ["2026-11-26T10:00:00Z ERROR broken", "no line end"]
    assert (batch.ended[:6], batch.following, batch.problems) == ("ended ", (), ())
    assert seen[0].origin == "stdin"


async def test_every_line_of_a_writer_in_a_hurry_comes(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    count = 120_000  # six times what waits for one read
    thread = in_thread(b"".join(b"INFO line %d\n" % number for number in range(count)), writer)
    source = source_of(reader)
    seen, batch = await to_the_end(source)
    thread.join(30)
    await source.close()
    assert [line.raw for line in seen] == [f"INFO line {number}" for number in range(count)]
    assert (batch.received, batch.dropped) == (count, 0)


async def test_while_nobody_takes_lines_the_writer_waits_and_not_for_ever(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.logs.stdin.PATIENCE_S", 0.5)
    reader, writer = pipe
    intake = Intake(capacity=1_000)
    follower = StdinFollower("stdin", reader, intake)
    count = 100_000
    began = time.monotonic()
    thread = in_thread(b"".join(b"INFO line %d\n" % number for number in range(count)), writer)
    follower.start()
    await asyncio.to_thread(thread.join, 20)
    assert not thread.is_alive(), "the writer is held for ever"
    assert time.monotonic() - began >= 0.5, "the writer did not wait at all"
    async with asyncio.timeout(30):
        while not follower.ended:
            await asyncio.sleep(0.01)
    await follower.close()
    taken = intake.take()
    assert taken
    assert len(taken) + intake.dropped == count == intake.received


async def test_a_prompt_without_a_line_end_is_shown_all_the_same(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.logs.stdin._UNFINISHED_S", 0.1)
    reader, writer = pipe
    source = source_of(reader)
    os.write(writer, b"password? ")
    async with asyncio.timeout(30):
        while not (batch := await source.read()).lines:
            pass
    await source.close()
    assert [line.raw for line in batch.lines] == ["password? "]


async def test_a_file_is_read_as_well_and_the_descriptor_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\ntwo\n")
    descriptor = os.open(path, os.O_RDONLY)
    source = source_of(descriptor)
    seen, _ = await to_the_end(source)
    await source.close()
    assert [line.raw for line in seen] == ["one", "two"]
    os.close(descriptor)


async def test_what_cannot_be_read_is_said_in_the_systems_words(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "x", os.O_WRONLY | os.O_CREAT)
    source = source_of(descriptor)
    async with asyncio.timeout(30):
        while not (batch := await source.read()).problems:
            pass
    await source.close()
    os.close(descriptor)
    assert batch.problems == ("stdin: Bad file descriptor",)


async def test_without_a_pipe_it_says_how_one_pipes() -> None:
    source = source_of(None)
    with pytest.raises(Unreadable, match="nothing is piped into opstui"):
        await source.read()
    await source.close()
