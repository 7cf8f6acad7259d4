"""The Timeline tab: what changed in every system and what people did about it, the newest at the bottom."""

from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from profiles.schema import KINDS
from tui.panes import tabs, timeline_rows
from tui.panes.failing import clock
from tui.panes.pane import Desk, Pane
from tui.panes.timeline_strips import Strips, kinds_of
from tui.sources.reading import Reading
from tui.timeline.entry import ITSELF, Entry
from tui.timeline.model import PEOPLE, PINNED
from tui.units import short_kind
from widgets.cell import Row
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

_CHOICES: Final = ("", *KINDS, ITSELF.rstrip(":"), PEOPLE, PINNED)
_TALL: Final = 36
"""Rows of the tab from which on every kind of system has a strip of its own."""
_SHORT: Final = 14
"""Rows of the tab below which there is no room for a whole sentence under the table."""
_SUBJECT: Final = 120
"""Characters of an entry that say which one it is."""


class Entries(LiveTable):
    """The rows; marked are those that somebody pinned, and only time is an order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pin", "Pin: keep the row for everyone, or let it go", key_display="space", id="timeline.pin"),
    ]

    class Pinned(LiveTable.About):
        """A row is to be pinned, or unpinned."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that sort."""
        return action not in ("sort_next", "sort_reverse") and super().check_action(action, parameters)

    def action_pin(self) -> None:
        """Tell that the row under the cursor is to be pinned or unpinned."""
        if self.cursor_key is not None:
            self.post_message(self.Pinned(self, self.cursor_key))


