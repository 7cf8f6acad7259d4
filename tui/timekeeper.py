"""Keeps the timeline while the screen is open: fed by readings and the journal, written beside it, told in words.

What it needs is imported after the first frame; readings that come before that wait.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.app import App

from profiles.schema import Profile
from tui.journal import Journal, JournalError, who
from tui.journal.news import News
from tui.panes.pane import Pane
from tui.panes.tabs import TIMELINE
from tui.poller import contained
from tui.rules import Alert
from tui.sources.reading import Reading
from widgets.cell import Tone
from widgets.dialogs import InputDialog

if TYPE_CHECKING:
    from tui.timeline.chronicle import Chronicle
    from tui.timeline.entry import Entry
    from tui.timeline.journal_rows import JournalRows
    from tui.timeline.model import Timeline
    from tui.timeline.store import Store

_LOG: Final = logging.getLogger(__name__)
_FLUSH_S: Final = 2.0
_SLICE: Final = 250
"""Entries of the record taken before others get their turn."""
_SNAPSHOT_BYTES: Final = 8 * 1024
_DRAWN_S: Final = 1.0
"""How long a hidden tab takes to draw what it was shown, thousands of rows too."""
_REPORT_S: Final = 4 * 3600.0
"""What a report written from the screen goes back; the command takes any time."""

Tell = Callable[[str, Tone], None]


class Timekeeper:
    """One profile's timeline, from the first frame to the last."""

    def __init__(
        self,
        app: App[Any],
        profile: Profile,
        journal: Journal,
        news: News,
        tell: Tell,
        changed: Callable[[], None],
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            app: asks for notes.
            profile: what is watched.
            journal: where actions, notes and pins are written.
            news: what anybody writes there; somebody else follows it.
            tell: says a sentence to the person.
            changed: draws what is new where the timeline is open.
        """
        self._app, self._profile, self._journal, self._news = app, profile, journal, news
        self._tell, self._changed = tell, changed
        self._chronicle: Chronicle | None = None
        self._rows: JournalRows | None = None
        self._store: Store | None = None
        self._unwritten: list[Entry] = []
        self._early: dict[str, tuple[Reading[Any], list[Alert]]] = {}
        """Readings and alerts that came before what they are compared with was read."""
        self._early_lines: list[Mapping[str, Any]] = []
        """Lines of the journal that came before that."""
        self._is_open = False
        news.subscribe(self.take_lines)

    @cached_property
    def timeline(self) -> "Timeline":
        """What changed so far."""
        from tui.timeline.model import Timeline

        return Timeline()

    # From the first frame to the last

    async def run(self) -> None:
        """Read what is on record, then write what is seen, until cancelled."""
        chronicle, rows = await asyncio.to_thread(self._prepare)
        for start in range(0, len(rows), _SLICE):
            chronicle.resume(rows[start : start + _SLICE])
            await asyncio.sleep(0)
        self._chronicle = chronicle
        early, lines, self._early, self._early_lines = self._early, self._early_lines, {}, []
        for start in range(0, len(lines), _SLICE):
            self.take_lines(lines[start : start + _SLICE])
            await asyncio.sleep(0)
        for reading, raised in early.values():
            self.take(reading, raised)
        await self._append("opened", {})
        self._is_open = True
        await self._write_often()

    def _prepare(self) -> tuple["Chronicle", list["Entry"]]:
        """Import and read; blocks."""
        from tui.timeline.chronicle import Chronicle
        from tui.timeline.journal_rows import JournalRows
        from tui.timeline.store import Store

        self._store = Store(self._journal)
        self._rows = JournalRows(self.timeline)
        try:
            rows = self._store.history()
        except OSError as error:
            self._say_store(error)
            rows = []
        return Chronicle(self.timeline), rows

    async def close(self) -> None:
        """Write what is left, and that opstui was closed."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(JournalError):  # nobody is left to tell
                await self._journal.append("closed", {})
            await self._write()
        if self._store is not None:
            self._store.close()

    async def _write_often(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            failure = self._news.failure
            self.timeline.tell_trouble("journal", f"the journal cannot be read: {failure}" if failure else "")
            if self._store is not None and (self._unwritten or not self._store.is_writer):
                await self._write()

    async def _write(self) -> None:
        if (store := self._store) is None:
            return
        entries, self._unwritten = self._unwritten, []
        try:
            await asyncio.to_thread(store.write, entries)
        except OSError as error:
            self._say_store(error)
        else:
            self.timeline.tell_trouble("store", "")

    def _say_store(self, error: OSError) -> None:
        where = error.filename or (self._store.path if self._store else "")
        words = f"the timeline's own file: {where}: {error.strerror or error}; what is seen lasts until opstui ends"
        self.timeline.tell_trouble("store", words)

    # What is seen

    def take(self, reading: Reading[Any], raised: Iterable[Alert]) -> None:
        """Take a reading and the alerts it changed."""
        chronicle = self._chronicle
        if chronicle is None:
            _, alerts = self._early.get(reading.source, (reading, []))
            self._early[reading.source] = (reading, [*alerts, *raised])
            return

        def compare() -> None:
            self._unwritten += chronicle.take(reading, raised, time.time())

        contained(compare, f"comparing {reading.source} with what was seen before")

    def take_lines(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Take lines of the journal, whoever wrote them, oldest first."""
        rows = self._rows
        if self._chronicle is None or rows is None:
            self._early_lines += lines
            return
        contained(partial(rows.take, lines), "taking in what is new in the journal")
        self._changed()

    def paused(self, is_paused: bool) -> None:
        """Take that every reading was stopped, or goes on."""
        words = "PAUSED: nothing is seen until reading goes on (p)" if is_paused else ""
        self.timeline.tell_trouble("paused", words)
        if self._chronicle is not None:
            self._unwritten += self._chronicle.pause(is_paused, who(), time.time())
        self._changed()

    # What people say

    async def note(self, about: str) -> None:
        """Ask for a note and put it on record; `about` is what the person looks at."""
        dialog = InputDialog("Note", text=f"about {about}", placeholder="what you see, think or do", problem=_problem)
        text = await self._app.push_screen_wait(dialog)
        if text is not None and await self._append("note", {"text": text, "about": about}):
            self._tell("noted; it is in the timeline", "ok")

    async def keep_picture(self, pane: Pane) -> None:
        """Put what a tab shows now on record."""
        title, text = pane.TAB.title, _cut(pane.as_text())
        if await self._append("snapshot", {"title": title, "text": text, "about": pane.subject()}):
            self._tell(f"a snapshot of {title} is in the timeline: {text.count(chr(10)) + 1} lines", "ok")

    async def pin(self, entry: "Entry") -> None:
        """Pin an entry for everyone, or take its pin away."""
        from tui.timeline.written import written

        pin = self.timeline.pins.get(entry.id)
        if pin is not None:
            if await self._append("unpin", {"entry": pin.entry}):
                self._tell("unpinned", "")
        elif await self._append("pin", {"entry": entry.id, "text": entry.text, "seen": written(entry)}):
            self._tell("pinned, for everyone on this journal", "ok")

    async def _append(self, what: str, fields: Mapping[str, Any]) -> bool:
        """Put an entry into the journal and show it at once; tell the person when that cannot be done."""
        try:
            await self._journal.append(what, fields)
        except JournalError as error:
            _LOG.warning("journal: %s", error)
            self._tell(f"NOT on record, the journal cannot be written: {error}", "critical")
            return False
        await self._news.fetch()
        return True

    # The report

    async def report(self, panes: Sequence[Pane], readings: Callable[[Container[str]], Iterable[Reading[Any]]]) -> None:
        """Write the incident report of the last hours, with what every open tab shows, and say where it is.

        Args:
            panes: the tabs that have been opened.
            readings: returns the newest reading of every source of some kinds.
        """
        shown = [pane for pane in panes if pane.TAB is not TIMELINE]
        for pane in shown:
            for reading in readings(pane.TAB.kinds):
                contained(partial(pane.show, reading), f"drawing {pane.TAB.title} for the report")
        await asyncio.sleep(_DRAWN_S)
        texts = [(pane.TAB.title, pane.as_text()) for pane in shown]
        try:
            path = await asyncio.to_thread(self._write_report, time.time(), texts)
        except (OSError, JournalError) as error:
            self._tell(f"no report: {error}", "critical")
        else:
            self._tell(f"the incident report of the last {_REPORT_S / 3600:g} h is {path}", "ok")

    def _write_report(self, now: float, panes: Sequence[tuple[str, str]]) -> Path:
        from tui.timeline.gathering import gathered
        from tui.timeline.report import markdown
        from widgets.clipboard import write_to_file

        incident = gathered(self._journal, self._profile, now - _REPORT_S, now, t0=self.timeline.t0, panes=panes)
        return write_to_file(markdown(incident), Path.cwd(), f"{self._profile.name}-incident", ".md")


def _problem(typed: str) -> str:
    return "" if typed.strip() else "type something, or leave with esc"


def _cut(text: str) -> str:
    data = text.encode("utf-8", "replace")
    return text if len(data) <= _SNAPSHOT_BYTES else data[:_SNAPSHOT_BYTES].decode("utf-8", "ignore") + "…"
