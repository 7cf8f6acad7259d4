"""Lines of a log that belong together, so that a filter shows all of them or none. Knows no screen.

A message is a line and those that go on from it in the same stream, whatever lines of other streams stand between.
What is known of a stretch of lines can be joined with what is known of the stretch before or behind it: so it does
not matter in which order lines come, or are looked at.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

Predicate = Callable[[Any], bool]
"""Tells of a line, as it was given to the store, whether it is shown."""


@runtime_checkable
class Judge(Protocol):
    """Tells of a message whether it is shown, by what each of its lines shows."""

    def __call__(self, line: Any, /) -> bool:
        """Tell of a line that is a whole message."""
        ...

    @property
    def alone(self) -> Predicate:
        """The same as a function, which is faster to call."""
        ...

    def marks(self, line: Any, before: int, /) -> int:
        """Return what lines showed `before`, as bits, and what another line of the same message shows as well."""
        ...

    def passes(self, marks: int, /) -> bool:
        """Tell of a message by what all its lines show."""
        ...


@dataclass(frozen=True, slots=True)
class Belonging:
    """How lines tell what they belong to."""

    kind_of: Callable[[Any], Hashable]
    """What a line has in common with many others."""
    place_of: Callable[[Any], tuple[Hashable, bool]]
    """Of a kind: which stream its lines are in (None: in none, and no message goes on across them), and whether they
    go on with the message before them."""


class Message:
    """A message of which a later or an earlier line may still be found."""

    __slots__ = ("is_shown", "kept", "marks", "numbers")

    def __init__(self, numbers: Iterable[int] = (), marks: int = 0, *, is_shown: bool = False) -> None:
        self.numbers = array("q", numbers)
        """Of its lines, in no order."""
        self.marks = marks
        self.is_shown = is_shown
        self.kept = _MANY
        """Lines from which on it is worth to forget those that are held no more."""


_MANY: Final = 1_000
Held = Callable[[int], tuple[Any, bool] | None]
Last = Message | int
"""The newest message of a stream; as a number while it is a single line, as most are."""


@dataclass(slots=True)
class Ends:
    """What is open at both ends of a stretch of lines, by stream."""

    first: dict[Hashable, Message] = field(default_factory=dict)
    """Lines at its beginning that go on with a message before the stretch."""
    last: dict[Hashable, Last] = field(default_factory=dict)
    """The newest message of each stream, which lines behind the stretch may go on with."""
    is_cut: bool = False
    """Whether a line stands in it across which no message goes on."""

    def forget_before(self, number: int) -> None:
        """Forget lines with smaller numbers where a message has very many."""
        for message in (*self.first.values(), *self.last.values()):
            if isinstance(message, Message) and len(message.numbers) > message.kept:
                message.numbers = array("q", (each for each in message.numbers if each >= number))
                message.kept = 2 * len(message.numbers) + _MANY


class Stretch(NamedTuple):
    """What was found in lines that stand together."""

    passing: Sequence[int]
    """Numbers of the lines that are shown, in order."""
    ends: Ends


class Change(NamedTuple):
    """What lines that were found later change about earlier ones."""

    put: list[int]
    """Numbers of lines that are shown now."""
    taken: list[int]
    """Numbers of lines that are shown no more."""


class Messages:
    """Finds messages among lines."""

    def __init__(self, belonging: Belonging, judge: Judge) -> None:
        self._kind_of = belonging.kind_of
        self._place_of = belonging.place_of
        self._judge = judge
        self._places: dict[Hashable, tuple[Hashable, bool]] = {}

    def stretch(self, lines: Sequence[Any], start: int) -> Stretch:
        """Judge lines that stand together, as if there were no others; the first has the number `start`."""
        places, alone = self._places, self._judge.alone
        kinds = set(map(self._kind_of, lines))
        for kind in kinds.difference(places):
            places[kind] = self._place_of(kind)
        here = [places[kind] for kind in kinds]
        if not any(goes_on or stream is None for stream, goes_on in here):
            passing = [number for number, line in enumerate(lines, start) if alone(line)]
            return Stretch(passing, Ends(last=self._last_of_each(lines, start, {stream for stream, _ in here})))
        ends, several = self._several(lines, start)
        of_several = {number for message in several for number in message.numbers}
        passing = [n for n, line in enumerate(lines, start) if n not in of_several and alone(line)]
        for message in several:
            message.is_shown = self._judge.passes(message.marks)
            if message.is_shown:
                passing += message.numbers
        passing.sort()
        return Stretch(passing, ends)

    def _last_of_each(self, lines: Sequence[Any], start: int, streams: set[Hashable]) -> dict[Hashable, Last]:
        found: dict[Hashable, Last] = {}
        places, kind_of = self._places, self._kind_of
        for at in range(len(lines) - 1, -1, -1):
            stream = places[kind_of(lines[at])][0]
            if stream not in found:
                found[stream] = start + at
                if len(found) == len(streams):
                    break
        return found

    def _several(self, lines: Sequence[Any], start: int) -> tuple[Ends, list[Message]]:
        """Return what is open at the ends, and the messages of more than one line or without their first one."""
        places, kind_of, marks = self._places, self._kind_of, self._judge.marks
        ends, several = Ends(), list[Message]()
        last = ends.last
        for number, line in enumerate(lines, start):
            stream, goes_on = places[kind_of(line)]
            if stream is None:
                last.clear()
                ends.is_cut = True
            elif not goes_on:
                last[stream] = number
            else:
                message = last.get(stream)
                if not isinstance(message, Message):
                    if message is None:
                        head = Message()
                        if not ends.is_cut:
                            ends.first[stream] = head
                    else:
                        head = Message([message], marks(lines[message - start], 0))
                    several.append(head)
                    last[stream] = message = head
                message.numbers.append(number)
                message.marks = marks(line, message.marks)
        return ends, several

    def joined(self, older: Ends, newer: Ends, held: Held) -> tuple[Ends, Change]:
        """Return what is open at the ends of two stretches that follow each other, and what changes in them.

        `held` returns the line with a number and whether it is shown; None where it is not held any more.
        """
        change = Change([], [])
        first = dict(older.first)
        last = dict(newer.last) if newer.is_cut else older.last | newer.last
        for stream, tail in newer.first.items():
            message = older.last.get(stream)
            if message is None:
                if not older.is_cut:
                    first[stream] = tail
                continue
            head = message if isinstance(message, Message) else self._opened(message, held)
            whole = self._whole(head, tail, change)
            if newer.last.get(stream) is tail:
                last[stream] = whole
            if older.first.get(stream) is message:
                first[stream] = whole
        return Ends(first, last, older.is_cut or newer.is_cut), change

    def _opened(self, number: int, held: Held) -> Message:
        if (found := held(number)) is None:
            return Message()
        line, is_shown = found
        return Message([number], self._judge.marks(line, 0), is_shown=is_shown)

    def _whole(self, head: Message, tail: Message, change: Change) -> Message:
        marks = head.marks | tail.marks
        is_shown = self._judge.passes(marks)
        for part in (head, tail):
            if part.is_shown is not is_shown:
                (change.put if is_shown else change.taken).extend(part.numbers)
        whole, other = (head, tail) if len(head.numbers) >= len(tail.numbers) else (tail, head)
        whole.numbers.extend(other.numbers)
        whole.marks, whole.is_shown = marks, is_shown
        return whole
