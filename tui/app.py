"""The application: tabs, the wiring from sources to panes, and the one path from a request to an outcome."""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from profiles.loader import Loaded
from profiles.schema import Profile
from tui.actions.action import Request, Verb
from tui.actions.cluster_guards import has_read_only
from tui.actions.guard import GuardState, refusal
from tui.actions.perform import Performer
from tui.alerting import Alerting
from tui.changes import Changes, Ended
from tui.clocks import clock_lines
from tui.deck import PLACE, Deck
from tui.driver import TerminalDriver
from tui.frame import TELL_S, Frame
from tui.journal import Journal, JournalError, News, who
from tui.keys import commands, keys_page
from tui.numbers import Numbers
from tui.own_cost import OwnCost
from tui.palette import Palette
from tui.panes.pane import Desk, Pane
from tui.panes.tabs import CHECKLIST, LOGS, TABS, Tab
from tui.pins import Finding, changed, findings
from tui.playing import Plays, Sandbox
from tui.poller import Pollers
from tui.rules import Rules
from tui.scripting import Scripting
from tui.sources.reading import Reading
from tui.sources.text import clean
from tui.status import (
    identity_lines,
)
from tui.terminal import Lifeline
from tui.timekeeper import Timekeeper
from tui.walking import Walking, contact_lines
from tui.wishes import Wishes
from widgets.cell import Tone
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import TextDialog
from widgets.frugal_screen import FrugalScreen

if TYPE_CHECKING:
    from tui.panes.checklist_steps import Steps
    from tui.systems import Systems

_LOG: Final = logging.getLogger(__name__)
_HINT_S: Final = 6.0
"""How long what a key had to say stays: it soon stands beside another row or in another tab."""

_AS_USUAL: Final = Wishes()
_SETTLED_S: Final = 10.0
"""When everything that stays has been loaded."""


