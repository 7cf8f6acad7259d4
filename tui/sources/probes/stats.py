"""A service's statistics, Prometheus' text format or JSON: looked through on demand, single series pinned."""

import asyncio
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from profiles.systems import Service
from tui.sources.errors import SourceError, Unreadable
from tui.sources.metrics.documents import samples
from tui.sources.metrics.prometheus import labels
from tui.sources.metrics.web import Web
from tui.sources.probes.prober import origin_of
from tui.sources.text import clean

MOST_PINNED: Final = 20
MOST: Final = 2_000
"""Series of one service that are shown."""
_EVERY_S: Final = 10.0
_LOOKED_S: Final = 6.0
"""How long a look counts: a little longer than the tab takes to look again."""
_DEEP: Final = 12


@dataclass(frozen=True, slots=True)
class Stat:
    """One number of a service's statistics."""

    path: str
    """Which of the profile's `stats` it stands in."""
    name: str
    """The series' name, or the place in a JSON document: `pools.0.active`; cleaned."""
    labels: str
    """`code=200 method=GET`; empty when there are none."""
    value: float | None
    """None when the document does not have it at present."""
    help: str = ""
    """What the document says about it."""
    is_text: bool = False
    """Whether the document is in Prometheus' text format; JSON otherwise."""

    @property
    def place(self) -> str:
        """What a metric of the profile would call it: the series' name, or a JMESPath expression."""
        if self.is_text:
            return self.name
        told = ""
        for part in self.name.split("."):
            step = f"[{part}]" if part.isdecimal() else part if part.isidentifier() else json.dumps(part)
            told += step if not told or step.startswith("[") else f".{step}"
        return told

    @property
    def key(self) -> str:
        """By what it is known within its document."""
        return f"{self.name}{{{self.labels}}}" if self.labels else self.name


def parse(text: str, path: str) -> list[Stat]:
    """Return every number of a document, in its order; slow with long ones.

    Raises:
        Unreadable: it is neither JSON nor Prometheus' text format.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise Unreadable("the answer is not valid JSON") from None
        return [Stat(path, clean(name, limit=200), "", value) for name, value in _numbers("", document, 0)]
    return list(_series(text, path))


def _numbers(place: str, value: Any, depth: int) -> Iterator[tuple[str, float]]:
    if depth > _DEEP:
        return
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in entries:
            yield from _numbers(f"{place}.{key}" if place else str(key), each, depth + 1)
    elif isinstance(value, int | float):
        try:
            yield place or "value", float(value)
        except OverflowError:
            yield place or "value", math.inf


def _series(text: str, path: str) -> Iterator[Stat]:
    for one in samples(text):
        about = clean(one.help, limit=300)
        yield Stat(path, clean(one.name, limit=200), labels(one.labels), one.value, about, is_text=True)


class Stats:
    """Reads the documents that a profile names, and again those of which a series is pinned."""

    def __init__(self, entry: Service) -> None:
        self._entry = entry
        self._web: Web | None = None
        self._pins: dict[tuple[str, str], Stat] = {}
        self._next_at = 0.0
        self._wanted_until = 0.0
        self.seen: tuple[Stat, ...] = ()
        """Every number, as it was last read while somebody looked; empty when nobody does."""
        self.total = 0
        """How many there were; more than `MOST` are not kept."""
        self.failure = ""
        """Why they could not be read; empty when they could."""
        self._task: asyncio.Task[None] | None = None

    @property
    def pinned(self) -> tuple[Stat, ...]:
        """The pinned series, as they were last read."""
        return tuple(self._pins.values())

    @property
    def note(self) -> str:
        """What could not be read, or is not shown; empty when nothing."""
        cut = f"{self.total:,} series, of which the first {MOST:,} are shown" if self.total > MOST and self.seen else ""
        return self.failure or cut

    def pin(self, stat: Stat) -> bool:
        """Pin a series, or let it go; return whether it is pinned now.

        Raises:
            ValueError: so many are pinned already.
        """
        if self._pins.pop((stat.path, stat.key), None) is not None:
            return False
        if len(self._pins) >= MOST_PINNED:
            raise ValueError(f"{MOST_PINNED} series of this service are pinned already: let one go first")
        self._pins[stat.path, stat.key] = stat
        return True

    async def read(self, url: str, path: str) -> list[Stat]:
        """Return every number of one document; `url` is the service's, resolved.

        Raises:
            SourceError: it could not be read.
        """
        entry = self._entry
        if self._web is None:
            self._web = Web(entry.url, entry.headers, entry.ca_file, entry.timeout)
        status, body = await self._web.get(origin_of(url) + path)
        if not 200 <= status < 300:
            raise Unreadable(f"HTTP {status}")
        return await asyncio.to_thread(parse, body.decode("utf-8", "replace"), path)

    def look(self) -> None:
        """Take that somebody looks: everything is read, for as long as this is said again and again."""
        if time.monotonic() >= self._wanted_until:
            self._next_at = 0.0
        self._wanted_until = time.monotonic() + _LOOKED_S

    def begin(self, url: str) -> None:
        """Read the documents that somebody looks at, or has pinned a series of, when it is time."""
        is_wanted = time.monotonic() < self._wanted_until
        if not is_wanted:
            self.seen, self.failure = (), ""
        paths = self._entry.stats if is_wanted else list(dict.fromkeys(path for path, _ in self._pins))
        if paths and (self._task is None or self._task.done()) and time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _EVERY_S
            self._task = asyncio.create_task(self._read(url, paths), name="statistics")

    async def _read(self, url: str, paths: Sequence[str]) -> None:
        everything: list[Stat] = []
        self.failure = ""
        for path in paths:
            stats: list[Stat] = []
            try:
                stats = await self.read(url, path)
            except SourceError as error:
                self.failure = f"{path}: {error}"
            everything += stats
            found = {stat.key: stat.value for stat in stats}
            for (of_path, key), stat in list(self._pins.items()):
                if of_path == path:
                    self._pins[of_path, key] = replace(stat, value=found.get(key))
        self.total = len(everything)
        self.seen = tuple(everything[:MOST]) if time.monotonic() < self._wanted_until else ()

    async def close(self) -> None:
        """Give up a read under way, close the connection and forget the secrets."""
        if self._task is not None:
            self._task.cancel()
        if self._web is not None:
            await self._web.close()
