"""Programs of a profile: what they get, what is kept of what they say, and that nothing of them stays behind."""

import asyncio
import os
import sys

import pytest

from profiles.programs import Finished, ProgramError, run


async def test_what_is_typed_comes_back_with_the_exit_code() -> None:
    program = "import sys; print(sys.stdin.read().upper(), end=''); print('aside', file=sys.stderr); sys.exit(3)"
    command = [sys.executable, "-c", program]
    assert await run(command, timeout_s=30, typed=b"hello", most=100) == Finished(3, b"HELLO")
    finished = await run(command, timeout_s=30, typed=b"hello", most=100, keeps_end=True)
    assert finished.status == 3
    assert sorted([finished.output.count(b"HELLO"), finished.output.count(b"aside\n")]) == [1, 1]


async def test_of_much_the_end_is_kept_and_one_that_says_too_much_is_ended() -> None:
    numbers = [sys.executable, "-c", "print(*range(100_000))"]
    assert (await run(numbers, timeout_s=30, most=10, keeps_end=True)).output == b"998 99999\n"
    assert (await run(["yes"], timeout_s=30, most=100)).status is None


async def test_a_child_left_behind_holds_nobody_up_where_nothing_is_read() -> None:
    assert await run(["sh", "-c", "sleep 300 & exit 0"], timeout_s=30, most=0) == Finished(0, b"")


async def test_what_takes_too_long_is_ended_with_all_it_started() -> None:
    group = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(300)"]
    started = asyncio.get_running_loop().create_task(run(group, timeout_s=0.5, most=100))
    with pytest.raises(TimeoutError):
        await started
    assert not [name for name in os.listdir("/proc") if name.isdigit() and _says(name, "time.sleep(300)")]


def _says(pid: str, words: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return words.encode() in file.read() and os.getppid() != int(pid) and int(pid) != os.getpid()
    except OSError:
        return False


@pytest.mark.parametrize("command", [["/nonexistent"], ["a\0b"]])
async def test_what_cannot_be_started_says_why(command: list[str]) -> None:
    with pytest.raises(ProgramError):
        await run(command, timeout_s=1, most=1)
