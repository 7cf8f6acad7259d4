"""The Logs tab: every log of the profile in one stream, filtered while it pours in."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from time import perf_counter, time
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from tui.panes import log_lines, tabs
from tui.panes.failing import failure_words
from tui.panes.log_handing import LogHanding
from tui.panes.log_merging import HOLD_S, Merger, in_order, places
from tui.panes.log_title import age, stacked, title
from tui.panes.pane import Desk
from tui.sources.logs.line import LogBatch, LogLine
from tui.sources.logs.source import is_of_files
from tui.sources.reading import Reading
from tui.units import rate
from widgets.dialogs import Choice, ChooseDialog
from widgets.filter_bar import FilterBar
from widgets.log_store import LogLine as ShownLine
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine
from widgets.sparkline import sparkline

SETTLE_S: Final = 0.7
"""The ends of all logs at the start are collected for this long and put in order of their times."""
_LATE_S: Final = 15.0
"""For so long afterwards what comes from before the start is put where it belongs."""
_MOST_RESORTED: Final = 3_000
_MOST_LATE: Final = 500
_RELEASE_S: Final = 0.25
_HIDDEN_RELEASE_S: Final = 1.0
"""The same while nobody looks: lines that wait cost nothing."""
_FLOOD: Final = 1_000
"""Lines of a batch from which on nobody can read them, and they wait for no other log."""
_SMALL_BYTES: Final = 16 * 1024 * 1024
"""Files that hold no more are read whole when the tab is first looked at, where a profile has nothing but files."""
REVEAL_S: Final = 10.0
"""How much later than an entry the oldest line may be that still shows it."""
_SLICE: Final = 1000
"""Lines taken in one go: about three milliseconds."""
_FEWEST: Final = 20
"""Lines taken in one go where a filter is slow."""
_SLICE_S: Final = 0.003
_TURN_S: Final = 0.005
"""How long keys have their turn between two slices, unless very many lines wait."""
_MANY: Final = 20_000
_RATES: Final = 60
"""Seconds that the curves of a log's rates go back."""
_CURVE: Final = 12


