"""Alerts on the screen: the page behind `a`, and what people say of alerts, shared through the journal."""

import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal

from textual.app import App

from profiles.values import seconds
from tui.alerts_screen import AlertPage, AlertRow, AlertsScreen
from tui.journal import Journal, JournalError
from tui.journal.news import News
from tui.panes.failing import clock
from tui.poller import Pollers
from tui.rules import Absence, Alert, Level, Rules, Silent, Trouble
from tui.sources.text import clean
from tui.status import alert_words, brief_age, no_data_words, silent
from tui.timeline.attended import ACK, SILENCE, UNSILENCE, Attended, Said, line_of
from tui.timeline.entry import Entry
from tui.walking import Walking
from widgets.cell import Tone
from widgets.dialogs import InputDialog

_LONGEST_S: Final = 7 * 86400.0
_LONG_NOTE: Final = 500
_QUIET_S: Final = 20.0
"""What is up when opstui begins stands on the status line, and is no news."""
_MOST_HISTORY: Final = 500
_TONES: Final[dict[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
_STATES: Final = {ACK: "ack", SILENCE: "silenced"}

Tell = Callable[[str, Tone], None]


class Alerting:
    """One profile's alerts, and what was said of them."""

    def __init__(
        self,
        app: App[Any],
        pollers: Pollers,
        rules: Rules,
        journal: Journal,
        news: News,
        walking: Walking,
        tell: Tell,
        unconfirmed: Callable[[], Sequence[str]],
        announce: Tell,
        history: Callable[[], Iterable[Entry]],
        *,
        is_sandbox: bool,
        bell: Literal["never", "critical", "all"] = "never",
    ) -> None:
        """Prepare; follows the journal from its first line.

        Args:
            app: asks for notes and durations.
            pollers: which systems answer.
            rules: what is up.
            journal: where acknowledgements and silences are put on record.
            news: what anybody writes there; somebody else follows it.
            walking: begins runbooks.
            tell: says a sentence to the person.
            unconfirmed: returns what the page says first: of pins that no answer has confirmed.
            announce: says a sentence that nobody asked for.
            history: returns the rows of the timeline, oldest first.
            is_sandbox: whether the systems are made anew each time.
            bell: which alerts ring the terminal's bell when they come.
        """
        self._app, self._pollers, self._rules, self._journal, self._news = app, pollers, rules, journal, news
        self._walking, self._tell, self._unconfirmed = walking, tell, unconfirmed
        self._announce, self._history, self._bell = announce, history, bell
        self._began = time.monotonic()
        # Each sandbox is a new one: what was said in an earlier one is about nothing that is here.
        since = time.time() if is_sandbox else 0.0
        self.attended = Attended(clean(socket.gethostname(), limit=255), since)
        news.subscribe(self.attended.take)

    def split(self, now: float) -> tuple[list[Alert], int, int]:
        """Return the alerts that nobody has said anything of, and how many are acknowledged and silenced."""
        said = [(alert, self.attended.said(alert, now)) for alert in self._rules.alerts]
        kinds = [word.what for _, word in said if word is not None]
        return [alert for alert, word in said if word is None], kinds.count(ACK), kinds.count(SILENCE)

    def take(self, changed: Iterable[Alert]) -> None:
        """Take alerts that came, changed or ended: what was said of one ends with it, for everyone; news are told."""
        now, news = time.time(), []
        for alert in changed:
            if alert.level is Level.OK and self.attended.knows(alert):
                self._begin(partial(self._write, UNSILENCE, line_of(alert, reason="the alert ended")))
            if alert.level is not Level.OK and self.attended.said(alert, now) is None:
                news.append(alert)
        if news and time.monotonic() - self._began >= _QUIET_S:
            self._tell_news(sorted(news, key=lambda alert: -alert.level), now)

    def _tell_news(self, news: Sequence[Alert], now: float) -> None:
        worst = news[0]
        more = f" and {len(news) - 1} more" if len(news) > 1 else ""
        self._announce(f"▲ {worst.level.name} {alert_words(worst, now)}{more}; a lists alerts", _TONES[worst.level])
        if self._bell == "all" or (self._bell == "critical" and worst.level is Level.CRITICAL):
            self._app.bell()

    # The page

    def open(self) -> None:
        """Open the page."""
        self._app.push_screen(AlertsScreen(self.page, self._offer, self._act, self.history))

    def history(self) -> str:
        """Return the alerts that came so far, the newest first, with their ends."""
        rows = [row for row in self._history() if row.what == "alert"][-_MOST_HISTORY:]
        return "\n".join(f"{clock(row.at)}  {row.source.rstrip(':')}  {row.text}" for row in reversed(rows))

    def page(self) -> AlertPage:
        """Return the page as it is now."""
        now = time.time()
        said = [(alert, self.attended.said(alert, now)) for alert in self._rules.alerts]
        return alert_page(said, now, self._unread(now), self._unconfirmed(), self._walking.runbooks)

    def _unread(self, now: float) -> tuple[Absence | Silent, ...]:
        return (*silent(self._pollers.readings(), now), *self._rules.absences(now))

    async def choose_runbook(self) -> None:
        """Offer the runbooks of everything on the page, each beside what it is for."""
        now = time.time()
        mute = silent(self._pollers.readings(), now)
        await self._walking.choose_runbook((*mute, *self._rules.alerts, *self._rules.absences(now)))

    def _offer(self, trouble: Trouble) -> None:
        if not self._walking.runbooks(trouble):
            self._say("no runbook of this profile is for it; : finds every runbook by a symptom")
            return
        self._app.pop_screen()
        self._begin(partial(self._walking.choose_runbook, [trouble]))

    def _act(self, what: str, alert: Alert) -> None:
        acts = {"acknowledge": self._acknowledge, "silence": self._silence, "take_back": self._take_back}
        self._begin(partial(acts[what], alert))

    def _begin(self, work: Callable[[], Awaitable[object]]) -> None:
        self._app.run_worker(work, "the alerts", exit_on_error=False)

    def _say(self, text: str) -> None:
        screen = self._app.screen
        if isinstance(screen, AlertsScreen):
            screen.say(text)
        else:
            self._tell(text, "")

    # What people say

    async def _acknowledge(self, alert: Alert) -> None:
        dialog = InputDialog(
            "Acknowledge: somebody is on it", text=alert_words(alert, time.time()),
            placeholder="who does what", problem=_note_problem,
        )  # fmt: skip
        note = await self._app.push_screen_wait(dialog)
        if note is not None and await self._write(ACK, line_of(alert, note=note.strip())):
            self._say("acknowledged, for everyone on this journal, until it ends or gets worse")

    async def _silence(self, alert: Alert) -> None:
        dialog = InputDialog(
            "Silence for how long, and why", text=alert_words(alert, time.time()),
            placeholder="1h planned failover", problem=silence_problem,
        )  # fmt: skip
        typed = await self._app.push_screen_wait(dialog)
        if typed is None or silence_problem(typed):
            return
        duration, _, note = typed.strip().partition(" ")
        until = f"{datetime.fromtimestamp(time.time() + seconds(duration), UTC):%Y-%m-%dT%H:%M:%SZ}"
        if await self._write(SILENCE, line_of(alert, until=until, note=note.strip())):
            self._say(f"silenced for {brief_age(seconds(duration))}, unless it ends or gets worse before")

    async def _take_back(self, alert: Alert) -> None:
        if not self.attended.knows(alert):
            self._say("nothing was said of this alert")
        elif await self._write(UNSILENCE, line_of(alert, reason="taken back")):
            self._say("taken back: it counts again")

    async def _write(self, what: str, line: dict[str, Any]) -> bool:
        try:
            await self._journal.append(what, line)
        except JournalError as error:
            self._tell(f"not on record: {error}", "critical")
            return False
        await self._news.fetch()
        if isinstance(screen := self._app.screen, AlertsScreen):
            screen.draw()
        return True


def alert_page(
    alerts: Sequence[tuple[Alert, Said | None]],
    now: float,
    unread: Sequence[Absence | Silent] = (),
    unconfirmed: Sequence[str] = (),
    offered: Callable[[Trouble], Sequence[str]] = lambda trouble: (),
) -> AlertPage:
    """Return the page: what is unconfirmed, what does not answer, every alert; those that are seen to come last.

    Args:
        alerts: worst first, each with what was said of it.
        now: `time.time()`.
        unread: what does not answer or is absent.
        unconfirmed: lines about pins.
        offered: returns the titles of the runbooks that are for something.
    """
    rows = [AlertRow("NO DATA", no_data_words(one, now), one, "warn", _offer_words(offered(one))) for one in unread]
    for alert, said in sorted(alerts, key=lambda pair: pair[1] is not None):
        more = [said.words() if said is not None else "", _offer_words(offered(alert))]
        tone = _TONES[alert.level] if said is None else "dim"
        text = alert_words(alert, now) + ("" if said is None else f", {_STATES[said.what]}")
        rows.append(AlertRow(alert.level.name, text, alert, tone, "; ".join(filter(None, more))))
    return AlertPage(unconfirmed, rows)


def _offer_words(titles: Sequence[str]) -> str:
    return f"runbook (enter): {', '.join(titles)}" if titles else ""


def _note_problem(note: str) -> str:
    return f"at most {_LONG_NOTE} characters" if len(note) > _LONG_NOTE else ""


def silence_problem(typed: str) -> str:
    """Return what is wrong with `30m why`, a duration and a note; empty when nothing is."""
    duration, _, note = typed.strip().partition(" ")
    try:
        length_s = seconds(duration)
    except ValueError as error:
        return str(error)
    if not 60 <= length_s <= _LONGEST_S:
        return "between 1m and 7d: what never ends is a rule to change"
    return _note_problem(note)
