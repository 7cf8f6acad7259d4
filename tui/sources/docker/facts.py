"""Facts about containers, in the engine's own words."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tui.sources.docker.connection import Version
from tui.sources.reading import Number

RESTARTS_WITHIN_S: Final = 600.0
"""Over how long `Container.recent_restarts` counts."""
_ALWAYS: Final = ("always", "unless-stopped")


@dataclass(frozen=True, slots=True)
class Probe:
    """One health check that has run, from `State.Health.Log`."""

    at: float
    """`time.time()` of its end."""
    exit_code: int
    output: str
    """What it said, cleaned and without what looks like a secret."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a container uses, from one `/stats` answer."""

    cpu_percent: float | None
    """Of one core, since the measurement before; None before the second."""
    memory_bytes: int | None
    """Without what the page cache could give back, as `docker stats` counts."""
    memory_limit_bytes: int | None
    """None without a limit of its own."""

    @property
    def memory_percent(self) -> float | None:
        """Of the limit; None without one."""
        if self.memory_bytes is None or not self.memory_limit_bytes:
            return None
        return 100.0 * self.memory_bytes / self.memory_limit_bytes


@dataclass(frozen=True, slots=True)
class Container:
    """One container, from `/containers/json` and `/containers/ID/json`."""

    id: str
    """All 64 digits: never given twice, so it is the identity of a change."""
    name: str
    image: str
    """As it was asked for: `nginx:1.27`."""
    image_id: str
    status: str
    """`State.Status`: created, running, paused, restarting, removing, exited, dead."""
    health: str
    """`State.Health.Status`: starting, healthy, unhealthy; empty without a health check."""
    failing_streak: int
    exit_code: int
    """Of the last end; 0 while it runs."""
    is_oom_killed: bool
    """`State.OOMKilled`: the kernel ended it, or one of its processes, for want of memory."""
    error: str
    """`State.Error`: why it could not be started."""
    restart_count: int
    """Restarts by the engine since a person started it last."""
    started_at: str
    """`State.StartedAt` as the engine writes it, to the nanosecond: the identity of one run."""
    started_s: float | None
    """`time.time()` of it; None when it never ran."""
    finished_s: float | None
    """`time.time()` of the last end; None when there was none."""
    restart_policy: str = "no"
    """`HostConfig.RestartPolicy.Name`: no, on-failure, always, unless-stopped."""
    is_named: bool = False
    """Whether the profile names exactly this container."""
    project: str = ""
    """Compose project and service, from its labels; empty for others."""
    service: str = ""
    owner: str = ""
    """Who else starts and stops it: a Swarm service, the kubelet, a systemd unit, by its labels; empty for nobody."""
    created_s: float | None = None
    command: str = ""
    """Program and arguments, without what looks like a secret."""
    environment: tuple[str, ...] = ()
    """Names of its environment variables; values are never kept."""
    ports: tuple[str, ...] = ()
    """`0.0.0.0:8080 → 80/tcp`."""
    mounts: tuple[str, ...] = ()
    """`volume data → /var/lib/x`, with `(read-only)`."""
    networks: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    """The last health checks, oldest first."""
    health_wait_s: float = 0.0
    """How long its health check may take to make up its mind after a start."""
    stop_timeout_s: float = 10.0
    """How long a stop waits before it kills."""
    memory_limit_bytes: int | None = None
    """`HostConfig.Memory`; None without a limit."""
    is_removed_on_exit: bool = False
    """`HostConfig.AutoRemove`: to stop it is to remove it."""
    has_terminal: bool = False
    """`Config.Tty`: its log is one raw stream."""
    recent_restarts: int = 0
    """Restarts by the engine within `RESTARTS_WITHIN_S`, as far as they can be told."""
    use: Use | None = None
    """None where it was not measured."""

    @property
    def short_id(self) -> str:
        """The first twelve digits, as `docker ps` shows."""
        return self.id[:12]

    @property
    def is_running(self) -> bool:
        """Whether its process runs: not while it waits for its next restart."""
        return self.status == "running"

    @property
    def should_run(self) -> bool:
        """Whether somebody wants it to run at all times: by its restart policy, or because the profile names it."""
        if self.is_named or self.restart_policy in _ALWAYS:
            return True
        return self.restart_policy == "on-failure" and self.exit_code != 0

    @property
    def is_down(self) -> bool:
        """Whether it should run and does not."""
        return self.status in ("restarting", "dead") or (not self.is_running and self.should_run)

    @property
    def words(self) -> str:
        """Its state in a few words: `running`, `exited (137), OOM`, `restarting (3)`."""
        code = f" ({self.exit_code})" if self.status in ("exited", "restarting", "dead") else ""
        return f"{self.status}{code}{', OOM' if self.is_oom_killed else ''}"


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of a container that the engine has told."""

    at: float
    """`time.time()`, from `timeNano`."""
    nano: int
    """`timeNano`."""
    action: str
    """The engine's word, without what follows a colon: start, die, oom, health_status, restart…"""
    id: str
    name: str
    detail: str = ""
    """What follows the colon: `unhealthy`."""
    exit_code: int | None = None
    signal: str = ""


@dataclass(frozen=True, slots=True)
class DockerSnapshot:
    """One engine's containers at one moment."""

    version: Version
    containers: Mapping[str, Container]
    """By id."""
    missing: tuple[str, ...] = ()
    """Names that the profile gives exactly, and no container has."""
    unmatched: tuple[str, ...] = ()
    """Patterns of the profile that no container matches."""
    events: tuple[ContainerEvent, ...] = ()
    """What has happened since the reading before, oldest first."""
    notes: tuple[str, ...] = ()
    """What could not be seen, in words."""

    def numbers(self) -> Iterator[Number]:
        """Return for each container whether it is down or unhealthy, its restarts, OOM kills, and measured use.

        A container that is looked for by its name and is not there is down.
        """
        for name in self.missing:
            yield Number("down", 1.0, name)
        for one in self.containers.values():
            yield Number("down", float(one.is_down), one.name)
            yield Number("restarts", float(one.recent_restarts), one.name)
            yield Number("oom_killed", float(one.is_oom_killed), one.name)
            if one.health:
                yield Number("unhealthy", float(one.health == "unhealthy" and one.is_running), one.name)
            if one.use is not None:
                yield from _use_numbers(one.use, one.name)

    def named(self, name: str) -> Container | None:
        """Return a container by its name."""
        return next((one for one in self.containers.values() if one.name == name), None)


def _use_numbers(use: Use, name: str) -> Iterator[Number]:
    yield Number("cpu_percent", math.nan if use.cpu_percent is None else use.cpu_percent, name)
    if use.memory_bytes is not None:
        yield Number("memory_bytes", float(use.memory_bytes), name)
    if use.memory_percent is not None:
        yield Number("memory_percent", use.memory_percent, name)
