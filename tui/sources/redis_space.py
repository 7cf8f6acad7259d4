"""What a partial walk over the keys says of all of them: totals by prefix, with an error that is stated. Pure.

SCAN goes through hash buckets, whose order has nothing to do with names, so the keys seen so far are a fair sample of
all. Two things keep the error honest. Every interval is widened so that all rows together are right in 95 of 100
walks. And memory that the server holds but the sample does not explain may lie in a few big keys not seen yet, of any
prefix: so it is added to each upper bound. Once every key was seen nothing is left to estimate.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tui.sources.redis_estimate import UNTIMED, Range, Tally, bytes_range, merged, share_range
from tui.sources.text import clean

CONFIDENCE: Final = 0.95
"""How many of 100 walks have every stated range right at once."""
PREFIXES_KEPT: Final = 2000
OTHER: Final = "(other)"
"""Where prefixes beyond `PREFIXES_KEPT` are counted together."""
ROWS: Final = 100
"""Prefixes that are estimated and shown; the rest are counted together in one row."""
TOP_OF_A_TYPE: Final = 20

LENGTHS: Final[Mapping[str, str]] = {
    "string": "STRLEN", "list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN", "stream": "XLEN",
}  # fmt: skip
"""The command that tells the length of a key, by type; each takes the same time for any length."""
UNKNOWN_LENGTH: Final = -1
"""The length of a key that was asked for and not told."""

TTL_EDGES: Final = (
    ("below 1 m", 60.0), ("1 m to 10 m", 600.0), ("10 m to 1 h", 3600.0), ("1 h to 6 h", 21_600.0),
    ("6 h to 1 d", 86_400.0), ("1 d to 7 d", 604_800.0), ("7 d to 30 d", 2_592_000.0), ("30 d and more", math.inf),
)  # fmt: skip
"""Titles of the classes of time to live, and the seconds at which each ends."""
NO_TTL: Final = "none: stays"

_SEPARATORS: Final = (b":", b".", b"/", b"|")
_IDENTIFIER: Final = re.compile(rb"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_RUNS: Final = re.compile(rb"[0-9a-fA-F]{8,}|\d+")


def prefix_of(key: bytes, levels: int = 1) -> bytes:
    """Return what a key's name begins with, up to and with its first (or `levels`th) separator.

    The separator is the first of `:`, `.`, `/` and `|` that the name has. A part that is an identifier counts as `*`,
    and so do numbers in names without a separator, and within a hash tag.
    """
    first, second = prefixes_of(key)
    return first if levels == 1 else second


def prefixes_of(key: bytes) -> tuple[bytes, bytes]:
    """Return both levels of `prefix_of` at once: a walk asks for them at every key."""
    for separator in _SEPARATORS:
        if separator in key:
            break
    else:
        name = _RUNS.sub(b"*", key)
        return name, name
    first, second, *more = key.split(separator, 2)
    named = _named(first) + separator
    return named, named + (_named(second) + separator if more else _RUNS.sub(b"*", second))


@lru_cache(maxsize=1024)
def _named(part: bytes) -> bytes:
    if _IDENTIFIER.fullmatch(part):
        return b"*"
    return _RUNS.sub(b"*", part) if b"{" in part else part


def shown(name: bytes) -> str:
    """Return a key's name as it can be shown; bytes that are no text become escapes."""
    return clean(name.decode("utf-8", "backslashreplace"), limit=300)


@dataclass(frozen=True, slots=True)
class BigKey:
    """One of the biggest keys seen of its type."""

    key: bytes
    kind: str
    """TYPE."""
    bytes: int
    """MEMORY USAGE, of 5 samples of its elements."""
    ttl_s: float | None
    """PTTL; None when it stays; `UNTIMED` when it was not asked for."""
    length: int | None = None
    """STRLEN, LLEN, SCARD, ZCARD, HLEN or XLEN; None before it was asked for, and for other types."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What is known, and estimated, of all keys with one prefix."""

    name: str
    keys: Range
    bytes: Range | None
    """MEMORY USAGE of all of them; None where sizes cannot be asked for."""
    seen: int
    expiring_percent: float | None
    """How many have a time to live, of those that were asked for it; None where none was."""
    types: tuple[tuple[str, int], ...]
    """Types of those seen, the most frequent first."""
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expiry:
    """How many keys end when."""

    title: str
    keys: Range
    seen: int


@dataclass(frozen=True, slots=True)
class Space:
    """All that is known of the keys of one database so far."""

    seen: int
    total: int
    """DBSIZE, or as many as were seen if that is more."""
    is_complete: bool
    """Whether the walk went round: each key that was there all the time was seen."""
    prefixes: tuple[Prefix, ...]
    """The biggest first; by keys where sizes cannot be asked for."""
    expiries: tuple[Expiry, ...]
    big: tuple[BigKey, ...]
    """The biggest seen of each type, biggest first."""
    unseen_keys: float
    """A prefix of which no key was seen has at most so many."""
    unaccounted_bytes: float | None
    """What the server holds and the sample does not explain: its own bookkeeping, or big keys not seen yet; None
    when it cannot be told."""
    more_prefixes: int
    """How many prefixes are counted together in the last row."""


