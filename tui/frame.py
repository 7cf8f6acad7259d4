"""What stands around every tab: who and where, the alerts, the tabs, what was told, and the keys."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from textual.app import App
from textual.binding import ActiveBinding
from textual.widget import Widget

from profiles.schema import Profile
from tui.actions.cluster_guards import unwritable
from tui.actions.guard import GuardState
from tui.actions.ledger import Deed
from tui.alerting import Alerting
from tui.clocks import clock_badge
from tui.journal import who
from tui.keys import key_segments
from tui.panes.tabs import TABS
from tui.pins import Finding
from tui.poller import Pollers
from tui.rules import Rules
from tui.status import (
    alert_segment,
    clock_segment,
    environment_segments,
    health_segments,
    identity_banner,
    shared_segment,
    tab_segments,
    temporary_segment,
    writing_segment,
)
from tui.walking import Walking
from widgets.cell import Tone
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

TELL_S: Final = 15.0
"""How long a sentence stays when nothing newer takes its place."""

_ANSWER_S: Final = 3.0
"""How long an answer to a key stands at least: a pod that comes and goes says how far it is twice a second."""
_ANNOUNCE_S: Final = 8.0
_ANNOUNCE_WITHIN_S: Final = 60.0


class Frame:
    """The lines above and below the tabs.

    Args:
        app: whose screen they stand on.
        temporary: the changes that are to be taken back.
        findings: pins of the profile that no answer has confirmed.
        is_shared: whether several look at this screen, who then see the last key.
        clock: `time.monotonic`, or a fixed clock in tests.
    """

    def __init__(
        self,
        app: App[Any],
        profile: Profile,
        guard: GuardState,
        pollers: Pollers,
        rules: Rules,
        alerting: Alerting,
        walking: Walking,
        *,
        temporary: Callable[[], Sequence[Deed]],
        findings: Callable[[], Sequence[Finding]],
        is_shared: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._profile, self._user = app, profile, who()
        self._guard, self._pollers, self._rules = guard, pollers, rules
        self._alerting, self._walking = alerting, walking
        self._temporary, self._findings, self._is_shared = temporary, findings, is_shared
        self._clock = clock
        self._told_until = self._answered_until = 0.0
        self._progress: tuple[str, Tone] | None = None
        """How far a change is, while an answer to a key stands in its place."""
        self._announced: tuple[str, Tone, float] | None = None
        """What waits to be said: words, tone, and until when it is news."""
        self.last_key = ""
        """The last key pressed, as the shared screen shows it."""

    def head(self) -> Iterator[Widget]:
        """Yield what stands above the tabs."""
        yield SegmentLine(id="status", separator="  ")
        yield SegmentLine(id="tabs", separator="")
        yield NoticeBar(id="identity")

    def foot(self) -> Iterator[Widget]:
        """Yield what stands below the tabs."""
        yield NoticeBar(id="told")
        yield SegmentLine(id="keys", separator="  ")

    def draw(self, active: int) -> None:
        """Draw everything but the keys; `active` is the open tab's place among the tabs."""
        if not self._app.is_running or not self._app.screen_stack:
            return
        base, now, readings = self._app.screen_stack[0], time.time(), self._pollers.readings()
        alerts, acknowledged, silenced = self._alerting.split(now)
        segments = [
            *environment_segments(self._profile, self._user),
            *([shared_segment(self.last_key)] if self._is_shared else []),
            clock_segment(now),
            writing_segment(self._guard, unwritable(self._profile, is_armed=self._guard.armed_for_s > 0)),
            temporary_segment(self._temporary(), now),
            self._walking.overdue_segment(),
            alert_segment(alerts, len(self._rules.absences(now)), acknowledged, silenced),
            *([Segment(" PAUSED ", "warn", reverse=True)] if self._pollers.are_paused else []),
            clock_badge(readings),
            *health_segments(readings, now),
        ]
        base.query_one("#status", SegmentLine).show(segments)
        base.query_one("#identity", NoticeBar).show(identity_banner(self._profile, self._findings()), "critical")
        titles = [(tab.title, tab.brief or tab.title, tab.own_kinds) for tab in TABS]
        base.query_one("#tabs", SegmentLine).show(tab_segments(titles, active, alerts, readings))

    def show_keys(self, bindings: Iterable[ActiveBinding], barred: frozenset[str]) -> None:
        """Show the keys that work now; those of `barred` change something and are refused here."""
        self._app.screen_stack[0].query_one("#keys", SegmentLine).show(key_segments(bindings, barred))

    def tell(self, text: str, tone: Tone, stay_s: float) -> None:
        """Say a sentence in the line above the keys."""
        self._told_until, self._progress, self._answered_until = self._clock() + stay_s, None, 0.0
        for bar in self._app.screen_stack[0].query("#told").results(NoticeBar):  # gone on the way out
            bar.show(text, tone)

    def take_back(self, text: str) -> None:
        """Take a sentence away that no longer holds, where it still stands."""
        for bar in self._app.screen_stack[0].query("#told").results(NoticeBar):
            if bar.text == text:
                self._told_until = self._answered_until = 0.0
                bar.clear()

    def answer(self, text: str, tone: Tone, stay_s: float) -> None:
        """Say what a key has come to; for a moment nothing about a change under way takes its place."""
        self.tell(text, tone, stay_s)
        self._answered_until = self._clock() + _ANSWER_S

    def progress(self, text: str, tone: Tone) -> None:
        """Say how far a change is, as soon as an answer to a key could be read."""
        if self._clock() < self._answered_until:
            self._progress = text, tone
        else:
            self.tell(text, tone, TELL_S)

    def go_on(self) -> None:
        """Say how far a change is where an answer to a key stood in its place long enough."""
        if self._progress is not None and self._clock() >= self._answered_until:
            self.tell(*self._progress, TELL_S)

    def announce(self, text: str, tone: Tone) -> None:
        """Say something that nobody asked for, as soon as nothing else is said; given up when that takes too long."""
        self._announced = (text, tone, self._clock() + _ANNOUNCE_WITHIN_S)
        self._announce()

    def _announce(self) -> None:
        if self._announced is None or self._told_until:
            return
        text, tone, until = self._announced
        self._announced = None
        if self._clock() <= until:
            self.tell(text, tone, _ANNOUNCE_S)

    def forget_old(self) -> None:
        """Take the sentence away that has stood long enough, and say what waits for its place."""
        if self._told_until and self._clock() > self._told_until:
            self._told_until = 0.0
            self._app.query_one("#told", NoticeBar).clear()
        self._announce()
