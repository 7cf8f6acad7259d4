"""Reads sources again and again: each in its own task, with its own interval, timeout and back-off.

Polls of one source never overlap, and a source that hangs costs nobody else anything. With `actions/perform.py`
this is the only place of an `except Exception`: a bug in a source becomes words on its own tab.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol, runtime_checkable

from tui.sources.errors import SourceError, Unreachable, Unreadable
from tui.sources.reading import Reading, Source

_LOG: Final = logging.getLogger(__name__)
_BACKOFF_MAX_S: Final = 10.0
_BACKGROUND_FACTOR: Final = 5.0
_PACES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_MINUTE_S: Final = 60.0
_ENDED_KEPT: Final = 400
_STREAM_S: Final = 0.5
"""Sources with a shorter interval are streams."""

Publish = Callable[[Reading[Any]], None]


@runtime_checkable
class Counting(Protocol):
    """A source that needs more than one request for a reading, or fewer, and counts them."""

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        ...


@runtime_checkable
class Steady(Protocol):
    """A source that is read at its own pace whether somebody looks or not: a profile says how often."""

    @property
    def is_steady(self) -> bool:
        """Always true."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often one source was asked of late."""

    source: str
    """Its name."""
    reads_per_min: float
    """Readings that ended, well or not, over the last minute."""
    requests_per_min: float | None
    """Requests sent meanwhile; None of a source that does not count them."""
    took_s: float | None
    """Duration of the newest reading; None before the first."""


def contained(call: Callable[[], object], what: str) -> bool:
    """Call what draws and return whether it went well; a bug there is logged, and ends neither the others nor us."""
    try:
        call()
    except Exception:
        _LOG.exception(what)
        return False
    return True


class Poller:
    """Keeps one source's reading fresh until it is closed."""

    def __init__(
        self,
        source: Source[Any],
        publish: Publish,
        *,
        is_optional: bool = False,
        clock: Callable[[], float] = time.time,
        jitter: float = 0.2,
    ) -> None:
        self.source = source
        self.reading: Reading[Any] = Reading(source.name, source.interval_s, is_optional=is_optional)
        """The newest reading; never None, so a pane can say "waiting" before the first answer."""
        # Asked once: what a protocol has is looked up anew each time, and streams are read four times a second.
        self._counts = source if isinstance(source, Counting) else None
        self._is_steady = isinstance(source, Steady)
        self._publish = publish
        self._clock = clock
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._visible = True
        self._paused = False
        self._is_wanted = False
        """Whether one reading was asked for."""
        self._failures = 0
        self._ended: deque[tuple[float, int]] = deque(maxlen=_ENDED_KEPT)
        """When readings ended (`time.monotonic()`), and the requests sent by then."""
        self.interval_s: float | None = None
        """The person's own interval (`+`/`-`, `--refresh`); None: the source's. Streams keep theirs."""

    def start(self) -> None:
        """Begin to poll; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name=f"poll {self.source.name}")

    def attend(self, *, visible: bool) -> None:
        """Say whether somebody looks: hidden sources are read at a fifth of the pace."""
        if visible and not self._visible:
            self._wake.set()
        self._visible = visible

    def pause(self, paused: bool) -> None:
        """Stop reading, or go on."""
        # Only what did pause is read at once: a second reading right behind the first would make rates of an instant.
        if self._paused and not paused:
            self._wake.set()
        self._paused = paused

    def refresh(self) -> None:
        """Read now, also while paused, instead of at the end of the interval (or of the back-off)."""
        self._is_wanted = True
        self._wake.set()

    async def close(self) -> None:
        """Cancel a read under way and close the source, waiting at most a second for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)
        try:
            async with asyncio.timeout(1):
                await self.source.close()
        except Exception:
            _LOG.exception("closing %s", self.source.name)

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            if self._is_wanted or not self._paused:
                self._is_wanted = False
                await self._poll(started)
            await self._sleep(max(0.0, self._interval() - (time.monotonic() - started)))

    async def _poll(self, started: float) -> None:
        source = self.source
        try:
            async with asyncio.timeout(source.timeout_s):
                snapshot = await source.read()
        except SourceError as error:
            self._failed(error, started)
        except TimeoutError:
            self._failed(Unreachable(f"no answer within {source.timeout_s:g} s"), started)
        except Exception as error:
            # A bug in one source must not end the others; its own tab names it, the log has the traceback.
            _LOG.exception("reading %s", source.name)
            self._failed(Unreadable(f"{type(error).__name__} in opstui itself", "see the log file"), started)
        else:
            self._failures = 0
            took_s = time.monotonic() - started
            self.reading = replace(
                self.reading,
                interval_s=self._shown_interval(),
                snapshot=snapshot,
                taken_at=self._clock(),
                took_s=took_s,
                error=None,
                failing_since=None,
            )
            self._announce()

    def _failed(self, error: SourceError, started: float) -> None:
        self._failures += 1
        self.reading = replace(
            self.reading,
            interval_s=self._shown_interval(),
            error=error,
            took_s=time.monotonic() - started,
            failing_since=self.reading.failing_since or self._clock(),
        )
        self._announce()

    @property
    def pace(self) -> Pace:
        """How often it was asked of late."""
        now = time.monotonic()
        ended = [(at, requests) for at, requests in self._ended if now - at <= _MINUTE_S]
        elapsed = now - ended[0][0] if ended else 0.0
        per_min = _MINUTE_S / elapsed if elapsed > 1 else 0.0
        # The first marks the beginning: what came before it does not count.
        requests = (self._requests() - ended[0][1]) * per_min if ended and self._counts is not None else None
        return Pace(self.source.name, max(0, len(ended) - 1) * per_min, requests, self.reading.took_s)

    def _requests(self) -> int:
        return self._counts.requests if self._counts is not None else 0

    def _announce(self) -> None:
        self._ended.append((time.monotonic(), self._requests()))
        contained(partial(self._publish, self.reading), f"showing a reading of {self.source.name}")

    def _shown_interval(self) -> float:
        own = self.source.interval_s
        # A stream's interval only bundles what came; slowing it down would make live things late.
        interval = own if own < _STREAM_S else self.interval_s or own
        is_slowed = not self._visible and not self._is_steady
        return interval * _BACKGROUND_FACTOR if is_slowed else interval

    def _interval(self) -> float:
        interval = self._shown_interval()
        if self._failures:
            backoff: float = min(max(interval, 0.5) * 2 ** min(self._failures - 1, 6), max(interval, _BACKOFF_MAX_S))
            return backoff * random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311 — jitter, no secret
        return interval

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()


