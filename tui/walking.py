"""Checklists and runbooks on the screen: what is due, what an alert or a symptom offers, where reports are kept.

What leads through them is imported after the first frame.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.app import App

from profiles.people import Contact, Hook
from profiles.places import make_private, state_folder
from profiles.schema import Profile
from tui.actions.action import Request
from tui.journal import Journal
from tui.journal.news import News
from tui.numbers import Numbers
from tui.panes.pane import Pane
from tui.panes.tabs import CHECKLIST, Tab
from tui.poller import Pollers
from tui.rules import Alert, Rules, Trouble, named
from tui.sources.text import clean
from tui.units import amount, span
from widgets.cell import Tone
from widgets.choose_dialog import Choice, ChooseDialog, InputDialog
from widgets.segment_line import Segment

if TYPE_CHECKING:
    from tui.panes.checklist import ChecklistPane
    from tui.walkthroughs.guide import Guide
    from tui.walkthroughs.loading import Walkthrough
    from tui.walkthroughs.run import Run
    from tui.walkthroughs.site import Subject

Tell = Callable[[str, Tone], None]


class Walking:
    """One profile's checklists and runbooks, from the first frame to the last."""

    def __init__(
        self,
        app: App[Any],
        profile: Profile,
        pollers: Pollers,
        rules: Rules,
        journal: Journal,
        news: News,
        tell: Tell,
        opened: Callable[[Tab], Awaitable[Pane]],
        request: Callable[[Request], None],
        numbers: Numbers,
    ) -> None:
        """Prepare; nothing is imported or read yet.

        Args:
            app: asks which runbook.
            profile: what is watched, and whose checklists these are.
            pollers: what the systems say now.
            rules: what of it is not well.
            journal: where walks are put on record.
            news: what anybody writes there; somebody else follows it.
            tell: says a sentence to the person.
            opened: opens a tab and returns its pane.
            request: leads a change through its life.
            numbers: what the systems reported so far.
        """
        self._app, self._profile, self._pollers, self._rules = app, profile, pollers, rules
        self._journal, self._news, self._tell, self._opened = journal, news, tell, opened
        self._request, self._numbers = request, numbers
        self.guide: Guide | None = None
        """Who leads; None until `prepare`."""

    def prepare(self) -> None:
        """Have somebody who leads, before the journal is read for the first time; imports, so call it in a thread."""
        from tui.walkthroughs.guide import Guide
        from tui.walkthroughs.recorder import Recorder
        from tui.walkthroughs.site import Site

        site = Site(self._profile, self._pollers, self._rules, self._journal, self._numbers)
        self.guide = Guide(site, Recorder.of(self._journal, self._news))

    async def load(self) -> None:
        """Read the checklists and runbooks."""
        if self.guide is not None:
            await self.guide.load()

    def overdue_segment(self) -> Segment:
        """Return which checklists are due; nothing when none is."""
        if self.guide is None or not self.guide.is_loaded or not (due := self.guide.overdue()):
            return Segment("")
        walk, late = max(due, key=lambda pair: pair[1])
        told = f"{walk.name} due" + (f" {span(late)}" if late else "")
        more = f" +{len(due) - 1}" if len(due) > 1 else ""
        return Segment(told + more, "warn", short=f"{len(due)} due", priority=2)

    def runbooks(self, trouble: Trouble) -> tuple[str, ...]:
        """Return the titles of the runbooks that an alert, or a system that does not answer, offers."""
        found = self.guide.offered(trouble.source, trouble.metric) if self.guide is not None else ()
        return tuple(walk.title for walk in found)

    # What an alert, a symptom or the command line asks for

    async def choose_runbook(self, troubles: Sequence[Trouble]) -> None:
        """Offer the runbooks, each beside what it is for, and begin the one that is chosen."""
        guide = self.guide
        if guide is None or not troubles:
            self._tell("no alert is up; every runbook is in the Checklist tab, and in the palette (:) by symptom", "")
            return
        chosen = await self._app.push_screen_wait(
            ChooseDialog("An alert, and its runbook", list(runbook_choices(guide, troubles, time.time())))
        )
        number, _, name = (chosen or "").partition(" ")
        if (walk := guide.walks.named(name)) is not None:
            trouble = troubles[int(number)]
            await self._begin(walk, guide.subject_of(walk, trouble.source, trouble.object), trouble.source)

    async def begin_named(self, name: str, about: str) -> None:
        """Begin the checklist or runbook that the command line named."""
        from tui.walkthroughs.site import Subject

        guide = self.guide
        if guide is None or (walk := guide.walks.named(name)) is None:
            self._tell(f"the profile has no checklist or runbook {clean(name)}", "warn")
            return
        kind = walk.definition.about
        subject = Subject.named(kind, about, self._profile) if about and kind else None
        # Workloads are known once their cluster has answered; everything else the profile names.
        if subject is not None and subject.kind == "workload" and subject.cluster not in self._profile.every_cluster:
            known = ", ".join(f"{name}:…" for name in self._profile.clusters) or "none"
            self._tell(f"{clean(about)} is in no cluster of the profile that could be told: there are {known}", "warn")
            subject = None
        elif subject is not None and subject.kind != "workload" and subject not in guide.subjects(walk):
            self._tell(f"the profile has no {subject.kind} {clean(about)}", "warn")
            subject = None
        await self._begin(walk, subject)

    async def _begin(self, walk: "Walkthrough", subject: "Subject | None", source: str = "") -> None:
        pane = await self._opened(CHECKLIST)
        if isinstance(pane, CHECKLIST.pane()):
            cast("ChecklistPane", pane).start(walk, subject, source)

    def commands(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """Yield every checklist, runbook and hook for the palette: by what people look for, and what begins it."""
        for walk in self.guide.walks.found if self.guide is not None else ():
            words = ", ".join(walk.definition.symptoms)
            title = f"{walk.kind.capitalize()}: {walk.title}" + (f" ({words})" if words else "")
            yield title, walk.definition.when or walk.kind, partial(self._begin_soon, walk)

        for name, hook in self._profile.hooks.items():
            yield f"Tell others: {hook.title or name}", f"hook {name}", partial(self._ask_words_soon, name, hook)

    def _ask_words_soon(self, name: str, hook: Hook) -> None:
        self._app.run_worker(self._ask_words(name, hook), name, exit_on_error=False)

    async def _ask_words(self, name: str, hook: Hook) -> None:
        from tui.actions.hooks import tell_request

        dialog = InputDialog(
            hook.title or name,
            text="what looks like a secret is taken out; nothing is sent before you confirm",
            placeholder="what they must know",
            problem=lambda typed: "" if typed.strip() else "type something, or leave with esc",
        )
        words = await self._app.push_screen_wait(dialog)
        if words is not None:
            self._request(tell_request(name, hook, words))

    def _begin_soon(self, walk: "Walkthrough") -> None:
        self._app.run_worker(self._begin(walk, None), walk.title, exit_on_error=False)

    # Reports

    async def keep(self, run: "Run") -> None:
        """Write the report of a run to the folder of reports, and say where it is."""
        if (guide := self.guide) is None:
            return
        text, path = guide.report(run), kept_path(run, self._profile)
        try:
            await asyncio.to_thread(keep, text, path, is_shared=self._profile.state_dir is not None)
        except OSError as error:
            self._tell(f"no report: {error.filename}: {error.strerror}", "critical")
        else:
            self._tell(f"the report is {path}", "ok")


def runbook_choices(guide: "Guide", troubles: Sequence[Trouble], now: float) -> Iterator[Choice]:
    """Yield everything with each runbook that is for it; a choice's key is its number and the runbook's name."""
    for number, one in enumerate(troubles):
        label = f"NO DATA {named(one)}"
        if isinstance(one, Alert):
            label = f"{one.level.name} {named(one)} {amount(one.metric, one.value, one.unit)}"
        age = f"for {span(now - one.since)}"
        found = guide.offered(one.source, one.metric)
        yield from (Choice(f"{number} {walk.name}", label, f"{age} → {walk.title}") for walk in found)
        if not found:
            yield Choice(f"{number} ", label, f"{age}; no runbook")


def kept_path(run: "Run", profile: Profile) -> Path:
    """Return where the report of a run is kept: beside the journal, one file a run."""
    folder = Path(profile.state_dir) if profile.state_dir else state_folder()
    begun = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(run.begun_at))
    return folder / "reports" / profile.environment / f"{profile.name}-{run.walk}-{begun}-{run.id[:6]}.md"


def keep(text: str, path: Path, *, is_shared: bool) -> None:
    """Write a report for its owner alone, or for the team's group. Raises OSError."""
    folders = (path.parent.parent, path.parent)
    for folder in folders:
        make_private(folder)
        if is_shared and folder.stat().st_uid == os.geteuid():
            folder.chmod(0o2770)  # whatever the umask, the team's files are the team's
    mode = 0o660 if is_shared else 0o600
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        if is_shared:
            os.fchmod(descriptor, mode)
        file.write(text)


def contact_lines(contacts: "dict[str, Contact]") -> str:
    """Return the contacts in the order in which they are to be called."""
    lines = []
    for name, contact in contacts.items():
        lines.append(f"{name}: {contact.who}" + (f" ({contact.when})" if contact.when else ""))
        reached = (("phone", contact.phone), ("chat", contact.chat), ("mail", contact.mail), ("url", contact.url))
        lines += [f"    {how:<6} {value}" for how, value in reached if value]
    return "\n".join(lines) or "The profile names nobody; add: contacts: {on-call: {who: …, phone: …}}"
