"""The few programs that simulated containers have: nothing here ever runs a program of this host."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Terminal:
    """What a program reads from and writes to."""

    read: Callable[[], Awaitable[bytes]]
    """The next bytes of standard input; empty at its end."""
    write: Callable[[bytes], Awaitable[None]]
    complain: Callable[[bytes], Awaitable[None]]
    """Standard error; the same as `write` on a terminal."""
    is_tty: bool = False
    size: tuple[int, int] = (80, 24)
    """Columns and rows; whoever holds the other end changes them at any moment."""


@dataclass(frozen=True)
class Container:
    """What programs see of the container they run in."""

    hostname: str
    image: str
    files: Mapping[str, str]
    """Content by absolute path."""
    variables: Mapping[str, str]
    processes: tuple[tuple[int, str, str, str], ...]
    """Pid, user, CPU time and command line."""
    disks: tuple[tuple[str, int, int, str], ...]
    """File system, size and use in KiB, and where it is mounted."""
    resolve: Callable[[str], str | None]
    """The address of a name; None where nobody knows it."""
    reach: Callable[[str, int], str]
    """Why a host's port does not answer HTTP; empty when it does."""
    missing: frozenset[str] = frozenset()
    """Programs that the image lacks."""


@dataclass
class Run:
    """One program with its arguments, inside a container."""

    arguments: Sequence[str]
    container: Container
    terminal: Terminal
    now: Callable[[], str] = field(default=lambda: "")
    """The time, as `date` writes it."""

    async def say(self, text: str) -> None:
        """Write to standard output; a terminal gets carriage returns."""
        await self.terminal.write(_lines(text, self.terminal.is_tty))

    async def fail(self, text: str, status: int = 1) -> int:
        """Write to standard error and return the exit status."""
        await self.terminal.complain(_lines(f"{self.arguments[0]}: {text}\n", self.terminal.is_tty))
        return status


def _lines(text: str, is_tty: bool) -> bytes:
    return (text.replace("\n", "\r\n") if is_tty else text).encode()


Program = Callable[[Run], Awaitable[int]]


async def _cat(run: Run) -> int:
    if not run.arguments[1:]:
        while content := await run.terminal.read():
            await run.terminal.write(content)
        return 0
    status = 0
    for path in run.arguments[1:]:
        if path == "--":
            continue
        if (content_of := run.container.files.get(path)) is None:
            status = await run.fail(f"can't open '{path}': No such file or directory")
        else:
            await run.say(content_of)
    return status


async def _echo(run: Run) -> int:
    await run.say(" ".join(run.arguments[1:]) + "\n")
    return 0


async def _env(run: Run) -> int:
    await run.say("".join(f"{name}={value}\n" for name, value in run.container.variables.items()))
    return 0


async def _hostname(run: Run) -> int:
    await run.say(f"{run.container.hostname}\n")
    return 0


async def _id(run: Run) -> int:
    await run.say("uid=1000(app) gid=1000(app) groups=1000(app)\n")
    return 0


async def _date(run: Run) -> int:
    await run.say(f"{run.now()}\n")
    return 0


async def _ls(run: Run) -> int:
    folder = (run.arguments[-1] if len(run.arguments) > 1 else "/").rstrip("/") + "/"
    found = {path[len(folder) :].partition("/")[0] for path in run.container.files if path.startswith(folder)}
    if not found:
        return await run.fail(f"{folder.rstrip('/')}: No such file or directory")
    await run.say("\n".join(sorted(found)) + "\n")
    return 0


async def _getent(run: Run) -> int:
    if len(run.arguments) < 3 or run.arguments[1] not in ("hosts", "ahosts"):
        return await run.fail("unknown database", 1)
    name = run.arguments[-1]
    address = run.container.resolve(name)
    if address is None:
        return 2
    await run.say(f"{address:<15} {name}\n")
    return 0


async def _ps(run: Run) -> int:
    rows = "".join(f"{pid:5d} {user:<8} {time:>6} {line}\n" for pid, user, time, line in run.container.processes)
    await run.say(f"{'PID':>5} {'USER':<8} {'TIME':>6} COMMAND\n{rows}")
    return 0


