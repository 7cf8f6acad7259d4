"""A pipe at the standard input: its descriptor for the logs, and the terminal in its place for the keys."""

import os
import stat
from typing import Any, Final

_TERMINAL: Final = "/dev/tty"


def is_piped(stream: Any) -> bool:
    """Tell whether a standard input is a pipe, a file or a socket: something that has lines to give."""
    if stream is None or stream.isatty():
        return False
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def take_keyboard(keyboard: int = 0) -> int:
    """Put the terminal where the pipe is, so that everything reads keys there; return where the pipe is now.

    Programs that are started do not inherit the pipe: whoever writes to it hears at once when opstui has ended.

    Raises:
        OSError: there is no terminal.
    """
    terminal = os.open(_TERMINAL, os.O_RDWR | os.O_CLOEXEC)
    try:
        pipe = os.dup(keyboard)
        os.dup2(terminal, keyboard)
    finally:
        os.close(terminal)
    return pipe
