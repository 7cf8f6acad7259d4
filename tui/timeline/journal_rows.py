"""The journal's lines, ours and those of every other opstui, into the timeline: actions, notes, snapshots, pins."""

from collections.abc import Iterable

from tui.journal.journal import moment_of
from tui.timeline import record
from tui.timeline.model import Pin, Timeline
from tui.timeline.record import ACTION_LINES, Line
from tui.timeline.written import read


class JournalRows:
    """Gives each action one row, whatever else is written about it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._actions: dict[str, list[Line]] = {}

    def take(self, lines: Iterable[Line]) -> None:
        """Take lines, oldest first, each once."""
        for line in lines:
            self._take(line)

    def _take(self, line: Line) -> None:
        what, timeline = line.get("what"), self._timeline
        if what in ACTION_LINES:
            self._take_action(line)
        elif what == "pin":
            pin = Pin(str(line.get("entry", "")), record.who(line), moment_of(line), record.words(line, "text"))
            timeline.pin(pin, read(line.get("seen")))
        elif what == "unpin":
            timeline.unpin(str(line.get("entry", "")))
        elif (row := record.entry(line)) is not None:
            timeline.add([row])
            timeline.keep_record(row.id, [line])

    def _take_action(self, line: Line) -> None:
        key = record.action_key(line)
        lines = self._actions.setdefault(key, [])
        lines.append(line)
        self._timeline.add([record.action_entry(lines)])
        self._timeline.keep_record(key, lines)
        if self._timeline.get(key) is None:  # older than anything that is kept
            del self._actions[key]
