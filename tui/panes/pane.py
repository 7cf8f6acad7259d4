"""What every tab is: a widget that is shown readings and asks for actions."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from textual.containers import Vertical
from textual.message import Message

from profiles.schema import Profile
from tui.actions.action import Request
from tui.numbers import Numbers
from tui.panes.tabs import Tab
from tui.rules import Level
from tui.sources.reading import Reading, Source
from widgets.cell import Tone, cell_text
from widgets.clipboard import copy
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

if TYPE_CHECKING:
    from tui.actions.perform import Outcome
    from tui.timeline.entry import Entry
    from tui.timeline.model import Timeline
    from tui.walkthroughs.guide import Guide


def _empty_timeline() -> "Timeline":
    from tui.timeline.model import Timeline

    return Timeline()


async def _not_kept(what: str, entry: Mapping[str, Any]) -> None:
    """Keep no record: for panes without an app around them."""


_SUBJECT_CELLS: Final = 3
"""How many cells of a row say which one it is."""

TONES: Final[Mapping[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
"""How a number looks that the profile's rules judged."""


_SAY_AFTER_S: Final = 0.4
"""How long something may take before the person is told that it is under way."""
_READING: Final = "pane-read"

ReadT = TypeVar("ReadT")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the app lends every pane."""

    profile: Profile
    now: Callable[[], float]
    """`time.time`, or a fixed clock in tests."""
    level: Callable[[str, str, str], Level]
    """(source name, metric, object) → how the profile's rules judge that number now; for colouring rows."""
    refusal: Callable[[Request], str | None]
    """Why this request cannot run now (the guard, our rights), None when it can; known before a key is pressed."""
    source: Callable[[str], Source[Any] | None] = field(default=lambda name: None)
    """The source of that name, to ask it for one thing in full; None when the profile has none."""
    timeline: Callable[[], "Timeline"] = field(default=_empty_timeline)
    """Returns what changed so far; always the same one."""
    pin: Callable[["Entry"], None] = field(default=lambda entry: None)
    """Pins an entry for everyone, or takes the pin away."""
    report: Callable[[], None] = field(default=lambda: None)
    """Writes the incident report to a file and says where."""
    numbers: Numbers = field(default_factory=Numbers)
    """What every system reported, for a day."""
    readings: Callable[[], Sequence[Reading[Any]]] = field(default=tuple)
    """The newest reading of every source: for what one system knows of another's clients."""
    record: Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, None]] = field(default=_not_kept)
    """Puts something on record, flushed to disk; raises JournalError."""
    guide: Callable[[], "Guide | None"] = field(default=lambda: None)
    """Who leads through checklists and runbooks; None until everything has begun."""


