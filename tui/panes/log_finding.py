"""Finding in the Logs tab: filters, times, folds, the lines around one, older ones, and what they say together."""

import re
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from textual.timer import Timer

from tui.panes import log_lines
from tui.panes.log_filter_page import FilterPage
from tui.panes.log_lines import BELONGING, LEVELS
from tui.panes.log_memory import MAX_LINES
from tui.panes.log_older import Older
from tui.panes.log_saved import of_profile
from tui.panes.log_spooled import SpooledLines
from tui.panes.log_tally_page import TallyPage, asked
from tui.panes.log_title import LEVEL_WORDS
from tui.panes.pane import Desk, Pane
from tui.sources.logs.expression import search
from tui.sources.logs.judge import Judge
from tui.sources.logs.line import LogLine
from tui.sources.logs.messages import gathered
from tui.sources.logs.past import Past
from tui.sources.logs.query import has_value
from tui.sources.logs.source import LogsSource
from tui.sources.logs.spool import Spool
from tui.sources.logs.stack import Filter, Stack, new_filter
from tui.sources.logs.tally import OF_LINES, fields_of, values_of
from tui.sources.logs.times import typed_moment
from widgets.dialogs import Choice, ChooseDialog, InputDialog
from widgets.filter_bar import FilterBar
from widgets.log_store import LogLine as ShownLine
from widgets.log_view import LogView, Pattern
from widgets.text_filter import compile_typed

_MANY_LINES: Final = 10_000
_APPLY_S: Final = 0.15
"""How long a filter that is being typed waits before it is tried on many lines: the character itself is seen first."""
_LIKE_FIELD: Final = re.compile(r"([A-Za-z_@][\w.@\-]*)(==|!=|>=|<=|!~|=|>|<|~)([^\s=<>~]\S*)")
_LOOKED_AT: Final = 2_000
"""Lines whose fields are offered to be counted."""