async def _df(run: Run) -> int:
    head = f"{'Filesystem':<20} {'1024-blocks':>11} {'Used':>9} {'Available':>9} Capacity Mounted on\n"
    rows = "".join(
        f"{name:<20} {size:11d} {used:9d} {size - used:9d} {100 * used // size:7d}% {where}\n"
        for name, size, used, where in run.container.disks
    )
    await run.say(head + rows)
    return 0


async def _wget(run: Run) -> int:
    url = run.arguments[-1]
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    if run.container.resolve(host) is None:
        return await run.fail(f"bad address '{host}'")
    if why := run.container.reach(host, int(port) if port.isdecimal() else 80):
        return await run.fail(f"can't connect to remote host ({run.container.resolve(host)}): {why}")
    if "-S" in run.arguments:
        await run.terminal.complain(_lines("  HTTP/1.1 200 OK\n  Content-Type: text/plain\n", run.terminal.is_tty))
    if "--spider" not in run.arguments:
        await run.say("ok\n")
    return 0


async def _stty(run: Run) -> int:
    if not run.terminal.is_tty:
        return await run.fail("standard input: Inappropriate ioctl for device")
    columns, rows = run.terminal.size
    await run.say(f"{rows} {columns}\n")
    return 0


async def _sleep(run: Run) -> int:
    try:
        await asyncio.sleep(float(run.arguments[1]))
    except (IndexError, ValueError):
        return await run.fail("invalid number")
    return 0


async def _true(run: Run) -> int:
    return 0


async def _false(run: Run) -> int:
    return 1


async def _sh(run: Run) -> int:
    """A shell of single commands: no pipes, no variables, no redirections."""
    if len(run.arguments) > 2 and run.arguments[1] == "-c":
        return (await _line(run, run.arguments[2], 0))[0]
    status, is_over, pending = 0, False, bytearray()
    prompt = "/ $ " if run.terminal.is_tty else ""
    await run.say(prompt)
    while not is_over and (content := await run.terminal.read()):
        for byte in content:
            if byte in b"\r\n":
                if run.terminal.is_tty:
                    await run.say("\n")
                line, pending = pending.decode(errors="replace"), bytearray()
                status, is_over = await _line(run, line, status)
                if is_over:
                    break
                await run.say(prompt)
            elif byte == 4 and run.terminal.is_tty:  # ctrl+d
                is_over = not pending
            elif byte == 3 and run.terminal.is_tty:  # ctrl+c
                pending.clear()
                await run.say("^C\n" + prompt)
            else:
                pending.append(byte)
                if run.terminal.is_tty:
                    await run.terminal.write(bytes([byte]))
    return status


async def _line(run: Run, line: str, status: int) -> tuple[int, bool]:
    """Carry out one line of a shell; return its exit status, and whether the shell is over."""
    for command in line.split(";"):
        try:
            words = shlex.split(command)
        except ValueError:
            return await run.fail("syntax error: unterminated quoted string", 2), False
        if not words:
            continue
        if words[0] == "exit":
            is_number = len(words) > 1 and words[1].isdecimal()
            return (int(words[1]) % 256 if is_number else status), True
        program = find(words, run.container)
        if program is None:
            status = await run.fail(f"{words[0]}: not found", 127)
        else:
            status = await program(Run(words, run.container, run.terminal, run.now))
    return status, False


_PROGRAMS: dict[str, Program] = {
    "cat": _cat, "date": _date, "df": _df, "echo": _echo, "env": _env, "false": _false, "getent": _getent,
    "hostname": _hostname, "id": _id, "ls": _ls, "ps": _ps, "sh": _sh, "sleep": _sleep, "stty": _stty, "true": _true,
    "wget": _wget,
}  # fmt: skip


def find(arguments: Sequence[str], container: Container) -> Program | None:
    """Return the program that would run, or None where the container has none of that name."""
    name = arguments[0].rpartition("/")[2] if arguments else ""
    return None if name in container.missing else _PROGRAMS.get(name)


def status_object(exit_status: int) -> dict[str, Any]:
    """Return the `Status` that tells how a program ended."""
    if exit_status == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {exit_status}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(exit_status)}]},
    }
