"""The Logs tab: every log of the profile in one stream, filtered while it pours in."""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import log_lines, tabs
from tui.panes.failing import age_segment, failure_words, oldest
from tui.panes.log_lines import LEVELS, Filters
from tui.panes.log_memory import MAX_LINES, HeldLines
from tui.panes.pane import Desk, Pane
from tui.sources.logs.line import LogBatch, LogLine, Severity
from tui.sources.reading import Reading
from tui.units import rate
from widgets.clipboard import write_to_file
from widgets.dialogs import Choice, ChooseDialog, TextDialog
from widgets.filter_bar import FilterBar
from widgets.log_store import LogLine as ShownLine
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

SETTLE_S: Final = 0.7
"""The ends of all logs at the start are collected for this long and put in order of their times."""
REVEAL_S: Final = 10.0
"""How much later than an entry the oldest line may be that still shows it."""
_SLICE: Final = 1000
"""Lines taken in one go: about three milliseconds."""
_LEVEL_WORDS: Final = {Severity.INFO: "info and above", Severity.WARN: "warn and above", Severity.ERROR: "errors only"}


class LogsPane(Pane):
    """All log sources, merged."""

    TAB = tabs.LOGS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter('include')", "Include", id="logs.include"),
        Binding("x", "filter('exclude')", "Exclude", id="logs.exclude"),
        Binding("v", "level", "Level", id="logs.level"),
        Binding("o", "sources", "Sources", id="logs.sources"),
        Binding("space", "pause", "Follow: stand still, or go on", key_display="space", id="logs.pause"),
        Binding(
            "e,left_square_bracket", "error(-1)", "Error: the previous one", key_display="e [", id="logs.previous_error"
        ),
        Binding("right_square_bracket", "error(1)", "Error: the next one", show=False, id="logs.next_error"),
        Binding("c", "copy", "Copy the line", show=False, id="logs.copy"),
        Binding("s", "write", "Save what is shown to a file", show=False, id="logs.write"),
        Binding("escape,ctrl+g", "unfilter", "Clear every filter", show=False, id="logs.unfilter"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._readings: dict[str, Reading[LogBatch]] = {}
        self._order = {name: number for number, name in enumerate(desk.profile.logs)}
        self._view = LogView(
            id="logs-view", max_lines=MAX_LINES, empty="no lines yet", lines=HeldLines(), look=self._look
        )
        self._filters = Filters()
        self._early: list[LogLine] | None = []
        """What came before the logs' ends were put in order; None afterwards."""
        self._slices: deque[Sequence[LogLine]] = deque()
        """Lines on their way into the view."""
        self._by_origin: set[str] = set()
        """Logs of several files or pods, whose lines are labelled by origin."""

    def compose(self) -> ComposeResult:
        """Lay out notice, counts, lines and the two filters."""
        yield NoticeBar()
        yield SegmentLine(id="logs-title", separator="  ")
        yield self._view
        yield FilterBar(
            id="logs-include", sign="include /", placeholder="regular expression; small letters ignore case"
        )
        yield FilterBar(id="logs-exclude", sign="exclude x", placeholder="regular expression of lines to hide")

    def on_mount(self) -> None:
        """Begin to collect."""
        self.set_timer(SETTLE_S, self._settle)
        self._draw_frame()
        if not self._order:
            self.query_one(NoticeBar).show("this profile names no logs; add: logs: {NAME: /var/log/NAME/*.log}", "dim")

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Take a batch, whether anybody looks or not; a batch is in several readings when reading fails after it."""
        before = self._readings.get(reading.source)
        self._readings[reading.source] = reading
        batch: LogBatch | None = reading.snapshot
        if batch is None or (before is not None and before.snapshot is batch) or not batch.lines:
            return
        self._order.setdefault(batch.name, len(self._order))
        if len(set(batch.following)) > 1:  # a file is followed twice for a while after it was rotated
            self._by_origin.add(batch.name)
        if self._early is not None:
            self._early += batch.lines
        else:
            self._extend(batch.lines)

    def _settle(self) -> None:
        early, self._early = self._early or [], None
        early.sort(key=lambda line: line.at)
        self._extend(early)
        self._draw_frame()

    def _look(self, line: LogLine) -> ShownLine:
        tone = log_lines.label_tone(self._order[line.source])
        return log_lines.shown_line(line, tone, by_origin=line.source in self._by_origin)

    def _extend(self, lines: Sequence[LogLine]) -> None:
        was_idle = not self._slices
        self._slices += [lines[start : start + _SLICE] for start in range(0, len(lines), _SLICE)]
        if was_idle:
            self._take_slice()

    def _take_slice(self) -> None:
        # A flood brings thousands of lines at once; between two slices keys have their turn.
        if self._slices:
            self._view.extend(self._slices.popleft())
        if self._slices:
            self.call_later(self._take_next_slice)

    async def _take_next_slice(self) -> None:
        await asyncio.sleep(0)  # one message after the other is no turn for anybody else
        self._take_slice()

    def tick(self) -> None:
        """Draw counts, rates and what is wrong."""
        self._draw_frame()

    def _draw_frame(self) -> None:
        if not self.children:  # on the way out they go before this pane's timers
            return
        self.query_one("#logs-title", SegmentLine).show(
            [*title(self._view, self._filters, self._batches(), len(self._order)), self._age()]
        )
        self._draw_notice()

    def _batches(self) -> list[LogBatch]:
        return [reading.snapshot for reading in self._readings.values() if reading.snapshot is not None]

    def _age(self) -> Segment:
        found = oldest(self._readings.values())
        return age_segment(found, self.desk.now(), max(found.interval_s, 2.0) if found else None)

    def _draw_notice(self) -> None:
        now, bar = self.desk.now(), self.query_one(NoticeBar)
        failing = [words for reading in self._readings.values() if (words := failure_words(reading, now))]
        problems = [f"{batch.name}: {problem}" for batch in self._batches() for problem in batch.problems]
        if failing:
            more = f" (and {len(failing) + len(problems) - 1} more)" if len(failing) + len(problems) > 1 else ""
            first, *rest = failing[0].split("\n")
            bar.show("\n".join([first + more, *rest]), "critical")
        elif problems:
            bar.show(problems[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""), "warn")
        elif self._order:
            bar.clear()

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Go to the time of an entry, on a line of the log it is about."""
        oldest_line = next(iter(self._view.visible_lines()), None)
        if about not in self._order or oldest_line is None or oldest_line.at > at + REVEAL_S:
            return False
        if about in self._filters.hidden:
            self._toggle_source(about)
        self._view.go_to(at, lambda line: float(line.at))
        if (line := self._view.cursor_line) is not None and line.source != about:
            self._view.seek(lambda line: bool(line.source == about), 1)
        self._draw_frame()
        return True

    def subject(self) -> str:
        """Return the line under the cursor by its log and time."""
        line = self._view.cursor_line
        return f"{self.TAB.title}: {line.source} at {log_lines.moment(line.at)}" if line is not None else self.TAB.title

    def as_text(self) -> str:
        """Return the counts and the lines on the screen."""
        from tui.sources.masking import without_secrets

        told = [self.query_one("#logs-title", SegmentLine).words, *self._view.lines_on_screen()]
        return without_secrets("\n".join(told))

    # Filters

    def _filter(self, filters: Filters) -> None:
        self._filters = filters
        self._view.predicate = filters.predicate()
        self._view.highlight = filters.include.pattern
        self._draw_frame()

    def action_filter(self, which: str) -> None:
        """Type what lines must hold, or must not."""
        self.query_one(f"#logs-{which}", FilterBar).open()

    def action_unfilter(self) -> None:
        """Show every line again."""
        for bar in self.query(FilterBar):
            bar.action_close()
        self._filter(Filters())

    def action_level(self) -> None:
        """Go to the next minimum level."""
        minimum = LEVELS[(LEVELS.index(self._filters.minimum) + 1) % len(LEVELS)]
        self._filter(Filters(self._filters.include, self._filters.exclude, minimum, self._filters.hidden))
        self.post_message(self.Told(f"showing {_LEVEL_WORDS.get(minimum, 'every level')}"))

    def action_sources(self) -> None:
        """Choose a source to hide or to show again."""
        if not self._order:
            self.post_message(self.Told("this profile names no logs"))
            return
        batches = {batch.name: batch for batch in self._batches()}
        choices = [Choice(name, name, self._words_about(name, batches.get(name))) for name in self._order]
        self.app.push_screen(ChooseDialog("Show or hide which log?", choices), self._toggle_source)

    def _words_about(self, name: str, batch: LogBatch | None) -> str:
        shown = "hidden" if name in self._filters.hidden else "shown"
        if batch is None:
            return f"{shown}, nothing yet"
        if batch.problems:
            return f"{shown}, {batch.problems[0]}"
        return f"{shown}, {rate(batch.lines_per_s)} lines/s, {batch.received:,} lines, {len(batch.following)} followed"

    def _toggle_source(self, name: str | None) -> None:
        if name is not None:
            filters = self._filters
            self._filter(Filters(filters.include, filters.exclude, filters.minimum, filters.hidden ^ {name}))

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter while it is typed; what cannot be read yet changes nothing."""
        message.stop()
        found = log_lines.search(message.text)
        message.bar.error = found.error
        if found.error:
            return
        filters = self._filters
        if message.bar.id == "logs-include":
            self._filter(Filters(found, filters.exclude, filters.minimum, filters.hidden))
        else:
            self._filter(Filters(filters.include, found, filters.minimum, filters.hidden))

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the lines."""
        message.stop()
        self.focus_first()

    # Keys

    def action_pause(self) -> None:
        """Let the screen stand still, or follow again; lines keep coming."""
        self._view.paused = not self._view.paused
        self._draw_frame()

    def action_error(self, step: int) -> None:
        """Move to the next or previous line of level error."""
        self._view.seek(log_lines.is_error, step)
        self._draw_frame()

    def action_copy(self) -> None:
        """Copy the line under the cursor as it was written."""
        if (line := self._view.cursor_line) is None:
            self.post_message(self.Told("no line to copy"))
            return
        self.copy(line.raw)

    def action_write(self) -> None:
        """Write every line that passes the filters to a new file that only its owner reads."""
        count, lines = self._view.visible_count, self._view.visible_lines()
        if not count:
            self.post_message(self.Told("no lines to write"))
            return

        async def write_and_tell() -> None:
            try:
                path = await asyncio.to_thread(
                    lambda: write_to_file(
                        log_lines.written(lines), Path.cwd(), f"{self.desk.profile.name}-logs", ".log"
                    )
                )
            except OSError as error:
                self.post_message(self.Told(f"not written: {error.strerror or error}", "warn"))
            else:
                self.post_message(self.Told(f"{count:,} lines written to {path}", "ok"))

        self.run_worker(write_and_tell(), exit_on_error=False)

    def on_log_view_opened(self, message: LogView.Opened) -> None:
        """Show a line in full."""
        message.stop()
        self.app.push_screen(TextDialog("Log line", log_lines.page(message.line), stem="log-line"))

    def by_hand(self) -> str:
        """Return the commands that follow the same logs in a shell."""
        profile = self.desk.profile
        shown = {name: entry for name, entry in profile.logs.items() if name not in self._filters.hidden}
        return "\n".join(log_lines.by_hand(entry, profile) for entry in shown.values())

    def focus_first(self) -> None:
        """Put the keyboard into the lines."""
        self._view.focus()


def title(view: LogView, filters: Filters, batches: list[LogBatch], sources: int) -> list[Segment]:
    """Return the counts: following or how far behind, rates, what is hidden, what was dropped and why."""
    told = []
    if view.paused:
        told.append(Segment(f" PAUSED {view.behind:,} behind ", "warn", reverse=True))
    else:
        told.append(Segment("following", "ok"))
    errors = sum(batch.errors_per_s for batch in batches)
    told.append(Segment(f"{rate(sum(batch.lines_per_s for batch in batches))} lines/s"))
    told.append(Segment(f"errors {rate(errors)}/s", "critical" if errors else "", priority=1))
    if hidden := view.line_count - view.visible_count:
        told.append(Segment(f"{hidden:,} hidden by filters", "warn"))
    if filters.minimum is not Severity.NONE:
        told.append(Segment(_LEVEL_WORDS[filters.minimum], "accent", priority=1))
    if filters.hidden:
        told.append(Segment(f"{sources - len(filters.hidden)} of {sources} sources", "accent", priority=2))
    if dropped := sum(batch.dropped for batch in batches):
        told.append(Segment(f"{dropped:,} dropped: too fast", "critical"))
    told.append(Segment(f"{view.line_count:,} held", "dim", priority=3))
    if view.dropped:
        told.append(Segment(f"{view.dropped:,} older let go", "dim", priority=4))
    return told
