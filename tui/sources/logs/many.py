"""What followers have in common that follow many logs at once, each in a task of its own, while they come and go."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Hashable, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

from tui.sources.errors import SourceError, Unreadable
from tui.sources.logs.intake import Intake

_LOG: Final = logging.getLogger(__name__)
MOST: Final = 50
"""Logs of one source that are followed at once: each is a connection."""
FIRST_LINES: Final = 200
"""Lines of what was there before that are shown of all together."""
BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between two attempts to read one log."""
_LIST_S: Final = 5.0
LIST_CHEAPLY_S: Final = 1.0
"""How often it is asked what there is to follow, where that is known without asking anybody."""
_BUG: Final = "following stopped: a bug in opstui"

FoundT = TypeVar("FoundT")
KeyT = TypeVar("KeyT", bound=Hashable)


class One:
    """One log and the task that reads it."""

    def __init__(self, name: str) -> None:
        self.name = name
        """What it is called in titles and notices."""
        self.trouble = ""
        """Why it cannot be read at present; empty when it can."""
        self.is_listed = True
        """Whether what writes it still exists; if not, it is read to its end."""
        self.task: asyncio.Task[None] | None = None


OneT = TypeVar("OneT", bound=One)


class ManyFollower(ABC, Generic[FoundT, KeyT, OneT]):
    """Lists again and again what there is to follow, and follows each."""

    def __init__(self, source: str, intake: Intake, *, of: str, listed_by: str, first_lines: int) -> None:
        """Prepare; nothing is read yet.

        Args:
            source: the log source's name in the profile.
            intake: where lines are put.
            of: what writes the logs, in the plural: `pods`.
            listed_by: who is asked for them: `the cluster`.
            first_lines: of all together are shown of what was there before.
        """
        self._source, self._intake, self._of, self._first_lines = source, intake, of, first_lines
        self._followed: dict[KeyT, OneT] = {}
        self._listing = f"waiting for {listed_by}"
        self._away: SourceError | None = None
        self._listed_at = time.time()
        self._received_then, self._is_silent = 0, False
        self._has_listed = False
        self._too_many = 0
        self._task: asyncio.Task[None] | None = None
        self.failure: SourceError | None = None
        """Why nothing at all can be followed; None while something is, or may yet appear."""

    @property
    def _lists_cheaply(self) -> bool:
        """Whether listing asks nobody, as where a mirror is kept anyway."""
        return False

    @abstractmethod
    async def _list(self) -> Sequence[FoundT]:
        """Return what there is to follow. Raises SourceError."""

    @abstractmethod
    def _attend(self, found: Sequence[FoundT]) -> None:
        """Begin to follow what is new, and let go what is gone."""

    def _back_again(self) -> None:
        """What was away when it was last asked answers again."""

    @abstractmethod
    def _nothing(self) -> str:
        """Return what is said when nothing matches."""

    @property
    def following(self) -> tuple[str, ...]:
        """What is followed now, by name."""
        return tuple(each.name for each in self._followed.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be listed or followed; what is said of several is said once."""
        found = [self._listing] if self._listing else []
        by_trouble: dict[str, list[str]] = {}
        for each in self._followed.values():
            if each.trouble and each.trouble != str(self._away):
                by_trouble.setdefault(each.trouble, []).append(each.name)
        for trouble, names in by_trouble.items():
            others = f" and {len(names) - 1} more" if len(names) > 1 else ""
            found.append(f"{names[0]}{others}: {trouble}")
        if self._too_many:
            found.append(f"{self._too_many} more containers match than the {MOST} that are followed")
        return tuple(found) if found or self._followed else (self._nothing(),)

    @property
    def away_since(self) -> float | None:
        """Since when nobody answers and no line comes, `time.time()`; None while somebody does, or one comes."""
        is_away = self._is_silent and self._intake.received == self._received_then
        return self._listed_at if is_away else None

    @property
    def has_caught_up(self) -> bool:
        """Nothing tells: what was there before and what comes now are one stream."""
        return False

    def start(self) -> None:
        """Begin to list and follow."""
        self._task = asyncio.create_task(self._run(), name=f"logs {self._source}")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop every task."""
        tasks = [task for task in (self._task, *(each.task for each in self._followed.values())) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)

    def _share(self, among: int) -> int | None:
        """Return how many lines of the past each new log is shown with; None: all of it.

        What began before we looked is shown by its end, what came since from its beginning.
        """
        tail = None if self._has_listed else max(10, self._first_lines // max(1, among))
        self._has_listed = True
        return tail

    def _begin(self, key: KeyT, followed: OneT, reading: Coroutine[Any, Any, None]) -> None:
        self._followed[key] = followed
        followed.task = asyncio.create_task(reading)
        followed.task.add_done_callback(partial(self._ended, followed=followed))

    def _ended(self, task: asyncio.Task[None], followed: OneT | None = None) -> None:
        """Tell of a task that a bug ended: without a word the log would only look quiet."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _LOG.error("following %s", followed.name if followed else self._source, exc_info=error)
        if followed is not None:
            followed.trouble = f"{_BUG}; see the log file"
        else:
            self._listing = f"{_BUG}; see the log file"
            self.failure = Unreadable(_BUG, "see the log file")
        self._intake.drop(0, 0)

    async def _run(self) -> None:
        while True:
            try:
                found = await self._list()
            except SourceError as error:
                received = self._intake.received
                self._is_silent = self._away is not None and received == self._received_then
                self._away, self._received_then = error, received
                self._listing = f"{self._of} cannot be listed since {clock(self._listed_at)}: {error}"
                self.failure = None if self._followed else error
                self._intake.drop(0, 0)
            else:
                was_away, self._away, self._is_silent = self._away is not None, None, False
                self._listing, self.failure, self._listed_at = "", None, time.time()
                self._attend(found)
                if was_away:
                    self._back_again()
            pause_s = LIST_CHEAPLY_S if self._lists_cheaply else _LIST_S
            await asyncio.sleep(pause_s if self._has_listed else BACKOFF_S[0])


def clock(at: float) -> str:
    """Return the time of day, UTC, to the second."""
    return f"{time.strftime('%H:%M:%S', time.gmtime(at))} UTC"


def since_words(at: float) -> str:
    """Return after when something is missing."""
    return f"after {clock(at)}"
