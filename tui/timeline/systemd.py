"""Changes of systemd units: starts, restarts, and what has failed or does not run."""

from collections.abc import Iterator

from tui.rules import Level
from tui.sources.systemd import SystemdSnapshot, Unit
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.standing import Condition


def entries(source: str, before: SystemdSnapshot | None, after: SystemdSnapshot, now: float) -> Iterator[Entry]:
    """Yield which units have begun a new run or changed their state between two readings."""
    if before is None:
        return
    for name, one in after.units.items():
        if (old := before.units.get(name)) is not None:
            yield from _changed(source, old, one, now)


def _changed(source: str, old: Unit, new: Unit, now: float) -> Iterator[Entry]:
    if new.invocation_id and old.invocation_id != new.invocation_id:
        restarted = new.restarts > old.restarts
        ended = f" after {old.exit_words or new.exit_words}" if restarted and (old.exit_words or new.exit_words) else ""
        text = f"{new.name} was restarted by systemd{ended}" if restarted else f"{new.name} started"
        yield _entry(source, new, "restart", text, now, Level.WARN if restarted else Level.OK)
    elif old.active_state == "active" and new.active_state == "inactive":
        yield _entry(source, new, "stop", f"{new.name} stopped ({new.result or 'no result'})", now, Level.OK)
    if new.needs_reload and not old.needs_reload:
        yield _entry(source, new, "file", f"{new.name}: its file has changed on disk", now, Level.OK)


def _entry(source: str, unit: Unit, what: str, text: str, now: float, level: Level) -> Entry:
    at = unit.changed_at or now
    name = identity(source, unit.name, what, unit.invocation_id)
    return Entry(name, at, source, "unit", sentence(text), level, object=unit.name, fold=f"{what} {unit.name}")


def conditions(snapshot: SystemdSnapshot) -> Iterator[Condition]:
    """Yield which units have failed, and which do not run without a reason."""
    for one in snapshot.units.values():
        if not (one.is_failed or one.is_inactive):
            continue
        ended = f", {one.exit_words}" if one.exit_words else ""
        yield Condition(
            f"state {one.name}",
            "state",
            sentence(f"{one.name} is {one.words}{ended}"),
            f"{one.name} is well again",
            Level.CRITICAL if one.is_failed else Level.WARN,
            one.name,
            since=one.changed_at,
            settle_s=10.0 if one.is_crashing else 0.0,
            is_alarm=True,
        )
