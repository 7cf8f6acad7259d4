"""What the status line and the tab strip say: pure functions from facts to segments."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from profiles.schema import Profile
from tui.actions.guard import GuardState
from tui.actions.ledger import Deed
from tui.pins import Finding, remedy
from tui.rules import Absence, Alert, Level, Silent, named, number_words
from tui.sources.logs.line import LogBatch
from tui.sources.reading import Reading
from tui.units import amount, short_kind
from widgets.cell import Tone
from widgets.segment_line import Segment

_OLD_S: Final = 60.0
"""From when on an alert says how old its value is: systems that nobody looks at are read every ten seconds."""
_TONES: Final[dict[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}


def environment_segments(profile: Profile, user: str) -> list[Segment]:
    """Return which environment this is and who sits here; production stands out without colour."""
    badge = f" {profile.environment.upper()} "
    if profile.environment == "prod":
        segments = [Segment(f"!!{badge}!!", "critical", reverse=True)]
    else:
        segments = [Segment(badge, "accent", reverse=True)]
    return [*segments, Segment(profile.name), Segment(user, "dim", priority=3)]


def shared_segment(last_key: str) -> Segment:
    """Return that several look at this screen, and which key was pressed last."""
    return Segment(f"SHARED {last_key}".rstrip(), "accent", short=last_key or "SHARED")


def writing_segment(state: GuardState, barred: Sequence[str] = ()) -> Segment:
    """Return whether something can be changed now, and for how long; `barred` are clusters in which nothing can."""
    if state.locked:
        return Segment("READ-ONLY")
    but = f", not {', '.join(barred)}" if barred else ""
    brief = f", {len(barred)} not" if barred else ""
    if not state.read_only and not state.armed_for_s:
        return Segment(f"WRITABLE{but}", "warn", short=f"WRITABLE{brief}")
    if (left := int(state.armed_for_s)) > 0:
        by = f" by {state.armed_by}" if state.armed_by else ""
        clock = f"ARMED {left // 60}:{left % 60:02}"
        return Segment(f" {clock}{by}{but} ", "critical", short=f" {clock}{brief} ", reverse=True)
    return Segment("READ-ONLY (W arms)", short="READ-ONLY")


def temporary_segment(deeds: Sequence[Deed], now: float) -> Segment:
    """Return how many changes are to be taken back, and how many of them are overdue; nothing when none is."""
    if not deeds:
        return Segment("")
    overdue = sum(deed.due_at is not None and deed.due_at <= now for deed in deeds)
    late = f", {overdue} OVERDUE" if overdue else ""
    return Segment(
        f"{len(deeds)} temporary{late} (U)", "critical" if overdue else "warn", f"{len(deeds)}T{'!' * overdue}"
    )


def alert_segment(alerts: Sequence[Alert], absent: int = 0, acknowledged: int = 0, silenced: int = 0) -> Segment:
    """Return how many alerts are up that nobody has seen, by level; apart from them, what is absent or seen to."""
    critical = sum(alert.level is Level.CRITICAL for alert in alerts)
    warn = len(alerts) - critical
    if not alerts and not absent and not acknowledged and not silenced:
        return Segment("no alerts", "dim", priority=4)
    warnings = f"{warn} warning{'' if warn == 1 else 's'}"
    counted = (
        (critical, f"{critical} critical", "c"),
        (warn, warnings, "w"),
        (absent, f"{absent} no data", "?"),
        (acknowledged, f"{acknowledged} ack", "a"),
        (silenced, f"{silenced} silenced", "z"),
    )
    words = ", ".join(text for count, text, _ in counted if count)
    short = " ".join(f"{count}{letter}" for count, _, letter in counted if count)
    tone: Tone = "critical" if critical else "warn" if warn or absent else "dim"
    return Segment(f"▲ {words}", tone, f"▲ {short}")


def health_segments(readings: Iterable[Reading[Any]], now: float) -> list[Segment]:
    """Return what is wrong first, a piece per kind of system (`redis✗ 41s`), then which kinds are well."""
    by_kind: dict[str, list[Reading[Any]]] = {}
    for reading in readings:
        if reading.is_absent:
            continue
        by_kind.setdefault(reading.kind, []).append(reading)
    ailing = {kind: _ailment(kind, of_kind, now) for kind, of_kind in by_kind.items()}
    well = [short_kind(kind) for kind, segment in ailing.items() if segment is None]
    segments = [segment for segment in ailing.values() if segment is not None and segment.text]
    if old := [short_kind(kind) for kind, segment in ailing.items() if segment is not None and not segment.text]:
        segments.append(Segment(f"old: {' '.join(old)}", "warn", short=f"{len(old)} old", right=True))
    if well:
        segments.append(Segment(f"✓ {' '.join(well)}", "ok", short=f"{len(well)}✓", right=True))
    return segments


def _ailment(kind: str, readings: Sequence[Reading[Any]], now: float) -> Segment | None:
    """Return what is wrong with a kind of system, without a text when it is only old; None when nothing is."""
    name = short_kind(kind)
    failing = [reading for reading in readings if reading.error is not None]
    if failing:
        since = min(reading.failing_since or now for reading in failing)
        share = f" {len(failing)}/{len(readings)}" if len(readings) > 1 else ""
        return Segment(f"{name}✗{share} {brief_age(now - since)}", "critical", right=True)
    if any(reading.snapshot is None for reading in readings):
        return Segment(f"{name}…", "dim", right=True)
    if away := [at for reading in readings if (at := _away_since(reading)) is not None]:
        share = f" {len(away)}/{len(readings)}" if len(readings) > 1 else ""
        return Segment(f"{name} OLD{share} {brief_age(now - min(away))}", "warn", right=True)
    if any(reading.is_stale(now) for reading in readings):
        return Segment("", "warn", right=True)
    return None


def _away_since(reading: Reading[Any]) -> float | None:
    """Return since when nobody answers who could tell of more lines of a log; it was read, and looks quiet."""
    return reading.snapshot.away_since if isinstance(reading.snapshot, LogBatch) else None


def tab_segments(
    titles: Sequence[tuple[str, str, tuple[str, ...]]],
    active: int,
    alerts: Sequence[Alert],
    readings: Iterable[Reading[Any]] = (),
) -> list[Segment]:
    """Return the tab strip: number, title, how many alerts its systems have (`!2`), whether one does not answer (`✗`).

    Args:
        titles: title, short title and own kinds of sources of every tab, in order.
        active: index of the visible tab.
        alerts: every alert that is up.
        readings: the newest of every source.
    """
    unread = {one.source.partition(":")[0] for one in silent(readings, 0.0)}
    segments: list[Segment] = []
    for index, (title, brief, kinds) in enumerate(titles):
        own = [alert for alert in alerts if alert.source.partition(":")[0] in kinds]
        mark = (f"!{len(own)}" if own else "") + ("✗" if unread.intersection(kinds) else "")
        level = max((alert.level for alert in own), default=Level.OK)
        tone = "critical" if mark.endswith("✗") else _TONES[level]
        text, short = (f" {index + 1} {word}{mark}" for word in (title, brief))
        segments.append(Segment(f"{text} ", tone, short=short, reverse=index == active))
    return segments


def identity_banner(profile: Profile, findings: Sequence[Finding]) -> str:
    """Return the red lines over every tab: that another system answers than the profile pins; empty when none does."""
    mismatches = [finding for finding in findings if finding.is_mismatch]
    if not mismatches:
        return ""
    count = f"a lists {len(mismatches)}" if len(mismatches) > 1 else "a"
    return f"This is not what profile {profile.name} expects: no change is possible ({count})\n{mismatches[0]}"


def identity_lines(profile: Profile, findings: Sequence[Finding]) -> list[str]:
    """Return what the page behind `a` says of pins that are not confirmed, and what helps."""
    if not findings:
        return []
    lines = [f"{'MISMATCH' if finding.is_mismatch else 'UNSURE  '} {finding}" for finding in findings]
    if findings[0].is_mismatch:
        lines.append(f"Not what profile {profile.name} expects, so every change is refused {remedy(profile)}.")
    else:
        lines.append("What is not verified cannot be changed.")
    return [*lines, ""]


def silent(readings: Iterable[Reading[Any]], now: float) -> list[Silent]:
    """Return which systems do not answer."""
    return [
        Silent(reading.source, reading.error.message, reading.failing_since or now)
        for reading in readings
        if reading.error is not None and not reading.is_absent
    ]


def no_data_words(trouble: Absence | Silent, now: float) -> str:
    """Return what cannot be read, why, and for how long."""
    why = trouble.why if isinstance(trouble, Silent) else "cannot be read"
    return f"{named(trouble)} {why} for {brief_age(now - trouble.since)}"


def alert_words(alert: Alert, now: float) -> str:
    """Return what is wrong, by how much, and for how long."""
    return (
        f"{number_words(alert.source, alert.metric, alert.object)} = {amount(alert.metric, alert.value, alert.unit)}"
        f" (threshold {amount(alert.metric, alert.threshold, alert.unit)})"
        f" for {brief_age(now - alert.since)}{_last_seen(alert, now)}"
    )


def _last_seen(alert: Alert, now: float) -> str:
    """Return when the value was read, where that is so long ago that it may no longer be taken for the present."""
    age = 0.0 if alert.seen_at is None else now - alert.seen_at
    return f", last seen {brief_age(age)} ago" if age > _OLD_S else ""


def clock_segment(now: float) -> Segment:
    """Return the time of day in UTC, with the zone."""
    return Segment(f"{datetime.fromtimestamp(now, UTC):%H:%M:%S}Z")


def brief_age(seconds: float) -> str:
    """Return a duration as kubectl writes ages: `41s`, `12m`, `3h5m`, `2d`."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    if whole < 3 * 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60}m"
    return f"{whole // 86400}d"
