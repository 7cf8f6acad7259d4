"""The timeline itself: the newest entries in order of time, folded, with pins and a moment to count from."""

import bisect
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.timeline.entry import Entry, is_same
from tui.timeline.fold import FoldKey, belongs, fold_key, repeated

LIMIT: Final = 5000
"""Rows kept; the oldest that nobody pinned go first."""
_CHANGES_KEPT: Final = 2000
_MEMBERS_KEPT: Final = 4 * LIMIT

PEOPLE: Final = "people"
"""What people did and noted, whichever system it was about: a choice of rows beside the kinds of systems."""
PINNED: Final = "pinned"
"""The rows somebody pinned: another."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A row that somebody wants to keep."""

    entry: str
    """Id of the entry as whoever pinned it saw it."""
    by: str
    at: float
    """`time.time()` when it was pinned."""
    text: str
    """What it said then."""


class Timeline:
    """Rows by id; every change counts `revision` up."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._rows: dict[str, Entry] = {}
        self._order: list[tuple[float, str]] = []
        """Time and id of every row, in order."""
        self._newest: dict[FoldKey, str] = {}
        """The row that a repetition would be folded into."""
        self._members: dict[str, str] = {}
        """The row that each folded entry is part of."""
        self._pins: dict[str, Pin] = {}
        """By the row's id."""
        self._stand_ins: set[str] = set()
        """Rows that are here only because somebody pinned what this opstui has not seen."""
        self._counts: Counter[str] = Counter()
        self._records: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self._changes: deque[tuple[int, str]] = deque(maxlen=_CHANGES_KEPT)
        self.revision = 0
        """Counts what changed: rows, pins, `t0`, `troubles`."""
        self._t0: str | None = None
        self._troubles: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._rows)

    # Rows

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in: new ones, repetitions of a row, newer versions of one."""
        for entry in entries:
            self._add(entry)
        self._let_go()

    def _add(self, entry: Entry) -> None:
        if entry.id in self._members:
            return
        if (row := self._rows.get(entry.id)) is not None:
            self._stand_ins.discard(entry.id)
            self._put(replace(entry, count=max(row.count, entry.count), last_at=max(row.last_at, entry.last_at)))
            return
        if stand_in := next((i for i in self._stand_ins if is_same(self._rows[i], entry)), None):
            self._join(entry, stand_in)
            return
        key = fold_key(entry)
        row = self._rows.get(self._newest.get(key, "")) if key is not None else None
        if row is not None and belongs(row, entry):
            self._join(entry, row.id)
            self._put(repeated(row, entry))
            return
        if key is not None and (row is None or row.at <= entry.at):
            self._newest[key] = entry.id
        self._put(entry)

    def _join(self, entry: Entry, row: str) -> None:
        self._members[entry.id] = row
        if len(self._members) > _MEMBERS_KEPT:
            del self._members[next(iter(self._members))]

    def _put(self, row: Entry) -> None:
        old = self._rows.get(row.id)
        if old == row:
            return
        if old is None:
            self._counts.update(_choices(row))
        if old is None or old.at != row.at:
            if old is not None:
                self._order.remove((old.at, old.id))
            bisect.insort(self._order, (row.at, row.id))
        self._rows[row.id] = row
        self._note(row.id)

    def _let_go(self) -> None:
        """Forget the oldest rows beyond the limit, but for those that are pinned."""
        excess = len(self._rows) - self._limit
        if excess <= 0:
            return
        gone = [row for _, row in self._order if row not in self._pins][:excess]
        for row in gone:
            entry = self._rows.pop(row)
            self._counts.subtract(_choices(entry))
            self._records.pop(row, None)
            if (key := fold_key(entry)) is not None and self._newest.get(key) == row:
                del self._newest[key]
            self._note(row)
        self._order = [(at, row) for at, row in self._order if row in self._rows]
        if self._t0 not in self._rows:
            self._t0 = None

    def get(self, row: str) -> Entry | None:
        """Return a row by its id; None when it was let go."""
        return self._rows.get(row)

    def rows(self, choice: str = "") -> Iterator[Entry]:
        """Yield the rows, oldest first: all, those of a kind of system, what people did, or what is pinned."""
        return (self._rows[row] for _, row in self._order if self.passes(self._rows[row], choice))

    def passes(self, row: Entry, choice: str) -> bool:
        """Tell whether a row belongs to a choice."""
        if choice == PINNED:
            return row.id in self._pins
        return choice in ("", row.kind) or (choice == PEOPLE and bool(row.by))

    def count(self, choice: str) -> int:
        """Return how many rows belong to a choice."""
        return len(self._pins) if choice == PINNED else self._counts[choice] if choice else len(self._rows)

    @property
    def oldest(self) -> Entry | None:
        """The oldest row; None when there is none."""
        return self._rows[self._order[0][1]] if self._order else None

    def since(self, at: float) -> list[Entry]:
        """Return the rows from a time on, oldest first."""
        return [self._rows[row] for _, row in self._order[bisect.bisect_left(self._order, (at, "")) :]]

    # What changed

    def _note(self, row: str) -> None:
        self.revision += 1
        self._changes.append((self.revision, row))

    def changed_since(self, revision: int) -> set[str] | None:
        """Return the ids of rows that came, changed or went since a revision; None when that is too long ago."""
        if revision < self.revision - len(self._changes):
            return None
        return {row for number, row in self._changes if number > revision and row}

    # What is on record about a row

    def keep_record(self, row: str, lines: Iterable[Mapping[str, Any]]) -> None:
        """Keep the journal's lines behind a row."""
        self._records[row] = tuple(lines)

    def record(self, row: str) -> tuple[Mapping[str, Any], ...]:
        """Return the journal's lines behind a row; none for what opstui saw by itself."""
        return self._records.get(row, ())

    # Pins

    @property
    def pins(self) -> Mapping[str, Pin]:
        """Every pin by its row's id."""
        return self._pins

    def pin(self, pin: Pin, seen: Entry | None) -> None:
        """Pin the row of an entry; `seen` is the entry as whoever pinned it saw it, for who has not seen it."""
        row = self._row_of(pin.entry, seen)
        if row is None:
            if seen is None:
                return
            self._put(seen)
            self._stand_ins.add(seen.id)
            row = seen.id
        self._pins[row] = pin
        self._note(row)

    def unpin(self, entry: str) -> None:
        """Take a pin away."""
        row = entry if entry in self._pins else next((r for r, p in self._pins.items() if p.entry == entry), None)
        row = self._members.get(entry) if row is None else row
        if row is not None and self._pins.pop(row, None) is not None:
            self._note(row)
            self._let_go()

    def _row_of(self, entry: str, seen: Entry | None) -> str | None:
        if entry in self._rows:
            return entry
        if entry in self._members:
            return self._members[entry]
        return next((row.id for row in self._rows.values() if seen is not None and is_same(row, seen)), None)

    # The moment to count from

    @property
    def t0(self) -> float | None:
        """`time.time()` that times are counted from; None when a person has not set it."""
        row = self._rows.get(self._t0) if self._t0 is not None else None
        return row.at if row is not None else None

    def count_from(self, row: str) -> float | None:
        """Count times from a row, or no longer when they already are; return what `t0` is now."""
        self._t0 = None if row == self._t0 or row not in self._rows else row
        self._note("")
        return self.t0

    # What keeps it from being whole

    @property
    def troubles(self) -> Mapping[str, str]:
        """What is wrong with the timeline itself, in words, by what it is about."""
        return self._troubles

    def tell_trouble(self, about: str, words: str) -> None:
        """Say what is wrong with a part of it; empty words: nothing any more."""
        if self._troubles.get(about, "") != words:
            self._troubles.pop(about, None)
            if words:
                self._troubles[about] = words
            self._note("")


def _choices(row: Entry) -> tuple[str, ...]:
    return (row.kind, PEOPLE) if row.by else (row.kind,)


def density(times: Iterable[float], now: float, step_s: float, steps: int) -> list[int]:
    """Return how many of some times lie in each of the last steps, oldest first.

    The steps lie on multiples of their own length, so that the picture moves once a step.
    """
    counts = [0] * steps
    first = int(now // step_s) - steps + 1
    for at in times:
        place = int(at // step_s) - first
        if 0 <= place < steps:
            counts[place] += 1
    return counts