class OpsApp(App[int]):
    """One profile on one screen."""

    CSS_PATH = "app.tcss"
    TITLE = "opstui"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"tab({number - 1})", tab.title, show=False, id=f"app.tab_{number}")
            for number, tab in enumerate(TABS, 1)
        ),
        Binding("question_mark", "keys", "Keys", key_display="?", id="app.keys"),
        Binding("colon", "command_palette", "Commands", key_display=":", id="app.commands"),
        Binding("a", "alerts", "Alerts", id="app.alerts"),
        Binding(
            "exclamation_mark",
            "runbooks",
            "Runbooks for what is wrong",
            show=False,
            key_display="!",
            id="app.runbooks",
        ),
        Binding("at", "contacts", "Contacts: whom to call", show=False, key_display="@", id="app.contacts"),
        Binding("b", "by_hand", "By hand", id="app.by_hand"),
        Binding("X", "script", "Run a script of the profile", show=False, id="app.script"),
        Binding("p", "pause", "Pause", id="app.pause"),
        Binding("N", "note", "Note: put a sentence on record", show=False, id="app.note"),
        Binding("P", "picture", "Snapshot: put what this tab shows on record", show=False, id="app.picture"),
        Binding("ctrl+r", "refresh", "Refresh now", show=False, id="app.refresh"),
        Binding("plus,equals_sign", "pace(-1)", "Refresh more often", show=False, key_display="+", id="app.faster"),
        Binding("minus", "pace(1)", "Refresh less often", show=False, key_display="-", id="app.slower"),
        Binding("U", "undo", "Undo: take a change back, temporary ones first", show=False, id="app.undo"),
        Binding("W", "arm", "Arm writing, or disarm it", show=False, id="app.arm"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="app.suspend"),
        Binding("q", "leave", "Quit", id="app.quit"),
        Binding("ctrl+q", "leave", "Quit", show=False, id="app.quit_too"),
    ]

    def __init__(
        self,
        profile: Profile,
        *,
        journal: Journal,
        log_file: str,
        wishes: Wishes = _AS_USUAL,
        sandbox: Sandbox | None = None,
    ) -> None:
        # With its own colours the terminal decides how they look, and NO_COLOR leaves none; otherwise it leaves greys.
        super().__init__(driver_class=TerminalDriver, ansi_color=True)
        self.theme = "ansi-dark"
        self.profile = profile
        self._log_file = log_file
        self._plays = Plays(self, sandbox, self.tell)
        self._wishes = wishes
        self._is_shared = wishes.share
        own_pace = profile.refresh if "refresh" in profile.model_fields_set else None
        self._pollers = Pollers(self._publish, interval_s=wishes.refresh_s or own_pace)
        self.rules = Rules(profile.thresholds)
        self.guard = GuardState(
            read_only=profile.starts_read_only or wishes.read_only or wishes.share,
            locked=wishes.read_only or profile.guards.locked,
            reading_of=self._pollers.reading,
        )
        self._findings: tuple[Finding, ...] = ()
        """Pins that no answer has confirmed."""
        self._verbs: dict[tuple[str, str], Verb] = {}
        performer = Performer(profile, self._verbs, self.guard, journal)
        self._journal, self._news = journal, News(journal)
        self._changes = Changes(self, profile, self._verbs, performer, journal, self._news, self.tell, self._progress)
        self.numbers, self._cost = Numbers(), OwnCost()
        self._desk = Desk(
            profile, time.time, self.rules.level, self._refusal, self._pollers.source, numbers=self.numbers
        )
        self._user = who()
        self._has_begun = False
        self.timekeeper = Timekeeper(self, profile, journal, self._news, self.tell, self._draw_active)
        self.scripting = Scripting(
            self,
            profile,
            self._verbs,
            self._refusal,
            lambda request: self._changes.begin([request], lambda ended: None),
        )
        self._desk = replace(
            self._desk,
            timeline=lambda: self.timekeeper.timeline,
            pin=lambda entry: self._begin(partial(self.timekeeper.pin, entry)),
            report=lambda: self._begin(partial(self.timekeeper.report, self.deck.panes, self._pollers.readings)),
            readings=self._pollers.readings,
            guide=lambda: self.walking.guide,
            record=journal.append,
        )
        self.deck = Deck(self, self._desk, self._pollers, self.tell, log_file, self._tab_opened)
        self.walking = Walking(
            self,
            profile,
            self._pollers,
            self.rules,
            journal,
            self._news,
            self.tell,
            self._opened,
            lambda request: self._changes.begin([request], lambda ended: None),
            self.numbers,
        )
        self.alerting = Alerting(
            self, self._pollers, self.rules, journal, self._news, self.walking, self.tell,
            lambda: [*identity_lines(profile, self._findings), *clock_lines(self._pollers.readings())],
            self._announce, lambda: self.timekeeper.timeline.rows(),
            is_sandbox=profile.environment == "sandbox", bell=profile.bell,
        )  # fmt: skip
        self.frame = Frame(
            self, profile, self.guard, self._pollers, self.rules, self.alerting, self.walking,
            temporary=lambda: self._changes.ledger.temporary, findings=lambda: self._findings,
            is_shared=self._is_shared,
        )  # fmt: skip
        self.lifeline = Lifeline(lambda status: self.exit(return_code=status))

    # The frame

    def get_default_screen(self) -> Screen[Any]:
        """Return the screen below all dialogs."""
        return FrugalScreen(id="_default")

    def compose(self) -> ComposeResult:
        """Lay out the four parts of the screen."""
        yield from self.frame.head()
        yield Container(id=PLACE)
        yield from self.frame.foot()

    async def on_mount(self) -> None:
        """Show the first tab; reading starts after the first frame."""
        self.lifeline.attach(asyncio.get_running_loop())
        self.app_suspend_signal.subscribe(self, lambda app: self._lend(is_lent=True), immediate=True)
        self.app_resume_signal.subscribe(self, lambda app: self._lend(is_lent=False), immediate=True)
        self.app_resume_signal.subscribe(self, lambda app: app.refresh(layout=True))
        self.screen.bindings_updated_signal.subscribe(self, self._show_keys)
        await self.deck.open(TABS.index(LOGS) if self._wishes.begins_with_logs else 0)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(partial(self._begin, self._start, "the start", exit_on_error=True))

    def _lend(self, *, is_lent: bool) -> None:
        self.lifeline.is_lent = is_lent

    async def _start(self) -> None:
        # After the first frame and beside the event loop: the sources and panes take longer to import than to draw.
        self._has_begun = True
        systems = await asyncio.to_thread(_systems, self.profile, masks=self._is_shared, stdin=self._wishes.stdin)
        from tui.attention import begin
        from tui.shell import lend  # what it needs has just been imported, beside the event loop

        for index, tab in enumerate(TABS):
            if self._is_leaving:
                return  # left before it began
            if tab.misses_nothing:
                await self.deck.make(index)
        self._begin(self.timekeeper.run, "the timeline")
        self._verbs.update(systems.verbs)
        lend(self, systems.verbs.values())
        self._pollers.start(systems.sources, optional=systems.optional)
        begin(self.profile, self._pollers)
        self.deck.attend()
        self._tab_opened()
        await asyncio.to_thread(self.walking.prepare)
        self._begin(self._follow_journal, "the journal")
        # Modules and widgets stay for good: searching them for garbage again and again is a fifth of what idling costs,
        # and to search all that the start has made even once keeps a key waiting for 70 ms.
        gc.freeze()
        gc.enable()
        gc.set_threshold(20_000, 20, 20)
        self.set_timer(_SETTLED_S, lambda: gc.freeze())  # wrapped: Textual cannot count a builtin's parameters

    async def _follow_journal(self) -> None:
        await self._news.fetch()
        self._begin(self._changes.recover, "what an earlier opstui left behind")
        self._begin(self._load_walks, "the checklists")
        await self._news.follow()

    async def _load_walks(self) -> None:
        await self.walking.load()
        if self._wishes.walk:
            await self.walking.begin_named(self._wishes.walk, self._wishes.about)

    async def on_unmount(self) -> None:
        """Give back every connection, all at the same time."""
        if not self.is_headless:
            self.lifeline.leave(self.return_code or 0)
        await asyncio.gather(self._pollers.close(), self.timekeeper.close())

    def _tick(self) -> None:
        if self._is_leaving:  # on the way out the panes go before the timers
            return
        self._cost.mark(self._written)
        self._draw_frame()
        self.deck.tick()
        self._show_keys(self.screen)
        self.frame.go_on()
        if not self._changes:
            self.frame.forget_old()

    def _show_keys(self, screen: Screen[Any]) -> None:
        pane = self.deck.pane
        barred = pane.barred_keys() if pane is not None and screen is self.screen_stack[0] else frozenset()
        self.frame.show_keys(screen.active_bindings.values(), barred)

    # Readings → panes

    def _publish(self, reading: Reading[Any]) -> None:
        if self._is_leaving:  # on the way out the panes go before the pollers
            return
        raised = self.rules.judge(reading, time.time())
        self.numbers.take(reading)
        self.timekeeper.take(reading, raised)
        self.alerting.take(raised)
        if self._verify() or raised or reading.error is not None:
            self._draw_frame()
        self.deck.show(reading)

    def _verify(self) -> bool:
        """Compare what answers with what the profile pins, and put on record where that has changed."""
        before, self._findings = self._findings, findings(self.profile.identity, self._pollers.reading)
        for source, text, is_mismatch in changed(before, self._findings):
            self._note("identity", {"source": source, "text": text, "is_mismatch": is_mismatch})
        return self._findings != before

    def _draw_frame(self) -> None:
        self.frame.draw(self.deck.active)

    def _tab_opened(self) -> None:
        self._draw_frame()
        if self._pollers.readings({"kubernetes"}):
            from tui.attention import attend

            guide = self.walking.guide
            is_walking = guide is not None and guide.walk is not None
            attend(self._pollers, self.deck.tab, is_walking=is_walking, unseen=self.deck.unseen)

    def _draw_active(self) -> None:
        if not self._is_leaving:
            self.deck.tick()

    def on_pane_turned(self) -> None:
        """Follow a tab that shows another of several systems now."""
        self.deck.attend()
        self._tab_opened()
        self._show_keys(self.screen)

    # Keys

    async def action_tab(self, index: int) -> None:
        """Open a tab."""
        await self.deck.open(index)

    def action_keys(self) -> None:
        """List every key that works here, and what opstui itself costs."""
        cost = self._cost.page(self._written, self._pollers.paces())
        self.push_screen(TextDialog("Keys", f"{keys_page(self.screen.active_bindings.values())}\n\n{cost}"))

    @property
    def _written(self) -> int:
        """Bytes that went to the terminal so far; 0 without one."""
        return self._driver.written if isinstance(self._driver, TerminalDriver) else 0

    def action_command_palette(self) -> None:
        """Offer every command by name."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_alerts(self) -> None:
        """List the alerts that are up, to read, acknowledge, silence, or begin their runbooks."""
        self.alerting.open()

    def action_runbooks(self) -> None:
        """Offer the runbooks of what does not answer and of the alerts, each beside what it is for."""
        self._begin(self.alerting.choose_runbook, "the runbooks")

    def action_contacts(self) -> None:
        """Show whom to call."""
        self.push_screen(TextDialog("Contacts", contact_lines(self.profile.contacts), stem="contacts"))

    async def on_pane_looked(self, message: Pane.Looked) -> None:
        """Open a tab as a walk, or another tab, wants it to be looked at."""
        index = next(index for index, tab in enumerate(TABS) if tab.title == message.title)
        (await self.deck.open(index)).open_at(message.view, message.filter_text, message.source)
        self.tell(message.told or f"{TABS.index(CHECKLIST) + 1} goes back to the checklist", "", _HINT_S)

    async def on_steps_reported(self, message: "Steps.Reported") -> None:
        """Keep the report of a walk, and say where."""
        await self.walking.keep(message.run)

    async def _opened(self, tab: Tab) -> Pane:
        """Open a tab and return its pane."""
        return await self.deck.open(TABS.index(tab))

    def action_script(self) -> None:
        """Choose a script of the profile and run it, as an action."""
        self._begin(self.scripting.choose, "the scripts")

    def action_by_hand(self) -> None:
        """Show the commands that show this pane's data by hand."""
        shown = self.deck.pane.by_hand() if self.deck.pane is not None else ""
        self.push_screen(TextDialog("By hand", shown or "nothing to show by hand here yet"))

    def action_pause(self) -> None:
        """Stop every reading, or go on; logs are taken all the while, and their view stands still."""
        self._pollers.pause()
        for pane in self.deck.panes:
            pane.pause(self._pollers.are_paused)
        self.timekeeper.paused(self._pollers.are_paused)
        self._draw_frame()

    async def on_pane_jumped(self, message: Pane.Jumped) -> None:
        """Open the tab of what an entry of the timeline is about, on it; say so when it is gone."""
        if (tab := await self.deck.reveal(message.source, message.about, message.at)) is not None:
            self.tell(f"{message.about} is gone: {tab.title} has it no longer", "warn", _HINT_S)

    def action_note(self) -> None:
        """Ask for a note about what is under the cursor."""
        if (pane := self.deck.pane) is not None:
            self._begin(partial(self.timekeeper.note, pane.subject()))

    def action_picture(self) -> None:
        """Put what the open tab shows on record."""
        if (pane := self.deck.pane) is not None:
            self._begin(partial(self.timekeeper.keep_picture, pane))

    def _begin(
        self,
        work: Callable[[], Awaitable[None]],
        name: str = "the record",
        *,
        group: str = "default",
        exclusive: bool = False,
        exit_on_error: bool = False,
    ) -> None:
        # Not yet called: what is left before it began would be a coroutine that nobody ever awaited.
        self.run_worker(work, name, group=group, exclusive=exclusive, exit_on_error=exit_on_error)

    def action_refresh(self) -> None:
        """Read the visible systems now."""
        self._pollers.refresh(self.deck.tab.kinds)

    def action_pace(self, step: int) -> None:
        """Refresh the visible systems more often (-1) or less often (1)."""
        tab = self.deck.tab
        interval_s = self._pollers.pace(tab.kinds, step)
        self.tell(f"{tab.title}: every {interval_s:g} s" if interval_s else f"{tab.title} is live anyway")

    def action_arm(self) -> None:
        """Open the armed window, or close it."""
        if not self.guard.read_only and not self.guard.locked and not has_read_only(self.profile):
            self.tell("writing is already possible here")
        elif self.guard.armed_for_s > 0:
            self.guard.disarm()
            self.tell("disarmed: nothing can be changed")
            self._note("disarmed", {})
        elif reason := self.guard.arm(self.profile.guards.arm_for, self._user):
            self.tell(reason, "warn")
        else:
            self.tell(f"armed for {self.profile.guards.arm_for / 60:g} min; W disarms", "warn")
            self._note("armed", {"for_s": self.profile.guards.arm_for})
        self._draw_frame()
        self._show_keys(self.screen)

    def _note(self, what: str, entry: dict[str, Any]) -> None:
        """Put something on record that changes no system, beside everything else."""

        async def append() -> None:
            try:
                await self._journal.append(what, entry)
            except JournalError as error:
                self.tell(f"the journal cannot be written: {error}", "critical")

        self._begin(append, group="note")

    async def action_leave(self) -> None:
        """Quit; asks first in production and while a change is under way."""
        if self.profile.environment != "prod" and not self._changes:
            self.exit(return_code=0)
            return
        self._begin(self._ask_to_leave, group="leave", exclusive=True)

    async def _ask_to_leave(self) -> None:
        lines = [("Session", f"{self.profile.name} ({self.profile.environment}); others may share this terminal")]
        lines += self._changes.lines()
        if await self.push_screen_wait(ConfirmDialog("Leave opstui?", lines)):
            self.exit(return_code=0)

    async def on_event(self, event: events.Event) -> None:
        """Let those who watch a shared screen see which key was pressed; everything else is Textual's."""
        if self._is_shared and isinstance(event, events.Key) and not event.is_forwarded:
            self.frame.last_key = event.key
            self._draw_frame()
        await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        # A key that bubbled up here was sent to what had the focus then. When a field has it by now ("/" and the text
        # behind it came in one burst), the key is text and must not run a command.
        field = self.focused
        if field is not None and event.is_printable and field.check_consume_key(event.key, event.character):
            field.post_message(events.Key(event.key, event.character))
            # Textual calls the handler of every class by itself: calling super's here would run each command twice.
            event.prevent_default()

    def on_pane_requested(self, message: Pane.Requested) -> None:
        """Lead what was asked for through its whole life, beside everything else."""

        def done(ended: Ended) -> None:
            self.action_refresh()
            message.ended(ended)

        self._changes.begin(message.requests, done)

    def on_offering_offered(self) -> None:
        """Show on the key bar what can be changed where the cursor is now."""
        self._show_keys(self.screen)

    def _refusal(self, request: Request) -> str | None:
        if reason := refusal(request, self.profile, self.guard):
            return reason
        verb = self._verbs.get((request.verb, request.target.source))
        return (verb.forbidden(request) if verb else "") or None

    def action_undo(self) -> None:
        """Offer what can be taken back: temporary changes, then the others."""
        work = partial(self._changes.choose_undo, lambda ended: self.action_refresh())
        self._begin(work, group="undo", exclusive=True)

    # Words

    def tell(self, text: str, tone: Tone = "", stay_s: float = TELL_S) -> None:
        """Say a sentence in the line above the keys."""
        self.frame.tell(text, tone, stay_s)

    def _announce(self, text: str, tone: Tone) -> None:
        self.frame.announce(text, tone)

    def on_pane_told(self, message: Pane.Told) -> None:
        """Say what a pane has to say."""
        self.frame.answer(message.text, message.tone, _HINT_S)

    def on_pane_taken_back(self, message: Pane.TakenBack) -> None:
        """Say no longer what a pane has said."""
        self.frame.take_back(message.text)

    def _progress(self, text: str, tone: Tone) -> None:
        self.frame.progress(text, tone)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say what went wrong in something a person had asked for."""
        if event.state is WorkerState.ERROR:
            _LOG.error("worker %s", event.worker.name, exc_info=event.worker.error)
            self.tell(f"{event.worker.name}: {clean(str(event.worker.error), limit=300)}", "critical")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every binding that works here, and the sandbox's scenarios, in the palette."""
        nodes = {active.binding.id: active.node for active in screen.active_bindings.values()}
        for binding, names in commands(screen.active_bindings.values()):
            run = partial(self.run_action, binding.action, nodes[binding.id])
            yield SystemCommand(binding.description, f"key {', '.join(names)}", run)
        for title, meaning, begin in (
            *self.deck.commands(),
            *self.walking.commands(),
            *self.scripting.commands(),
            *self._plays.commands(),
        ):
            yield SystemCommand(title, meaning, begin)

    @property
    def _is_leaving(self) -> bool:
        return self.return_code is not None or (self._has_begun and not self.is_running)

    def _handle_exception(self, error: Exception) -> None:
        # On the way out parents go after their children: a timer that finds nothing to draw on any more is no error.
        if self._is_leaving:
            _LOG.info("on the way out", exc_info=error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own prints local variables, secrets among them; the log gets the traceback without them.
        _LOG.critical("opstui ended by an error of its own", exc_info=sys.exc_info())
        self._exit_renderables[:] = [Text(f"opstui ended by an error of its own; the details are in {self._log_file}")]
        self._close_messages_no_wait()


def _systems(profile: Profile, *, masks: bool, stdin: int | None) -> "Systems":
    """Import everything the profile's systems and the other tabs need; takes a while, so not on the event loop."""
    from tui.systems import systems_of

    for tab in TABS:
        tab.pane(profile)
    import_module("tui.attention")
    return systems_of(profile, masks=masks, stdin=stdin)


def run(loaded: Loaded, wishes: Wishes, *, sandbox: Sandbox | None) -> int:
    """Run the application on this terminal and return its exit status."""
    from profiles.places import log_file
    from tui.journal.place import journal_of

    profile = loaded.profile
    app = OpsApp(
        profile,
        journal=journal_of(profile),
        log_file=str(log_file()),
        wishes=wishes,
        sandbox=sandbox,
    )
    app.run(mouse=False)
    app.lifeline.finish()
    return app.return_code or 0
