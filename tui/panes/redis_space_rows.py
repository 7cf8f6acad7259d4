"""The walk over a Redis's keys → rows: by prefix, the biggest of each type, times to live. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from tui.sources.redis_estimate import UNTIMED, Range
from tui.sources.redis_sampler import Sampling
from tui.sources.redis_space import CONFIDENCE, UNKNOWN_LENGTH, BigKey, Expiry, Prefix, prefix_of, shown
from tui.units import percent, size, span
from widgets.cell import Cell, Column, Row
from widgets.segment_line import Segment

SPACE: Final = (
    Column("prefix", "PREFIX", min_width=12),
    Column("keys", "KEYS", 11, "right"),
    Column("between", "BETWEEN", 21, "right", priority=2),
    Column("memory", "MEMORY", 10, "right"),
    Column("least", "AT LEAST", 10, "right"),
    Column("most", "AT MOST", 10, "right"),
    Column("ttl", "WITH TTL", 8, "right", priority=1),
    Column("types", "TYPES", 16, priority=3),
    Column("seen", "SEEN", 9, "right", priority=4),
)
BIG: Final = (
    Column("key", "KEY", min_width=16),
    Column("type", "TYPE", 8),
    Column("memory", "MEMORY", 10, "right"),
    Column("length", "LENGTH", 13, "right"),
    Column("ttl", "TTL", 8, "right", priority=1),
)
TTL: Final = (
    Column("ends", "ENDS IN", 16),
    Column("keys", "KEYS", 13, "right"),
    Column("between", "BETWEEN", 23, "right"),
    Column("share", "SHARE", 7, "right"),
    Column("bar", "", min_width=10),
)
_BAR: Final = 40
NOT_BEGUN: Final = "r walks over the keys: SCAN, 2,000 keys/s, never KEYS; r again stops it where it is"


def space_rows(sampling: Sampling) -> Mapping[str, Row]:
    """Return the prefixes, by prefix."""
    return {one.name: _prefix_row(one, has_error=sampling.has_error) for one in sampling.space.prefixes}


def _prefix_row(one: Prefix, *, has_error: bool) -> Row:
    held = one.bytes
    types = " ".join(kind if len(one.types) == 1 else f"{kind} {count}" for kind, count in one.types)
    cells = (
        one.name or '""',
        about(one.keys),
        between(one.keys) if has_error else "not stated",
        "–" if held is None else size(held.likely),
        "–" if held is None else size(held.low) if has_error else "?",
        "–" if held is None else size(held.high) if has_error and math.isfinite(held.high) else "?",
        percent(one.expiring_percent),
        types,
        f"{one.seen:,}",
    )
    low, likely, high = (None, None, None) if held is None else (held.low, held.likely, held.high)
    sort = (
        one.name, one.keys.likely, one.keys.likely, likely, low, high, one.expiring_percent, types, one.seen,
    )  # fmt: skip
    return Row(cells, sort)


def about(found: Range) -> str:
    """Return a number of keys; with `~` when it is an estimate."""
    return f"{'' if found.is_exact else '~'}{found.likely:,.0f}"


def between(found: Range) -> str:
    """Return between which numbers it lies; nothing when it is exact."""
    return "exact" if found.is_exact else f"{math.floor(found.low):,}–{math.ceil(found.high):,}"


def big_rows(sampling: Sampling) -> Mapping[bytes, Row]:
    """Return the biggest keys seen, by key."""
    return {one.key: _big_row(one, masks=sampling.masks) for one in sampling.space.big}


def key_words(key: bytes, *, masks: bool) -> str:
    """Return a key's name; with `masks` what it begins with: the rest holds people's data."""
    return f"{shown(prefix_of(key, 2))}…" if masks else shown(key)


def _big_row(one: BigKey, *, masks: bool) -> Row:
    length = None if one.length in (None, UNKNOWN_LENGTH) else one.length
    name = key_words(one.key, masks=masks)
    cells = (
        name or '""',
        one.kind,
        size(one.bytes),
        "–" if length is None else f"{length:,}",
        "stays" if one.ttl_s is None else "–" if one.ttl_s == UNTIMED else span(one.ttl_s),
    )
    return Row(cells, (name, one.kind, one.bytes, length, one.ttl_s))


def ttl_rows(sampling: Sampling) -> Mapping[str, Row]:
    """Return the classes of time to live, soonest first."""
    total = max(1, sampling.space.total)
    return {
        one.title: _ttl_row(place, one, total, has_error=sampling.has_error)
        for place, one in enumerate(sampling.space.expiries)
    }


def _ttl_row(place: int, one: Expiry, total: int, *, has_error: bool) -> Row:
    share = one.keys.likely / total
    bar = "█" * round(share * _BAR) or ("▏" if one.seen else "")
    cells = (
        one.title,
        about(one.keys),
        between(one.keys) if has_error else "not stated",
        percent(100 * share),
        Cell(bar, "accent"),
    )
    return Row(cells, (place, one.keys.likely, one.keys.likely, share, share), "" if one.seen else "dim")


def progress_line(sampling: Sampling) -> list[Segment]:
    """Return how far the walk has come, what its error is, and what it does not know."""
    space = sampling.space
    part = 100 * space.seen / space.total if space.total else 100.0
    if space.is_complete:
        state = Segment(f" all {space.seen:,} keys of db{sampling.db} seen in {span(sampling.spent_s)} (r: anew)")
    elif sampling.is_running:
        pace = f"{sampling.keys_per_s:,.0f} keys/s"
        state = Segment(f" db{sampling.db}: {pace}, {percent(part)} of {space.total:,} keys seen (r stops)", "accent")
    else:
        state = Segment(f" db{sampling.db}: stopped, {percent(part)} of {space.total:,} keys seen (r goes on)")
    words = [state]
    if sampling.stopped_by:
        words.append(Segment(sampling.stopped_by, "warn"))
    if not sampling.has_error:
        words.append(Segment("no error can be stated: a cluster walks slot by slot, and keys have hash tags", "warn"))
    elif not space.is_complete:
        words += _doubts(sampling)
    words += [Segment(f"{name}: {reason}", "dim", priority=3) for name, reason in sampling.missing.items()]
    return words


def _doubts(sampling: Sampling) -> list[Segment]:
    space = sampling.space
    hidden = space.unaccounted_bytes
    unseen = "unbounded: what the keys hold is not told" if hidden is None else f"{size(hidden)} not accounted for"
    return [
        Segment(unseen, "" if hidden is not None else "warn", priority=1),
        Segment(f"a prefix not listed has at most {space.unseen_keys:,.0f} keys", "dim", priority=2),
        Segment(f"all right in {CONFIDENCE:.0%} of walks", "dim", priority=2),
    ]


def space_page(sampling: Sampling, name: str, second: tuple[Prefix, ...]) -> str:
    """Return a prefix in full: examples, and what it consists of at the next level of the names."""
    one = next((one for one in sampling.space.prefixes if one.name == name), None)
    if one is None:
        return ""
    lines = [
        f"{one.seen:,} keys seen; {about(one.keys)} in all ({between(one.keys)})",
        f"types: {', '.join(f'{kind} {count:,}' for kind, count in one.types)}",
        *([] if sampling.masks else [f"for example: {', '.join(one.examples)}"]),
    ]
    hidden = sampling.space.unaccounted_bytes
    if hidden and not sampling.space.is_complete:
        lines.append(
            f"{size(hidden)} that the server holds are not explained by the keys seen: its own bookkeeping, or a few "
            "big keys that were not seen yet. They may have any prefix, so each AT MOST includes them."
        )
    if len(second) > 1:
        lines += ["", f"{'KEYS':>12} {'MEMORY':>11} {'AT MOST':>11}  NEXT LEVEL"]
        lines += [
            f"{about(part.keys):>12} {size(part.bytes.likely) if part.bytes else '–':>11} "
            f"{size(part.bytes.high) if part.bytes and math.isfinite(part.bytes.high) else '?':>11}  {part.name}"
            for part in second
        ]
    return "\n".join(lines)


def big_page(sampling: Sampling, key: bytes) -> str:
    """Return one of the biggest keys in full."""
    one = next((one for one in sampling.space.big if one.key == key), None)
    if one is None:
        return ""
    length = "not asked for" if one.length in (None, UNKNOWN_LENGTH) else f"{one.length:,} elements or bytes"
    stays = "stays" if one.ttl_s is None else f"ends {span(one.ttl_s)} after it was seen"
    if one.ttl_s == UNTIMED:
        stays = "time to live not asked for"
    name = key_words(key, masks=sampling.masks)
    return f"{name}\n\n{one.kind}, {size(one.bytes)} ({one.bytes:,} bytes by MEMORY USAGE), {length}, {stays}"
