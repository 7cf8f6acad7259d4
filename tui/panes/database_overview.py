"""The Overview of one PostgreSQL server: facts → rows of what, value and note, and pages to read. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Final, NamedTuple

from tui.panes.database_rows import Judge, hit_words
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.postgres.overview import Archiver, Checkpoints, Holder, Overview, Wraparound
from tui.units import coarse, percent, rate, size, span
from widgets.cell import Cell, Column, Row, Tone

OVERVIEW: Final = (
    Column("what", "WHAT", 18),
    Column("value", "VALUE", 22),
    Column("note", "NOTE", min_width=20),
)
_TOP: Final = 3
"""Rows of each grouping; enter shows all."""
_GROUPINGS: Final[Mapping[str, Callable[[Session], str | None]]] = {
    "application": lambda one: one.application,
    "role": lambda one: one.role,
    "database": lambda one: one.database,
    # The port is another one for each connection.
    "client": lambda one: one.client.rpartition(":")[0] or one.client,
}


class _Line(NamedTuple):
    what: str
    value: str
    note: str = ""
    tone: Tone = ""
    key: str = ""
    """Which page enter opens."""


def overview_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[Hashable, Row]:
    """Return the Overview, by page and place; nothing until it was read."""
    seen = snapshot.views.overview
    if seen is None:
        return {}
    lines = [
        *_server(snapshot, seen),
        *_connections(snapshot, judge),
        *_work(snapshot, seen, judge),
        *_upkeep(seen),
        *_age(snapshot, judge),
    ]
    return {
        (line.key, index): Row((line.what, Cell(line.value, line.tone), line.note), (index, line.value, line.note))
        for index, line in enumerate(lines)
    }


def _server(snapshot: DatabaseSnapshot, seen: Overview) -> Iterator[_Line]:
    server = snapshot.server
    role = "standby, read-only" if server.is_standby else "primary"
    yield _Line("server", "accepting", f"{role}, {server.version}")
    yield _Line("up", coarse(seen.uptime_s), f"since {server.started:%Y-%m-%d %H:%M:%S}Z")


def _connections(snapshot: DatabaseSnapshot, judge: Judge) -> Iterator[_Line]:
    used = snapshot.connections
    states = ", ".join(f"{state} {count}" for state, count in sorted(used.by_state.items(), key=lambda one: -one[1]))
    value = f"{used.used} of {used.limit} ({percent(used.percent)})"
    yield _Line("connections", value, states, judge("connections_percent", used.percent))
    for limit, count in used.near_limits:
        yield _Line(f"  {limit.kind}", f"{count} of {limit.connections}", f"{limit.name}: its own limit", "warn")
    for kind in _GROUPINGS:
        groups = connection_groups(snapshot, kind)
        for name, states_of in groups[:_TOP]:
            yield _Line(f"  by {kind}", str(states_of.total()), f"{name}: {_states(states_of)}", key=kind)
        if (rest := groups[_TOP:]) != []:
            count = sum(states_of.total() for _, states_of in rest)
            yield _Line(f"  by {kind}", str(count), f"in {len(rest)} more (enter)", "dim", kind)


def connection_groups(snapshot: DatabaseSnapshot, kind: str) -> list[tuple[str, Counter[str]]]:
    """Return clients by `application`, `role`, `database` or `client`, each with its states, the most first."""
    name_of = _GROUPINGS[kind]
    groups: dict[str, Counter[str]] = {}
    for one in snapshot.sessions:
        if one.is_client:
            state = one.state or ("starting" if one.is_visible else "not visible")
            groups.setdefault(name_of(one) or "–", Counter())[state] += 1
    return sorted(groups.items(), key=lambda group: (-group[1].total(), group[0]))


def _states(states: Counter[str]) -> str:
    return ", ".join(f"{state} {count}" for state, count in states.most_common())


def _work(snapshot: DatabaseSnapshot, seen: Overview, judge: Judge) -> Iterator[_Line]:
    rates = snapshot.rates
    if rates is None:
        yield _Line("work", "–", "rates come with the second tick", "dim")
    else:
        tps, back = rates.transactions, rates.rollbacks
        share = f", {percent(100 * back / tps)} of all" if tps else ""
        yield _Line("transactions", f"{rate(tps)}/s", "commits and rollbacks", judge("transactions_per_s", tps))
        yield _Line("rollbacks", f"{rate(back)}/s", share.removeprefix(", "), judge("rollbacks_per_s", back))
        yield _Line(
            "cache hit",
            hit_words(rates.hit_percent),
            "of blocks asked for" if rates.hit_percent is not None else "too few blocks were asked for",
        )
        yield _Line("deadlocks", f"{rates.deadlocks_total:,}", "since the statistics were reset")
        yield _Line(
            "temp files",
            f"{size(rates.temp_bytes)}/s",
            f"{rate(rates.temp_files)} files/s; sorts and hashes beyond work_mem",
            judge("temp_bytes_per_s", rates.temp_bytes),
        )
    if snapshot.server.is_standby:
        yield _Line("WAL written", "–", "a standby writes none; see Replication", "dim")
    else:
        wal = f"{size(seen.wal_bytes_per_s)}/s" if seen.wal_bytes_per_s is not None else "–"
        yield _Line("WAL written", wal, "" if seen.wal_bytes_per_s is not None else "a rate with the next tick")


def _upkeep(seen: Overview) -> Iterator[_Line]:
    if seen.checkpoints is not None:
        yield _checkpoints(seen.checkpoints)
    if seen.archiver is not None:
        yield _archiver(seen.archiver)


def _checkpoints(found: Checkpoints) -> _Line:
    note = f"timed and requested; {span(found.write_s)} writing, {span(found.sync_s)} in fsync"
    if found.restartpoints:
        note = f"{found.restartpoints:,} restartpoints; {note}"
    share = found.requested_percent
    if share is not None and share > 50 and found.timed + found.requested >= 20:
        note = f"{share:.0f} % requested: max_wal_size is small; {note}"
    return _Line("checkpoints", f"{found.timed:,} + {found.requested:,}", note)


def _archiver(found: Archiver) -> _Line:
    if found.mode == "off":
        return _Line("archiver", "off", "archive_mode", "dim")
    lag = f"{size(found.lag_bytes)} behind, " if found.lag_bytes is not None else ""
    archived = f"{found.last_archived} {span(found.archived_ago_s)} ago" if found.last_archived else "nothing archived"
    if found.is_failing:
        failed = f"{found.last_failed} failed {span(found.failed_ago_s)} ago ({found.failed:,} times); last {archived}"
        return _Line("archiver", "FAILING", f"{lag}{failed}", "critical")
    failures = f"; {found.failed:,} failures, the last {span(found.failed_ago_s)} ago" if found.failed else ""
    return _Line("archiver", "ok", f"{lag}last {archived}{failures}")


def all_holders(snapshot: DatabaseSnapshot) -> list[Holder]:
    """Return everybody who holds back vacuum, sessions and standbys included, the furthest first."""
    found = list(snapshot.views.overview.holders) if snapshot.views.overview else []
    for one in snapshot.sessions:
        if one.xmin_age is None or one.is_own:
            continue
        # A standby's feedback is the xmin of its walsender, unless it has a slot, which then holds it.
        kind = "standby feedback" if one.backend_type == "walsender" else "session"
        who = " ".join(filter(None, (one.application or one.backend_type, one.role and f"({one.role})", one.state)))
        found.append(Holder(kind, str(one.pid), one.xmin_age, who))
    return sorted(found, key=lambda one: (-one.xmin_age, one.kind, one.name))


def _age(snapshot: DatabaseSnapshot, judge: Judge) -> Iterator[_Line]:
    oldest = snapshot.oldest_transaction
    if oldest is None:
        yield _Line("oldest txn", "none", "no client has a transaction open")
    else:
        tone = judge("transaction_s", oldest.transaction_s)
        who = f"pid {oldest.pid} {oldest.application or oldest.role or ''}, {oldest.state}"
        yield _Line("oldest txn", span(oldest.transaction_s), who, tone)
    held = all_holders(snapshot)
    if not held:
        yield _Line("xmin horizon", "not held", "nobody keeps vacuum from removing dead rows")
    else:
        first = held[0]
        note = f"held by {_kind(first.kind)} {first.name}: {first.detail}"
        yield _Line("xmin horizon", f"{first.xmin_age:,} txns", note, key="horizon")
    if snapshot.views.wraparound:
        worst = snapshot.views.wraparound[0]
        yield _Line(
            "wraparound",
            f"{worst.percent:.1f} % of 2 billion",
            f"{worst.database}: {worst.freeze_percent:.0f} % of autovacuum_freeze_max_age",
            judge("wraparound_percent", worst.percent),
            "wraparound",
        )


def _kind(kind: str) -> str:
    return "prepared transaction" if kind == "prepared" else kind


def overview_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return the title and text of what a row stands for; None where the row says it all."""
    kind = key[0] if isinstance(key, tuple) else ""
    if kind in _GROUPINGS:
        groups = connection_groups(snapshot, kind)
        return f"Connections by {kind}", "\n".join(f"{s.total():>6}  {name}: {_states(s)}" for name, s in groups)
    if kind == "horizon":
        held = [f"{one.xmin_age:>13,}  {_kind(one.kind)} {one.name}: {one.detail}" for one in all_holders(snapshot)]
        return "Who holds back vacuum", "\n".join(["Transactions since the oldest one each may still see:", "", *held])
    if kind == "wraparound":
        return "Age of transaction ids", _wraparound_page(snapshot.views.wraparound)
    return None


def _wraparound_page(databases: tuple[Wraparound, ...]) -> str:
    lines = [f"{'DATABASE':<24}{'XID AGE':>15}{'MULTIXACT AGE':>15}{'OF 2 BILLION':>14}{'OF FREEZE MAX':>15}"]
    lines += [
        f"{one.database:<24}{one.xid_age:>15,}{one.multixact_age:>15,}"
        f"{one.percent:>12.1f} %{one.freeze_percent:>13.0f} %"
        for one in databases
    ]
    if databases:
        first = databases[0]
        lines += [
            "",
            f"autovacuum_freeze_max_age = {first.freeze_max_age:,}",
            f"autovacuum_multixact_freeze_max_age = {first.multixact_freeze_max_age:,}",
            "From there on autovacuum freezes tables by itself, even where it is switched off; 100 % is everyday.",
            "What holds back vacuum (xmin horizon) holds this back too; near 2 billion the server refuses writes.",
        ]
    return "\n".join(lines)
