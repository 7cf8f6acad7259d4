"""What a partial walk over the keys says of all of them: totals by prefix, with an error that is stated. Pure.

SCAN goes through hash buckets, whose order has nothing to do with names, so the keys seen so far are a fair sample of
all. Two things keep the error honest. Every interval is widened so that all rows together are right in 95 of 100
walks. And memory that the server holds but the sample does not explain may lie in a few big keys not seen yet, of any
prefix: so it is added to each upper bound. Once every key was seen nothing is left to estimate.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

from tui.sources.text import clean

CONFIDENCE: Final = 0.95
"""How many of 100 walks have every stated range right at once."""
PREFIXES_KEPT: Final = 2000
OTHER: Final = "(other)"
"""Where prefixes beyond `PREFIXES_KEPT` are counted together."""
ROWS: Final = 100
"""Prefixes that are estimated and shown; the rest are counted together in one row."""
TOP_OF_A_TYPE: Final = 20
EXAMPLES: Final = 3

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
    separator = next((one for one in _SEPARATORS if one in key), b"")
    if not separator:
        return _RUNS.sub(b"*", key)
    *parts, last = key.split(separator, levels)
    named = [b"*" if _IDENTIFIER.fullmatch(part) else _RUNS.sub(b"*", part) if b"{" in part else part for part in parts]
    return separator.join((*named, b"" if len(parts) == levels else _RUNS.sub(b"*", last)))


def shown(name: bytes) -> str:
    """Return a key's name as it can be shown; bytes that are no text become escapes."""
    return clean(name.decode("utf-8", "backslashreplace"), limit=300)


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is not known exactly."""

    low: float
    likely: float
    high: float
    """Infinite where nothing bounds it."""

    @property
    def is_exact(self) -> bool:
        """Whether there is no doubt about it."""
        return self.low == self.high


@dataclass(slots=True)
class Tally:
    """Keys that were seen, counted together."""

    keys: int = 0
    sized: int = 0
    """Those of them whose size is known."""
    size_bytes: int = 0
    squares: float = 0.0
    biggest: int = 0
    expiring: int = 0
    """Those of them with a time to live."""
    types: Counter[str] = field(default_factory=Counter)
    examples: list[bytes] = field(default_factory=list)

    def add(self, key: bytes, size: int | None, kind: str, ttl_s: float | None) -> None:
        """Count one key; its size is None where it could not be asked for, its time to live where it has none."""
        self.keys += 1
        if size is not None:
            self.sized += 1
            self.size_bytes += size
            self.squares += float(size) * size
            self.biggest = max(self.biggest, size)
        self.expiring += ttl_s is not None
        self.types[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(key)


@dataclass(frozen=True, slots=True)
class BigKey:
    """One of the biggest keys seen of its type."""

    key: bytes
    kind: str
    """TYPE."""
    bytes: int
    """MEMORY USAGE, of 5 samples of its elements."""
    ttl_s: float | None
    """PTTL; None when it stays."""
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
    expiring_percent: float
    """Of those seen, how many have a time to live."""
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


def share_range(hits: int, seen: int, total: int, doubt: float) -> Range:
    """Return how many of `total` have what `hits` of the `seen` ones have; wrong with a probability below `doubt`.

    Hoeffding's bound by relative entropy, which holds for any sample size; a sample that is a good part of the whole
    counts for more (Serfling).
    """
    if seen >= total:
        return Range(hits, hits, hits)
    if seen == 0:
        return Range(0, 0, total)
    left = 1 - (seen - 1) / total
    limit = math.log(2 / doubt) * left / seen
    share, most = hits / seen, hits + total - seen
    low = total * _solve(share, 0.0, limit)
    high = total * _solve(share, 1.0, limit)
    return Range(max(hits, min(low, most)), min(total * share, most), max(hits, min(high, most)))


def _solve(share: float, end: float, limit: float) -> float:
    """Return how far towards `end` a true share may lie."""
    inside, outside = share, end
    if _entropy(share, end) <= limit:
        return end
    for _ in range(40):
        middle = (inside + outside) / 2
        if _entropy(share, middle) <= limit:
            inside = middle
        else:
            outside = middle
    return outside


def _entropy(p: float, q: float) -> float:
    """Return the relative entropy of two coins."""
    found = 0.0
    if p > 0:
        found += p * math.log(p / q) if q > 0 else math.inf
    if p < 1:
        found += (1 - p) * math.log((1 - p) / (1 - q)) if q < 1 else math.inf
    return found


def bytes_range(tally: Tally, keys: Range, doubt: float, unaccounted: float | None) -> Range:
    """Return the memory of all keys of which those of a tally were seen.

    Only what was not seen is estimated: how many keys, times their mean size within what the seen ones say of it. A
    mean of few or uneven sizes is uncertain by their spread and by the biggest of them.
    """
    if tally.sized == 0:
        return Range(0, 0, math.inf)
    n, known = tally.sized, tally.size_bytes
    mean = known / n
    if keys.is_exact and n == tally.keys:
        return Range(known, known, known)
    variance = max(0.0, tally.squares / n - mean * mean) * n / max(1, n - 1)
    z = NormalDist().inv_cdf(1 - doubt / 2)
    spread = z * math.sqrt(variance / n) + tally.biggest * z * z / (6 * n)
    fewest, likely, most = (max(0.0, count - n) for count in (keys.low, keys.likely, keys.high))
    low = known + fewest * max(0.0, mean - spread)
    high = known + most * min(tally.biggest, mean + spread)
    return Range(low, known + likely * mean, math.inf if unaccounted is None else high + unaccounted)


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

    def add(self, key: bytes, size: int | None, kind: str, ttl_s: float | None) -> None:
        """Count a key that was seen."""
        self.has_tags = self.has_tags or (b"{" in key and b"}" in key)
        first, second = prefix_of(key), prefix_of(key, 2)
        if first not in self._prefixes and len(self._prefixes) >= PREFIXES_KEPT:
            first = second = OTHER.encode()
        below = self._second.setdefault(first, {})
        if second not in below:
            if self._leaves >= PREFIXES_KEPT:
                second = OTHER.encode()
            else:
                self._leaves += 1
        for tally in (
            self.all,
            self._prefixes.setdefault(first, Tally()),
            below.setdefault(second, Tally()),
        ):
            tally.add(key, size, kind, ttl_s)
        self._expiries[_class_of(ttl_s)] += 1
        if size is not None:
            self._consider(BigKey(key, kind, size, ttl_s))

    def _consider(self, found: BigKey) -> None:
        best = self._big.setdefault(found.kind, [])
        if len(best) == TOP_OF_A_TYPE and found.bytes <= best[-1].bytes:
            return
        best[:] = sorted((*(one for one in best if one.key != found.key), found), key=lambda one: -one.bytes)
        del best[TOP_OF_A_TYPE:]

    def without_length(self) -> list[BigKey]:
        """Return the biggest keys whose length is not known yet."""
        return [one for best in self._big.values() for one in best if one.length is None and one.kind in LENGTHS]

    def learn(self, measured: BigKey) -> None:
        """Take over one of the biggest keys with its length."""
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
                Expiry(title, known.keys(self._expiries[title]), self._expiries[title])
                for title in (*(title for title, _ in TTL_EDGES), NO_TTL)
            ),
            tuple(sorted((one for best in self._big.values() for one in best), key=lambda one: -one.bytes)),
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

    def prefix(self, name: str, tally: Tally) -> Prefix:
        keys = self.keys(tally.keys)
        return Prefix(
            name,
            keys,
            bytes_range(tally, keys, self.doubt, self.unaccounted) if tally.sized else None,
            tally.keys,
            100 * tally.expiring / tally.keys if tally.keys else 0.0,
            tuple(tally.types.most_common(4)),
            tuple(shown(key) for key in tally.examples),
        )


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    found = Tally()
    for one in tallies:
        found.keys += one.keys
        found.sized += one.sized
        found.size_bytes += one.size_bytes
        found.squares += one.squares
        found.biggest = max(found.biggest, one.biggest)
        found.expiring += one.expiring
        found.types.update(one.types)
        found.examples = (found.examples + one.examples)[:EXAMPLES]
    return found


def _class_of(ttl_s: float | None) -> str:
    return NO_TTL if ttl_s is None else next(title for title, end in TTL_EDGES if ttl_s < end)
