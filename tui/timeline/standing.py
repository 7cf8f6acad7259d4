"""What lasts: begun, grown, over. The end of a thing is as much a change as its beginning."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from tui.rules import Level
from tui.timeline.entry import BEGUN, OVER, Entry, around, identity, sentence
from tui.units import span

_GROWN: Final = 2
"""How many times as many make a sentence worth saying again."""
_RESUMED_S: Final = 60.0
"""How long an alert of an earlier opstui may take to be up again before it counts as over: rules have a `for`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so for a while, as it is now."""

    key: str
    """Its identity within its source."""
    what: str
    """The word for its kind, as in `Entry.what`."""
    text: str
    """What is so, as a sentence: `4 sessions wait for batch-import (pid 812)`."""
    over: str
    """What is said when it is over: `nobody waits for batch-import (pid 812) any more`."""
    level: Level
    object: str = ""
    identity: str = ""
    """What the system itself calls this occurrence; empty where it has no name for it."""
    since: float | None = None
    """`time.time()` when the system says it began; None: when it was first seen."""
    weight: int = 0
    """How many are affected; when that doubles, the row is told anew."""
    settle_s: float = 0.0
    """How long it must be gone before it is over."""
    is_alarm: bool = False
    """Whether somebody must hear of it also when it was so before opstui looked."""


@dataclass(slots=True)
class _Lasting:
    """A condition that was seen."""

    entry: Entry
    """The beginning as it was told, or would have been."""
    since: float | None
    """None: from before opstui looked."""
    now: Condition | None
    """As it is now; None for what only an earlier opstui saw."""
    weight: int = 0
    """As it was told last."""
    settle_s: float = 0.0
    absent_since: float | None = None


class Standing:
    """Remembers what lasts, and tells when it begins, grows and is over."""

    def __init__(self) -> None:
        self._lasting: dict[tuple[str, str], _Lasting] = {}

    def resume(self, entry: Entry) -> None:
        """Take over what an earlier opstui saw begin, as long as nobody saw it end; entries come oldest first."""
        key = (entry.source, entry.fold)
        if entry.stage == BEGUN:
            self._lasting[key] = _Lasting(entry, entry.at, None)
        elif entry.stage == OVER:
            self._lasting.pop(key, None)

    def stands(self, source: str, key: str) -> bool:
        """Tell whether this lasts at present."""
        return (source, key) in self._lasting

    def keys(self, source: str) -> list[str]:
        """Return the keys of what lasts in a source."""
        return [key for name, key in self._lasting if name == source]

    def turn(
        self,
        source: str,
        conditions: Iterable[Condition],
        now: float,
        *,
        besides: tuple[str, ...] = (),
        recent: float | None = None,
    ) -> Iterator[Entry]:
        """Take all that is so in a source; what is not among it is over, but for keys that begin with `besides`.

        `recent` as in `put`.
        """
        seen: set[str] = set()
        for condition in conditions:
            seen.add(condition.key)
            yield from self.put(source, condition, now, recent=recent)
        for key in self.keys(source):
            if key not in seen and not key.startswith(besides):
                yield from self.drop(source, key, now)

    def put(self, source: str, condition: Condition, now: float, *, recent: float | None = None) -> Iterator[Entry]:
        """Take one condition that is so now.

        At the first look at a source, what is so may have begun long ago: `recent` is then the time after which it
        must say itself that it began to be told, alarms apart; otherwise it is only remembered, and told when it is
        over. None: this is not the first look, and whatever is new is told.
        """
        key = (source, condition.key)
        if (lasting := self._lasting.get(key)) is None:
            since = now if condition.since is None else min(condition.since, now)
            is_recent = recent is None or (condition.since is not None and since > recent)
            is_news = is_recent or condition.is_alarm
            entry = _begun(source, condition, since)
            seen_since = since if is_recent else condition.since
            self._lasting[key] = _Lasting(entry, seen_since, condition, condition.weight, condition.settle_s)
            if is_news:
                yield entry
            return
        before, lasting.now = lasting.now, condition
        lasting.absent_since, lasting.settle_s = None, condition.settle_s
        if lasting.entry.level != condition.level or (before is not None and before.identity != condition.identity):
            lasting.entry, lasting.weight = _begun(source, condition, now), condition.weight
            yield lasting.entry
        elif before is None:
            lasting.weight = condition.weight
        elif condition.weight >= _GROWN * max(1, lasting.weight):
            lasting.entry = replace(lasting.entry, text=sentence(condition.text), object=condition.object)
            lasting.weight = condition.weight
            yield lasting.entry

    def drop(self, source: str, key: str, now: float, words: str = "") -> Iterator[Entry]:
        """Take that a condition is not, or no longer, so; `words` say so in the place of its own."""
        if (lasting := self._lasting.get((source, key))) is None:
            return
        if lasting.absent_since is None:
            lasting.absent_since = now
        if now - lasting.absent_since >= lasting.settle_s:
            del self._lasting[source, key]
            yield _over(source, key, lasting, lasting.absent_since, words)

    def doubt(self, source: str, key: str, now: float) -> None:
        """Take that what an earlier opstui saw has not been seen again yet; `settle` tells when that is the end."""
        lasting = self._lasting.get((source, key))
        if lasting is not None and lasting.now is None and lasting.absent_since is None:
            lasting.absent_since, lasting.settle_s = now, _RESUMED_S

    def settle(self, source: str, now: float) -> Iterator[Entry]:
        """Tell what has been gone for long enough."""
        gone = [k for (name, k), found in self._lasting.items() if name == source and found.absent_since is not None]
        for key in gone:
            yield from self.drop(source, key, now)


def _begun(source: str, condition: Condition, at: float) -> Entry:
    return Entry(
        id=identity(source, condition.key, BEGUN, condition.level.name, condition.identity, around(at)),
        at=at,
        source=source,
        what=condition.what,
        text=sentence(condition.text),
        level=condition.level,
        object=condition.object,
        stage=BEGUN,
        fold=condition.key,
    )


def _over(source: str, key: str, lasting: _Lasting, at: float, words: str) -> Entry:
    if lasting.now is None:
        words = f"ended while nobody looked: {lasting.entry.text}"
    else:
        words = words or lasting.now.over
        words += f", after {span(at - lasting.since)}" if lasting.since is not None else ""
    return Entry(
        id=identity(lasting.entry.id, OVER, around(at)),
        at=at,
        source=source,
        what=lasting.entry.what,
        text=sentence(words),
        object=lasting.entry.object,
        stage=OVER,
        fold=key,
    )
