"""Where the reading of one container's log stands, across connections, restarts and gaps."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tui.sources.logs.parse import LineParser
from tui.sources.logs.times import iso_time
from tui.sources.text import clean

_RECENT: Final = 200


def _stamped(line: str) -> tuple[float | None, str]:
    stamp, space, text = line.partition(" ")
    at = iso_time(stamp, UTC) if space and stamp[:1].isdigit() else None
    return at, text if at is not None else line


class ContainerLog:
    """Tells lines of a container's log that are new from those that come again."""

    def __init__(self, source: str, pod: str, container: str) -> None:
        self.source = source
        self.origin = clean(f"{pod}/{container}", limit=120)
        self.parser = LineParser(source, self.origin, UTC)
        self.last: float | None = None
        """The cluster's time of the newest line; None before the first."""
        self.is_joined = True
        """Whether what comes is known to follow what came before, without a gap."""
        self._recent: deque[str] = deque(maxlen=_RECENT)
        """The lines of that very time."""

    @property
    def since(self) -> datetime | None:
        """From when to ask for the log: whole seconds count, so the lines of the last one come again."""
        return datetime.fromtimestamp(int(self.last), UTC) if self.last is not None else None

    def reconnect(self) -> None:
        """Take that the connection begins anew: the last line must come again, or something may be missing."""
        self.is_joined = self.last is None

    def gap_at(self, lines: Sequence[str]) -> float | None:
        """Return when the first of `lines` was written if what comes before it is not known to have come; else None."""
        if self.is_joined or self.last is None:
            return None
        for line in lines:
            at, _ = _stamped(line)
            if at is None or at < self.last:
                continue
            return None if at == self.last and line in self._recent else at
        return None

    def fresh(self, lines: Sequence[str]) -> list[str]:
        """Return the lines not seen before, without the cluster's time in front of them."""
        found = []
        for line in lines:
            at, text = _stamped(line)
            if at is None:
                found.append(line)
                continue
            if self.last is not None and (at < self.last or (at == self.last and line in self._recent)):
                self.is_joined |= at == self.last
                continue
            if at != self.last:
                self._recent.clear()
            self.last = at
            self._recent.append(line)
            found.append(text)
        return found
