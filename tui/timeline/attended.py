"""What people said of alerts, from the journal's lines: acknowledged by whom, or silenced until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tui.journal.journal import END_OF_TIME, moment_of
from tui.rules import Alert, Level
from tui.timeline.record import Line, who, words

ACK: Final = "ack"
SILENCE: Final = "silence"
UNSILENCE: Final = "unsilence"
ACK_S: Final = 12 * 3600.0
"""How long an acknowledgement holds at most: where nobody saw the alert end, the next one is not the same."""
GAP_S: Final = 60.0
"""How long nobody may have watched for an alert that is up afterwards to count as the same."""
_HOST: Final = "host:"


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody's word about one alert."""

    what: str
    """`ack` or `silence`."""
    by: str
    note: str
    at: float
    """`time.time()` when it was said."""
    until: float
    """`time.time()` from which on it no longer holds."""
    level: Level
    """The alert's when it was said; a worse one is another matter."""

    def words(self) -> str:
        """Return it as it stands beside the alert: `acknowledged by ann: on it`."""
        until = f" until {datetime.fromtimestamp(self.until, UTC):%m-%d %H:%MZ}" if self.what == SILENCE else ""
        done = "silenced" if self.what == SILENCE else "acknowledged"
        return f"{done}{until} by {self.by}" + (f": {self.note}" if self.note else "")


class Attended:
    """Remembers what was said of alerts until they end; the newest word counts."""

    def __init__(self, host: str, since: float = 0.0) -> None:
        """Begin with nothing said.

        Args:
            host: this machine's name: what is said of a host is said of one machine.
            since: `time.time()` before which words count for nothing.
        """
        self._host = host
        self._since = since
        self._watching: set[tuple[str, str]] = set()
        """Every opstui that is open, by machine and pid."""
        self._alone_since: float | None = None
        self._said: dict[tuple[str, str, str], Said] = {}

    def take(self, lines: Iterable[Line]) -> None:
        """Take lines of the journal, oldest first; what is not about alerts is passed over."""
        for line in lines:
            what = line.get("what")
            if what in ("opened", "closed"):
                self._watched(line, is_open=what == "opened")
            elif what in (ACK, SILENCE, UNSILENCE) and self._is_ours(line) and moment_of(line) >= self._since:
                self._take(line)

    def _watched(self, line: Line, *, is_open: bool) -> None:
        """Take that an opstui begins or ends: what nobody watched for a while may have ended and begun anew."""
        one, at = (words(line, "host"), words(line, "pid")), moment_of(line)
        if not is_open:
            self._watching.discard(one)
            if not self._watching:
                self._alone_since = at
            return
        if not self._watching and self._alone_since is not None and at - self._alone_since > GAP_S:
            self._said = {key: said for key, said in self._said.items() if said.what == SILENCE}
        self._watching.add(one)
        self._alone_since = None

    def _is_ours(self, line: Line) -> bool:
        return words(line, "source") != _HOST or words(line, "host") == self._host

    def _take(self, line: Line) -> None:
        key = (words(line, "source"), words(line, "metric"), words(line, "object"))
        what, at = words(line, "what"), moment_of(line)
        if what == UNSILENCE:
            self._said.pop(key, None)
            return
        until = moment_of({"at": line.get("until")}) if what == SILENCE else at + ACK_S
        level = Level.CRITICAL if line.get("level") == Level.CRITICAL.name else Level.WARN
        self._said[key] = Said(what, who(line), words(line, "note"), at, min(until, END_OF_TIME - 1), level)

    def said(self, alert: Alert, now: float) -> Said | None:
        """Return what holds of an alert now; None when nothing does, or it has become worse since."""
        found = self._said.get(_key(alert))
        return found if found is not None and now < found.until and alert.level <= found.level else None

    def knows(self, alert: Alert) -> bool:
        """Tell whether anything was said of an alert that has not been taken back."""
        return _key(alert) in self._said


def line_of(alert: Alert, **more: Any) -> dict[str, Any]:
    """Return the fields of the journal's line about an alert."""
    about = {"source": alert.source, "metric": alert.metric, "object": alert.object}
    return {**about, "level": alert.level.name, "value": alert.value, **more}


def _key(alert: Alert) -> tuple[str, str, str]:
    return alert.source, alert.metric, alert.object