class Pane(Vertical):
    """One tab.

    The app calls `show` with every new reading of the kinds it names, on the event loop, while the tab is visible,
    and with the latest reading of each source when the tab becomes visible. Once a second it calls `tick`.
    """

    TAB: ClassVar[Tab]
    """Which tab it is."""

    class Requested(Message):
        """The person asked for a change of one target, or of several at once."""

        def __init__(
            self,
            requests: Sequence[Request],
            ended: Callable[[Sequence[tuple[Request, "Outcome | None"]]], None] = lambda results: None,
        ) -> None:
            """Ask; `ended` is told what became of each, None of one whose turn never came."""
            super().__init__()
            self.requests = tuple(requests)
            self.ended = ended

    class Told(Message):
        """A sentence for the person: why a key cannot act here, what was copied."""

        def __init__(self, text: str, tone: Tone = "") -> None:
            super().__init__()
            self.text = text
            self.tone = tone

    class TakenBack(Message):
        """A sentence that was said no longer holds; where it still stands it goes."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Looked(Message):
        """The person wants to look at another tab, in one of its views and filtered."""

        def __init__(self, title: str, view: str = "", filter_text: str = "", source: str = "", told: str = "") -> None:
            super().__init__()
            self.title = title
            self.view = view
            self.filter_text = filter_text
            self.source = source
            """Name of the source to show, where the tab shows one at a time; empty for any."""
            self.told = told
            """What is said then: how to go back; empty: to the checklist."""

    class Jumped(Message):
        """The person wants to see what an entry of the timeline is about, in its own tab."""

        def __init__(self, source: str, about: str, at: float) -> None:
            super().__init__()
            self.source = source
            self.about = about
            """As in `Entry.object`."""
            self.at = at

    class Turned(Message):
        """Another of several systems is shown now: `unseen` are others than before."""

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(id=id)
        self.desk = desk

    @property
    def unseen(self) -> frozenset[str]:
        """The names of sources of its kinds that it does not show now: they are read as if it were hidden."""
        return frozenset()

    def show(self, reading: Reading[Any]) -> None:
        """Draw a reading of one of this pane's sources."""
        raise NotImplementedError

    def pause(self, is_paused: bool) -> None:
        """Take note that nothing is read any more, or that reading goes on."""

    def tick(self) -> None:
        """Draw again what depends on the clock: ages, staleness."""

    def barred_keys(self) -> frozenset[str]:
        """Return the ids of the keys that could change nothing where the cursor is."""
        return frozenset()

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Awaitable[None]]]]:
        """Return what can be done here without a key, for the palette: title, more about it, and what begins it."""
        return ()

    def by_hand(self) -> str:
        """Return the commands that show by hand what this pane shows now, for copying; no secrets."""
        return ""

    def begin(self, reading: Coroutine[None, None, None]) -> None:
        """Read something beside everything else; what was still being read for this tab is given up."""
        self.run_worker(reading, group=_READING, exclusive=True, exit_on_error=False)

    def stop_reading(self) -> bool:
        """Give up what is being read, and tell whether anything was."""
        if not any(worker.is_running for worker in self.workers if worker.group == _READING):
            return False
        self.workers.cancel_group(self, _READING)
        return True

    async def patiently(self, reading: Coroutine[None, None, ReadT], what: str) -> ReadT:
        """Wait for something to be read, and say so when it takes a while."""
        task = asyncio.create_task(reading)
        words = f"reading {what}; esc stops"
        try:
            await asyncio.wait({task}, timeout=_SAY_AFTER_S)
            if task.done():
                return task.result()
            self.post_message(self.Told(words))
            try:
                return await task
            finally:
                self.post_message(self.TakenBack(words))
        finally:
            task.cancel()

    def copy(self, text: str) -> None:
        """Copy a text and tell what was done, beside everything else."""

        async def copy_and_tell() -> None:
            self.post_message(self.Told(await copy(self.app, text)))

        self.run_worker(copy_and_tell(), exit_on_error=False)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Put the cursor on what an entry of the timeline is about, in the view that has it.

        Args:
            source: name of the source the entry belongs to.
            about: the entry's `object`.
            at: `time.time()` of the entry.

        Returns:
            Whether it is still there. A tab that shows one thing only shows it.
        """
        return True

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Open a view, choose a source and filter the rows; what is empty stays, or is cleared for the filter."""
        for bar in self.query(FilterBar).results(FilterBar):
            bar.text = filter_text
            return

    def subject(self) -> str:
        """Return what the person looks at, in a few words, for a note: the view and the row under the cursor."""
        table = next((table for table in self.query(LiveTable) if table.display), None)
        row = table.cursor_row if table is not None else None
        told = [text for cell in row.cells[:_SUBJECT_CELLS] if (text := cell_text(cell).strip())] if row else []
        return f"{self.TAB.title}: {' '.join(told)}" if told else self.TAB.title

    def as_text(self) -> str:
        """Return what the tab shows as plain lines: without secrets and people's data, for the record.

        A hidden tab is shown the newest readings before.
        """
        from tui.sources.masking import without_secrets
        from widgets.key_value import Facts
        from widgets.table_text import table_text

        lines: list[str] = []
        for part in self.children:
            if not part.display:
                continue
            match part:
                case NoticeBar():
                    lines += part.text.split("\n")
                case SegmentLine():
                    lines.append(part.words)
                case Facts():
                    lines += (f"{label}: {cell_text(value)}" for label, value in part.pairs)
                case LiveTable():
                    lines += table_text(part.columns, part.rows_on_screen(), self.masked_cell)
        return without_secrets("\n".join(line for line in lines if line))

    def masked_cell(self, column: str, text: str) -> str:
        """Return a cell's text without people's data; `column` is the key of its column."""
        return text

    def focus_first(self) -> None:
        """Put the keyboard where the person expects it when the tab opens."""
