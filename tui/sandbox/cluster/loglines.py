"""Log lines of the simulated containers, each computed from its number: nothing is kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

_JSON_APPS = frozenset({"gateway", "api", "orders", "payments", "checkout"})
_PATHS = ("/cart", "/cart/items", "/orders", "/orders/{n}", "/search?q=shoes", "/products/{n}", "/healthz", "/login",
          "/checkout", "/payments/{n}")  # fmt: skip
_JOBS = ("cache refreshed: {n} keys", "batch of {n} rows written", "heartbeat ok, {n} peers",
         "compaction done in {n} ms", "scrape finished, {n} samples", "flushed {n} bytes to disk")  # fmt: skip
_TROUBLES = ("upstream timed out after 3000 ms", "connection reset by peer, retrying", "deadlock detected, retrying",
             "queue is 82 % full", "slow query: 1874 ms")  # fmt: skip

KEPT = 5_000
"""Lines of one run that can still be read; older ones have been rotated away."""


@dataclass(frozen=True)
class Run:
    """One run of a container: when it began, when and how it ended, and how much it says."""

    app: str
    container: str
    seed: str
    started: datetime
    ended: datetime | None = None
    exit_reason: str = ""
    exit_code: int = 0
    per_s: float = 0.5
    troubles: float = 0.02
    """Which part of the lines tells of trouble."""

    @property
    def prologue(self) -> tuple[str, ...]:
        """What it says first."""
        said = (f"starting {self.app}", "configuration loaded", "listening on :8080")
        return tuple(self._line("info", text, -1 - i, self._prologue_moment(i)) for i, text in enumerate(said))

    @property
    def epilogue(self) -> tuple[str, ...]:
        """What it says last, when it failed."""
        if self.ended is None or not self.exit_code or self.exit_reason == "OOMKilled":
            return ()
        said = (
            f"cannot reach database: connection refused ({self.app}-db:5432)",
            f"shutting down with status {self.exit_code}",
        )
        return tuple(self._line("error", text, -4 - i, self.ended) for i, text in enumerate(said))

    def lines(
        self, now: datetime, since: datetime | None = None, tail: int | None = None
    ) -> Iterator[tuple[datetime, str]]:
        """Yield lines with their moments up to `now`: from `since` on, at most the last `tail` of them."""
        total = self.count(now)
        first = max(total - KEPT, 0)
        if since is not None:
            step = int((since - self.started).total_seconds() * self.per_s)
            first = max(first, min(step, total))
        if tail is not None:
            first = max(first, total - tail)
        for number in range(first, total):
            moment = self.moment(number)
            if since is None or moment >= since:
                yield moment, self.text(number)

    def count(self, now: datetime) -> int:
        """Return how many lines there are at `now`."""
        until = min(now, self.ended) if self.ended else now
        first = len(self.prologue)
        spent = (until - self.started).total_seconds()
        number = max(int(spent * self.per_s), 0)
        number += self._plain_moment(number) <= until
        return (first if spent >= 0 else 0) + number + (len(self.epilogue) if self.ended and now >= self.ended else 0)

    def moment(self, number: int) -> datetime:
        """Return when line `number` was written."""
        first = len(self.prologue)
        if number < first:
            return self._prologue_moment(number)
        if self.ended is not None and number >= self.count(self.ended) - len(self.epilogue):
            return self.ended
        return max(self._plain_moment(number - first), self._prologue_moment(first))

    def text(self, number: int) -> str:
        """Return line `number`."""
        first = len(self.prologue)
        if number < first:
            return self.prologue[number]
        if self.ended is not None and self.epilogue:
            from_end = number - (self.count(self.ended) - len(self.epilogue))
            if from_end >= 0:
                return self.epilogue[min(from_end, len(self.epilogue) - 1)]
        return self._body(number - first)

    def next_moment(self, now: datetime) -> datetime:
        """Return when the next line after `now` will be written."""
        start = max(self.count(now) - len(self.prologue), 0)
        return next(m for n in count(start) if (m := self._plain_moment(n)) > now)

    def _prologue_moment(self, number: int) -> datetime:
        return self.started + timedelta(milliseconds=40 * number)

    def _plain_moment(self, number: int) -> datetime:
        jitter = (self._dice(number, "t") % 800) / 1000
        return self.started + timedelta(seconds=(number + 0.1 + jitter) / self.per_s)

    def _dice(self, number: int, salt: str = "") -> int:
        return zlib.crc32(f"{self.seed}/{number}{salt}".encode())

    def _body(self, number: int) -> str:
        dice, moment = self._dice(number), self._plain_moment(number)
        if (dice >> 4) % 1000 < self.troubles * 1000:
            level = "error" if dice % 3 == 0 else "warn"
            return self._line(level, _TROUBLES[dice % len(_TROUBLES)], number, moment)
        if self.app in _JSON_APPS:
            return self._line("info", "request", number, moment)
        return self._line("info", _JOBS[dice % len(_JOBS)].format(n=dice % 4093), number, moment)

    def _line(self, level: str, message: str, number: int, moment: datetime) -> str:
        dice = self._dice(number, "l")
        if self.app not in _JSON_APPS:
            millis = moment.microsecond // 1000
            return f"{moment:%Y-%m-%d %H:%M:%S},{millis:03d} {level.upper():<5} [{self.app}] {message}"
        body: dict[str, object] = {"ts": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        body |= {"level": level, "msg": message, "app": self.app}
        if message == "request":
            path = _PATHS[dice % len(_PATHS)].format(n=dice % 9973)
            status = 200 if path == "/healthz" else (200, 200, 200, 201, 204, 304, 404)[dice % 7]
            method = "POST" if status == 201 else "GET"
            body |= {"method": method, "path": path, "status": status, "ms": 3 + dice % 180}
        return json.dumps({**body, "trace": f"{dice:08x}{self._dice(number, 'x'):08x}"}, separators=(",", ":"))
