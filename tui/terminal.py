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
from typing import Final

RESET: Final = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    "\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[<u"  # focus, bracketed paste, in-band resize, key protocol
    "\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[0m\x1b[?1l\x1b>"  # screen, cursor, wrap, colours, keypad
)
"""Undoes every mode a full-screen program may have left behind."""

_GRACE_S: Final = 1.5
"""How long an orderly end may take before the process is ended as it stands."""


def reset(descriptor: int) -> None:
    """Bring the terminal behind `descriptor` back to what a shell expects: modes, line discipline, cursor."""
    os.write(descriptor, RESET.encode())
    try:
        attributes = termios.tcgetattr(descriptor)
    except termios.error:
        return
    attributes[0] |= termios.ICRNL | termios.IXON | termios.BRKINT
    attributes[0] &= ~(termios.INLCR | termios.IGNCR)
    attributes[1] |= termios.OPOST | termios.ONLCR
    attributes[3] |= termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ISIG | termios.IEXTEN
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


class Lifeline:
    """Ends the program in order on SIGHUP, SIGTERM, SIGQUIT and when its terminal is gone; by force if that hangs."""

    def __init__(self, end: Callable[[int], None]) -> None:
        self._end = end
        """Called on the event loop with the exit status to end with."""
        self._ending = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch; from the running event loop."""
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
            loop.add_signal_handler(number, self._ask_to_end, 128 + number)
        watcher = threading.Thread(target=self._watch, args=(loop,), name="terminal watch", daemon=True)
        watcher.start()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        # Asking for no event at all leaves only "hung up" and "error": the thread sleeps until the terminal dies.
        hangup = select.poll()
        hangup.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, 0)
        while not hangup.poll():
            continue
        try:
            loop.call_soon_threadsafe(self._ask_to_end, 128 + signal.SIGHUP)
        except RuntimeError:  # the loop is already closed: we are on our way out
            return

    def _ask_to_end(self, status: int) -> None:
        if self._ending:
            return
        self._ending = True
        force = threading.Timer(_GRACE_S, self._force, args=(status,))
        force.daemon = True
        force.start()
        self._end(status)

    def _force(self, status: int) -> None:
        with suppress(OSError):  # the terminal may be gone; then there is nothing to restore
            reset(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        os._exit(status)
