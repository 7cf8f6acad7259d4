"""One metric of a profile, read where it is, with its past."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from profiles.metrics import Metric, Prometheus
from tui.sources.errors import SourceError, Unreadable
from tui.sources.history import LONG_S, Past, rate
from tui.sources.metrics.documents import in_json, in_text
from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.sources.metrics.prometheus import instant, over, ranges, values
from tui.sources.metrics.web import Web
from tui.sources.text import clean

MOST_SERIES: Final = 50
"""Series of one metric that are shown and judged."""
_IMPORT_S: Final = 3.0
_RECENT_S: Final = 3600.0
"""How far back the past is asked for as finely as it is read."""
_COARSE_S: Final = 180.0


Ask = Callable[[], Awaitable[str | float | bool | None]]
"""Asks a database or a Redis server for one value."""


class MetricSource:
    """Reads one metric.

    Args:
        name: its name in the profile.
        metric: what the profile says of it.
        server: the Prometheus server, its name and entry; for `prometheus`.
        asked: what the database or the Redis server is called, and how it is asked; for `sql` and `redis`.
    """

    is_steady = True

    def __init__(
        self,
        name: str,
        metric: Metric,
        *,
        server: tuple[str, Prometheus] | None = None,
        asked: tuple[str, Ask] | None = None,
    ) -> None:
        self.name = f"metric:{name}"
        self.interval_s = metric.every
        entry = server[1] if server is not None else metric
        self.timeout_s = entry.timeout + _IMPORT_S
        self._metric, self._own_name = metric, name
        self._asked = asked
        self._server_name = server[0] if server is not None else ""
        address = server[1].url if server is not None else metric.json_ or metric.text
        self._web = Web(address, entry.headers, entry.ca_file, entry.timeout) if address else None
        self._history: dict[str, Past] = {}
        self._counted: dict[str, tuple[float, float]] = {}
        """When a counter was read last, by series, and what it stood at."""
        self._has_past = False

    async def read(self) -> MetricSnapshot:
        """Return the newest values; the first time with what Prometheus has kept of the last 24 hours.

        Raises:
            SourceError: it could not be read, or there is no number.
        """
        found = await self._values()
        now = time.time()
        shown = {series: self._scaled(series, value, now) for series, value in list(found.items())[:MOST_SERIES]}
        for series, value in shown.items():
            self._history.setdefault(series, Past()).add(now, value)
        for series in [series for series, past in self._history.items() if past.last_at < now - LONG_S]:
            del self._history[series]
        if self._metric.way == "prometheus" and not self._has_past:
            self._has_past = True
            await self._fill(now)
        return MetricSnapshot(
            self._own_name,
            self._metric.title or self._own_name,
            self._metric.unit,
            self._origin(),
            self._query(),
            tuple(MetricValue(series, value) for series, value in shown.items()),
            max(0, len(found) - MOST_SERIES),
            self._metric.warn,
            self._metric.critical,
            self._history,
        )

    async def close(self) -> None:
        """Close the connection; databases and Redis servers are closed by their own."""
        if self._web is not None:
            await self._web.close()

    def _scaled(self, series: str, value: float, now: float) -> float | None:
        if not math.isfinite(value):
            return None
        if not self._metric.per_second:
            return value * self._metric.scale
        before_at, before = self._counted.get(series, (now, value))
        self._counted[series] = (now, value)
        grown = rate(before, value, now - before_at)
        return None if grown is None else grown * self._metric.scale

    async def _values(self) -> Mapping[str, float]:
        metric = self._metric
        if self._asked is not None:
            return {"": _number(await self._asked[1](), metric.way)}
        if self._web is None:
            raise Unreadable("the profile does not say where it is read")
        if metric.prometheus is not None:
            answer = await self._web.get(instant(await self._web.address(), metric.prometheus))
            return await asyncio.to_thread(values, *answer)
        status, body = await self._web.get(await self._web.address())
        if not 200 <= status < 300:
            raise Unreadable(f"HTTP {status}")
        text = body.decode("utf-8", "replace")
        if metric.path is not None:
            return {"": await asyncio.to_thread(in_json, text, metric.path)}
        return await asyncio.to_thread(in_text, text, metric.series or "", metric.labels)

    async def _fill(self, now: float) -> None:
        """Read what Prometheus kept; where it cannot tell, the past begins now."""
        if self._web is None or self._metric.prometheus is None:
            return
        base, query = await self._web.address(), self._metric.prometheus
        past: dict[str, list[tuple[float, float]]] = {}
        for first, last, step_s in (
            (now - LONG_S, now - _RECENT_S, _COARSE_S),
            (now - _RECENT_S, now, max(15.0, self.interval_s)),
        ):
            try:
                answer = await self._web.get(over(base, query, first, last, step_s))
                kept = await asyncio.to_thread(ranges, *answer)
            except SourceError:
                continue
            for series, samples in kept.items():
                past.setdefault(series, []).extend((at, value * self._metric.scale) for at, value in samples)
        for series, samples in past.items():
            if series in self._history:
                self._history[series].fill(samples)

    def _origin(self) -> str:
        if self._asked is not None:
            return self._asked[0]
        if self._server_name:
            return f"prometheus {self._server_name}"
        return self._web.shown if self._web is not None else ""

    def _query(self) -> str:
        metric = self._metric
        wanted = ",".join(f'{name}="{value}"' for name, value in metric.labels.items())
        series = f"{metric.series}{{{wanted}}}" if wanted else metric.series
        return clean(metric.prometheus or metric.path or series or metric.sql or " ".join(metric.redis or ()))


def _number(value: str | float | bool | None, what: str) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise Unreadable(f"{what} gives text, not a number") from None
    if value is None:
        raise Unreadable(f"{what} gives nothing, not a number")
    return float(value)
