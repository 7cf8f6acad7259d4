"""The queues that a profile names: how many wait, how many are in work, for how long. Parsing is pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tui.sources import redis_lists
from tui.sources.reading import Number
from tui.sources.redis_connection import Command, RefusedError
from tui.sources.redis_space import LENGTHS

_ID_MS: Final = b"-"
_MOST_GROUPS: Final = 10
"""Consumer groups of one stream that are asked for what is pending."""


@dataclass(frozen=True, slots=True)
class Group:
    """One consumer group of a stream: XINFO GROUPS and XPENDING."""

    name: str
    consumers: int
    pending: int
    """Delivered and not acknowledged."""
    lag: int | None
    """Not delivered yet; None before 7.0, and where the server cannot tell."""
    oldest_ms: int | None = None
    """When the oldest pending entry was added, by its id, in ms since 1970; None when none is pending."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One key that the profile names as a queue."""

    name: str
    kind: str
    """TYPE; `none` when there is no such key, which for a list means that it is empty."""
    length: int | None
    """LLEN, XLEN, ZCARD, SCARD or HLEN; 0 without the key; None when refused."""
    per_s: float | None = None
    """How fast it grows; negative while it empties; None at the first reading."""
    groups: tuple[Group, ...] = ()
    pending: int | None = None
    """Delivered to a consumer and not acknowledged, of all groups; None where the type knows none."""
    age_s: float | None = None
    """Since when the oldest pending entry is in the stream; None where none is, and for types without times."""
    refused: str = ""
    """Why something of it is not shown."""

    def numbers(self) -> Iterable[Number]:
        """Return queue_length, queue_pending and queue_age_s, each with the queue as its object."""
        values = {"queue_length": self.length, "queue_pending": self.pending, "queue_age_s": self.age_s}
        yield from (Number(name, float(value), self.name) for name, value in values.items() if value is not None)


class Queues:
    """What to ask about the queues: lengths and groups at once, then what is pending in each group."""

    def __init__(self, names: Sequence[str]) -> None:
        """Make it for keys of the database that a connection begins with."""
        self._names = tuple(names)
        self._kinds: dict[str, str] = {}
        self._before: dict[str, tuple[float, int]] = {}

    def first(self) -> list[Command]:
        """Return what to ask first: TYPE of each, and how long those are whose type is known."""
        asked: list[Command] = []
        for name in self._names:
            asked.append(("TYPE", name))
            kind = self._kinds.get(name, "")
            if kind in LENGTHS:
                asked.append((LENGTHS[kind], name))
            if kind == "stream":
                asked.append(("XINFO", "GROUPS", name))
        return asked

    def then(self, replies: Mapping[Command, Any]) -> list[Command]:
        """Return what to ask next, until nothing is: what a type needs that was not known before, what is pending."""
        asked: list[Command] = []
        for name in self._names:
            kind = _kind(replies.get(("TYPE", name)))
            if kind != self._kinds.get(name) and kind in LENGTHS:
                asked += [(LENGTHS[kind], name), *([("XINFO", "GROUPS", name)] if kind == "stream" else [])]
            self._kinds[name] = kind
            found = groups(replies.get(("XINFO", "GROUPS", name)))[:_MOST_GROUPS]
            asked += [("XPENDING", name, group.name) for group in found if group.pending]
        return [command for command in asked if command not in replies]

    def facts(self, replies: Mapping[Command, Any], now: float) -> tuple[Queue, ...]:
        """Return the queues as all replies tell; `now` is `time.time()`."""
        return tuple(self._queue(name, replies, now) for name in self._names)

    def _queue(self, name: str, replies: Mapping[Command, Any], now: float) -> Queue:
        kind, asked = self._kinds.get(name, ""), LENGTHS.get(self._kinds.get(name, ""), "TYPE")
        reply = 0 if kind == "none" else replies.get((asked, name))
        length = reply if isinstance(reply, int) else None
        told = replies.get(("XINFO", "GROUPS", name))
        found = tuple(_with_oldest(group, replies.get(("XPENDING", name, group.name))) for group in groups(told))
        oldest = min((group.oldest_ms for group in found if group.oldest_ms is not None), default=None)
        refused = next((one.reason for one in (reply, told) if isinstance(one, RefusedError)), "")
        return Queue(
            name=name,
            kind=kind or "?",
            length=length,
            per_s=self._growth(name, length, now),
            groups=found,
            pending=sum(group.pending for group in found) if kind == "stream" and not refused else None,
            age_s=None if oldest is None else max(0.0, now - oldest / 1000),
            refused=refused,
        )

    def _growth(self, name: str, length: int | None, now: float) -> float | None:
        before = self._before.get(name)
        if length is not None:
            self._before[name] = now, length
        if before is None or length is None or now <= before[0]:
            return None
        return (length - before[1]) / (now - before[0])


def _kind(reply: Any) -> str:
    return redis_lists.text(reply) if isinstance(reply, bytes) else ""


def groups(reply: Any) -> tuple[Group, ...]:
    """Return the consumer groups of XINFO GROUPS."""
    if not isinstance(reply, list):
        return ()
    found = []
    for one in reply:
        fields = redis_lists.mapping(one)
        lag = fields.get("lag")
        found.append(
            Group(
                redis_lists.text(fields.get("name", b"?")),
                _whole(fields.get("consumers")) or 0,
                _whole(fields.get("pending")) or 0,
                _whole(lag),
            )
        )
    return tuple(found)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _with_oldest(group: Group, reply: Any) -> Group:
    """Add the time in the smallest pending id of XPENDING's summary: count, smallest, greatest, by consumer."""
    if not (isinstance(reply, list) and len(reply) > 1 and isinstance(reply[1], bytes)):
        return group
    ms = reply[1].partition(_ID_MS)[0]
    if not ms.isdigit():
        return group
    return Group(group.name, group.consumers, group.pending, group.lag, int(ms))
