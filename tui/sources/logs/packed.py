"""A packed log that is named itself, `app.log.3.gz`: read once, from its beginning to its end."""

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final

from tui.sources.errors import Denied
from tui.sources.logs.intake import Intake
from tui.sources.logs.stdin import StreamFollower
from tui.sources.text import clean

_OPENERS: Final[Mapping[str, Callable[[Any], Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_CHUNK: Final = 128 * 1024


def is_packed(path: str) -> bool:
    """Tell whether a file's name says that it is packed in a way that can be unpacked here."""
    return os.path.splitext(path)[1] in _OPENERS


class PackedFollower(StreamFollower):
    """Unpacks one file, no faster than its lines are taken."""

    def __init__(self, source: str, path: str, intake: Intake, zone: tzinfo | None = None) -> None:
        """Prepare to read; nothing is opened yet."""
        super().__init__(source, clean(os.path.basename(path), limit=80), intake, zone)
        self._path = path
        self._parser.is_of_past = True

    def _read(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except PermissionError:
            words = f"{clean(self._path, limit=200)}: Permission denied"
            self.failure = Denied(words, "opstui's user must be able to read it (often: join the group adm)")
            return
        with os.fdopen(descriptor, "rb") as file:
            try:
                with _OPENERS[os.path.splitext(self._path)[1]](file) as unpacked:
                    while self._has_room() and (data := unpacked.read(_CHUNK)):
                        self._take(data)
            except (EOFError, ValueError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
                self._end()
                self.problems = (f"{self._origin}: {clean(str(error), limit=200)}",)
                return
        if not self._is_closing.is_set():
            self._end()
