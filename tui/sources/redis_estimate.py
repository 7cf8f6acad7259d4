"""From a fair sample to the whole: ranges that hold a true total with a stated probability. Pure."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

EXAMPLES: Final = 3
"""Names that are kept of keys counted together."""

UNTIMED: Final = -1.0
"""The time to live of a key that was not asked for it."""


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
    timed: int = 0
    """Those that were asked for their time to live."""
    expiring: int = 0
    """Those of them that have one."""
    types: Counter[str] = field(default_factory=Counter)
    examples: list[bytes] = field(default_factory=list)

    def add(self, key: bytes, size: int | None, kind: str, ttl_s: float | None) -> None:
        """Count one key.

        Args:
            key: its name.
            size: MEMORY USAGE in bytes; None where it could not be asked for.
            kind: TYPE.
            ttl_s: seconds it has left; None when it stays; `UNTIMED` when it was not asked for.
        """
        self.keys += 1
        if size is not None:
            self.sized += 1
            self.size_bytes += size
            self.squares += float(size) * size
            self.biggest = max(self.biggest, size)
        if ttl_s != UNTIMED:
            self.timed += 1
            self.expiring += ttl_s is not None
        self.types[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(key)


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


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    found = Tally()
    for one in tallies:
        found.keys += one.keys
        found.sized += one.sized
        found.size_bytes += one.size_bytes
        found.squares += one.squares
        found.biggest = max(found.biggest, one.biggest)
        found.timed += one.timed
        found.expiring += one.expiring
        found.types.update(one.types)
        found.examples = (found.examples + one.examples)[:EXAMPLES]
    return found
