"""Facts about HTTP services → rows, pages and commands. Pure."""

import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from profiles.systems import Service
from tui.panes.failing import clock
from tui.rules import Level
from tui.sources.health import Component, State
from tui.sources.http_shown import shown_url
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.by_hand import shell
from tui.sources.probes.facts import ProbeResult
from tui.sources.reading import Reading
from tui.sources.text import clean
from tui.units import coarse, percent, span
from widgets.cell import Cell, Column, Row, Tone
from widgets.segment_line import Segment
from widgets.sparkline import sparkline

TREND_WIDTH: Final = 10
COLUMNS: Final = (
    Column("name", "NAME", min_width=14, max_width=24),
    Column("state", "STATE", 9),
    Column("latency", "LATENCY", 7, align="right"),
    Column("p50", "P50", 7, align="right", priority=6),
    Column("p95", "P95", 7, align="right", priority=1),
    Column("errors", "ERR", 5, align="right", priority=4),
    Column("trend", "TREND", TREND_WIDTH, priority=2),
    Column("components", "COMPONENTS", min_width=24),
    Column("workload", "WORKLOAD", 28, priority=7),
    Column("since", "SINCE", 7, align="right", priority=3),
    Column("age", "AGE", 6, align="right", priority=5),
)
WORDS: Final[Mapping[State, str]] = {State.OK: "ok", State.DEGRADED: "degraded", State.DOWN: "DOWN"}
STATE_TONES: Final[Mapping[State, Tone]] = {State.OK: "ok", State.DEGRADED: "warn", State.DOWN: "critical"}
_LEVEL_TONES: Final[Mapping[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
_CERTIFICATE_WARN_DAYS: Final = 30.0


def service_row(name: str, reading: Reading[ServiceSnapshot] | None, level: Level, now: float) -> Row:
    """Return a service's row; `level` is what the profile's rules say of its latency."""
    snapshot = reading.snapshot if reading is not None else None
    if reading is None or snapshot is None:
        why = reading.error.message if reading is not None and reading.error is not None else "waiting"
        tone: Tone = "critical" if reading is not None and reading.error is not None else "dim"
        cells: list[str | Cell] = [name, Cell("unknown" if tone != "dim" else "…", tone), *[""] * 5, Cell(why, tone)]
        return Row((*cells, "", "", ""), (name, 3 if tone != "dim" else -1, *[None] * 5, why, None, None, None))
    is_slow = snapshot.is_slow and snapshot.state is State.OK
    state = Cell("ok, slow" if is_slow else WORDS[snapshot.state], "warn" if is_slow else STATE_TONES[snapshot.state])
    latency_tone: Tone = _LEVEL_TONES[level] or ("warn" if snapshot.is_slow else "")
    stale = reading.is_stale(now)
    age_s = reading.age_s(now)
    parts = components_text(snapshot)
    # A healthy column stays empty: only errors draw the eye.
    errors = percent(snapshot.error_percent) if snapshot.error_percent else ""
    return Row(
        (
            name,
            state,
            Cell(millis(snapshot.latency_ms), latency_tone),
            millis(snapshot.p50_ms),
            millis(snapshot.p95_ms),
            Cell(errors, "warn" if snapshot.error_percent else ""),
            Cell(sparkline(snapshot.latencies_ms, TREND_WIDTH, low=0.0), "accent"),
            Cell(parts, "" if snapshot.state is State.OK else STATE_TONES[snapshot.state]),
            snapshot.workload or "",
            coarse(max(0.0, now - snapshot.since)),
            Cell(span(age_s), "warn") if stale else f"<{int(reading.interval_s) + 1}s",
        ),
        (
            name,
            snapshot.state * 2 + is_slow,
            snapshot.latency_ms,
            snapshot.p50_ms,
            snapshot.p95_ms,
            snapshot.error_percent,
            snapshot.latency_ms,
            parts,
            snapshot.workload or "",
            now - snapshot.since,
            age_s,
        ),
        haystack=" ".join((snapshot.reason, snapshot.url, *(part.name for part in snapshot.components))),
    )


def aged(reading: Reading[ServiceSnapshot] | None, now: float) -> tuple[object, ...]:
    """Return all that the clock alone changes in a service's row."""
    if reading is None or reading.snapshot is None:
        return ()
    return coarse(max(0.0, now - reading.snapshot.since)), span(reading.age_s(now)) if reading.is_stale(now) else ""


def components_text(snapshot: ServiceSnapshot) -> str:
    """Return those that are not ok first, with their own words; then how many are."""
    bad = [part for part in snapshot.components if part.state is not State.OK]
    good = len(snapshot.components) - len(bad)
    named = [f"{part.name} {part.status or WORDS[part.state]}" for part in sorted(bad, key=lambda part: -part.state)]
    if not bad and snapshot.state is not State.OK:
        named.append(_short_reason(snapshot))
    days = None if snapshot.status_code is None else snapshot.certificate_days
    if days is not None and days < _CERTIFICATE_WARN_DAYS:
        named.append(f"certificate {days:.0f} d")
    failing = [probe for probe in snapshot.probes if probe.state not in (None, State.OK)]
    named += [f"probe {probe.name} {WORDS[probe.state or State.OK]}" for probe in failing[:3]]
    if good:
        named.append(f"{good} ok" if bad else ", ".join(part.name for part in snapshot.components))
    return ", ".join(named)


def _short_reason(snapshot: ServiceSnapshot) -> str:
    """Return why a service is not ok; of a refused certificate in the few words that fit a narrow screen."""
    problems = snapshot.chain.problems if snapshot.chain and snapshot.status_code is None else ()
    if "TLS certificate" in snapshot.reason and problems:
        return f"certificate {problems[0].removeprefix('it ')}"
    return snapshot.reason


def millis(value: float | None) -> str:
    """Return milliseconds in two digits, because more of them flicker: `3 ms`, `120 ms`, `1.2 s`; `–` when unknown."""
    if value is None:
        return "–"
    shown = float(f"{value:.2g}")
    return f"{max(1, round(shown))} ms" if shown < 1000 else f"{shown / 1000:.{1 if shown < 10_000 else 0}f} s"


def title(readings: Iterable[Reading[ServiceSnapshot]]) -> list[Segment]:
    """Return how many services are in which state."""
    counts = dict.fromkeys(State, 0)
    waiting = unknown = total = 0
    for reading in readings:
        total += 1
        if reading.snapshot is None:
            unknown += reading.error is not None
            waiting += reading.error is None
        else:
            counts[reading.snapshot.state] += 1
    told = [Segment(f"{total} service{'' if total == 1 else 's'}"), Segment(f"{counts[State.OK]} ok", "ok")]
    for state in (State.DEGRADED, State.DOWN):
        if counts[state]:
            told.append(Segment(f"{counts[state]} {WORDS[state]}", STATE_TONES[state]))
    if unknown:
        told.append(Segment(f"{unknown} unknown", "critical"))
    if waiting:
        told.append(Segment(f"{waiting} not read yet", "dim"))
    return told


def troubled(readings: Iterable[Reading[ServiceSnapshot]]) -> int:
    """Return how many services are not ok, or cannot be read."""
    found = [reading.snapshot for reading in readings if reading.snapshot is not None or reading.error is not None]
    return sum(snapshot is None or snapshot.state is not State.OK for snapshot in found)


def page(snapshot: ServiceSnapshot, entry: Service | None) -> str:
    """Return everything about a service: state, times, every component with its details, headers, body."""
    now_ms, p95_ms, slow_ms = millis(snapshot.latency_ms), millis(snapshot.p95_ms), millis(snapshot.slow_ms)
    lines = [
        f"state        {WORDS[snapshot.state]} since {_date(snapshot.since)}",
        f"because      {snapshot.reason}" if snapshot.reason else "",
        f"url          {snapshot.url}",
        f"answer       {_answer(snapshot)}",
        f"latency      {now_ms}, p50 {millis(snapshot.p50_ms)}, p95 {p95_ms}; slow from {slow_ms}",
        f"errors       {snapshot.error_percent:.1f} % of the last requests" if snapshot.error_percent else "",
        _watched(snapshot),
        f"uptime       {span(snapshot.uptime_s)}, by its own word" if snapshot.uptime_s is not None else "",
        f"version      {snapshot.version}" if snapshot.version else "",
        f"certificate  {_days(snapshot.certificate_days)}" if snapshot.certificate_days is not None else "",
        f"workload     {snapshot.workload}" if snapshot.workload else "",
    ]
    told = [line for line in lines if line]
    if snapshot.components:
        told += ["", "COMPONENTS"]
        for part in sorted(snapshot.components, key=lambda part: -part.state):
            told += _component_lines(part)
    if entry is not None:
        told += ["", "BY HAND", f"  {curl(entry)}"]
    if snapshot.headers:
        told += ["", "HEADERS OF THE ANSWER", *(f"  {name}: {value}" for name, value in snapshot.headers)]
    if snapshot.body:
        told += ["", "BODY", snapshot.body]
    return "\n".join(told)


def _days(days: float) -> str:
    return f"ends in {days:.1f} days" if days >= 0 else f"ended {-days:.1f} days ago"


def _watched(snapshot: ServiceSnapshot) -> str:
    if snapshot.up_percent is None or snapshot.watched_since is None:
        return ""
    return f"up           {snapshot.up_percent:.2f} % since {_date(snapshot.watched_since)}, when opstui began to ask"


def _component_lines(part: Component) -> list[str]:
    width = max((len(name) for name, _ in part.details), default=0)
    head = f"  {part.name}: {part.status or WORDS[part.state]}"
    return [head, *(f"    {name:<{width}}  {value}" for name, value in part.details)]


def _answer(snapshot: ServiceSnapshot) -> str:
    if snapshot.status_code is None:
        return "none"
    return f"HTTP {snapshot.status_code}{f', says {snapshot.status}' if snapshot.status else ''}"


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d} {clock(at)}"


def curl(entry: Service) -> str:
    """Return the curl line that asks the same; secrets stand in it as references that the shell resolves."""
    words = ["curl", "-sS", "-i", "--max-time", f"{entry.timeout:g}"]
    if entry.ca_file is not None:
        words += ["--cacert", shlex.quote(entry.ca_file)]
    for name, reference in entry.headers.items():
        words += ["-H", f'"{name}: {shell(reference)}"']
    if entry.url.startswith(("env:", "file:")):
        words.append(f'"{shell(entry.url)}"')
    else:
        words.append(shlex.quote(shown_url(entry.url, entry.url)))
    return clean(" ".join(words))


def state_words(probe: ProbeResult) -> tuple[str, Tone]:
    """Return how a probe is in a word: `by hand` of one that only a person sends, `unknown` of one that cannot be."""
    if probe.state is not None:
        return WORDS[probe.state], STATE_TONES[probe.state]
    if probe.reason:
        return "unknown", "warn"
    return ("by hand", "dim") if probe.writes else ("…", "dim")
