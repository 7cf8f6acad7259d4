"""Replication from either end: facts → rows by receiver, slot and standby, and pages to read. Pure."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Final

from tui.panes.database_rows import Judge
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.replication import Conflict, Replica, Slot, Standby
from tui.units import size, span
from widgets.cell import Cell, Column, Row, Tone

REPLICATION: Final = (
    Column("what", "WHAT", 8),
    Column("name", "NAME", min_width=12, max_width=36),
    Column("state", "STATE", 11),
    Column("bytes", "BYTES", 10, "right"),
    Column("lag", "LAG", 7, "right"),
    Column("pending", "TO SEND", 10, "right", priority=4),
    Column("write", "TO WRITE", 17, "right", priority=3),
    Column("flush", "TO FLUSH", 17, "right", priority=2),
    Column("replay", "TO REPLAY", 17, "right", priority=1),
    Column("note", "NOTE", min_width=18),
)
_STAGES: Final = ("", "", "", "")


def replication_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[tuple[str, str], Row]:
    """Return the Replication view, by kind and name: this standby, who receives from here, slots, conflicts."""
    found = snapshot.views.replication
    rows: dict[tuple[str, str], Row] = {}
    if found.standby is not None:
        rows["standby", ""] = _standby_row(found.standby, judge)
    for replica in found.replicas:
        rows["replica", str(replica.pid)] = _replica_row(replica, judge)
    for slot in found.slots:
        rows["slot", slot.name] = _slot_row(slot, judge)
    for conflict in found.conflicts:
        rows["conflict", conflict.database] = _conflict_row(conflict)
    return rows


def nothing_words(snapshot: DatabaseSnapshot) -> str:
    """Return what is said where nobody replicates."""
    return "no standby receives from here, and there is no replication slot"


def _replica_row(one: Replica, judge: Judge) -> Row:
    tone = judge("replication_lag_s", one.lag_s)
    cells = (
        "receiver",
        one.name,
        Cell(one.state or "–", "" if one.state in ("streaming", None) else "warn"),
        Cell(size(one.behind_bytes), judge("replication_lag_bytes", _float(one.behind_bytes))),
        Cell(span(one.lag_s), tone),
        size(one.pending_bytes),
        _stage(one.write_bytes, one.write_s),
        _stage(one.flush_bytes, one.flush_s),
        _stage(one.replay_bytes, one.replay_s),
        f"{one.sync_state or 'not visible'}, {one.client}",
    )
    numbers = (one.behind_bytes, one.lag_s, one.pending_bytes, one.write_bytes, one.flush_bytes, one.replay_bytes)
    return Row(cells, ("receiver", one.name, one.state, *numbers, one.sync_state))


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


def _stage(behind: int | None, seconds: float | None) -> str:
    if behind is None:
        return "–"
    # Milliseconds on a good day: as seconds they would all be 0.
    time = "" if seconds is None else f" {1000 * seconds:.0f} ms" if seconds < 1 else f" {span(seconds)}"
    return f"{size(behind)}{time}"


def _slot_row(one: Slot, judge: Judge) -> Row:
    state: Tone = "" if one.is_active else "warn"
    cells = (
        "slot",
        one.name,
        Cell("active" if one.is_active else "INACTIVE", state),
        Cell(size(one.retained_bytes), judge("slot_retained_bytes", _float(one.retained_bytes))),
        "",
        *_STAGES,
        Cell(_slot_words(one), _slot_tone(one)),
    )
    return Row(cells, ("slot", one.name, cells[2].text, one.retained_bytes, None, *[None] * 4, cells[-1].text))


def _slot_tone(one: Slot) -> Tone:
    if one.invalidation_reason or one.wal_status == "lost":
        return "critical"
    return "warn" if one.wal_status == "unreserved" else ""


def _slot_words(one: Slot) -> str:
    parts = [f"{one.kind}{f' {one.plugin}' if one.plugin else ''}{f' of {one.database}' if one.database else ''}"]
    if one.invalidation_reason:
        parts.insert(0, f"INVALID: {one.invalidation_reason}")
    elif one.wal_status == "lost":
        parts.insert(0, "LOST: its WAL is gone")
    elif one.wal_status == "unreserved":
        parts.insert(0, "about to be lost")
    elif one.wal_status is not None and one.retained_bytes is not None:
        parts.append(f"WAL {one.wal_status}")
    if one.safe_bytes is not None:
        parts.append(f"safe for {size(one.safe_bytes)} more")
    if one.inactive_s is not None and not one.is_active:
        parts.append(f"for {span(one.inactive_s)}")
    return ", ".join(parts)


def _standby_row(one: Standby, judge: Judge) -> Row:
    state, tone = _standby_state(one)
    cells = (
        "standby",
        "this server",
        Cell(state, tone),
        Cell(size(one.replay_bytes), judge("replication_lag_bytes", _float(one.replay_bytes))),
        Cell(span(one.lag_s), judge("replication_lag_s", one.lag_s)),
        "",
        "",
        "",
        size(one.replay_bytes),
        _standby_words(one),
    )
    return Row(cells, ("standby", "", state, one.replay_bytes, one.lag_s, None, None, None, one.replay_bytes, ""))


def _standby_state(one: Standby) -> tuple[str, Tone]:
    if one.is_paused:
        return "PAUSED", "warn"
    if not one.is_receiving:
        return "NO RECEIVER", "warn"
    return one.status or "receiving", "" if one.status in ("streaming", None) else "warn"


def _standby_words(one: Standby) -> str:
    parts = []
    if one.is_paused:
        parts.append("replay is paused")
    if not one.is_receiving:
        parts.append("it restores from an archive, or does not reach its primary")
    if one.sender:
        parts.append(f"from {one.sender}")
    if one.transaction_ago_s is not None:
        parts.append(f"last transaction {span(one.transaction_ago_s)} old")
    return ", ".join(parts)


def _conflict_row(one: Conflict) -> Row:
    words = ", ".join(f"{cause} {count:,}" for cause, count in one.causes.items())
    total = sum(one.causes.values())
    cells = ("conflict", one.database, f"{total:,}", "", "", *_STAGES, f"queries cancelled: {words}")
    return Row(cells, ("conflict", one.database, total, *[None] * 6, words))


def replication_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return everything known of a row."""
    found = snapshot.views.replication
    kind, name = key if isinstance(key, tuple) else ("", "")
    pages: list[tuple[str, Iterator[tuple[str, str]]]] = []
    if kind == "standby" and found.standby is not None:
        pages = [("This standby", _standby_facts(found.standby))]
    elif kind == "replica":
        pages = [(f"Receiver {one.name}", _replica_facts(one)) for one in found.replicas if str(one.pid) == name]
    elif kind == "slot":
        pages = [(f"Slot {one.name}", _slot_facts(one)) for one in found.slots if one.name == name]
    for title, facts in pages:
        return title, "\n".join(f"{label:<16} {value}" for label, value in facts)
    return None


