"""The terminal's life and ours: die with it, and leave it usable whatever happens.

Textual handles neither SIGHUP and SIGTERM nor a terminal that is gone: with SIGHUP ignored it spins on end-of-file
for ever. `Lifeline` covers both. This module imports nothing heavy: `opstui --reset-terminal` uses it too.
"""

import asyncio
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

RESET: Final = (
    "\x18"  # gives up an escape sequence that was cut in two
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u"  # focus, bracketed paste, in-band resize, key protocol
    "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[0m\x1b[?1l\x1b>"  # screen, cursor, wrap, colours, keypad
)
"""Undoes every mode a full-screen program may have left behind."""

_ENDINGS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
"""Signals that end the program."""
_GRACE_S: Final = 1.0
"""How long an orderly end may take, once it is asked for, before the process is ended as it stands."""
_LEAVE_S: Final = 4.0
"""The same where the program ends by itself: its last words are still to be written, and nobody waits for it."""
_DEAF_S: Final = 0.2
"""How long the terminal may take to accept `RESET`; one whose link is dead never does."""
_LOOK_EVERY_S: Final = 1.0
"""How often to look for the terminal where the system cannot tell when it goes (macOS)."""

Modes = list[Any]
"""A line discipline, as `termios.tcgetattr` returns it."""


def reset(descriptor: int) -> None:
    """Bring the terminal behind `descriptor` back to what a shell expects: modes, line discipline, cursor."""
    os.write(descriptor, RESET.encode())
    attributes = _modes(descriptor)
    if attributes is None:
        return
    attributes[0] |= termios.ICRNL | termios.IXON | termios.BRKINT
    attributes[0] &= ~(termios.INLCR | termios.IGNCR)
    attributes[1] |= termios.OPOST | termios.ONLCR
    attributes[3] |= termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ISIG | termios.IEXTEN
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


class Lifeline:
    """Ends the program in order on SIGHUP, SIGINT, SIGTERM, SIGQUIT and without its terminal; by force if that hangs.

    A thread of its own counts the seconds, so a stuck event loop, an unread terminal or a hung library delays
    nothing. Make it before the screen opens: it keeps the line discipline it finds, to give that back.
    """

    def __init__(self, end: Callable[[int], None]) -> None:
        self._end = end
        """Called on the event loop with the exit status to end with."""
        self._terminal = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._modes = _modes(self._terminal)
        self._asked, self._ask = os.pipe()
        """Brings the number of every signal that came, and 0 when the program ends by itself."""
        os.set_blocking(self._ask, False)
        self._status: int | None = None
        """The exit status a signal or the lost terminal asked for."""
        self._own_status = 0
        """The exit status with which the program ends by itself."""
        self._over = threading.Event()
        self.is_lent = False
        """Whether another program has the terminal: ctrl+c is meant for that one, also while it is going."""

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch; from the running event loop, on the main thread."""
        for number in _ENDINGS:
            signal.signal(number, lambda *_: None)
            signal.siginterrupt(number, False)
        # Handlers run on the main thread only, which may wait for ever for room in the terminal, and a signal that
        # the system gives to another thread does not even interrupt that. The pipe is written to at once, by any.
        signal.set_wakeup_fd(self._ask, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(loop,), name="terminal watch", daemon=True).start()

    def leave(self, status: int) -> None:
        """Say that the program is ending by itself, with that exit status: from now on it must not take long."""
        self._own_status = status
        with suppress(OSError):
            os.write(self._ask, b"\0")

    def finish(self) -> None:
        """Say that the screen is closed; ends the process here when a signal or the lost terminal asked for it.

        Nothing worth waiting for is left then, and a standard output that is gone would spoil the exit status.
        """
        self._over.set()
        if self._is_gone:
            self._status = 128 + signal.SIGHUP
        if self._status is not None:
            os._exit(self._status)

    @property
    def _is_gone(self) -> bool:
        return self._modes is not None and _modes(self._terminal) is None

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        is_asked, status = self._wait(partial(self._call, loop, lambda: None))
        if is_asked:
            self._status = status
            self._call(loop, lambda: self._end(status))
        if not self._over.wait(_GRACE_S if is_asked else _LEAVE_S):
            self._force(status)

    @staticmethod
    def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is already closed: we are on our way out
            loop.call_soon_threadsafe(callback)

    def _wait(self, wake: Callable[[], None]) -> tuple[bool, int]:
        """Return whether somebody asks for the end (or it came by itself), and the exit status.

        `wake` lets the loop run the handlers of other signals (resize, resume) that came while it slept.
        """
        watched = select.poll()
        watched.register(self._asked, select.POLLIN)
        if self._modes is not None:
            watched.register(self._terminal, 0)  # asking for no event leaves only "hung up" and "error"
        look_every_ms: float | None = None
        while True:
            events = dict(watched.poll(look_every_ms))
            if events.get(self._terminal, 0) & select.POLLNVAL:
                watched.unregister(self._terminal)
                look_every_ms = _LOOK_EVERY_S * 1000
            elif self._is_gone:
                return True, 128 + signal.SIGHUP
            if self._asked in events:
                told = os.read(self._asked, 256)
                endings = (n for n in told if n in _ENDINGS and not (n == signal.SIGINT and self.is_lent))
                if ending := next(endings, None):
                    return True, 128 + ending
                if 0 in told:
                    return False, self._own_status
                wake()

    def _force(self, status: int) -> None:
        with suppress(OSError, termios.error):  # the terminal may be gone; then there is nothing to restore
            # First, for it never waits; what was written and not yet read is given up to make room.
            termios.tcflush(self._terminal, termios.TCOFLUSH)
            if self._modes is not None:
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._modes)
        farewell = threading.Thread(target=self._write_reset, daemon=True)
        farewell.start()
        farewell.join(_DEAF_S)
        os._exit(status)

    def _write_reset(self) -> None:
        with suppress(OSError):
            os.write(self._terminal, RESET.encode())


def _modes(descriptor: int) -> Modes | None:
    """Return the line discipline, None where there is no terminal (any more)."""
    try:
        return termios.tcgetattr(descriptor)
    except termios.error:
        return None
