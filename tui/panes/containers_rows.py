"""Facts about containers → rows, pages, requests. Pure."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from profiles.schema import Profile
from tui.actions.action import Request
from tui.actions.docker.container import container_request
from tui.actions.docker.verbs import RESTART, START, STOP
from tui.panes import services_board as board
from tui.panes.failing import clock
from tui.panes.offering import Offer
from tui.panes.services_board import Board, LevelOf, Readings
from tui.rules import Level
from tui.sources.docker.facts import Container, DockerSnapshot
from tui.sources.docker.source import DockerSource, shown_socket
from tui.sources.reading import Source
from tui.units import coarse, percent, size, size_of, span
from widgets.cell import Cell, Column, Row, Tone
from widgets.segment_line import Segment

COLUMNS: Final = (
    Column("name", "CONTAINER", min_width=12, max_width=24),
    Column("state", "STATE", 17),
    Column("health", "HEALTH", 9),
    Column("restarts", "RESTARTS", 8, align="right"),
    Column("up", "UP", 7, align="right"),
    Column("cpu", "CPU", 5, align="right", priority=1),
    Column("memory", "MEMORY", 17, align="right", priority=2),
    Column("service", "COMPOSE", 20, priority=5),
    Column("image", "IMAGE", min_width=14, max_width=40, priority=3),
    Column("engine", "ENGINE", 10, priority=6),
)
_VERBS: Final = {board.RESTART: RESTART, board.STOP: STOP, board.START: START}
_TONES: Final[Mapping[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
_HEALTH_TONES: Final[Mapping[str, Tone]] = {"unhealthy": "critical", "healthy": "ok"}
_TIGHT_PERCENT: Final = 90.0


def trouble(one: Container) -> int:
    """Return how much a container is in trouble: 3 down, 2 unhealthy, 1 worth a look, 0 well."""
    if one.is_down:
        return 3
    if one.health == "unhealthy" and one.is_running:
        return 2
    ended_badly = one.status == "exited" and one.exit_code not in (0, 143)
    return int(ended_badly or one.is_oom_killed or one.recent_restarts > 0 or one.status == "paused")


def rows(readings: Readings, level: LevelOf, now: float) -> Mapping[Hashable, Row]:
    """Return a row for each container of each engine, by engine and id; those that are missing by their name."""
    found: dict[Hashable, Row] = {}
    for source, reading in readings.items():
        snapshot: DockerSnapshot | None = reading.snapshot
        if snapshot is None:
            continue
        engine = source.partition(":")[2]
        for name in snapshot.missing:
            cells = (name, Cell("missing", "critical"), "", "", "", "", "", "", "the profile names it", engine)
            found[source, name] = Row(cells, (name, 4, None, None, None, None, None, None, None, engine))
        for one in snapshot.containers.values():
            found[source, one.id] = _row(source, one, level, now)
    return found


def _row(source: str, one: Container, level: LevelOf, now: float) -> Row:
    bad = trouble(one)
    state_tone: Tone = "critical" if bad == 3 else "warn" if one.is_oom_killed or bad == 1 else ""
    if not one.is_running and not bad:
        state_tone = "dim"
    health_tone = _HEALTH_TONES.get(one.health, "")
    since = one.started_s if one.is_running else one.finished_s
    lasted = None if since is None else max(0.0, now - since)
    up = "" if lasted is None else coarse(lasted) if one.is_running else f"-{coarse(lasted)}"
    use, engine = one.use, source.partition(":")[2]
    cpu, memory, share = (use.cpu_percent, use.memory_bytes, use.memory_percent) if use else (None, None, None)
    memory_tone = _TONES[level(source, "memory_percent", one.name)]
    if not memory_tone and share is not None and share >= _TIGHT_PERCENT:
        memory_tone = "warn"
    compose = f"{one.project}/{one.service}" if one.project else ""
    restarts_tone = _TONES[level(source, "restarts", one.name)] or ("warn" if one.recent_restarts else "")
    return Row(
        (
            one.name,
            Cell(one.words, state_tone),
            Cell(one.health if one.is_running else "", health_tone),
            Cell(str(one.restart_count) if one.restart_count else "", restarts_tone),
            up,
            Cell(percent(cpu) if cpu is not None else "", _TONES[level(source, "cpu_percent", one.name)]),
            Cell(_memory(one) if memory is not None else "", memory_tone),
            compose,
            one.image,
            engine,
        ),
        (one.name, bad, one.health, one.restart_count, lasted, cpu, memory, compose, one.image, engine),
        haystack=" ".join((one.id, one.error, one.command, *one.ports, *one.networks)),
    )


def _memory(one: Container) -> str:
    if one.use is None:
        return ""
    return size_of(one.use.memory_bytes, one.use.memory_limit_bytes)


def title(readings: Readings) -> Sequence[Segment]:
    """Return who answers, and how many containers run, are down or unhealthy."""
    snapshots = [reading.snapshot for reading in readings.values() if reading.snapshot is not None]
    if not snapshots:
        return []
    every = [one for snapshot in snapshots for one in snapshot.containers.values()]
    missing = sum(len(snapshot.missing) for snapshot in snapshots)
    down, unhealthy = sum(one.is_down for one in every), sum(trouble(one) == 2 for one in every)
    told = [Segment(f"{len(every)} container{'' if len(every) == 1 else 's'}")]
    told.append(Segment(f"{sum(one.is_running for one in every)} running", "ok"))
    for count, word in ((down, "down"), (missing, "missing"), (unhealthy, "unhealthy")):
        if count:
            told.append(Segment(f"{count} {word}", "critical"))
    version = snapshots[0].version
    engine = "Docker" if version.engine == "Engine" else version.engine.removesuffix(" Engine")
    return [*told, Segment(f"{engine} {version.version}", "dim", priority=2)]


def troubled(readings: Readings) -> int:
    """Return how many containers are down, missing or unhealthy."""
    snapshots = [reading.snapshot for reading in readings.values() if reading.snapshot is not None]
    return sum(
        len(snapshot.missing) + sum(trouble(one) >= 2 for one in snapshot.containers.values()) for snapshot in snapshots
    )


def notes(readings: Readings) -> str:
    """Return what an engine that answers could not tell, and patterns that nothing matches."""
    told = []
    for reading in readings.values():
        if (snapshot := reading.snapshot) is not None:
            told += snapshot.notes
            told += [f"no container matches {pattern}" for pattern in snapshot.unmatched]
    return "; ".join(told)


def _find(readings: Readings, key: Hashable) -> tuple[str, Container] | None:
    source, id_ = key if isinstance(key, tuple) else ("", "")
    reading: Any = readings.get(source)
    snapshot: DockerSnapshot | None = reading.snapshot if reading is not None else None
    one = snapshot.containers.get(id_) if snapshot is not None else None
    return None if one is None else (source, one)


def page(readings: Readings, key: Hashable, now: float) -> str:
    """Return everything about a container; values of its environment are never known here."""
    if (found := _find(readings, key)) is None:
        return ""
    one = found[1]
    lines = [
        ("state", f"{one.words}{f', {one.health}' if one.health and one.is_running else ''}"),
        ("error", one.error),
        ("started", _when(one.started_s, now)),
        ("ended", _when(one.finished_s, now)),
        (
            "restarts",
            f"{one.restart_count} by the engine, {one.recent_restarts} of them within ten minutes, as far as seen",
        ),
        ("policy", f"restart {one.restart_policy}{', removed on exit (--rm)' if one.is_removed_on_exit else ''}"),
        ("memory", _memory_line(one)),
        ("cpu", f"{percent(one.use.cpu_percent)} of a core" if one.use and one.use.cpu_percent is not None else ""),
        ("image", one.image),
        ("image id", one.image_id),
        ("id", one.id),
        ("compose", f"{one.project}/{one.service}" if one.project else ""),
        ("owner", one.owner),
        ("command", one.command),
        ("created", _when(one.created_s, now)),
        ("networks", ", ".join(one.networks)),
        ("stop", f"{one.stop_timeout_s:g} s to end by itself, then it is killed"),
    ]
    told = [f"{label:<10} {value}" for label, value in lines if value]
    for heading, listed in (("PORTS", one.ports), ("MOUNTS", one.mounts)):
        if listed:
            told += ["", heading, *(f"  {line}" for line in listed)]
    if one.environment:
        told += ["", "ENVIRONMENT (names; values are not read)", f"  {', '.join(one.environment)}"]
    if one.probes:
        told += ["", f"HEALTH CHECKS (failing streak {one.failing_streak})", *_probes(one)]
    return "\n".join(told)


def _probes(one: Container) -> Iterator[str]:
    for probe in reversed(one.probes):
        said = f"  {probe.output}" if probe.output else ""
        yield f"  {clock(probe.at)}  {'ok  ' if probe.exit_code == 0 else f'exit code {probe.exit_code}'}{said}"


def _memory_line(one: Container) -> str:
    limit = size(one.memory_limit_bytes) if one.memory_limit_bytes else "no limit"
    if one.use is None:
        return f"limit {limit}"
    share = f" ({percent(one.use.memory_percent)})" if one.use.memory_percent is not None else ""
    return f"{size(one.use.memory_bytes)}{share}, limit {limit}"


def _when(at: float | None, now: float) -> str:
    return (
        "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d} {clock(at)}, {span(max(0.0, now - at))} ago"
    )


def by_hand(profile: Profile, readings: Readings, key: Hashable | None) -> str:
    """Return the docker lines for a container; for the whole engine when none is under the cursor."""
    if (found := _find(readings, key)) is not None:
        source, one = found
        docker = _docker(profile, source)
        shown = f"{docker}inspect --format '{{{{json .State}}}}' {one.short_id}  # {one.name}"
        return "\n".join(
            (shown, f"{docker}logs --tail 100 {one.short_id}", f"{docker}stats --no-stream {one.short_id}")
        )
    return "\n".join(f"{_docker(profile, f'container:{name}')}ps -a" for name in profile.docker)


def _docker(profile: Profile, source: str) -> str:
    entry = profile.docker.get(source.partition(":")[2])
    return f"docker {shown_socket(entry.socket)}" if entry else "docker "


def offers(readings: Readings, keys: Sequence[Hashable]) -> tuple[Offer, ...]:
    """Return restart, stop and start of these containers, or why not."""
    return board.offers_for(keys, lambda key, binding: _request(readings, key, binding))


def _request(readings: Readings, key: Hashable, binding: str) -> Request | str:
    if (found := _find(readings, key)) is None:
        return "no container has that name: nothing can be changed of it" if key is not None else board.NO_ROW
    source, one = found
    if binding == board.START and one.is_running:
        return f"{one.name} runs already"
    if binding == board.STOP and not one.is_running and one.status not in ("restarting", "paused"):
        return f"{one.name} does not run"
    return container_request(_VERBS[binding], source, one)


def key_of(readings: Readings, source: str, name: str) -> Hashable | None:
    """Return the key of a container's row by its name."""
    reading = readings.get(source)
    if reading is None or reading.snapshot is None:
        return None
    one = reading.snapshot.named(name)
    return (source, one.id) if one is not None else (source, name) if name in reading.snapshot.missing else None


def look(source: Source[Any] | None) -> None:
    """Have an engine measure what its containers use at the next reading."""
    if isinstance(source, DockerSource):
        source.look_at()


BOARD: Final = Board(
    "container", COLUMNS, "no containers", look, rows, title, troubled, notes, page, by_hand, offers, key_of
)
