"""Following real programs."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from profiles.logs import LogSource
from tui.sources.errors import Unreachable
from tui.sources.logs import LogBatch, LogLine, LogsSource


@asynccontextmanager
async def following(*command: str) -> AsyncIterator[LogsSource]:
    source = LogsSource("unit", LogSource(command=list(command)))
    try:
        yield source
    finally:
        await source.close()


async def until(source: LogsSource, count: int) -> tuple[list[LogLine], LogBatch]:
    seen: list[LogLine] = []
    async with asyncio.timeout(30):
        while True:
            batch = await source.read()
            seen += batch.lines
            if len(seen) >= count:
                return seen, batch


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while is_running(pid):
            await asyncio.sleep(0.01)


async def test_output_and_errors_are_lines_with_their_origin() -> None:
    async with following("sh", "-c", "echo INFO out; echo ERROR err >&2; exec sleep 60") as source:
        seen, batch = await until(source, 2)
    assert {(line.origin, line.raw) for line in seen} == {("sh", "INFO out"), ("stderr", "ERROR err")}
    assert batch.following == ("sh",)
    assert batch.problems == ()


async def test_a_program_has_no_input_and_no_terminal() -> None:
    script = "import os,sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), flush=True)"
    async with following(sys.executable, "-c", script) as source:
        seen, _ = await until(source, 1)
    assert seen[0].raw == "'' True"


async def test_everything_it_started_ends_with_it(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; sleep 600 & echo $!; echo $$; wait"
    async with following("sh", "-c", stubborn) as source:
        seen, _ = await until(source, 2)
        pids = [int(line.raw) for line in seen]
        assert all(is_running(pid) for pid in pids)
    for pid in pids:
        await gone(pid)


async def test_a_program_that_ends_says_how_and_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sources.logs.command._BACKOFF_S", (0.05,))
    async with following("sh", "-c", "echo again; exit 3") as source:
        await until(source, 2)
        async with asyncio.timeout(30):
            while not (problems := (await source.read()).problems):
                pass
    assert problems == ("sh ended with status 3; starts again in 0.05 s",)


async def test_one_that_does_not_go_on_is_a_gap_and_one_that_ends_in_order_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.sources.logs.command._BACKOFF_S", (0.05,))
    ends = {"exit 255": "ended with status 255", "kill -KILL $$": "ended by SIGKILL", "exit 0": ""}
    for end, how in ends.items():
        async with following("sh", "-c", f"echo told; {end}") as source:
            seen, batch = await until(source, 5)
        gap = f"opstui: gap in sh: {how}; until it runs again lines may be missing, and those it begins with come twice"
        pair = ["told", gap] if how else ["told"]
        assert [line.raw for line in seen[:4]] == (pair * 4)[:4]
        assert (batch.gaps > 0) == bool(how)
    async with following("sh", "-c", "exit 1") as source:  # it tells nothing, so nothing is missing in the middle
        async with asyncio.timeout(30):
            while not (batch := await source.read()).problems:
                pass
    assert (batch.gaps, batch.lines) == (0, ())


async def test_it_is_started_less_and_less_often_until_it_has_run_for_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tui.sources.logs.command._BACKOFF_S", (0.01, 0.02, 0.04))
    monkeypatch.setattr("tui.sources.logs.command._STEADY_S", 0.3)
    monkeypatch.setattr("tui.sources.logs.source.QUIET_S", 0.05)
    pauses: list[str] = []
    async with following("sh", "-c", f"test -e {tmp_path}/steady && sleep 0.4; exit 7") as source:
        await source.read()
        assert source._follower is not None
        async with asyncio.timeout(20):
            while "0.04" not in pauses:
                pauses += [problem.split()[-2] for problem in source._follower.problems]
                await asyncio.sleep(0.001)
            (tmp_path / "steady").touch()
            while pauses[-1:] != ["0.01"]:
                pauses += [problem.split()[-2] for problem in source._follower.problems]
                await asyncio.sleep(0.001)
    assert set(pauses) <= {"0.01", "0.02", "0.04"}


async def test_a_program_that_is_not_there_is_an_error_with_a_remedy() -> None:
    async with following("/no/such/program") as source:
        with pytest.raises(Unreachable, match="program: No such file or directory; correct command"):
            await source.read()


async def test_a_flood_nobody_takes_is_counted_to_the_line(tmp_path: Path) -> None:
    count = 60_000
    done = tmp_path / "done"
    script = f"seq -f '%.0f of a flood of lines' {count}; touch {done}; exec sleep 60"
    async with following("sh", "-c", script) as source:
        first = await source.read()
        async with asyncio.timeout(20):
            while not done.exists():  # nobody reads meanwhile
                await asyncio.sleep(0.02)
        seen = len(first.lines)
        async with asyncio.timeout(30):
            while True:
                batch = await source.read()
                seen += len(batch.lines)
                if batch.received == count:
                    break
        assert seen + batch.dropped == count
        assert batch.dropped > 0
        assert batch.bytes == sum(len(f"{n} of a flood of lines\n") for n in range(1, count + 1))


async def test_a_quiet_log_answers_within_two_seconds_and_lines_at_once() -> None:
    async with following("sh", "-c", "read x; exec sleep 60") as source:
        started = time.monotonic()
        batch = await source.read()
        assert batch.lines == ()
        assert 1.5 < time.monotonic() - started < 4


async def test_a_cancelled_read_loses_no_line() -> None:
    async with following("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.03; done; exec sleep 60") as source:
        seen: list[LogLine] = []
        async with asyncio.timeout(30):
            while len(seen) < 8:
                try:
                    async with asyncio.timeout(0.02):
                        seen += (await source.read()).lines
                except TimeoutError:
                    await asyncio.sleep(0)
    assert [line.raw for line in seen] == list("12345678")
    assert os.getpid()