class LogsPane(LogHanding):
    """All log sources, merged."""

    TAB = tabs.LOGS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter('include')", "Include", id="logs.include"),
        Binding("x", "filter('exclude')", "Exclude", id="logs.exclude"),
        Binding(
            "semicolon",
            "filter('find')",
            "Find: mark, and hide nothing; n and ( go on",
            show=False,
            key_display=";",
            id="logs.find",
        ),
        Binding("f", "filters", "Filters: turn on and off, keep, fetch", id="logs.filters"),
        Binding("v", "level", "Level", id="logs.level"),
        Binding(
            "asterisk",
            "same",
            "Same: only lines with a value that this one has",
            show=False,
            key_display="*",
            id="logs.same",
        ),
        Binding("o", "sources", "Sources", id="logs.sources"),
        Binding("space", "pause", "Follow: stand still, or go on", key_display="space", id="logs.pause"),
        Binding(
            "e,left_square_bracket", "error(-1)", "Error: the previous one", key_display="e [", id="logs.previous_error"
        ),
        Binding("right_square_bracket", "error(1)", "Error: the next one", show=False, id="logs.next_error"),
        Binding("i", "tally", "Insight: top values, average, p95, rate", id="logs.tally"),
        Binding("t", "time", "Time: go to one", id="logs.time"),
        Binding("less_than_sign", "older", "Older: search the files back, or stop", key_display="<", id="logs.older"),
        Binding("u", "context", "Unfiltered: the lines around this one, and back", id="logs.context"),
        Binding("r", "fold", "Repeats and stack traces: fold, or unfold", show=False, id="logs.fold"),
        Binding("z", "zone", "Zone: UTC, or this machine's", show=False, id="logs.zone"),
        Binding("d", "colours", "Dye: the programs' own colours, or none", show=False, id="logs.colours"),
        Binding("c", "copy", "Copy the line", show=False, id="logs.copy"),
        Binding(
            "y", "copy_part", "Copy a field, the marked lines, or all that is shown", show=False, id="logs.copy_part"
        ),
        Binding("s", "write", "Save what is shown to a file", show=False, id="logs.write"),
        Binding("vertical_line", "pager", "Pager: hand lines to $PAGER", show=False, key_display="|", id="logs.pager"),
        Binding("escape,ctrl+g", "unfilter", "Turn every filter off", show=False, id="logs.unfilter"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._readings: dict[str, Reading[LogBatch]] = {}
        self._order = {name: number for number, name in enumerate(desk.profile.logs)}
        self._slice = _SLICE
        self._waiting = 0
        """How many lines these are."""
        self._is_pouring = False
        self._rates: dict[str, deque[tuple[float, float]]] = {}
        """Lines and errors a second of each log, one pair a second, the newest last."""
        self._early: list[LogLine] | None = []
        """What came before the logs' ends were put in order; None afterwards."""
        self._settled_at = 0.0
        self._merger = Merger()
        self._releasing: Timer | None = None
        self._slices: deque[Sequence[LogLine]] = deque()
        """Lines on their way into the view."""
        self._follows_after = False
        """Whether the view goes on to follow once nothing is paused any more."""
        self._was_read_back = False
        """Whether small files were read back, or found to be too big."""
        self._by_origin: set[str] = set()
        """Logs of several files or pods, whose lines are labelled by origin."""

    def compose(self) -> ComposeResult:
        """Lay out notice, counts, lines and the two filters."""
        yield NoticeBar()
        yield SegmentLine(id="logs-title", separator="  ")
        yield SegmentLine(id="logs-stack", separator="  ")
        yield self._view
        yield FilterBar(
            id="logs-include", sign="include /", placeholder="expression, or: level >= warn and took_ms > 100"
        )
        yield FilterBar(
            id="logs-exclude", sign="exclude x", placeholder="what to hide: an expression, or fields: path = /health"
        )
        yield FilterBar(
            id="logs-find", sign="find ;", placeholder="expression to mark; enter goes to one, n and ( go on"
        )

    def on_mount(self) -> None:
        """Begin to collect."""
        self.set_timer(SETTLE_S, self._settle)
        self._draw_frame()
        if not self._order:
            self.query_one(NoticeBar).show("this profile names no logs; add: logs: {NAME: /var/log/NAME/*.log}", "dim")

    def on_unmount(self) -> None:
        """Let go of every line, also on disk."""
        self._held.close()

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
        elif self._is_late(batch.lines):
            self._put_between(batch.lines)
        elif (
            len(batch.lines) < _FLOOD
            and (len(self._order) > 1 or self._by_origin)
            and self._merger.matters(batch.lines, time())
        ):
            self._merger.put(batch.lines, time())
            if self.display or self._releasing is None:
                self._release()
        else:
            self._extend([*self._merger.take(inf), *batch.lines] if self._merger.has_lines else batch.lines)

    def _settle(self) -> None:
        early, self._early = self._early or [], None
        self._settled_at = perf_counter()
        self._extend(in_order(early))
        self._draw_frame()

    def _is_late(self, lines: Sequence[LogLine]) -> bool:
        """Tell whether lines are what a log held before the start, and only came now: a cluster takes longer."""
        view, newest = self._view, self._view.newest_line
        return (
            newest is not None
            and len(lines) < _MOST_LATE
            and perf_counter() - self._settled_at < _LATE_S
            and lines[0].at < newest.at - HOLD_S
            and not (self._older.has_read or self._slices)
            and view.line_count < _MOST_RESORTED
        )

    def _put_between(self, lines: Sequence[LogLine]) -> None:
        """Put lines where their times belong."""
        _, held = self._view.held(self._view.first_number, _MOST_RESORTED)
        merged = in_order(held, lines)
        self._view.replace(merged, places(held, merged))

    def _release(self) -> None:
        """Show what has waited for the lines of other logs, and come again for what still does."""
        if lines := self._merger.take(time()):
            self._extend(lines)
        if self._merger.has_lines and self._releasing is None:

            def again() -> None:
                self._releasing = None
                self._release()

            self._releasing = self.set_timer(_RELEASE_S if self.display else _HIDDEN_RELEASE_S, again)

    def on_show(self) -> None:
        """Catch up with what waited while the tab was hidden."""
        if self._releasing is not None:
            self._releasing.stop()
            self._releasing = None
        self._release()

    def _look(self, line: LogLine) -> ShownLine:
        tone = log_lines.label_tone(self._order[line.source])
        return log_lines.shown_line(
            line,
            tone,
            by_origin=line.source in self._by_origin,
            in_utc=self._in_utc,
            in_colour=self._in_colour,
            now=self.desk.now(),
        )

    def _extend(self, lines: Sequence[LogLine]) -> None:
        self._slices.append(lines)
        self._waiting += len(lines)
        if not self._is_pouring:
            self._is_pouring = True
            self._take_slice()
            if self._slices:
                self.run_worker(self._pour(), group="log-slices", exit_on_error=False)
            else:
                self._is_pouring = False

    async def _pour(self) -> None:
        # In a task of its own: this pane's messages, and every key on its way to the screen, go between two slices.
        try:
            while self._slices:
                await asyncio.sleep(_TURN_S if self._waiting < _MANY else 0)
                self._take_slice()
        finally:
            self._is_pouring = False

    def _take_slice(self) -> None:
        if not self._slices:
            return
        lines = self._slices.popleft()
        if rest := lines[self._slice :]:
            self._slices.appendleft(rest)
        lines = lines[: self._slice]
        self._waiting -= len(lines)
        began = perf_counter()
        self._view.extend(lines)
        took = perf_counter() - began
        if took > _SLICE_S or self._slice < _SLICE:
            self._slice = max(_FEWEST, min(_SLICE, int(self._slice * _SLICE_S / max(took, 1e-6))))

    def tick(self) -> None:
        """Draw counts, rates and what is wrong."""
        for batch in self.batches:
            rates = self._rates.setdefault(batch.name, deque(maxlen=_RATES))
            rates.append((batch.lines_per_s, batch.errors_per_s))
        if (
            not self._was_read_back
            and self._early is None
            and len(self.batches) == len(self._order)
            and all(source.has_caught_up for source in self._sources())
        ):
            self._was_read_back = True
            of_files = all(is_of_files(entry) for entry in self.desk.profile.logs.values())
            if of_files and 0 < sum(batch.older_bytes for batch in self.batches) <= _SMALL_BYTES:
                self._read_small_files()
        self._draw_frame()

    def _draw_frame(self) -> None:
        if not self.children:  # on the way out they go before this pane's timers
            return
        shown = [batch for batch in self.batches if batch.name not in self._stack.hidden]
        older = self._older.words(self._stack, sum(batch.older_bytes for batch in shown))
        self._older_words = older
        self._view.hint = "; ".join(filter(None, [self._why_none(), self._older.hint(older) if shown else ""]))
        self.query_one("#logs-title", SegmentLine).show(
            [
                *title(
                    self._view,
                    self._stack,
                    self.batches,
                    len(self._order),
                    self._zone_words(),
                    older,
                    self._held.on_disk,
                    of=self._shown_zone,
                ),
                age(self.batches, self._readings.values(), self.desk.now()),
            ]
        )
        line = self.query_one("#logs-stack", SegmentLine)
        line.display = bool(self._stack.filters)
        line.show(stacked(self._stack, is_unfiltered=self._is_unfiltered, zone=self._shown_zone))
        self._draw_notice()

    @property
    def batches(self) -> list[LogBatch]:
        """The newest batch of every log."""
        return [reading.snapshot for reading in self._readings.values() if reading.snapshot is not None]

    def _draw_notice(self) -> None:
        now, bar = self.desk.now(), self.query_one(NoticeBar)
        failing = [words for reading in self._readings.values() if (words := failure_words(reading, now))]
        problems = [f"{batch.name}: {problem}" for batch in self.batches for problem in batch.problems]
        problems += [self._held.problem] if self._held.problem else []
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
        if about in self._stack.hidden:
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

        self._release()
        told = [self.query_one("#logs-title", SegmentLine).words, *self._view.lines_on_screen()]
        return without_secrets("\n".join(told))

    def action_sources(self) -> None:
        """Choose a source to hide or to show again."""
        if not self._order:
            self.post_message(self.Told("this profile names no logs"))
            return
        batches = {batch.name: batch for batch in self.batches}
        choices = [Choice(name, name, self._words_about(name, batches.get(name))) for name in self._order]
        self.app.push_screen(ChooseDialog("Show or hide which log?", choices), self._toggle_source)

    def _words_about(self, name: str, batch: LogBatch | None) -> str:
        shown = "hidden" if name in self._stack.hidden else "shown"
        reading = self._readings.get(f"logs:{name}")
        if reading is not None and reading.error is not None:
            return f"{shown}, {reading.error}"
        if batch is None:
            return f"{shown}, nothing yet"
        if batch.problems:
            return f"{shown}, {batch.problems[0]}"
        rates = self._rates.get(name, ())
        lines = sparkline([lines for lines, _ in rates], _CURVE, low=0.0).strip()
        told = [shown, f"{rate(batch.lines_per_s)} lines/s {lines}".strip()]
        if any(errors for _, errors in rates):
            curve = sparkline([errors for _, errors in rates], _CURVE, low=0.0).strip()
            told.append(f"errors {rate(batch.errors_per_s)}/s {curve}")
        told += [f"{batch.dropped:,} dropped: too fast"] if batch.dropped else []
        told += [f"{batch.gaps:,} {'gap' if batch.gaps == 1 else 'gaps'}"] if batch.gaps else []
        return ", ".join([*told, f"{batch.received:,} lines", batch.ended or f"{len(batch.following)} followed"])

    def _toggle_source(self, name: str | None) -> None:
        if name is not None:
            self._filter(replace(self._stack, hidden=self._stack.hidden ^ {name}))

    # Keys

    def action_pause(self) -> None:
        """Let the screen stand still, or follow again; lines keep coming."""
        self._view.paused = not self._view.paused
        self._draw_frame()

    def pause(self, is_paused: bool) -> None:
        """Stand still while everything else does; lines keep coming. Then follow again, if that was what it did."""
        if is_paused:
            self._follows_after = not self._view.paused
            self._view.paused = True
        elif self._follows_after:
            self._view.paused = False
        self._draw_frame()

    def action_error(self, step: int) -> None:
        """Move to the next or previous line of level error."""
        self._view.seek(log_lines.is_error, step, "error")
        self._draw_frame()

    def by_hand(self) -> str:
        """Return the commands that follow the same logs in a shell."""
        profile = self.desk.profile
        shown = {name: entry for name, entry in profile.logs.items() if name not in self._stack.hidden}
        return "\n".join(log_lines.by_hand(entry, profile) for entry in shown.values())

    def focus_first(self) -> None:
        """Put the keyboard into the lines, at once: the next key may already wait."""
        self.screen.set_focus(self._view)