def _replica_facts(one: Replica) -> Iterator[tuple[str, str]]:
    yield "walsender", f"pid {one.pid}, role {one.role or '–'}, to {one.client}"
    yield "state", f"{one.state or 'not visible'}, {one.sync_state or '–'}"
    yield "to send", f"{size(one.pending_bytes)} (sent_lsn)"
    yield "to write", f"{size(one.write_bytes)}, write_lag {_lag(one.write_s)}"
    yield "to flush", f"{size(one.flush_bytes)}, flush_lag {_lag(one.flush_s)}"
    yield "to replay", f"{size(one.replay_bytes)}, replay_lag {_lag(one.replay_s)}"
    yield "behind", f"{size(one.behind_bytes)}, {span(one.lag_s)}"
    yield "", "replay_lag stays as it was where nothing is replayed; then LAG is what opstui observed"
    yield "last message", f"{span(one.reply_ago_s)} ago"


def _lag(seconds: float | None) -> str:
    return "null (nothing to send)" if seconds is None else f"{1000 * seconds:,.0f} ms"


def _slot_facts(one: Slot) -> Iterator[tuple[str, str]]:
    yield "kind", ", ".join(filter(None, (one.kind, one.plugin, one.database, "temporary" if one.is_temporary else "")))
    since = f", for {span(one.inactive_s)}" if one.inactive_s is not None else ""
    yield "active", f"yes, pid {one.active_pid}" if one.is_active else f"NO{since}"
    yield "retains", f"{size(one.retained_bytes)} of WAL (from restart_lsn on)"
    yield "wal_status", one.wal_status or "null: it has reserved no WAL yet"
    no_limit = "no limit: max_slot_wal_keep_size = -1, or nothing reserved"
    yield "safe_wal_size", no_limit if one.safe_bytes is None else f"{size(one.safe_bytes)} more may be written"
    yield "holds back", "nothing" if one.xmin_age is None else f"vacuum by {one.xmin_age:,} transactions"
    if one.invalidation_reason:
        yield "invalid", one.invalidation_reason
    if not one.is_active:
        yield "", "WAL is kept until it is used again or dropped:"
        yield "", f"SELECT pg_drop_replication_slot('{one.name}');"


def _standby_facts(one: Standby) -> Iterator[tuple[str, str]]:
    yield "receiver", one.status or ("running" if one.is_receiving else "none")
    yield "from", f"{one.sender or '–'}{f', slot {one.slot}' if one.slot else ''}"
    yield "last message", f"{span(one.message_ago_s)} ago"
    yield "to replay", f"{size(one.replay_bytes)}, {span(one.lag_s)} behind"
    yield "last transaction", f"{span(one.transaction_ago_s)} old; on an idle primary it ages by itself"
    yield "replay", "PAUSED: SELECT pg_wal_replay_resume();" if one.is_paused else "runs"
    yield "hot_standby_feedback", one.feedback
    yield "max_standby_streaming_delay", one.streaming_delay
