"""The three lines above the Database tab's lists: who answers, how full it is, how fast. Pure."""

from collections.abc import Callable

from tui.panes.database_rows import hit_words
from tui.panes.database_views import QUERIES
from tui.panes.failing import age_segment
from tui.sources.postgres.facts import Connections, DatabaseSnapshot
from tui.sources.reading import Reading
from tui.units import percent, rate, size, span
from widgets.cell import Tone
from widgets.segment_line import Segment

ToneOf = Callable[[str], Tone]
"""A metric's name → how the profile's rules judge it now."""

_BAR_WIDTH = 12
_ORDER = ("active", "idle in transaction", "idle in transaction (aborted)", "idle")


def server_line(reading: Reading[DatabaseSnapshot], place: str, now: float) -> list[Segment]:
    """Return who answers: `place` says which of several databases this is."""
    name = reading.source.partition(":")[2]
    snapshot = reading.snapshot
    if snapshot is None:
        state = Segment("no answer yet" if reading.error is None else "not answering", "dim")
        return [Segment(name, "accent"), Segment(place, "dim"), state, age_segment(reading, now)]
    server = snapshot.server
    role = Segment("STANDBY, read-only", "warn") if server.is_standby else Segment("primary")
    return [
        Segment(name, "accent"),
        Segment(place, "dim"),
        Segment("not answering", "critical") if reading.error is not None else Segment("accepting", "ok"),
        Segment(server.version, priority=3),
        role,
        Segment(f"db {server.database}", priority=5),
        Segment(f"as {server.role}", priority=4),
        Segment("through a pooler", priority=7) if server.is_pooled else Segment(""),
        Segment(server.encryption, "warn" if "not verified" in server.encryption else "dim", priority=8),
        age_segment(reading, now),
    ]


def connections_line(connections: Connections, tone_of: ToneOf) -> list[Segment]:
    """Return used places against the limit, as bar and words, and the clients by state."""
    tone = tone_of("connections_percent")
    filled = min(_BAR_WIDTH, round(_BAR_WIDTH * connections.percent / 100))
    bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
    segments = [
        Segment(f"connections {bar} {connections.used}/{connections.limit} ({percent(connections.percent)})", tone),
    ]
    states = sorted(connections.by_state, key=lambda s: (_ORDER.index(s) if s in _ORDER else len(_ORDER), s))
    for number, state in enumerate(states, 1):
        count = connections.by_state[state]
        metric = {"active": "active_s", "idle in transaction": "idle_in_transaction_s"}.get(state)
        segments.append(Segment(f"{state} {count}", tone_of(metric) if metric else "", priority=number))
    for limit, used in connections.near_limits:
        segments.append(Segment(f"{limit.kind} {limit.name} {used}/{limit.connections}", "warn", priority=9))
    if connections.reserved:
        segments.append(Segment(f"+{connections.reserved} reserved", "dim", priority=10))
    return segments


def work_line(snapshot: DatabaseSnapshot, tone_of: ToneOf) -> list[Segment]:
    """Return rates, the oldest transaction and how many wait."""
    waiting, oldest, rates = snapshot.waiting, snapshot.oldest_transaction, snapshot.rates
    segments = [
        Segment(f"waiting {waiting}", tone_of("blocked") or ("warn" if waiting else "")),
        Segment(
            f"oldest txn {span(oldest.transaction_s)} (pid {oldest.pid})" if oldest else "no transaction",
            tone_of("transaction_s"),
            priority=1,
        ),
    ]
    if rates is None:
        return [*segments, Segment("rates with the next tick", "dim", priority=2)]
    return [
        *segments,
        Segment(f"tps {rate(rates.transactions)}", tone_of("transactions_per_s"), priority=2),
        Segment(f"hit {hit_words(rates.hit_percent)}", tone_of("hit_percent"), priority=3),
        Segment(f"rollbacks {rate(rates.rollbacks)}/s", tone_of("rollbacks_per_s"), priority=5),
        Segment(f"temp {size(rates.temp_bytes)}/s", tone_of("temp_bytes_per_s"), priority=6),
        Segment(
            f"deadlocks {rates.deadlocks_total:,}" + (f" (+{rates.deadlocks})" if rates.deadlocks else ""),
            "warn" if rates.deadlocks else tone_of("deadlocks"),
            priority=4,
        ),
    ]


def missing_words(snapshot: DatabaseSnapshot) -> str:
    """Return what is not shown and why; what only matters elsewhere (single views, ending sessions) is left out."""
    apart = QUERIES | {"signals", "statements", "statement texts", "statements info"}
    return "; ".join(
        reason if what == "sessions" else f"{what} not shown: {reason}"
        for what, reason in snapshot.missing.items()
        if what not in apart
    )