class LogFinding(Pane):
    """What the Logs tab does with the lines that it has; where they come from is the business of whoever extends it."""

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._held = SpooledLines(Spool(desk.profile.log_spool_mib * 1024 * 1024))
        self._view = LogView(
            id="logs-view",
            max_lines=MAX_LINES,
            empty="no lines yet",
            lines=self._held,
            look=self._look,
            belonging=BELONGING,
        )
        self._older = Older(self._view, self._held)
        self._stack = Stack()
        self._drafts: dict[str, Filter] = {}
        """Filters that are still being typed, by the id of their line."""
        self._found: Pattern | None = None
        """What is looked for without hiding anything."""
        self._is_unfiltered = False
        """Whether everything is shown for the moment, around one line."""
        self._older_words = ""
        """What of the files is not among the lines."""
        self._missing: tuple[tuple[str, ...], int, str] = (), 0, ""
        """Fields that were looked for, among about how many lines, and which of them none has."""
        self._in_utc = True
        self._in_colour = True
        self._apply_timer: Timer | None = None

    def _look(self, line: LogLine) -> ShownLine:
        raise NotImplementedError

    def _draw_frame(self) -> None:
        raise NotImplementedError

    def _filter(self, stack: Stack) -> None:
        self._stack = stack
        self._is_unfiltered = False
        self._apply()

    def _apply(self) -> None:
        if self._apply_timer is not None:
            self._apply_timer.stop()
            self._apply_timer = None
        self._view.predicate = self._judge()
        self._view.highlight = self._marked_words()
        self._draw_frame()

    def _judge(self) -> Judge | None:
        return None if self._is_unfiltered else self._stack.judge(self._drafts.values())

    def _marked_words(self) -> Pattern | None:
        """Return what is marked in the lines: what is looked for, else the newest expression that they must hold."""
        if self._found is not None:
            return self._found
        for one in reversed([*self._stack.filters, *self._drafts.values()]):
            words = one.query.marked
            if one.is_on and not one.excludes and words.expression:
                try:
                    return compile_typed(words.expression, ignores_case=words.ignores_case)
                except ValueError:
                    continue
        return None

    def _new_filter(self, typed: str, excludes: bool = False) -> Filter:
        return new_filter(typed, self.desk.now(), excludes=excludes, zone=self._zone(), within=self._view_times())

    def _view_times(self) -> tuple[float, float] | None:
        """Return the times of the oldest and the newest line that are held; None where there is none."""
        newest = self._view.newest_line
        _, oldest = self._view.held(self._view.first_number, 1)
        return (float(oldest[0].at), float(newest.at)) if oldest else None

    def _why_none(self) -> str:
        """Return why no line passes, where that can be told: a field that none has, or words taken as text."""
        view = self._view
        if view.visible_count or view.untested or not view.line_count or self._is_unfiltered:
            return ""
        on = [one for one in (*self._stack.filters, *self._drafts.values()) if one.is_on and not one.excludes]
        for one in on:
            if not one.query.asks_fields and (found := _LIKE_FIELD.fullmatch(one.typed.strip())):
                return f"taken as text; as a field: {' '.join(found.groups())}"
        names = tuple(name for one in on for name in one.query.names)
        about = view.line_count // _LOOKED_AT
        if names and self._missing[:2] != (names, about):
            _, lines = view.held(view.first_number + max(0, view.line_count - _LOOKED_AT), _LOOKED_AT)
            self._missing = names, about, next((name for name in names if not has_value(name, lines)), "")
        return f"none has {self._missing[2]}" if names and self._missing[2] else ""

    def action_filter(self, which: str) -> None:
        """Type what lines must hold, or must not."""
        self.query_one(f"#logs-{which}", FilterBar).open()

    def action_filters(self) -> None:
        """Turn filters on and off, keep them under a name, fetch what is kept."""
        kept = of_profile(self.desk.profile.filters)
        self.app.push_screen(FilterPage(lambda: self._stack, self._filter, kept, self._new_filter))

    def action_unfilter(self) -> None:
        """Show every line again; the filters stay, turned off, where `f` turns them on."""
        for bar in self.query(FilterBar):
            bar.action_close()
        self._drafts.clear()
        self._older.stop()
        if any(one.is_on for one in self._stack.filters):
            self.post_message(self.Told("filters turned off; f turns them on again"))
        elif self._stack.hides:
            self.post_message(self.Told("every level and every source is shown"))
        self._filter(self._stack.turned(on=False))

    def action_level(self) -> None:
        """Go to the next minimum level."""
        minimum = LEVELS[(LEVELS.index(self._stack.minimum) + 1) % len(LEVELS)]
        self._filter(replace(self._stack, minimum=minimum))
        self.post_message(self.Told(f"showing {LEVEL_WORDS.get(minimum, 'every level')}"))

    def action_context(self) -> None:
        """Show everything around the line under the cursor, or the filters' lines again."""
        number = self._view.cursor_number
        if not self._is_unfiltered and self._view.predicate is None:
            self.post_message(self.Told("no filter hides anything"))
            return
        # Before anything changes: while following, the cursor is on whatever is newest.
        if number is not None:
            self._view.stand_at(number)
        self._is_unfiltered = not self._is_unfiltered
        self._apply()
        if number is not None:
            self._view.stand_at(number)
        self._draw_frame()

    def action_fold(self) -> None:
        """Fold repeats and stack traces into their first line, or show each."""
        number = self._view.cursor_number if self._view.paused else None
        self._view.joins = log_lines.joins if self._view.joins is None else None
        if number is not None:
            self._view.stand_at(number)
        told = "each line is shown" if self._view.joins is None else "repeats and stack traces are folded: (+n)"
        self.post_message(self.Told(told))
        self._draw_frame()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter while it is typed; what cannot be read yet changes nothing."""
        message.stop()
        bar = str(message.bar.id)
        if bar == "logs-find":
            self._find(message.bar)
            return
        found = self._new_filter(message.text, bar == "logs-exclude")
        message.bar.error = found.query.error
        if found.query.error:
            return
        self._drafts.pop(bar, None)
        if found.query.test is not None:
            self._drafts[bar] = found
        self._is_unfiltered = False
        if self._view.line_count < _MANY_LINES:
            self._apply()
        elif self._apply_timer is None:
            self._apply_timer = self.set_timer(_APPLY_S, self._apply)

    def _find(self, bar: FilterBar) -> None:
        words, self._found = search(bar.text), None
        bar.error = words.error
        if words.expression and not words.error:
            try:
                self._found = compile_typed(words.expression, ignores_case=words.ignores_case)
            except ValueError as error:
                bar.error = str(error)
        self._view.highlight = self._marked_words()

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the lines; what was typed is one filter more."""
        message.stop()
        if message.bar.id == "logs-find":
            self.focus_first()
            if self._found is not None:
                self._view.action_search(1 if self._view.paused else -1)
            return
        draft = self._drafts.pop(str(message.bar.id), None)
        if draft is not None and message.bar.text == draft.typed:
            message.bar.text = ""
            self._filter(self._stack.with_filter(draft))
        self.focus_first()

    def _zone(self) -> tzinfo:
        return UTC if self._in_utc else datetime.now().astimezone().tzinfo or UTC

    @property
    def _shown_zone(self) -> tzinfo | None:
        """The zone that times are shown in; None is this machine's, whatever it was at that time."""
        return UTC if self._in_utc else None

    def _zone_words(self) -> str:
        return log_lines.zone_name(self._in_utc, self.desk.now())

    def action_zone(self) -> None:
        """Show times in UTC, or in this machine's zone."""
        self._in_utc = not self._in_utc
        self._view.refresh_lines()
        self.post_message(self.Told(f"times in {self._zone_words()}"))
        self._draw_frame()

    def action_colours(self) -> None:
        """Show lines in the colours that their programs gave them, or without."""
        self._in_colour = not self._in_colour
        self._view.refresh_lines()
        self.post_message(self.Told(f"the programs' own colours are {'shown' if self._in_colour else 'stripped'}"))

    def action_time(self) -> None:
        """Go to a time that is typed."""
        now, zone, within = self.desk.now(), self._zone(), self._view_times()

        def problem(typed: str) -> str:
            try:
                typed_moment(typed, now, zone, within)
            except ValueError as error:
                return str(error)
            return ""

        def go(typed: str | None) -> None:
            if typed:
                self._go_to(typed_moment(typed, now, zone, within))

        title = f"Go to which time? ({self._zone_words()})"
        self.app.push_screen(
            InputDialog(title, placeholder="14:05, 14:05:30, -5m, 2026-11-22 14:05", problem=problem), go
        )

    def _go_to(self, at: float) -> None:
        """Go to the first line that is not older, and say which that is: there may be none at that time."""
        self._view.go_to(at, lambda line: float(line.at))
        self._draw_frame()
        line, zone = self._view.cursor_line, self._shown_zone
        asked = log_lines.moment(at, zone)
        if line is None:
            self.post_message(self.Told("no line is shown"))
        elif line.at < at:
            self.post_message(self.Told(f"nothing shown is as new as {asked}; this is the newest", "warn"))
        elif self._view.is_oldest and line.at > at + 1:
            hint = f"; {self._view.hint}" if self._view.hint else ""
            self.post_message(self.Told(f"nothing shown is as old as {asked}; this is the oldest{hint}", "warn"))
        else:
            self.post_message(self.Told(f"the first line from {asked} on: {log_lines.moment(line.at, zone)}"))

    def on_seeking_view_missed(self, message: LogView.Missed) -> None:
        """Say that there is no such line, and where there may be one."""
        message.stop()
        if not message.is_asked:
            self.post_message(self.Told("nothing is marked in the lines: / or ; types what to look for"))
            return
        where = "before" if message.step < 0 else "behind"
        hint = self._view.hint if message.step < 0 and message.what != "mark" else ""
        told = f"no {message.what} {where} this line among those shown"
        self.post_message(self.Told(f"{told}; {hint}" if hint else told))

    def action_tally(self) -> None:
        """Choose a field whose values are counted over the visible messages."""
        number = self._view.first_number + max(0, self._view.line_count - _LOOKED_AT)
        _, lines = self._view.held(number, _LOOKED_AT)
        judge = self._judge()
        found = fields_of(message for message in gathered(lines) if judge is None or judge.of_message(message))
        choices = [Choice(name, name, f"in {count:,} of the newest: {example}") for name, count, example in found]
        known = {choice.key for choice in choices}
        choices += [Choice(name, name, "of every message") for name in OF_LINES if name not in known]
        choices += [Choice(f"${word}", f"${word}", "word of the line, as awk counts") for word in range(1, 13)]
        self.app.push_screen(ChooseDialog("Count the values of which field?", choices), self._open_tally)

    def _open_tally(self, field: str | None) -> None:
        if field is not None:
            page = TallyPage(field, self._view, self._judge(), self._narrow, lambda: self._older_words)
            self.app.push_screen(page)

    def _narrow(self, typed: str, excludes: bool) -> None:
        self._filter(self._stack.with_filter(self._new_filter(typed, excludes)))

    def action_same(self) -> None:
        """Choose a value of the line under the cursor that the lines shown must have: a request's id, its log."""
        if (line := self._view.cursor_line) is None:
            self.post_message(self.Told("no line whose values could be asked for"))
            return
        values = dict(values_of(line))
        choices = [Choice(name, name, value[:200]) for name, value in values.items()]

        def choose(name: str | None) -> None:
            if name is not None:
                self._narrow(asked(name, values[name]), False)

        self.app.push_screen(ChooseDialog("Only lines with the same what?", choices), choose)

    def action_older(self) -> None:
        """Read what the files held before, as far as it passes the filters; or stop doing so."""
        if self._older.is_reading:
            self._older.stop()
            return
        if not (pasts := self._pasts(is_deep=True)):
            self.post_message(self.Told("only files can be read back, and none of the logs shown is one"))
            return

        def tell(text: str) -> None:
            self.post_message(self.Told(text))

        self.run_worker(self._older.read(pasts, self._stack, tell), exit_on_error=False)
        self._draw_frame()

    def _sources(self) -> list[LogsSource]:
        names = [name for name in self.desk.profile.logs if name not in self._stack.hidden]
        return [source for name in names if isinstance(source := self.desk.source(f"logs:{name}"), LogsSource)]

    def _pasts(self, *, is_deep: bool) -> list[Past]:
        return [past for source in self._sources() if (past := source.past(is_deep=is_deep)) is not None]

    def _read_small_files(self) -> None:
        """Read what small files hold before what a tail shows, as a pager would: filters and counts then mean all."""
        if pasts := self._pasts(is_deep=False):
            self.run_worker(self._older.read(pasts, Stack(), lambda _: None), exit_on_error=False)
