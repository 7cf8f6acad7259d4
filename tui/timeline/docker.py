"""Changes of containers: what their engine tells as events, and what lasts."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.docker.facts import Container, ContainerEvent, DockerSnapshot
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.standing import Condition

_ORDERLY: Final = (0, 143)
"""Exit codes of an end that was asked for: by itself, or by SIGTERM."""
_PLAIN: Final = {
    "create": "was created",
    "start": "started",
    "restart": "was restarted by somebody",
    "pause": "was paused",
    "unpause": "goes on after a pause",
    "rename": "has this name now",
    "destroy": "was removed",
    "remove": "was removed",
}
_ENDS: Final = ("TERM", "KILL", "15", "9", "SIGTERM", "SIGKILL")
"""Signals that end: told by the end itself."""


def entries(source: str, after: DockerSnapshot, since: float) -> Iterator[Entry]:
    """Yield the events that came with a reading; of a first one, those after `since`."""
    for event in after.events:
        if event.at > since and (told := _told(event)) is not None:
            text, level = told
            yield Entry(
                identity(source, event.nano, event.id, event.action),
                event.at,
                source,
                "container",
                sentence(text),
                level,
                object=event.name,
                fold=f"{event.action} {event.name}",
            )


def _told(event: ContainerEvent) -> tuple[str, Level] | None:
    """Return an event as a sentence; None for what another one tells."""
    name = event.name
    match event.action:
        case "die":
            is_orderly = event.exit_code is None or event.exit_code in _ORDERLY
            code = "" if event.exit_code is None else f" with exit code {event.exit_code}"
            return f"{name} ended{code}", Level.OK if is_orderly else Level.WARN
        case "oom":
            return f"{name} ran out of memory: the kernel ended a process of it", Level.CRITICAL
        case "kill" if event.signal and event.signal not in _ENDS:
            return f"{name} was sent signal {event.signal}", Level.OK
        case action if action in _PLAIN:
            return f"{name} {_PLAIN[action]}", Level.OK
    return None


def conditions(snapshot: DockerSnapshot) -> Iterator[Condition]:
    """Yield which containers are down, unhealthy or missing."""
    for name in snapshot.missing:
        text = f"{name} is not there: the profile names it, and no container has that name"
        yield Condition(f"down {name}", "down", text, f"{name} is there", Level.CRITICAL, name, is_alarm=True)
    healthy = {
        event.name: event.at
        for event in snapshot.events
        if event.action == "health_status" and event.detail == "unhealthy"
    }
    for one in snapshot.containers.values():
        if one.is_down:
            yield _down(one)
        if one.health == "unhealthy" and one.is_running:
            yield _unhealthy(one, healthy.get(one.name))


def _down(one: Container) -> Condition:
    why = f": {one.error}" if one.error else ""
    return Condition(
        f"down {one.name}",
        "down",
        sentence(f"{one.name} is {one.words} and should run{why}"),
        f"{one.name} runs again" if one.status != "restarting" else f"{one.name} runs",
        Level.CRITICAL,
        one.name,
        since=one.finished_s,
        # One that is restarted again and again runs for a moment in between.
        settle_s=10.0,
        is_alarm=True,
    )


def _unhealthy(one: Container, since: float | None) -> Condition:
    said = next((probe.output for probe in reversed(one.probes) if probe.exit_code), "")
    return Condition(
        f"health {one.name}",
        "health",
        sentence(f"{one.name} is unhealthy{f': {said}' if said else ''}"),
        f"{one.name} is no longer unhealthy",
        Level.CRITICAL,
        one.name,
        identity=one.started_at,
        since=since,
        is_alarm=True,
    )
