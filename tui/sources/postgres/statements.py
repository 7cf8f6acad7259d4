"""pg_stat_statements as live rates: what the last half minute cost, from counters that only grow. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from tui.sources.postgres.facts import Statement, Statements
from tui.sources.postgres.queries import OWN_MARK
from tui.sources.postgres.row import Row, one_line
from tui.sources.text import clean_lines

_WINDOW_S: Final = 30.0
_TOP: Final = 100
_TEXTS_KEPT: Final = 2000

Key = tuple[int, int, int, bool]


class Cost(NamedTuple):
    """Counters of one statement, or their growth."""

    calls: float
    exec_ms: float
    rows: float
    blocks_hit: float
    blocks_read: float
    temp_blocks: float

    def plus(self, other: "Cost") -> "Cost":
        """Return the sum."""
        return Cost(
            self.calls + other.calls,
            self.exec_ms + other.exec_ms,
            self.rows + other.rows,
            self.blocks_hit + other.blocks_hit,
            self.blocks_read + other.blocks_read,
            self.temp_blocks + other.temp_blocks,
        )

    def minus(self, other: "Cost") -> "Cost":
        """Return the growth since `other`."""
        return Cost(*(max(mine - theirs, 0) for mine, theirs in zip(self, other, strict=True)))


def growth(before: Mapping[Key, Cost], after: Mapping[Key, Cost]) -> dict[Key, Cost]:
    """Return what each statement cost between two samples; those that were not called are left out.

    A statement that is new, or was called less often than before (its counters were reset or its entry was thrown
    away and came back), has cost what it shows now.
    """
    grown = {}
    for key, now in after.items():
        then = before.get(key)
        if then is None or now.calls < then.calls:
            grown[key] = now
        elif now.calls != then.calls:
            grown[key] = now.minus(then)
    return grown


class StatementWindow:
    """Samples of one server in, the dearest statements of the last 30 s out."""

    def __init__(self) -> None:
        self._last: dict[Key, Cost] | None = None
        self._last_at = 0.0
        self._evictions: int | None = None
        self._steps: deque[tuple[float, dict[Key, Cost], int]] = deque()
        self._dearest: list[tuple[Key, Cost]] = []
        self._texts: dict[int, str] = {}
        self._names: dict[tuple[str, int], str] = {}

    def add(self, rows: Iterable[Row], now_s: float, evictions: int | None) -> None:
        """Take a sample read at `now_s` (the server's clock); `evictions` is `dealloc`, None before 14."""
        sample = {
            (row["role_oid"], row["database_oid"], row["id"], row["toplevel"]): Cost(
                row["calls"],
                row["exec_ms"],
                row["rows"],
                row["blocks_hit"],
                row["blocks_read"],
                row["temp_blocks"],
            )
            for row in rows
        }
        seconds = now_s - self._last_at
        if self._last is not None and seconds > 0:
            evicted = max(0, (evictions or 0) - (self._evictions or 0))
            self._steps.append((seconds, growth(self._last, sample), evicted))
            while len(self._steps) > 1 and self._seconds() - self._steps[0][0] >= _WINDOW_S - 1:
                self._steps.popleft()
            self._dearest = self._costs()
        self._last, self._last_at, self._evictions = sample, now_s, evictions

    def _seconds(self) -> float:
        return sum(seconds for seconds, _, _ in self._steps)

    def _costs(self) -> list[tuple[Key, Cost]]:
        total: dict[Key, Cost] = {}
        for _, grown, _ in self._steps:
            for key, cost in grown.items():
                total[key] = total[key].plus(cost) if key in total else cost
        return sorted(total.items(), key=lambda item: -item[1].exec_ms)[:_TOP]

    @property
    def is_warm(self) -> bool:
        """Whether there are two samples to compare."""
        return bool(self._steps)

    def unknown_ids(self) -> list[int]:
        """Return the ids among the dearest whose text was not fetched yet."""
        return [key[2] for key, _ in self._dearest if key[2] not in self._texts]

    def unknown_names(self) -> bool:
        """Tell whether the dearest have roles or databases without a known name."""
        return any(
            ("role", key[0]) not in self._names or ("database", key[1]) not in self._names for key, _ in self._dearest
        )

    def learn_texts(self, asked: Iterable[int], rows: Iterable[Row], shown: Callable[[str], str] = clean_lines) -> None:
        """Take texts as `shown`; an id that was asked for and is not among them is not asked for again."""
        if len(self._texts) > _TEXTS_KEPT:
            self._texts.clear()
        self._texts.update(dict.fromkeys(asked, "(text no longer kept by the server)"))
        self._texts.update({row["id"]: shown(row["query"] or "") for row in rows})

    def learn_names(self, rows: Iterable[Row]) -> None:
        """Take names of roles and databases."""
        self._names.update({(row["kind"], row["oid"]): one_line(row["name"]) for row in rows})

    def top(self) -> Statements:
        """Return the dearest statements of the window."""
        seconds = self._seconds()
        evicted = sum(evicted for _, _, evicted in self._steps)
        if seconds <= 0:
            return Statements((), 0.0)
        return Statements(tuple(self._statement(key, cost, seconds) for key, cost in self._dearest), seconds, evicted)

    def _statement(self, key: Key, cost: Cost, seconds: float) -> Statement:
        blocks = cost.blocks_hit + cost.blocks_read
        text = self._texts.get(key[2], "")
        return Statement(
            id=key[2],
            database=self._names.get(("database", key[1]), str(key[1])),
            role=self._names.get(("role", key[0]), str(key[0])),
            text=text,
            calls_per_s=cost.calls / seconds,
            busy=cost.exec_ms / 1000 / seconds,
            mean_ms=cost.exec_ms / cost.calls if cost.calls else 0.0,
            rows_per_call=cost.rows / cost.calls if cost.calls else 0.0,
            hit_percent=100.0 * cost.blocks_hit / blocks if blocks else None,
            temp_blocks_per_s=cost.temp_blocks / seconds,
            key=key,
            is_own=OWN_MARK in text,
        )
