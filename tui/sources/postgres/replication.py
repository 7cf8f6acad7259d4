"""Replication, from either end: receivers of WAL, slots, and a standby's own state. Pure."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tui.sources.postgres.row import Row
from tui.sources.reading import Number
from tui.sources.text import clean

_SAMPLES: Final = 2000
_BACKLOG_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Replica:
    """One receiver of WAL: a row of `pg_stat_replication`. Fields our role may not see are None."""

    pid: int
    """Of its walsender here."""
    name: str
    """`application_name`, else its address, else the pid."""
    role: str
    client: str
    state: str | None
    """`streaming`, `catchup`, `startup`, `backup`, `stopping`."""
    sync_state: str | None
    """`async`, `potential`, `sync`, `quorum`."""
    pending_bytes: int | None
    """WAL written here and not yet sent (`sent_lsn`)."""
    write_bytes: int | None
    """Sent and not yet written there (`write_lsn`)."""
    flush_bytes: int | None
    """Written there and not yet flushed (`flush_lsn`)."""
    replay_bytes: int | None
    """Flushed there and not yet replayed (`replay_lsn`)."""
    write_s: float | None
    """`write_lag` in seconds; None while there is nothing to send."""
    flush_s: float | None
    replay_s: float | None
    reply_ago_s: float | None
    """Seconds since its last message (`reply_time`)."""
    behind_s: float | None = None
    """At least so many seconds ago the WAL it has replayed was the newest; also where it replays nothing, when
    `replay_lag` stays as it was. 0 when it has replayed all."""

    @property
    def behind_bytes(self) -> int | None:
        """WAL written here and not yet replayed there."""
        stages = (self.pending_bytes, self.write_bytes, self.flush_bytes, self.replay_bytes)
        known = [stage for stage in stages if stage is not None]
        return max(0, sum(known)) if known else None

    @property
    def lag_s(self) -> float | None:
        """Seconds behind: the greater of `replay_lag` and what was observed; 0 when it has replayed all."""
        if self.behind_bytes == 0:
            return 0.0
        known = [lag for lag in (self.replay_s, self.behind_s) if lag is not None]
        return max(known) if known else None


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of `pg_replication_slots`."""

    name: str
    kind: str
    """`physical` or `logical`."""
    plugin: str
    database: str
    is_active: bool
    active_pid: int | None
    is_temporary: bool
    wal_status: str | None
    """`reserved`, `extended`, `unreserved` (about to be lost) or `lost`."""
    safe_bytes: int | None
    """`safe_wal_size`: WAL that may still be written before it is lost; None without `max_slot_wal_keep_size`."""
    retained_bytes: int | None
    """WAL kept for it, from `restart_lsn` on; None when it never reserved any, or it is lost."""
    xmin_age: int | None
    """Transactions by which it holds back vacuum."""
    invalidation_reason: str
    """Why it cannot be used any more (17+); empty when it can."""
    inactive_s: float | None
    """Seconds since it was last used (`inactive_since`, 17+)."""


@dataclass(frozen=True, slots=True)
class Standby:
    """What a standby knows of itself: `pg_stat_wal_receiver` and the recovery functions."""

    is_receiving: bool
    """A walreceiver runs."""
    status: str | None
    """Its `status`; None when there is none, or our role may not see it."""
    sender: str
    """`sender_host:port`; empty when it is not known."""
    slot: str
    replay_bytes: int | None
    """Received and not yet replayed; None when it never received any (it restores from an archive)."""
    replay_s: float | None
    """Seconds behind: 0 when all that came was replayed, else since the last replayed transaction; None as above."""
    transaction_ago_s: float | None
    """`pg_last_xact_replay_timestamp()`: grows by itself on an idle primary."""
    is_paused: bool
    """`pg_is_wal_replay_paused()`."""
    message_ago_s: float | None
    feedback: str
    """`hot_standby_feedback`."""
    streaming_delay: str
    """`max_standby_streaming_delay`."""
    behind_s: float | None = None
    """At least so many seconds ago the WAL it has replayed was the newest it had; None as above."""

    @property
    def lag_s(self) -> float | None:
        """Seconds behind.

        With little left to replay it is what was observed: the first transaction after an idle hour is not an hour
        late only because it has not been replayed yet.
        """
        is_backlog = self.replay_bytes is None or self.replay_bytes >= _BACKLOG_BYTES
        return self.replay_s if is_backlog and self.replay_s is not None else self.behind_s