class Pollers:
    """Every source of a profile, each with a poller of its own."""

    def __init__(self, publish: Publish, *, interval_s: float | None, is_hasty: bool = False) -> None:
        """Prepare.

        Args:
            publish: is given every reading.
            interval_s: seconds between two readings of a source; None leaves each its own.
            is_hasty: whether that holds for sources too that keep their own pace.
        """
        self._publish, self._is_hasty = publish, is_hasty
        self._interval_s = interval_s
        self._pollers: dict[str, Poller] = {}
        self.are_paused = False
        """Whether `pause` stopped every reading."""

    def start(self, sources: Iterable[Source[Any]], *, optional: Container[str]) -> None:
        """Begin to poll these sources; needs a running event loop."""
        for source in sources:
            poller = Poller(source, self._publish, is_optional=source.name in optional)
            poller.interval_s = self._interval_s if self._is_hasty or not isinstance(source, Steady) else None
            poller.pause(self.are_paused and poller.reading.kind != "logs")
            self._pollers[source.name] = poller
            poller.start()

    async def close(self) -> None:
        """Close every source: first those that would open the connection of another one again."""
        first = {name for name, poller in self._pollers.items() if poller.reading.kind in ("logs", "metric")}
        for names in (first, self._pollers.keys() - first):
            await asyncio.gather(*(self._pollers[name].close() for name in names))
        await asyncio.sleep(0)  # sockets are let go in the loop's next turn, and this may be its last

    def source(self, name: str) -> Source[Any] | None:
        """Return the source of that name; None when the profile has none."""
        return self._pollers[name].source if name in self._pollers else None

    def reading(self, name: str) -> Reading[Any] | None:
        """Return the newest reading of a source; None when the profile has no such source."""
        return self._pollers[name].reading if name in self._pollers else None

    def paces(self) -> list[Pace]:
        """Return how often every source was asked of late, in the order of the profile."""
        return [poller.pace for poller in self._pollers.values()]

    def readings(self, kinds: Container[str] | None = None) -> list[Reading[Any]]:
        """Return the newest reading of every source of some kinds, or of all."""
        return [poller.reading for poller in self._of(kinds)]

    def _of(self, kinds: Container[str] | None) -> list[Poller]:
        return [p for p in self._pollers.values() if kinds is None or p.reading.kind in kinds]

    def attend(self, kinds: Container[str], unseen: Container[str] = ()) -> None:
        """Say which kinds somebody looks at now; `unseen` are the sources among them that nobody looks at."""
        for name, poller in self._pollers.items():
            poller.attend(visible=poller.reading.kind in kinds and name not in unseen)

    def pause(self) -> None:
        """Stop every reading but that of logs, or go on.

        What nobody takes from a log while it is written would be lost; its view stands still instead.
        """
        self.are_paused = not self.are_paused
        for poller in self._pollers.values():
            poller.pause(self.are_paused and poller.reading.kind != "logs")

    def refresh(self, kinds: Container[str]) -> None:
        """Read some kinds now."""
        for poller in self._of(kinds):
            poller.refresh()

    def pace(self, kinds: Container[str], step: int) -> float | None:
        """Read some kinds more often (-1) or less often (1).

        Returns:
            The new interval in seconds; None when there is nothing to pace.
        """
        chosen: float | None = None
        for poller in self._of(kinds):
            present = poller.interval_s or poller.source.interval_s
            if poller.source.interval_s < _STREAM_S or isinstance(poller.source, Steady):
                continue
            chosen = poller.interval_s = _pace(present, step)
            poller.refresh()
        return chosen


def _pace(present: float, step: int) -> float:
    nearest = min(range(len(_PACES_S)), key=lambda index: abs(_PACES_S[index] - present))
    return _PACES_S[max(0, min(len(_PACES_S) - 1, nearest + step))]