class TimelinePane(Pane):
    """Everything that changed."""

    TAB = tabs.TIMELINE

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="timeline.filter"),
        Binding("f,tab", "choose(1)", "System: the next one", key_display="f tab", id="timeline.next"),
        Binding("shift+tab", "choose(-1)", "System: the one before", show=False, id="timeline.previous"),
        Binding("escape,ctrl+g", "back", "Clear the filter, then show every system", show=False, id="timeline.back"),
        Binding("0", "count_from", "t0: count times from here", id="timeline.t0"),
        Binding("d", "detail", "Detail", show=False, id="timeline.detail"),
        Binding("c", "copy", "Copy the row", show=False, id="timeline.copy"),
        Binding("w", "report", "Report: write the incident report to a file", id="timeline.report"),
    ]

    DEFAULT_CSS = """
    TimelinePane > SegmentLine { padding: 0 1; }
    TimelinePane > #timeline-full { height: 2; }
    """

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._timeline = desk.timeline()
        self._choice = ""
        self._drawn = -1
        """The timeline's revision that is drawn; -1: none."""
        self._looks: tuple[object, ...] = ()
        """What decides how rows look besides their entries."""

    def compose(self) -> ComposeResult:
        """Lay out notice, title, strips, choices, rows and filter."""
        yield NoticeBar(id="timeline-notice")
        yield SegmentLine(id="timeline-title", separator="  ")
        yield Strips(kinds_of(self.desk.profile))
        yield SegmentLine(id="timeline-choices", separator="")
        yield Entries(timeline_rows.columns(80, has_t0=False, spans_days=False), sort="time", follow=True)
        yield NoticeBar(id="timeline-full")
        yield FilterBar()

    def on_mount(self) -> None:
        """Show what there is."""
        self._draw()

    @property
    def table(self) -> Entries:
        """The rows."""
        return self.query_one(Entries)

    @property
    def _current(self) -> Entry | None:
        key = self.table.cursor_key
        return self._timeline.get(key) if isinstance(key, str) else None

    # What is shown

    def show(self, reading: Reading[Any]) -> None:
        """Leave it to the next second: rows that scroll by must not flood a slow link."""

    def tick(self) -> None:
        """Draw what is new, and the strips when a minute has passed."""
        if not self.is_mounted:
            return
        if self._drawn != self._timeline.revision or self._looks != self._present_looks():
            self._draw()
        self._draw_strips()
        self._draw_title()

    def _present_looks(self) -> tuple[object, ...]:
        return (self._choice, self._timeline.t0, self.size, timeline_rows.day(self.desk.now()))

    def _draw(self) -> None:
        timeline, looks = self._timeline, self._present_looks()
        changed = timeline.changed_since(self._drawn) if self._looks == looks else None
        self._drawn, self._looks = timeline.revision, looks
        self._draw_columns()
        if changed is None:
            self.table.show({entry.id: self._row(entry) for entry in timeline.rows(self._choice)})
        else:
            rows = {key: timeline.get(key) for key in changed}
            shown = {k: e for k, e in rows.items() if e is not None and timeline.passes(e, self._choice)}
            self.table.apply({k: self._row(e) for k, e in shown.items()}, rows.keys() - shown.keys())
        self.table.marked = timeline.pins.keys()
        self._draw_notice()
        self._draw_strips()
        self._draw_frame()

    def _draw_columns(self) -> None:
        spans_days = timeline_rows.spans_days(self._timeline.oldest, self.desk.now())
        has_t0 = self._timeline.t0 is not None
        fitting = timeline_rows.columns(self.size.width, has_t0=has_t0, spans_days=spans_days)
        if self.table.columns != fitting:
            self.table.columns = fitting

    def _row(self, entry: Entry) -> Row:
        is_wide = timeline_rows.is_wide(self.size.width)
        return timeline_rows.row(entry, self.desk.now(), self._timeline.t0, is_wide=is_wide, is_alone=self._is_alone)

    def _is_alone(self, source: str) -> bool:
        return len(self.desk.profile.systems.get(source.partition(":")[0], ())) < 2

    def _draw_notice(self) -> None:
        troubles = self._timeline.troubles
        self.query_one("#timeline-notice", NoticeBar).show("\n".join(troubles.values()), "warn")
        if not len(self._timeline):
            self.table.empty = "nothing has changed since opstui looked; N notes something"
        else:
            self.table.empty = f"nothing of {self._choice_words(self._choice)} yet; esc shows everything"

    def _draw_strips(self) -> None:
        self.query_one(Strips).show(self._timeline, self.desk.now(), is_tall=self.size.height >= _TALL)

    def _draw_full(self) -> None:
        """Show the whole sentence of the row under the cursor where the row has no room for it."""
        bar, entry = self.query_one("#timeline-full", NoticeBar), self._current
        has_room = timeline_rows.is_wide(self.size.width) or self.size.height < _SHORT
        bar.show("" if has_room else timeline_rows.full(entry) if entry is not None else " ", "dim")

    def _draw_frame(self) -> None:
        count = self._timeline.count
        self.query_one("#timeline-choices", SegmentLine).show(
            [
                Segment(
                    f" {self._choice_words(choice)} {count(choice)} ",
                    short=f" {self._choice_words(choice)} ",
                    reverse=choice == self._choice,
                )
                for choice in _CHOICES
                if count(choice) or choice in ("", self._choice)
            ]
        )
        self._draw_title()
        self._draw_full()

    def _draw_title(self) -> None:
        # The table draws new rows a moment later than they come: how many are below the cursor is asked again.
        timeline, table, first = self._timeline, self.table, self._timeline.oldest
        told = [Segment(f"{len(timeline):,} entries" + (f" since {self._time(first)}" if first else ""))]
        if timeline.t0 is not None:
            told.append(Segment(f"t0 {clock(timeline.t0)}", "accent"))
        if table.is_following:
            told.append(Segment("following", "ok", right=True))
        elif below := table.rows_below:
            told.append(Segment(f"{below:,} newer below (G)", "warn", right=True))
        self.query_one("#timeline-title", SegmentLine).show(told)

    def _time(self, entry: Entry) -> str:
        return timeline_rows.time_words(entry.at, self.desk.now(), is_wide=True)

    @staticmethod
    def _choice_words(choice: str) -> str:
        return short_kind(choice) if choice else "all"

    def on_resize(self, event: events.Resize) -> None:
        """Use the room there is."""
        self.tick()

    # Keys

    def focus_first(self) -> None:
        """Put the keyboard into the rows."""
        self.screen.set_focus(self.table)

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the rows."""
        message.stop()
        self.table.filter_text = message.text
        message.bar.error = self.table.filter_error
        self._draw_frame()

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the rows."""
        message.stop()
        self.focus_first()

    def action_choose(self, step: int) -> None:
        """Show the rows of the next or previous system that has any, of people, or the pinned ones."""
        there = [choice for choice in _CHOICES if choice in ("", self._choice) or self._timeline.count(choice)]
        self._choice = there[(there.index(self._choice) + step) % len(there)]
        self._draw()

    def action_back(self) -> None:
        """Clear the filter, else show every system again."""
        if self.query_one(FilterBar).text:
            self.query_one(FilterBar).action_close()
        elif self._choice:
            self._choice = ""
            self._draw()

    def action_count_from(self) -> None:
        """Count times from the row under the cursor; there again: no longer."""
        if (entry := self._current) is None:
            self.post_message(self.Told("no row to count from"))
            return
        t0 = self._timeline.count_from(entry.id)
        self._draw()
        said = f"t0 is {clock(t0)}; 0 on the same row takes it away" if t0 is not None else "times count from nothing"
        self.post_message(self.Told(said))

    def on_entries_pinned(self, message: Entries.Pinned) -> None:
        """Pin a row, or unpin it, for everyone."""
        message.stop()
        if (entry := self._timeline.get(str(message.key))) is not None:
            self.desk.pin(entry)

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """Say how much is below the cursor."""
        message.stop()
        self._draw_frame()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Jump to what an entry is about; where there is nothing to jump to, open the entry."""
        message.stop()
        entry = self._timeline.get(str(message.key))
        if entry is not None and entry.object:
            self.post_message(self.Jumped(entry.source, entry.object, entry.at))
        else:
            self.action_detail()

    def action_detail(self) -> None:
        """Show everything about the entry under the cursor."""
        if (entry := self._current) is None:
            self.post_message(self.Told("no row to show"))
            return
        timeline = self._timeline
        text = timeline_rows.page(entry, timeline.record(entry.id), timeline.pins.get(entry.id), timeline.t0)
        self.app.push_screen(TextDialog(f"{entry.what}, {clock(entry.at)}", text, stem=f"timeline-{entry.what}"))

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        if (entry := self._current) is None:
            self.post_message(self.Told("no row to copy"))
        else:
            self.copy(timeline_rows.line(entry))

    def action_report(self) -> None:
        """Write the incident report."""
        self.desk.report()

    def subject(self) -> str:
        """Return the entry under the cursor."""
        entry = self._current
        return f"{self.TAB.title}: {timeline_rows.line(entry)[:_SUBJECT]}" if entry is not None else self.TAB.title

    def by_hand(self) -> str:
        """Return the command that tells the same without a screen."""
        return f"opstui report --profile {self.desk.profile.name} --since 90m"
