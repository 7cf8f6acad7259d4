"""Facts about systemd units → rows, pages, requests. Pure."""

import shlex
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from profiles.schema import Profile
from tui.actions.action import Request
from tui.actions.systemd.verbs import RESTART, START, STOP, unit_request
from tui.panes import services_board as board
from tui.panes.failing import clock
from tui.panes.offering import Offer
from tui.panes.services_board import Board, LevelOf, Readings
from tui.rules import Level
from tui.sources.systemd import SystemdSnapshot, SystemdSource, Unit
from tui.units import coarse, percent, size, size_of, span
from widgets.cell import Cell, Column, Row, Tone
from widgets.segment_line import Segment

COLUMNS: Final = (
    Column("name", "UNIT", min_width=16, max_width=32),
    Column("state", "STATE", 20),
    Column("exit", "ENDED WITH", 12, priority=4),
    Column("restarts", "RESTARTS", 8, align="right"),
    Column("since", "SINCE", 7, align="right"),
    Column("cpu", "CPU", 5, align="right", priority=1),
    Column("memory", "MEMORY", 17, align="right", priority=2),
    Column("enabled", "AT BOOT", 9, priority=5),
    Column("description", "DESCRIPTION", min_width=16, priority=3),
)
_VERBS: Final = {board.RESTART: RESTART, board.STOP: STOP, board.START: START}
_TONES: Final[Mapping[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
_ACTIVE: Final = ("active", "reloading", "activating", "deactivating")


def trouble(one: Unit) -> int:
    """Return how much a unit is in trouble: 3 failed, 2 not running without a reason, 1 worth a look, 0 well."""
    if one.is_failed:
        return 3
    return 2 if one.is_inactive else int(one.recent_restarts > 0 or one.needs_reload)


def rows(readings: Readings, level: LevelOf, now: float) -> Mapping[Hashable, Row]:
    """Return a row for each unit, by its name."""
    snapshot = _snapshot(readings)
    return {} if snapshot is None else {one.name: _row(one, level, now) for one in snapshot.units.values()}


def _row(one: Unit, level: LevelOf, now: float) -> Row:
    bad = trouble(one)
    tone: Tone = "critical" if bad == 3 else "warn" if bad == 2 else "dim" if one.active_state == "inactive" else ""
    since = None if one.changed_at is None else max(0.0, now - one.changed_at)
    memory = size_of(one.memory_bytes, one.memory_max_bytes) if one.memory_bytes is not None else ""
    restarts_tone = _TONES[level(SystemdSource.name, "restarts", one.name)] or ("warn" if one.recent_restarts else "")
    return Row(
        (
            one.name,
            Cell(one.words, tone),
            one.exit_words,
            Cell(str(one.restarts) if one.restarts else "", restarts_tone),
            "" if since is None else coarse(since),
            Cell(
                percent(one.cpu_percent) if one.cpu_percent is not None else "",
                _TONES[level(SystemdSource.name, "cpu_percent", one.name)],
            ),
            Cell(memory, _TONES[level(SystemdSource.name, "memory_percent", one.name)]),
            one.file_state,
            one.status_text or one.description,
        ),
        (
            one.name, bad, one.exit_words, one.restarts, since, one.cpu_percent, one.memory_bytes, one.file_state,
            one.description,
        ),
        haystack=one.description,
    )  # fmt: skip


def _snapshot(readings: Readings) -> SystemdSnapshot | None:
    reading = readings.get(SystemdSource.name)
    return reading.snapshot if reading is not None else None


def title(readings: Readings) -> Sequence[Segment]:
    """Return how many units are active, failed or inactive."""
    if (snapshot := _snapshot(readings)) is None:
        return []
    every = list(snapshot.units.values())
    told = [Segment(f"{len(every)} unit{'' if len(every) == 1 else 's'}")]
    told.append(Segment(f"{sum(one.active_state == 'active' for one in every)} active", "ok"))
    if failed := sum(one.is_failed for one in every):
        told.append(Segment(f"{failed} failed", "critical"))
    if inactive := sum(one.is_inactive for one in every):
        told.append(Segment(f"{inactive} inactive", "warn"))
    return told


def troubled(readings: Readings) -> int:
    """Return how many units have failed or do not run without a reason."""
    snapshot = _snapshot(readings)
    return 0 if snapshot is None else sum(trouble(one) >= 2 for one in snapshot.units.values())


def notes(readings: Readings) -> str:
    """Return which patterns of the profile nothing matches, and which units systemd has not read anew."""
    if (snapshot := _snapshot(readings)) is None:
        return ""
    told = [f"no loaded unit matches {pattern}" for pattern in snapshot.unmatched]
    changed = [one.name for one in snapshot.units.values() if one.needs_reload]
    if changed:
        told.append(f"changed on disk, systemctl daemon-reload is due: {', '.join(changed)}")
    return "; ".join(told)


def page(readings: Readings, key: Hashable, now: float) -> str:
    """Return everything about a unit."""
    snapshot = _snapshot(readings)
    one = snapshot.units.get(str(key)) if snapshot is not None else None
    if one is None:
        return ""
    lines = [
        ("unit", f"{one.name}{f', {one.description}' if one.description else ''}"),
        ("state", f"{one.words}{f', result {one.result}' if one.result else ''}"),
        ("says", one.status_text),
        ("ended with", one.exit_words),
        ("changed", _when(one.changed_at, now)),
        ("active", _when(one.active_since, now)),
        ("restarts", f"{one.restarts} by systemd (Restart={one.restart_policy or 'no'})"),
        ("main pid", str(one.main_pid or "")),
        ("memory", _memory(one)),
        ("cpu", f"{percent(one.cpu_percent)} of a core" if one.cpu_percent is not None else ""),
        ("run", one.invocation_id),
        ("type", one.type),
        ("at boot", one.file_state),
        ("file", f"{one.file}{' (changed on disk: daemon-reload is due)' if one.needs_reload else ''}"),
        ("loaded", one.load_state),
        ("started by", ", ".join(one.triggered_by)),
        ("stops with it", ", ".join(one.stops_too)),
        ("refuses", ", ".join(one.refuses)),
        ("stop", f"{span(one.stop_timeout_s)} to end, then it is killed"),
    ]
    hand = f"\n\nBY HAND\n  systemctl status -- {one.name}\n  journalctl -u {shlex.quote(one.name)} -n 100"
    return "\n".join(f"{label:<14} {value}" for label, value in lines if value) + hand


def _memory(one: Unit) -> str:
    if one.memory_bytes is None:
        return ""
    return f"{size(one.memory_bytes)}, {f'limit {size(one.memory_max_bytes)}' if one.memory_max_bytes else 'no limit'}"


def _when(at: float | None, now: float) -> str:
    return (
        "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d} {clock(at)}, {span(max(0.0, now - at))} ago"
    )


def by_hand(profile: Profile, readings: Readings, key: Hashable | None) -> str:
    """Return the systemctl line for a unit; for all of them when none is under the cursor."""
    names = [str(key)] if key is not None else list(profile.systemd)
    return f"systemctl status -- {' '.join(map(shlex.quote, names))}"


def offers(readings: Readings, keys: Sequence[Hashable]) -> tuple[Offer, ...]:
    """Return restart, stop and start of these units, or why not."""
    return board.offers_for(keys, lambda key, binding: _request(readings, key, binding))


def _request(readings: Readings, key: Hashable, binding: str) -> Request | str:
    snapshot = _snapshot(readings)
    one = snapshot.units.get(str(key)) if snapshot is not None else None
    if one is None:
        return board.NO_ROW
    if one.load_state == "not-found":
        return f"systemd has no unit {one.name}"
    if binding == board.START and one.active_state in _ACTIVE:
        return f"{one.name} runs already"
    if binding == board.STOP and one.active_state not in _ACTIVE:
        return f"{one.name} does not run"
    return unit_request(_VERBS[binding], SystemdSource.name, one)


def key_of(readings: Readings, source: str, name: str) -> Hashable | None:
    """Return the key of a unit's row: its name."""
    snapshot = _snapshot(readings)
    return name if snapshot is not None and name in snapshot.units else None


BOARD: Final = Board(
    "unit", COLUMNS, "no such units", lambda source: None, rows, title, troubled, notes, page, by_hand, offers, key_of
)
