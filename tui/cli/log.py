"""The log file: opstui's own troubles, for whoever looks after opstui; never anything of the watched systems."""

import logging
import os
import threading
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from profiles.places import make_private

_BYTES: Final = 1_000_000
_OLD_FILES: Final = 2


class _PrivateFile(RotatingFileHandler):
    """A log that nobody but this user can read."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8", errors="backslashreplace")


def start_log(path: Path) -> None:
    """Send every log record and warning of this process to `path`, so that none of it hits the screen.

    Raises:
        OSError: the file cannot be written.
    """
    make_private(path.parent)
    handler = _PrivateFile(path, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
    handler.setFormatter(_utc_lines())
    root = logging.getLogger()
    root.addHandler(handler)
    # Client libraries log addresses and statements below this level.
    root.setLevel(logging.WARNING)
    logging.getLogger("tui").setLevel(logging.INFO)
    logging.captureWarnings(True)
    # Python's own hook writes to standard error, which is the screen.
    threading.excepthook = _log_thread


def keep_no_log() -> None:
    """Let every log record and warning of this process go: nothing is written, and standard error is for people."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)
    threading.excepthook = _log_thread


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        name = failed.thread.name if failed.thread else "a thread"
        logging.getLogger(__name__).error("%s ended by an error", name, exc_info=failed.exc_value)


def _utc_lines() -> logging.Formatter:
    import time

    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(name)s: %(message)s")
    formatter.datefmt = "%Y-%m-%dT%H:%M:%S"
    formatter.converter = time.gmtime
    return formatter
