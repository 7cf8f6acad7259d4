"""Textual's terminal driver, made to survive being stopped from outside and losing its terminal."""

import os
import signal
from contextlib import suppress
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Opens the screen anew whenever the process goes on, whoever stopped it.

    Textual's own takes every SIGCONT for the end of its own Ctrl+Z: after a SIGSTOP it would read the keyboard in
    two threads, one of which never ends, and keep the raw line discipline as the one to give back.
    """

    _has_screen = False
    written = 0
    """Bytes written to the terminal so far."""

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual forgot to annotate it
        self._has_screen = True

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self._has_screen = False
        super().stop_application_mode()

    def write(self, data: str) -> None:
        """Write to the terminal; nothing, once it is gone and the thread that writes has ended with it.

        Its queue is short, and to wait for room in it would be for ever.
        """
        if self._writer_thread is not None and self._writer_thread.is_alive():
            self.written += len(data) if data.isascii() else len(data.encode("utf-8", "replace"))
            super().write(data)

    def run_input_thread(self) -> None:
        """Read keys until the screen closes or the terminal is gone, which is the lifeline's to notice."""
        with suppress(OSError):
            super().run_input_thread()

    def _sigtstp_application(self, *_: Any) -> None:
        # As the terminal itself would: whoever writes into our standard input stops too, else the shell, which waits
        # for the whole pipeline, would not take the terminal.
        before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.killpg(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        super()._sigtstp_application()

    def _sigcont_application(self, *_: Any) -> None:
        if not self._auto_restart:
            return
        if self._has_screen:
            self.suspend_application_mode()
        self._must_signal_resume = True
        self.resume_application_mode()