@dataclass(frozen=True, slots=True)
class Conflict:
    """Queries a standby cancelled in one database, by cause (`pg_stat_database_conflicts`)."""

    database: str
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Replication:
    """Both ends of replication."""

    replicas: tuple[Replica, ...] = ()
    slots: tuple[Slot, ...] = ()
    standby: Standby | None = None
    """None on a primary."""
    conflicts: tuple[Conflict, ...] = ()
    """Read only while the view is open."""

    @property
    def is_veiled(self) -> bool:
        """Whether our role may see no more than that somebody replicates."""
        is_own_veiled = self.standby is not None and self.standby.is_receiving and self.standby.status is None
        return is_own_veiled or any(one.state is None for one in self.replicas)

    def numbers(self) -> Iterator[Number]:
        """Return replication_lag_s and _bytes by receiver, or a standby's own; slot_retained_bytes by slot."""
        for one in self.replicas:
            if one.lag_s is not None:
                yield Number("replication_lag_s", one.lag_s, one.name)
            if one.behind_bytes is not None:
                yield Number("replication_lag_bytes", float(one.behind_bytes), one.name)
        if self.standby is not None and self.standby.lag_s is not None:
            yield Number("replication_lag_s", self.standby.lag_s)
        if self.standby is not None and self.standby.replay_bytes is not None:
            yield Number("replication_lag_bytes", float(max(0, self.standby.replay_bytes)))
        for slot in self.slots:
            if slot.retained_bytes is not None:
                yield Number("slot_retained_bytes", float(max(0, slot.retained_bytes)), slot.name)


class Positions:
    """When the WAL reached which position: how long ago was what a standby has replayed the newest?"""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=_SAMPLES)

    def add(self, now_s: float, position: int) -> None:
        """Take the newest position at a moment of the server's clock."""
        if not self._seen or position > self._seen[-1][1]:
            self._seen.append((now_s, position))

    def behind_s(self, now_s: float, position: int) -> float:
        """Return for how long at least there has been WAL beyond `position`."""
        # Standbys are at the end nearly always: looked for from there, it is found at once.
        since = now_s
        for at, reached in reversed(self._seen):
            if reached <= position:
                break
            since = at
        return max(0.0, now_s - since)


def replicas(rows: Iterable[Row], positions: Positions, now_s: float) -> tuple[Replica, ...]:
    """Return the receivers of WAL; `positions` learns the newest one."""
    found = []
    for row in rows:
        head, replayed = row["head_bytes"], row["replayed_bytes"]
        if head is not None:
            positions.add(now_s, head)
        client = clean(row["client_address"] or "local")
        found.append(
            Replica(
                pid=row["pid"],
                name=clean(row["application"] or row["client_address"] or str(row["pid"])),
                role=clean(row["role"] or ""),
                client=client,
                state=row["state"],
                sync_state=row["sync_state"],
                pending_bytes=row["pending_bytes"],
                write_bytes=row["write_bytes"],
                flush_bytes=row["flush_bytes"],
                replay_bytes=row["replay_bytes"],
                write_s=row["write_s"],
                flush_s=row["flush_s"],
                replay_s=row["replay_s"],
                reply_ago_s=row["reply_ago_s"],
                behind_s=None if replayed is None or head is None else positions.behind_s(now_s, replayed),
            )
        )
    return tuple(_named_apart(found))


def _named_apart(found: list[Replica]) -> Iterator[Replica]:
    # Two standbys that call themselves `walreceiver` would be one to the rules.
    names = [one.name for one in found]
    for one in found:
        yield replace(one, name=f"{one.name} {one.client}") if names.count(one.name) > 1 else one


def slots(rows: Iterable[Row]) -> tuple[Slot, ...]:
    """Return the slots."""
    return tuple(
        Slot(
            name=clean(row["name"]),
            kind=row["kind"],
            plugin=clean(row["plugin"] or ""),
            database=clean(row["database"] or ""),
            is_active=row["is_active"],
            active_pid=row["active_pid"],
            is_temporary=row["is_temporary"],
            wal_status=row["wal_status"],
            safe_bytes=row["safe_bytes"],
            retained_bytes=row["retained_bytes"],
            xmin_age=row["xmin_age"],
            invalidation_reason=clean(row["invalidation_reason"] or ""),
            inactive_s=row["inactive_s"],
        )
        for row in rows
    )


def standby(row: Row, positions: Positions, now_s: float) -> Standby:
    """Return what a standby knows of itself; `positions` learns how far it has received."""
    received, replayed = row["received_bytes"], row["replayed_bytes"]
    if received is not None:
        positions.add(now_s, received)
    host = clean(row["sender_host"] or "")
    return Standby(
        is_receiving=row["is_receiving"],
        status=row["status"],
        sender=f"{host}:{row['sender_port']}" if host else "",
        slot=clean(row["slot"] or ""),
        replay_bytes=row["replay_bytes"],
        replay_s=row["replay_s"],
        transaction_ago_s=row["transaction_ago_s"],
        is_paused=row["is_paused"],
        message_ago_s=row["message_ago_s"],
        feedback=row["feedback"],
        streaming_delay=row["streaming_delay"],
        behind_s=None if received is None or replayed is None else positions.behind_s(now_s, replayed),
    )


def conflicts(rows: Iterable[Row]) -> tuple[Conflict, ...]:
    """Return the databases in which queries were cancelled."""
    causes = ("tablespace", "lock", "snapshot", "bufferpin", "deadlock")
    return tuple(Conflict(clean(r["database"]), {c: r[c] for c in causes if r[c]}) for r in rows)
