"""`opstui --reset-terminal`."""

import os
import sys

from tui.terminal import reset


def reset_terminal() -> int:
    """Bring this process's terminal back to what a shell expects; return the exit status."""
    for descriptor in (1, 2, 0):
        if os.isatty(descriptor):
            reset(descriptor)
            return 0
    print("opstui: no terminal to reset: input and output are redirected", file=sys.stderr)  # noqa: T201 -- no log yet
    return 2
