"""The Checklist tab: which checklists and runbooks there are, and the one that is being walked, a step at a time."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from tui.panes import checklist_rows, tabs
from tui.panes.checklist_steps import Steps
from tui.panes.pane import Desk
from tui.poller import contained
from tui.sources.reading import Reading
from tui.walkthroughs.format import title_of
from tui.walkthroughs.guide import Guide, is_automatic
from tui.walkthroughs.loading import Walkthrough
from tui.walkthroughs.report import summary
from tui.walkthroughs.run import WORST_FIRST, Fact, Run, State, next_step
from tui.walkthroughs.site import NOBODY, Subject
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import Choice, ChooseDialog, TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

_WIDE: Final = 110
"""Columns from which on the steps stand beside the one that is looked at."""
_AGAIN_S: Final = 5.0
"""Seconds after which evidence that somebody looks at is read again."""
_RESUME: Final = "resume"
_NOT_WALKED: Final = ("sort_next", "sort_reverse", "mark", "sideways", "open")


class Walked(LiveTable):
    """Rows whose order means something: nothing sorts them; sideways and Enter belong to the walk."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that sort, mark, open and scroll sideways."""
        return action not in _NOT_WALKED and super().check_action(action, parameters)


class ChecklistPane(Steps):
    """Checklists and runbooks."""

    TAB = tabs.CHECKLIST

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take the step: do what it asks for", id="checklist.take"),
        Binding("left,h,backspace", "move(-1)", "Back: the step before", key_display="left", id="checklist.back"),
        Binding("right,l", "move(1)", "On: the next step, without taking this one", show=False, id="checklist.on"),
        Binding("o", "override", "Judge otherwise than the evidence, with a note", show=False, id="checklist.override"),
        Binding("s", "skip", "Skip the step, with a note", id="checklist.skip"),
        Binding("n", "note", "Note: a sentence that goes on record with the step", id="checklist.note"),
        Binding("r", "read", "Read the evidence again", show=False, id="checklist.read"),
        Binding("z", "end", "End the walk before its end", show=False, id="checklist.end"),
        Binding("w", "report", "Report: write it to a file", show=False, id="checklist.report"),
        Binding("d", "read_report", "Read the report", id="checklist.read_report"),
        Binding("c", "copy", "Copy the evidence", show=False, id="checklist.copy"),
        Binding("slash", "filter", "Filter by name or symptom", id="checklist.filter"),
        Binding("escape,ctrl+g", "leave", "Pause the walk, back to the list", key_display="esc", id="checklist.leave"),
    ]

    DEFAULT_CSS = """
    ChecklistPane SegmentLine { padding: 0 1; }
    ChecklistPane #checklist-run { height: 1fr; }
    ChecklistPane #checklist-steps { width: 44; margin: 0 1 0 0; }
    ChecklistPane #checklist-step { max-height: 8; text-style: bold; }
    """

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._step_drawn = ""
        """The run and the step that the screen shows; evidence is read once where this changes."""

    def compose(self) -> ComposeResult:
        """Lay out the list, and the walk with the step that is looked at."""
        yield NoticeBar(id="checklist-notice")
        yield LiveTable(checklist_rows.WALKS, id="checklist-walks", empty="reading the checklists", tree=True)
        yield SegmentLine(id="checklist-head", separator=" · ")
        with Horizontal(id="checklist-run"):
            yield Walked(checklist_rows.STEPS, id="checklist-steps", tree=True)
            with Vertical():
                yield NoticeBar(id="checklist-step")
                yield NoticeBar(id="checklist-hint")
                yield Walked(checklist_rows.fact_columns(()), id="checklist-facts", tree=True, empty="")
                yield NoticeBar(id="checklist-fact")
        yield FilterBar()

    def on_mount(self) -> None:
        """Show what there is."""
        self.draw()
        self.set_interval(_AGAIN_S, self._read_again)

    # What is shown

    def show(self, reading: Reading[Any]) -> None:
        """Leave it to the guide, which reads what a step asks for."""

    def tick(self) -> None:
        """Draw ages, and how long is left."""
        self.draw()

    def draw(self) -> None:
        """Draw the list, or the walk that is open."""
        if not self.is_mounted:
            return
        guide = self.guide
        run = None
        if guide is not None:
            run, guide.watcher = guide.run, self.redraw
        had_focus = self.has_focus_within
        is_wide = self.size.width >= _WIDE
        parts = {"walks": run is None, "head": run is not None, "run": run is not None,
                 "steps": run is not None and is_wide}  # fmt: skip
        changed = False
        for part, shown in parts.items():
            widget = self.query_one(f"#checklist-{part}")
            changed |= widget.display != shown
            widget.display = shown
        bar = self.query_one(FilterBar)
        bar.display = run is None and (bool(bar.text) or bar.has_focus_within)
        if guide is not None:
            if run is None:
                self._draw_list(guide)
            else:
                self._draw_run(guide, run)
        if changed and had_focus and self.display:
            self.focus_first()

    def redraw(self) -> None:
        """Draw for a key, or for what was read; odd data that cannot be drawn are said, and end nothing."""
        if not contained(self.draw, "drawing the checklist"):
            self.post_message(self.Told("the checklist could not be drawn: an error in opstui", "critical"))

    def _draw_list(self, guide: Guide) -> None:
        table, bar = self.query_one("#checklist-walks", LiveTable), self.query_one("#checklist-notice", NoticeBar)
        now, late = self.desk.now(), {walk.name: late for walk, late in guide.overdue()}
        table.show({w.name: checklist_rows.walk_row(w, guide, late.get(w.name), now) for w in guide.walks.found})
        if guide.is_loaded:
            table.empty = "the profile names no checklist and no runbook"
        bar.show("\n".join(str(problem) for problem in guide.walks.problems[:3]), "critical")
        self._step_drawn = ""

    def _draw_run(self, guide: Guide, run: Run) -> None:
        self.query_one("#checklist-notice", NoticeBar).clear()
        steps, now, placed = guide.steps, self.desk.now(), guide.step
        words = checklist_rows.head_words(guide, run, now)
        self.query_one("#checklist-head", SegmentLine).show([Segment(words[0], "accent"), *map(Segment, words[1:])])
        table = self.query_one("#checklist-steps", LiveTable)
        table.show(checklist_rows.step_rows(steps, run, guide.at))
        if table.cursor_key != guide.at:
            table.cursor_key = guide.at
        if placed is None:
            return
        result = run.results.get(placed.id)
        said = checklist_rows.step_words(placed, len(guide.walk.steps if guide.walk else steps), self.desk.profile,
                                         guide.kept_note)  # fmt: skip
        self.query_one("#checklist-step", NoticeBar).show(said, "")
        hint = checklist_rows.hint_words(placed, guide.live, result, now)
        if self._is_over(guide, run):
            hint = (checklist_rows.ended_words(run), "ok") if run.state is not State.ENDED else (summary(run), "")
        self.query_one("#checklist-hint", NoticeBar).show(*hint)
        facts = guide.live.facts or (result.evidence if result is not None else ())
        table = self.query_one("#checklist-facts", LiveTable)
        if table.columns != (columns := checklist_rows.fact_columns(facts)):
            table.columns = columns
        table.show(checklist_rows.fact_rows(facts, now))
        self._draw_fact(facts)
        if self._step_drawn != f"{run.id} {placed.id}":
            self._step_drawn = f"{run.id} {placed.id}"
            if is_automatic(placed) and run.state is not State.ENDED:
                self.begin(guide.read())
            else:
                self.stop_reading()

    def _draw_fact(self, facts: Sequence[Fact]) -> None:
        """Show in full what the table cuts: of the fact under the cursor, else of the worst."""
        table = self.query_one("#checklist-facts", LiveTable)
        key = table.cursor_key
        worst = min(facts, key=lambda fact: WORST_FIRST.index(fact.mark), default=None)
        chosen = facts[key] if table.has_focus and isinstance(key, int) and key < len(facts) else worst
        self.query_one("#checklist-fact", NoticeBar).show(chosen.detail if chosen is not None else "", "dim")

    @staticmethod
    def _is_over(guide: Guide, run: Run) -> bool:
        return guide.walk is not None and next_step(guide.walk, run) is None

    def _read_again(self) -> None:
        guide = self.guide
        if guide is None or (placed := guide.step) is None or (run := guide.run) is None or not self.display:
            return
        is_idle = not guide.live.is_reading and guide.live.waiting_since is None
        if is_idle and is_automatic(placed) and placed.id not in run.results and run.state is not State.ENDED:
            self.begin(guide.read())

    def on_resize(self, event: events.Resize) -> None:
        """Show the steps beside the one that is looked at, where there is room."""
        self.draw()

    def focus_first(self) -> None:
        """Put the keyboard into what is shown."""
        for part in ("walks", "steps", "facts"):
            table = self.query_one(f"#checklist-{part}", LiveTable)
            if table.display and (part != "facts" or self.query_one("#checklist-run").display):
                self.screen.set_focus(table)
                return

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys of a walk where none is open, and the filter where one is."""
        guide = self.guide
        is_open = guide is not None and guide.run is not None
        if action in ("take", "move", "override", "skip", "note", "read", "end"):
            return is_open
        return not is_open if action == "filter" else super().check_action(action, parameters)

    # The list

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the list by title, name and symptoms."""
        message.stop()
        table = self.query_one("#checklist-walks", LiveTable)
        table.filter_text = message.text
        message.bar.error = table.filter_error

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the list."""
        message.stop()
        self.focus_first()

    def start(self, walk: Walkthrough, subject: Subject | None = None, source: str = "") -> None:
        """Begin a walk, or go on with the run of it that is under way; asks what is not known.

        With the cluster of an alert as `source`, nothing of another cluster is offered.
        """
        self.run_worker(self._start(walk, subject, source), group="walk", exclusive=True, exit_on_error=False)

    async def _start(self, walk: Walkthrough, subject: Subject | None, source: str) -> None:
        guide = self.guide
        if guide is None:
            return
        if (open_run := guide.open_run(walk)) is not None:
            told = f"{open_run.state}, {len(open_run.results)} steps taken, by {', '.join(open_run.people)}"
            told = f"{open_run.subject}: {told}" if open_run.subject else told
            choices = [Choice(_RESUME, "go on with it", told), Choice("new", "begin anew", "the other stays as it is")]
            chosen = await self.app.push_screen_wait(ChooseDialog(f"{walk.title} is under way already", choices))
            if chosen is None:
                return
            if chosen == _RESUME:
                await self.on_record(guide.resume(walk, open_run))
                self._opened()
                return
        if walk.definition.about is not None and subject is None:
            subject = await self._choose_subject(guide, walk, source)
            if subject is None:
                return
        await self.on_record(guide.begin(walk, subject or NOBODY))
        self._opened()

    def _opened(self) -> None:
        self.draw()
        self.focus_first()

    async def _choose_subject(self, guide: Guide, walk: Walkthrough, source: str) -> Subject | None:
        if walk.definition.about == "workload" and (silent := guide.site.silent_clusters()):
            await self.patiently(guide.site.anew(silent), "the cluster")
        known = {str(subject): subject for subject in guide.subjects(walk, source)}
        if not known:
            self.post_message(self.Told(f"there is no {walk.definition.about} it could be about", "warn"))
            return None
        if len(known) == 1:
            return next(iter(known.values()))
        choices = [Choice(key, subject.label, subject.workload(self.desk.profile)) for key, subject in known.items()]
        chosen = await self.app.push_screen_wait(ChooseDialog(f"{walk.title}: which {walk.definition.about}?", choices))
        return known[chosen] if chosen is not None else None

    # A step

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Begin a walk."""
        message.stop()
        guide = self.guide
        if guide is not None and (walk := guide.walks.named(str(message.key))) is not None:
            self.start(walk)

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """Look at the step under the cursor; show the fact under it in full."""
        message.stop()
        guide = self.guide
        if message.table.id == "checklist-facts":
            self.redraw()
        if message.table.id != "checklist-steps" or guide is None or not message.table.has_focus:
            return
        key = str(message.key)
        if key != guide.at and guide.walk is not None and guide.walk.step(key) is not None:
            guide.go(key)

    def action_take(self) -> None:
        """Do what the step that is looked at asks for."""
        self.run_worker(self._take(), group="walk", exclusive=True, exit_on_error=False)

    async def _take(self) -> None:
        guide = self.guide
        if guide is None or (placed := guide.step) is None or (run := guide.run) is None:
            return
        if run.state is State.ENDED:
            self.post_message(self.Told("it has ended; d shows its report, esc leaves it"))
        elif self._is_over(guide, run):
            await self._finish(guide, is_whole=True)
        else:
            await self.take_step(guide, placed)

    # The end

    def action_leave(self) -> None:
        """Stop waiting; else pause the walk; in the list, clear the filter."""
        guide = self.guide
        if guide is None or guide.run is None:
            self.query_one(FilterBar).action_close()
            return
        if guide.live.waiting_since is not None:
            self.workers.cancel_group(self, "walk")
            return
        self.run_worker(self._pause(guide), group="walk", exclusive=True, exit_on_error=False)

    async def _pause(self, guide: Guide) -> None:
        run = guide.run
        if await self.on_record(guide.pause()) and run is not None and run.state is not State.ENDED:
            self.post_message(self.Told(f"{run.title} is paused; enter goes on with it, here or elsewhere"))
        self._opened()

    def action_end(self) -> None:
        """End the walk before its end."""
        self.run_worker(self._end_early(), group="walk", exclusive=True, exit_on_error=False)

    async def _end_early(self) -> None:
        guide = self.guide
        if guide is None or (run := guide.run) is None or run.state is State.ENDED:
            return
        left = sum(placed.id not in run.results for placed in guide.steps)
        lines = [("Walk", run.title), ("Left", f"{left} of {len(guide.steps)} steps were not taken")]
        if await self.app.push_screen_wait(ConfirmDialog("End the walk before its end?", lines)):
            await self._finish(guide, is_whole=left == 0)

    async def _finish(self, guide: Guide, *, is_whole: bool) -> None:
        if await self.on_record(guide.end(is_whole=is_whole)):
            self.action_report()
            self.action_read_report()

    def action_report(self) -> None:
        """Write the report of the walk that is open, or of the newest run of the one under the cursor."""
        if (run := self._reported()) is not None:
            self.post_message(self.Reported(run))

    def action_read_report(self) -> None:
        """Show that report."""
        guide = self.guide
        if guide is not None and (run := self._reported()) is not None:
            self.app.push_screen(TextDialog(f"Report: {run.title}", guide.report(run), stem=f"{run.walk}-report"))

    def _reported(self) -> Run | None:
        guide = self.guide
        if guide is None:
            return None
        if (run := guide.run) is not None:
            return run
        walk = guide.walks.named(str(self.query_one("#checklist-walks", LiveTable).cursor_key))
        runs = guide.runs_of(walk) if walk is not None else ()
        if not runs:
            self.post_message(self.Told("it was never walked: there is no report"))
            return None
        return runs[-1]

    def action_copy(self) -> None:
        """Copy the evidence of the step, or the list's row."""
        text = self.as_text()
        self.copy(text)

    def as_text(self) -> str:
        """Return the step that is looked at with its evidence, or the list."""
        from tui.sources.masking import without_secrets
        from tui.walkthroughs.report import fact_words
        from widgets.table_text import table_text

        guide = self.guide
        if guide is None or guide.run is None:
            table = self.query_one("#checklist-walks", LiveTable)
            return "\n".join(table_text(table.columns, table.rows_on_screen(), self.masked_cell))
        lines = [self.query_one("#checklist-head", SegmentLine).words]
        lines += [self.query_one(f"#checklist-{part}", NoticeBar).text for part in ("step", "hint")]
        result = guide.run.results.get(guide.at)
        lines += [fact_words(fact) for fact in guide.live.facts or (result.evidence if result else ())]
        return without_secrets("\n".join(filter(None, lines)))

    def subject(self) -> str:
        """Return the step that is looked at."""
        guide = self.guide
        placed = guide.step if guide is not None else None
        if guide is None or placed is None or guide.walk is None:
            return self.TAB.title
        return f"{self.TAB.title}: {guide.walk.title}, {title_of(placed.step)}"

    def by_hand(self) -> str:
        """Return the commands that tell the same without a screen."""
        profile, guide = self.desk.profile.name, self.guide
        if guide is None or (run := guide.run) is None:
            return f"opstui walk list --profile {profile}"
        return f"opstui walk report --profile {profile} {run.id}"
