"""The incident report: what changed, what people did and noted, as Markdown to hand on. Pure.

Everything is UTC, nothing is a secret, and what stands near in time is not called a cause.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.journal.chain import Verdict
from tui.journal.journal import moment_of
from tui.rules import Level
from tui.sources.masking import without_secrets
from tui.timeline import record
from tui.timeline.entry import Entry
from tui.timeline.markdown import escaped, fenced, table
from tui.timeline.model import Timeline
from tui.timeline.record import Line, words
from tui.units import short_kind, span

_LEVELS: Final = {Level.OK: "", Level.WARN: "warning", Level.CRITICAL: "CRITICAL"}


@dataclass(frozen=True, slots=True)
class Incident:
    """Everything a report is made of."""

    profile: str
    environment: str
    since: float
    """`time.time()` from which on is told."""
    until: float
    """When the report is written."""
    who: str
    """Who writes it, and where."""
    versions: str
    """Of opstui and what it runs on."""
    timeline: Timeline
    verdict: Verdict
    """What checking the journal's chain found."""
    t0: float | None = None
    """`time.time()` that times are counted from; None: from nothing."""
    panes: Sequence[tuple[str, str]] = ()
    """Title and present text of each tab, where there is a screen; without secrets and people's data."""
    missing: str = ""
    """What could not be read, in words."""


def markdown(incident: Incident) -> str:
    """Return the report."""
    rows = incident.timeline.since(incident.since)
    parts = [
        *_head(incident, rows),
        *_pins(incident),
        *_snapshots(incident, rows),
        *_timeline(incident, rows),
        *_actions(incident, rows),
        *_notes(rows),
        *_panes(incident),
    ]
    return "\n\n".join(parts) + "\n"


def _head(incident: Incident, rows: Sequence[Entry]) -> Iterator[str]:
    yield f"# Incident report: {escaped(incident.profile)}"
    if incident.environment == "sandbox":
        yield "> **SANDBOX**: an exercise on opstui's own servers. Nothing in it is about production."
    verdict = incident.verdict
    state = "unbroken" if verdict.is_intact else f"BROKEN, {'; '.join(verdict.broken[:3])}"
    head = f", head `{verdict.head}`" if verdict.head else ""
    lasted = span(incident.until - incident.since)
    facts = [
        ("Profile", escaped(f"{incident.profile} ({incident.environment})")),
        ("Period", f"{_moment(incident.since)} to {_moment(incident.until)} ({lasted}), all times UTC"),
        ("Written by", escaped(incident.who)),
        ("Versions", escaped(incident.versions)),
        ("Entries", f"{len(rows)} in this period"),
        ("Journal", f"{verdict.entries} entries, chain {escaped(state)}{head}"),
    ]
    if (t0 := incident.t0) is not None:
        facts.append(("t0", _moment(t0)))
    if incident.missing:
        facts.append(("Missing", escaped(incident.missing)))
    yield "\n".join(f"- **{label}**: {value}" for label, value in facts)


def _pins(incident: Incident) -> Iterator[str]:
    yield "## Pinned"
    timeline = incident.timeline
    found = [(row, pin) for row, pin in timeline.pins.items() if (entry := timeline.get(row)) is not None
             and max(entry.newest_at, pin.at) >= incident.since]  # fmt: skip
    rows = sorted(((timeline.get(row), pin) for row, pin in found), key=lambda each: each[0].at if each[0] else 0.0)
    lines = [
        f"- {_moment(entry.at)} {escaped(_system(entry))}: {escaped(_masked(entry.text))} (pinned by {escaped(pin.by)})"
        for entry, pin in rows
        if entry is not None
    ]
    yield "\n".join(lines) or "Nothing was pinned."


def _snapshots(incident: Incident, rows: Iterable[Entry]) -> Iterator[str]:
    found = [row for row in rows if row.what == "snapshot"]
    if found:
        yield "## Snapshots"
    for row in found:
        for line in incident.timeline.record(row.id):
            about = words(line, "about") or words(line, "title")
            yield f"### {_moment(row.at)} by {escaped(row.by)}: {escaped(about)}"
            yield fenced(_masked(str(line.get("text", ""))))


def _timeline(incident: Incident, rows: Sequence[Entry]) -> Iterator[str]:
    yield "## Timeline"
    if not rows:
        yield "Nothing changed that opstui saw, and nobody noted anything."
        return
    yield "What stands near in time need not belong together."
    t0 = incident.t0
    titles = ["time", *(["t0"] if t0 is not None else []), "system", "what", "level", "text", "by"]
    yield table(titles, (_cells(row, t0) for row in rows))


def _cells(row: Entry, t0: float | None) -> list[str]:
    times = f" (×{row.count}, last {_moment(row.newest_at)})" if row.count > 1 else ""
    level = row.stage if row.what == "action" else _LEVELS[row.level]
    return [
        _moment(row.at),
        *([relative(row.at, t0)] if t0 is not None else []),
        _system(row),
        row.what,
        level,
        _masked(row.text) + times,
        row.by,
    ]


def _actions(incident: Incident, rows: Iterable[Entry]) -> Iterator[str]:
    yield "## Actions"
    found = [row for row in rows if row.what == "action"]
    if not found:
        yield "Nothing was changed, and nothing was asked for."
    for row in found:
        yield from _action(row, incident.timeline.record(row.id))


def _action(row: Entry, lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    first = lines[0]
    verb, target = words(first, "verb"), record.target_words(first)
    yield f"### {_moment(row.at)} {escaped(f'{verb} {target}')}: {escaped(row.stage.upper())}"
    facts = [("By", row.by), ("System", _system(row))]
    for label, key in (("Before", "before"), ("After", "after"), ("Risk", "risk"), ("Confirmed by", "confirmed")):
        facts.append((label, record.newest(lines, key)))
    facts += [("Reason", words(first, "reason")), ("Takes back", words(first, "undoes"))]
    facts += [
        (_moment(moment_of(line)), f"{words(line, 'what')}: {words(line, 'detail') or words(line, 'ending')}")
        for line in lines
        if line.get("detail") or line.get("ending")
    ]
    yield "\n".join(f"- {label}: {escaped(_masked(value))}" for label, value in facts if value)
    if command := next((str(line["command"]) for line in lines if line.get("command")), ""):
        yield fenced(_masked(command))


def _notes(rows: Iterable[Entry]) -> Iterator[str]:
    yield "## Notes"
    notes = [row for row in rows if row.what == "note"]
    yield "\n".join(f"- {_moment(row.at)} {escaped(row.by)}: {escaped(_masked(row.text))}" for row in notes) or "None."


def _panes(incident: Incident) -> Iterator[str]:
    if incident.panes:
        yield f"## The screen at {_moment(incident.until)}"
    for title, text in incident.panes:
        yield f"### {escaped(title)}"
        yield fenced(_masked(text))


def _masked(text: str) -> str:
    return without_secrets(text)


def _system(row: Entry) -> str:
    return system_words(row.source)


def system_words(source: str) -> str:
    """Return what a source is called in a row: `pg shop`, `k8s`, `opstui`."""
    kind, _, name = source.partition(":")
    return f"{short_kind(kind)} {name}".strip()


def relative(at: float, t0: float) -> str:
    """Return a time counted from another: `+3m12s`, `-41s`, `0s`."""
    seconds = round(at - t0)
    return f"{'+' if seconds > 0 else '-' if seconds < 0 else ''}{span(abs(seconds))}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"
