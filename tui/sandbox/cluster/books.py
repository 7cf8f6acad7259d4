"""Logs that are written down line by line and numbered, for whoever must prove that no line is lost or comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tui.sandbox.cluster.resources import PODS, Object
from tui.sandbox.cluster.store import Change, Store


@dataclass
class Book:
    """What one run of a container has written."""

    uid: str
    """The pod's."""
    pod: str
    container: str
    run: int
    """How often the container had been started before."""
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    """All that was ever written, with the kubelet's times."""
    held_from: int = 0
    """The first line that can still be read; those before it were rotated away."""
    is_collected: bool = False
    """Whether the kubelet has removed the whole file."""
    has_ended: bool = False
    grew: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by another, whenever a line came or the run ended."""

    def held(self, since: datetime | None, tail: int | None) -> Iterator[tuple[int, datetime, str]]:
        """Yield number, time and text as a kubelet does: of the last `tail` lines those of `since` or later."""
        first = self.held_from if tail is None else max(self.held_from, len(self.lines) - tail)
        for number in range(first, len(self.lines)):
            moment, text = self.lines[number]
            if since is None or moment >= since:
                yield number, moment, text

    def write(self, moment: datetime, text: str = "") -> None:
        """Write a line; by default one that says which it is."""
        self.lines.append((moment, text or f"{self.uid[:8]} {self.container} run {self.run} line {len(self.lines)}"))
        self.tell()

    def tell(self) -> None:
        """Wake whoever follows."""
        grew, self.grew = self.grew, asyncio.Event()
        grew.set()


@dataclass(frozen=True)
class _Pace:
    per_s: float
    grain_s: float


class Books:
    """Keeps the logs of the apps it was told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._paces: dict[tuple[str, str], _Pace] = {}
        self._books: dict[tuple[str, str, int], Book] = {}
        self._is_listening = self._is_stopped = False

    @property
    def all(self) -> tuple[Book, ...]:
        """Every book ever begun, those of pods that are gone too, in the order they began."""
        return tuple(self._books.values())

    def keep(self, namespace: str, app: str, per_s: float, *, grain_s: float = 0.0) -> None:
        """Let every container of pods labelled `app=…` write numbered lines from now on.

        Args:
            namespace: where they are.
            app: the label.
            per_s: lines per second of the wall clock; 0: only what `write` is told.
            grain_s: times are rounded down to a multiple of this, so that several lines have the same.
        """
        if not self._is_listening:
            self._is_listening = True
            self._store.listen(PODS, self._on_pod)
        self._paces[namespace, app] = _Pace(per_s, grain_s)
        for pod in list(self._store.things(PODS, namespace)):
            self._look(pod)

    def stop(self) -> None:
        """Let nobody write any more; the containers run on."""
        self._is_stopped = True

    def of(self, pod: Object, container: str, *, is_previous: bool) -> Book | None:
        """Return the newest book of a container, or the one before; None where none was kept."""
        numbers = [run for uid, name, run in self._books if (uid, name) == (pod["metadata"]["uid"], container)]
        if len(numbers) <= is_previous:
            return None
        return self._books[pod["metadata"]["uid"], container, sorted(numbers)[-1 - is_previous]]

    def _on_pod(self, change: Change) -> None:
        pod = change.entry.thing
        if change.type == "DELETED":
            for (uid, _, _), book in self._books.items():
                if uid == pod["metadata"]["uid"]:
                    _end(book)
        else:
            self._look(pod)

    def _look(self, pod: Object) -> None:
        meta = pod["metadata"]
        pace = self._paces.get((meta["namespace"], (meta.get("labels") or {}).get("app", "")))
        if pace is None:
            return
        for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
            for entry in pod["status"].get(kind) or ():
                key = (meta["uid"], entry["name"], entry["restartCount"])
                if "running" in entry["state"] and key not in self._books:
                    self._books[key] = book = Book(meta["uid"], meta["name"], entry["name"], entry["restartCount"])
                    if pace.per_s:
                        self._next(book, pace, self._store.clock.now())
                elif "running" not in entry["state"] and key in self._books:
                    _end(self._books[key])

    def _next(self, book: Book, pace: _Pace, due: datetime) -> None:
        """Write what is due by now, then nap."""
        now = self._store.clock.now()
        while due <= now and not (book.has_ended or self._is_stopped):
            book.write(_rounded(due, pace.grain_s))
            due += timedelta(seconds=1 / pace.per_s)
        if not (book.has_ended or self._is_stopped):
            self._store.clock.at(due, self._next, book, pace, due)


def _end(book: Book) -> None:
    if not book.has_ended:
        book.has_ended = True
        book.tell()


def _rounded(moment: datetime, grain_s: float) -> datetime:
    if not grain_s:
        return moment
    at = moment.timestamp()
    return datetime.fromtimestamp(at - at % grain_s, moment.tzinfo)
