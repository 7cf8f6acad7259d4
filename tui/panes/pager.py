"""The person's own pager, for text that the screen shows: opstui stands aside until it ends."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from profiles.schema import Profile

_KNOWN: Final = ("less", "more")
"""What can be started without a shell of its own, and is looked for where $PAGER is not set."""
_SECURE: Final = {"LESSSECURE": "1", "MORESECURE": "1"}
"""Takes shell, editor, pipes and files out of them."""
_DROPPED: Final = ("LESSOPEN", "LESSCLOSE")
"""Programs that less would run over what it is given."""
_CHUNK: Final = 2_000


class PagerError(Exception):
    """No pager can be started, or it failed; the message says why."""


def pager(profile: Profile, environment: Mapping[str, str]) -> list[str]:
    """Return the pager's command.

    Raises:
        PagerError: there is none, or it could open a shell where the profile denies that.
    """
    typed = environment.get("PAGER", "").strip()
    try:
        command = shlex.split(typed)
    except ValueError:
        raise PagerError(f"$PAGER cannot be read: {typed[:80]}") from None
    if not command:
        command = [next((name for name in _KNOWN if shutil.which(name)), "")]
        if not command[0]:
            raise PagerError("no pager: set $PAGER, or install less")
    if os.path.basename(command[0]) not in _KNOWN and _denies_shell(profile):
        raise PagerError(f"{command[0]} could open a shell, which this profile denies; less could not: unset $PAGER")
    return command


def _denies_shell(profile: Profile) -> bool:
    verbs = profile.guards.verbs
    return "shell" in verbs.deny or (verbs.allow is not None and "shell" not in verbs.allow)


async def show(app: App[Any], command: Sequence[str], text: Iterable[str]) -> None:
    """Suspend the screen and give the terminal to a pager with cleaned lines until it ends.

    Raises:
        PagerError: it cannot be started, or says by its status that it failed.
    """
    failure: BaseException | None = None
    try:
        with app.suspend():
            # What is raised in here passes by what brings the screen back: right only when opstui itself is ending.
            try:
                await _paged(command, text, sys.__stdin__.fileno() if sys.__stdin__ else 0)
            except BaseException as error:
                if app.return_code is not None:
                    raise
                failure = error
    except SuspendNotSupported:
        raise PagerError("there is no terminal to lend to a pager") from None
    if failure is not None:
        raise failure


def _started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name not in _DROPPED} | _SECURE
    try:
        # In a group of its own, so that ctrl+c in the pager is the pager's.
        return subprocess.Popen(list(command), stdin=subprocess.PIPE, env=environment, process_group=0)
    except (OSError, ValueError) as error:
        raise PagerError(f"{command[0]}: {getattr(error, 'strerror', None) or error}") from None


async def _paged(command: Sequence[str], text: Iterable[str], terminal: int) -> None:
    process = _started(command)
    with _in_front(process.pid, terminal), _ended(process):
        feeding = threading.Thread(target=_feed, args=(process, text), daemon=True)
        feeding.start()
        await asyncio.to_thread(_wait, process.pid)
        status = process.wait()
    if status:
        how = f"ended with status {status}" if status > 0 else f"was ended by {signal.Signals(-status).name}"
        raise PagerError(f"{os.path.basename(command[0])} {how}")


@contextlib.contextmanager
def _in_front(group: int, terminal: int) -> Iterator[None]:
    """Give the terminal's keys to a process group, and take them back."""
    own = os.getpgrp()
    with contextlib.suppress(OSError):  # ended already, or no terminal of ours: then it says so itself
        os.tcsetpgrp(terminal, group)
    try:
        yield
    finally:
        # Who is not in front is stopped for this, unless the signal waits.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with contextlib.suppress(OSError):
            os.tcsetpgrp(terminal, own)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait(pid: int) -> None:
    """Wait until it has ended, without reaping it; one that stops (ctrl+z) goes on: nobody else could tell it to."""
    while (state := os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)) is not None:
        if state.si_code != os.CLD_STOPPED:
            return
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        os.killpg(pid, signal.SIGCONT)


def _feed(process: "subprocess.Popen[bytes]", text: Iterable[str]) -> None:
    if (pipe := process.stdin) is None:
        return
    parts = iter(text)
    with contextlib.suppress(OSError):  # it has seen enough
        while chunk := "".join(islice(parts, _CHUNK)):
            pipe.write(chunk.encode("utf-8", "replace"))
    with contextlib.suppress(OSError):
        pipe.close()
