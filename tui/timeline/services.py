"""Changes of an HTTP service: its state, the states of its parts, its version."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.health import State
from tui.sources.http_snapshot import ServiceSnapshot
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.standing import Condition

_LEVELS: Final = {State.OK: Level.OK, State.DEGRADED: Level.WARN, State.DOWN: Level.CRITICAL}
_WORDS: Final = {State.OK: "ok", State.DEGRADED: "degraded", State.DOWN: "DOWN"}


def entries(source: str, before: ServiceSnapshot | None, after: ServiceSnapshot, now: float) -> Iterator[Entry]:
    """Yield that another version answers."""
    # None where it did not answer, or no longer tells.
    if before is not None and before.version and after.version and before.version != after.version:
        text = f"{after.name}: version {before.version} → {after.version}"
        yield Entry(identity(source, text), now, source, "version", sentence(text), object=after.name)


def conditions(snapshot: ServiceSnapshot) -> Iterator[Condition]:
    """Yield that the service is not ok, and which of its parts are not."""
    name, state = snapshot.name, snapshot.state
    if state is not State.OK:
        why = f": {snapshot.reason}" if snapshot.reason else ""
        text = sentence(f"{name} is {_WORDS[state]}{why}")
        # The rules' alert about the state is this very row.
        yield Condition("state", "state", text, f"{name} is ok again", _LEVELS[state], name, is_alarm=True)
    for part in snapshot.components:
        if part.state is not State.OK:
            message = f": {part.message}" if part.message else ""
            text = sentence(f"{name}: {part.name} is {part.status or _WORDS[part.state]}{message}")
            over = f"{name}: {part.name} is ok again"
            yield Condition(f"part {part.name}", "component", text, over, _LEVELS[part.state], name)
