"""The views of the Redis tab that are more than the reading of every tick: what each shows, says and asks. Pure."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.panes import redis_detail, redis_rows
from tui.panes import redis_queue_rows as queues
from tui.panes import redis_space_rows as space
from tui.panes.redis_queue_rows import Judge
from tui.sources.redis_sampler import Sampling
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.cell import Column, Row

RowsOf = Callable[[RedisSnapshot, Judge, float], Mapping[Any, Row]]
"""(what was read, how rules judge, `time.time()`) → the rows by their identity."""


@dataclass(frozen=True, slots=True)
class View:
    """One view."""

    title: str
    columns: tuple[Column, ...]
    rows: RowsOf
    page: Callable[[RedisSnapshot, Hashable], str]
    """The text of what a row stands for; empty where the row says it all."""
    empty: str
    """What is said where no rows are."""
    by_hand: tuple[tuple[str, ...], ...]
    """What redis-cli is asked to see it by hand."""
    words: Callable[[RedisSnapshot], str] = lambda snapshot: ""
    """What stands at the right of the strip of views."""
    sort: tuple[str, bool] | None = None
    """The column it is sorted by at the start, and whether from the greatest."""


def _sampled(
    rows: Callable[[Sampling], Mapping[Any, Row]],
) -> Callable[[RedisSnapshot, Judge, float], Mapping[Any, Row]]:
    return lambda snapshot, judge, now: rows(snapshot.sampling) if snapshot.sampling else {}


def _big_page(snapshot: RedisSnapshot, key: Hashable) -> str:
    return space.big_page(snapshot.sampling, key) if snapshot.sampling and isinstance(key, bytes) else ""


def _queue_page(snapshot: RedisSnapshot, key: Hashable) -> str:
    return next((queues.queue_page(one) for one in snapshot.queues if one.name == key), "")


_WALK: Final = ("--scan", "--count", "20")

VIEWS: Final[Mapping[str, View]] = {
    "space": View(
        "Key space",
        space.SPACE,
        _sampled(space.space_rows),
        lambda snapshot, key: "",
        space.NOT_BEGUN,
        (_WALK, ("--memkeys",)),
        sort=("memory", True),
    ),
    "big": View(
        "Big keys",
        space.BIG,
        _sampled(space.big_rows),
        _big_page,
        space.NOT_BEGUN,
        (("--memkeys",), ("--bigkeys",)),
        sort=("memory", True),
    ),
    "ttl": View("TTL", space.TTL, _sampled(space.ttl_rows), lambda snapshot, key: "", space.NOT_BEGUN, (_WALK,)),
    "queues": View(
        "Queues",
        queues.QUEUES,
        queues.queue_rows,
        _queue_page,
        "the profile names no queue here; add queues: [NAME] to this instance",
        (("TYPE", "NAME"), ("LLEN", "NAME"), ("XINFO", "GROUPS", "NAME")),
    ),
    "latency": View(
        "Latency",
        queues.LATENCY,
        queues.latency_rows,
        lambda snapshot, key: "",
        "nothing known",
        (("LATENCY", "LATEST"), ("LATENCY", "DOCTOR")),
        queues.latency_words,
    ),
    "nodes": View(
        "Nodes",
        queues.NODES,
        queues.node_rows,
        lambda snapshot, key: "",
        "whom it belongs to is not told: INFO is refused",
        (("INFO", "replication"), ("CLUSTER", "NODES"), ("SENTINEL", "MASTERS")),
        queues.node_words,
    ),
}
"""By name, in the order of the strip."""


def commands(view: str) -> tuple[tuple[str, ...], ...]:
    """Return what redis-cli is asked to see a view by hand."""
    return VIEWS[view].by_hand if view in VIEWS else redis_detail.VIEW_COMMANDS[view]


def rows_of(view: str, snapshot: RedisSnapshot, now: float, judge: Judge) -> Mapping[Any, Row]:
    """Return the rows of a view by their identity: command, client id, entry id, database, prefix, key, queue."""
    if view in VIEWS:
        return VIEWS[view].rows(snapshot, judge, now)
    if view == "commands":
        return redis_rows.command_rows(snapshot.commands)
    if view == "clients":
        return redis_rows.client_rows(snapshot.clients or ())
    if view == "slowlog":
        return redis_rows.slow_rows(snapshot.slowlog or ())
    if view == "keyspace":
        return redis_rows.keyspace_rows(snapshot.keyspace)
    return redis_rows.state_rows(snapshot, now)


def page_of(view: str, snapshot: RedisSnapshot, key: Hashable, row: Row | None) -> str:
    """Return a row's page; empty when it is gone, or says it all."""
    if view in VIEWS:
        return VIEWS[view].page(snapshot, key)
    if view == "commands":
        return next((redis_detail.command_page(c) for c in snapshot.commands if c.name == key), "")
    if view == "clients":
        return next((redis_detail.client_page(c) for c in snapshot.clients or () if c.id == key), "")
    if view == "slowlog":
        return next((redis_detail.slow_page(e) for e in snapshot.slowlog or () if e.id == key), "")
    if row is None:
        return ""
    texts = [cell if isinstance(cell, str) else cell.text for cell in row.cells]
    if view == "keyspace":
        titles = [column.title for column in redis_rows.KEYSPACE]
        return "\n".join(f"{label.lower():<16} {text}" for label, text in zip(titles, texts, strict=True))
    return redis_detail.state_page(snapshot, texts[0], f"{texts[1]}\n{texts[2]}")
