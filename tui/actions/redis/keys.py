"""Which keys a change is about: counted, listed and measured by a walk before anything is sent."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tui.actions.action import NotSentError
from tui.sources import redis_lists
from tui.sources.redis_connection import Command, RedisConnection, RefusedError
from tui.sources.redis_space import Sample, Space, shown

MOST: Final = 20_000
"""Keys of one change; the rest stays, and is told."""
_COUNT: Final = 500
"""Buckets of one SCAN; it looks at names only."""
_LONGEST_S: Final = 12.0
_MEASURED: Final = 200
"""Keys whose type and size are asked for."""
_SHOWN: Final = 40
_HELD: Final = 200_000
"""Names that are held while listing; from there on they are only counted."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The keys that match a pattern."""

    keys: tuple[bytes, ...]
    """At most `MOST`, sorted."""
    matching: int
    """All that match."""
    walked: int
    """DBSIZE at the end of the walk."""
    types: tuple[tuple[str, int], ...]
    """Of those that were measured."""
    bytes_each: float | None
    """Mean MEMORY USAGE of those that were measured; None when refused."""


def pattern_problem(typed: str) -> str:
    """Return what is wrong with a pattern of keys to delete; empty when nothing is."""
    literal = [char for char in typed if char not in "*?[]^\\"]
    if len(literal) < 2:
        return "at least two characters that are no wildcard: this would match nearly every key"
    return "" if len(typed) <= 200 else "at most 200 characters"


def pattern_of(prefix: str) -> str:
    """Return the pattern of all keys that begin with a prefix as the Key space view shows it."""
    escaped = "".join(f"\\{char}" if char in "?[]^\\" else char for char in prefix)
    return escaped if escaped.endswith("*") else f"{escaped}*"


async def listed(connection: RedisConnection, pattern: str) -> Listed:
    """Walk over all names and list those that match; changes nothing.

    Raises:
        NotSentError: SCAN is refused, or the walk takes too long.
        SourceError: the server could not be asked.
    """
    deadline, cursor, found, more = time.monotonic() + _LONGEST_S, 0, set[bytes](), 0
    while True:
        (reply,) = await connection.ask([("SCAN", cursor, "MATCH", pattern, "COUNT", _COUNT)])
        if isinstance(reply, RefusedError):
            raise NotSentError(f"the keys cannot be listed: SCAN is {reply.reason}")
        if len(found) < _HELD:
            found.update(reply[1])
        else:
            more += len(reply[1])
        cursor = int(reply[0])
        if cursor == 0:
            break
        if time.monotonic() > deadline:
            raise NotSentError(
                f"walking over all names takes longer than {_LONGEST_S:g} s: take single keys (Big keys)"
            )
    (size,) = await connection.ask([("DBSIZE",)])
    keys = tuple(sorted(found))
    sample = await measured(connection, keys[:: max(1, len(keys) // _MEASURED)][:_MEASURED])
    return Listed(
        keys[:MOST],
        len(keys) + more,
        size if isinstance(size, int) else len(keys),
        tuple(sample.all.types.most_common()),
        sample.all.size_bytes / sample.all.sized if sample.all.sized else None,
    )


async def measured(connection: RedisConnection, keys: Sequence[bytes], into: Sample | None = None) -> Sample:
    """Return types, sizes and times to live of some keys, added to those of a sample."""
    sample = into or Sample()
    asked: list[Command] = [
        command for key in keys for command in (("TYPE", key), ("MEMORY", "USAGE", key, "SAMPLES", 5), ("PTTL", key))
    ]
    replies = await connection.ask(asked) if asked else []
    for place, key in enumerate(keys):
        kind, size, ttl = replies[3 * place : 3 * place + 3]
        said = redis_lists.text(kind) if isinstance(kind, bytes) else "?"
        if said != "none":
            ttl_s = ttl / 1000 if isinstance(ttl, int) and ttl >= 0 else None
            sample.add(key, size if isinstance(size, int) else None, said, ttl_s)
    return sample


async def glance(connection: RedisConnection, most: int = 1000) -> tuple[Space, int]:
    """Return what a short walk says of a database, and its DBSIZE: what would be lost with it."""
    cursor, keys = 0, list[bytes]()
    while len(keys) < most:
        (reply,) = await connection.ask([("SCAN", cursor, "COUNT", 100)])
        if isinstance(reply, RefusedError):
            break
        keys += reply[1]
        if (cursor := int(reply[0])) == 0:
            break
    sample = Sample()
    for batch in batches(keys, 100):
        await measured(connection, batch, sample)
    (size_reply,) = await connection.ask([("DBSIZE",)])
    total = size_reply if isinstance(size_reply, int) else len(keys)
    return sample.space(total, is_complete=len(keys) >= total, held_bytes=None), total


def batches(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Return the keys in groups of a size."""
    return (keys[start : start + size] for start in range(0, len(keys), size))


def list_words(found: Listed) -> tuple[str, ...]:
    """Return what a list of keys is shown as: the first of them by name."""
    more = len(found.keys) - _SHOWN
    rest = [f"… and {more:,} more"] if more > 0 else []
    return (*(shown(key) for key in found.keys[:_SHOWN]), *rest)


def kinds_words(types: Sequence[tuple[str, int]]) -> str:
    """Return types with how many of those looked at have them."""
    return ", ".join(f"{kind} {count:,}" for kind, count in types)