class Sample:
    """The keys seen so far, counted by prefix."""

    def __init__(self) -> None:
        self.all = Tally()
        self._prefixes: dict[bytes, Tally] = {}
        self._second: dict[bytes, dict[bytes, Tally]] = {}
        self._leaves = 0
        self._expiries: Counter[str] = Counter()
        self._big: dict[str, list[BigKey]] = {}
        self.has_tags = False
        """Whether a name with a hash tag was seen."""

    def add(self, key: bytes, size: int | None, kind: str, ttl_s: float | None = UNTIMED) -> None:
        """Count a key that was seen; arguments as in `Tally.add`."""
        self.has_tags = self.has_tags or (b"{" in key and b"}" in key)
        first, second = prefixes_of(key)
        if first not in self._prefixes and len(self._prefixes) >= PREFIXES_KEPT:
            first = second = OTHER.encode()
        below = self._second.setdefault(first, {})
        if second not in below:
            if self._leaves >= PREFIXES_KEPT:
                second = OTHER.encode()
            else:
                self._leaves += 1
        if first not in self._prefixes:
            self._prefixes[first] = Tally()
        if second not in below:
            below[second] = Tally()
        for tally in (self.all, self._prefixes[first], below[second]):
            tally.add(key, size, kind, ttl_s)
        if ttl_s != UNTIMED:
            self._expiries[_class_of(ttl_s)] += 1
        if size is not None:
            self._consider(BigKey(key, kind, size, ttl_s))

    def _consider(self, found: BigKey) -> None:
        best = self._big.setdefault(found.kind, [])
        if len(best) == TOP_OF_A_TYPE and found.bytes <= best[-1].bytes:
            return
        best[:] = sorted((*(one for one in best if one.key != found.key), found), key=lambda one: -one.bytes)
        del best[TOP_OF_A_TYPE:]

    def biggest(self) -> list[BigKey]:
        """Return the biggest keys seen of each type."""
        return [one for best in self._big.values() for one in best]

    def learn(self, measured: BigKey) -> None:
        """Take over one of the biggest keys with what was asked about it since."""
        best = self._big.get(measured.kind, [])
        best[:] = [measured if one.key == measured.key else one for one in best]

    def space(self, total: int, *, is_complete: bool, held_bytes: float | None) -> Space:
        """Return what the sample says of all keys.

        Args:
            total: DBSIZE.
            is_complete: whether the walk went round.
            held_bytes: what all keys together hold at most; None when unknown.
        """
        rest = OTHER.encode()
        order = [name for name in self._ordered(self._prefixes) if name != rest]
        head, tail = order[:ROWS], [*order[ROWS:], *([rest] if rest in self._prefixes else [])]
        tallies = {shown(name): self._prefixes[name] for name in head}
        if tail:
            tallies[OTHER] = merged(self._prefixes[name] for name in tail)
        known = self._known(len(tallies), total, held_bytes, is_complete=is_complete)
        return Space(
            known.seen,
            known.total,
            is_complete,
            tuple(known.prefix(name, tally) for name, tally in tallies.items()),
            tuple(
                Expiry(title, known.timed(self._expiries[title], self.all.timed), self._expiries[title])
                for title in (*(title for title, _ in TTL_EDGES), NO_TTL)
            ),
            tuple(sorted(self.biggest(), key=lambda one: -one.bytes)),
            known.keys(0).high,
            known.unaccounted,
            len(tail),
        )

    def second(self, name: str, total: int, *, is_complete: bool, held_bytes: float | None) -> tuple[Prefix, ...]:
        """Return what a prefix consists of at the next level; the arguments are those of `space`."""
        found = next((prefix for prefix in self._prefixes if shown(prefix) == name), None)
        if found is None:
            return ()
        below = self._second[found]
        order = self._ordered(below)[:ROWS]
        known = self._known(len(order), total, held_bytes, is_complete=is_complete)
        return tuple(known.prefix(shown(part), below[part]) for part in order)

    def _ordered(self, tallies: Mapping[bytes, Tally]) -> list[bytes]:
        by_bytes = self.all.sized > 0
        return sorted(tallies, key=lambda name: (-(tallies[name].size_bytes if by_bytes else tallies[name].keys), name))

    def _known(self, rows: int, total: int, held: float | None, *, is_complete: bool) -> "_Known":
        seen = self.all.keys
        # A walk that went round has seen whatever was there all the time; what came or went meanwhile is not its error.
        total = seen if is_complete else max(total, seen)
        doubt = (1 - CONFIDENCE) / (2 * rows + len(TTL_EDGES) + 2)
        if seen == total:
            unaccounted: float | None = 0.0
        elif held is None:
            unaccounted = None
        else:
            explained = bytes_range(self.all, Range(total, total, total), doubt, 0.0).low if self.all.sized else 0.0
            unaccounted = max(0.0, held - explained)
        return _Known(seen, total, doubt, unaccounted)


@dataclass(frozen=True, slots=True)
class _Known:
    """What every estimate of one sample starts from."""

    seen: int
    total: int
    doubt: float
    """The probability with which one range may be wrong."""
    unaccounted: float | None

    def keys(self, hits: int) -> Range:
        return share_range(hits, self.seen, self.total, self.doubt)

    def timed(self, hits: int, timed: int) -> Range:
        """Return how many of all keys are as those whose time to live was asked for."""
        return share_range(hits, timed, self.total, self.doubt)

    def prefix(self, name: str, tally: Tally) -> Prefix:
        keys = self.keys(tally.keys)
        return Prefix(
            name,
            keys,
            bytes_range(tally, keys, self.doubt, self.unaccounted) if tally.sized else None,
            tally.keys,
            100 * tally.expiring / tally.timed if tally.timed else None,
            tuple(tally.types.most_common(4)),
            tuple(shown(key) for key in tally.examples),
        )


def _class_of(ttl_s: float | None) -> str:
    return NO_TTL if ttl_s is None else next(title for title, end in TTL_EDGES if ttl_s < end)
