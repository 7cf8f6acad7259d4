"""The terminal in the hands of a shell elsewhere: opstui stands aside, and takes an intact terminal back."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from textual.app import App

from tui.actions.action import Verb
from tui.actions.kubernetes.shell import OpenShell, Shell
from tui.sources.errors import SourceError
from tui.terminal import RESET

LEAVE: Final = b"\x1d"
"""ctrl+], as telnet has it: no shell and no editor needs it every day."""
_LEFT: Final = "left by ctrl+]"
_GONE: Final = "left: the terminal is gone"
_CHUNK: Final = 16 * 1024


def lend(app: App[Any], verbs: Iterable[Verb]) -> None:
    """Let the verbs that need a terminal have this one, where there is one to give."""
    if app._driver is not None and app._driver.can_suspend:
        for verb in verbs:
            if isinstance(verb, OpenShell):
                verb.attach = partial(hand_over, app)


async def hand_over(app: App[Any], shell: Shell) -> str:
    """Suspend the screen and give the terminal to a shell until it ends.

    Returns:
        Empty when the shell ended; else how it was left.

    Raises:
        SourceError: the connection was cut.
    """
    failure: BaseException | None = None
    left = ""
    with app.suspend():
        # What is raised in here passes by what brings the screen back: right only when opstui itself is ending.
        try:
            left = await converse(shell, _descriptor(sys.__stdin__), _descriptor(sys.__stderr__))
        except BaseException as error:
            if app.return_code is not None:
                raise
            failure = error
    if failure is not None:
        raise failure
    return left


def _descriptor(stream: Any) -> int:
    return int(stream.fileno())


async def converse(shell: Shell, keyboard: int, screen: int) -> str:
    """Carry keys and output until the shell ends or is left; returns and raises as `hand_over` does."""
    async with _raw(keyboard, screen), _resizes() as resized:
        await _write(screen, _banner(shell))
        await _write(screen, shell.said)
        tasks = {
            asyncio.create_task(_shown(shell, screen)),
            asyncio.create_task(_typed(shell, keyboard)),
            asyncio.create_task(_resized(shell, screen, resized)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not isinstance(task.exception(), OSError):
                    return task.result()
            return _GONE
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _banner(shell: Shell) -> bytes:
    return f"{shell.program} in {shell.place}; ctrl+] leaves it whatever it does\r\n".encode()


async def _shown(shell: Shell, screen: int) -> str:
    async for _, content in shell.session.output():
        await _write(screen, content)
    return ""


async def _typed(shell: Shell, keyboard: int) -> str:
    async with _readable(keyboard) as has_keys:
        while True:
            await has_keys()
            content = os.read(keyboard, _CHUNK)
            if not content:
                return _GONE
            before, leave, _ = content.partition(LEAVE)
            if before:
                await shell.session.type(before)
            if leave:
                return _LEFT


async def _resized(shell: Shell, screen: int, resized: asyncio.Event) -> str:
    while True:
        size = os.get_terminal_size(screen)
        with suppress(SourceError):  # who shows the output hears of it too
            await shell.session.resize(size.columns, size.lines)
        await resized.wait()
        resized.clear()


@asynccontextmanager
async def _raw(keyboard: int, screen: int) -> AsyncIterator[None]:
    """Take the terminal as it comes, key by key; give it back as it was, without what a killed program left on."""
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        with suppress(OSError, termios.error):  # it may be gone; then nobody misses its modes
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
            await _write(screen, RESET.encode())


@asynccontextmanager
async def _resizes() -> AsyncIterator[asyncio.Event]:
    """Give an event that is set whenever the terminal gets another size."""
    resized, loop = asyncio.Event(), asyncio.get_running_loop()
    # Not add_signal_handler: it would take the wake-up descriptor away from who watches the terminal's life.
    before = signal.signal(signal.SIGWINCH, lambda *_: loop.call_soon_threadsafe(resized.set))
    try:
        yield resized
    finally:
        signal.signal(signal.SIGWINCH, before)


@asynccontextmanager
async def _readable(descriptor: int) -> AsyncIterator[Callable[[], Any]]:
    """Give a call that waits until there is something to read."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        loop.remove_reader(descriptor)  # else it would be told again and again until somebody reads
        ready.set()

    async def wait() -> None:
        ready.clear()
        loop.add_reader(descriptor, told)
        await ready.wait()

    try:
        yield wait
    finally:
        loop.remove_reader(descriptor)


async def _write(descriptor: int, content: bytes) -> None:
    """Write everything; in a thread, for a terminal may stand still."""

    def write() -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    if content:
        await asyncio.to_thread(write)
