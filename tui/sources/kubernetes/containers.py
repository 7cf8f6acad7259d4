"""The containers of one pod as facts, from the whole Pod object. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tui.sources.kubernetes.fields import Object, moment, part, parts, quantity, text, whole
from tui.sources.kubernetes.metrics import Usage


class Role(StrEnum):
    """What a container is there for."""

    MAIN = ""
    INIT = "init"
    """Must end before the others begin."""
    SIDECAR = "sidecar"
    """An init container with `restartPolicy: Always`."""
    EPHEMERAL = "ephemeral"
    """Added to a running pod, to debug it."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod."""

    name: str
    role: Role
    image: str
    is_ready: bool
    state: str
    """`Running`, the reason why it waits (`CrashLoopBackOff`), or how it ended (`Completed`, `Error`)."""
    message: str
    """What the kubelet says about that; empty when it says nothing."""
    since: float | None
    """When it started, or ended; None while it waits."""
    restarts: int
    last_end: str
    """How the run before ended: `OOMKilled, exit code 137`; empty where there was none."""
    last_ended_at: float | None
    cpu_request_cores: float | None
    cpu_limit_cores: float | None
    memory_request_bytes: float | None
    memory_limit_bytes: float | None
    probes: str
    """Which it has: `startup`, `readiness`, `liveness`; empty: none."""

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return self.state == "Running"


_SECTIONS = (
    ("initContainers", "initContainerStatuses", Role.INIT),
    ("containers", "containerStatuses", Role.MAIN),
    ("ephemeralContainers", "ephemeralContainerStatuses", Role.EPHEMERAL),
)


def parse_containers(pod: Object) -> tuple[Container, ...]:
    """Return the containers of a Pod in the order in which they start."""
    return tuple(_containers(part(pod, "spec"), part(pod, "status")))


def _containers(spec: Object, status: Object) -> Iterator[Container]:
    for section, told, role in _SECTIONS:
        statuses = {text(one, "name"): one for one in parts(status, told)}
        for container in parts(spec, section):
            is_sidecar = role is Role.INIT and container.get("restartPolicy") == "Always"
            yield _container(container, statuses.get(text(container, "name"), {}), Role.SIDECAR if is_sidecar else role)


def _container(container: Object, status: Object, role: Role) -> Container:
    state, message, since = _state(part(status, "state"))
    ended = part(status, "lastState", "terminated")
    requests, limits = part(container, "resources", "requests"), part(container, "resources", "limits")
    return Container(
        name=text(container, "name"),
        role=role,
        image=text(container, "image"),
        is_ready=status.get("ready") is True,
        state=state,
        message=message,
        since=since,
        restarts=whole(status, "restartCount"),
        last_end=_end(ended) if ended else "",
        last_ended_at=moment(ended, "finishedAt"),
        cpu_request_cores=quantity(requests, "cpu"),
        cpu_limit_cores=quantity(limits, "cpu"),
        memory_request_bytes=quantity(requests, "memory"),
        memory_limit_bytes=quantity(limits, "memory"),
        probes=", ".join(kind for kind in ("startup", "readiness", "liveness") if part(container, f"{kind}Probe")),
    )


def _state(state: Object) -> tuple[str, str, float | None]:
    if running := part(state, "running"):
        return "Running", "", moment(running, "startedAt")
    if ended := part(state, "terminated"):
        code = whole(ended, "exitCode")
        word = text(ended, "reason") or ("Completed" if not code else "Error")
        return word, text(ended, "message") or (f"exit code {code}" if code else ""), moment(ended, "finishedAt")
    waiting = part(state, "waiting")
    return text(waiting, "reason") or "no status yet", text(waiting, "message"), None


def _end(ended: Object) -> str:
    reason, signal = text(ended, "reason") or "ended", whole(ended, "signal")
    return f"{reason}, exit code {whole(ended, 'exitCode')}" + (f", signal {signal}" if signal else "")


def parse_container_usage(metrics: Object) -> Mapping[str, Usage]:
    """Return what each container of a PodMetrics used, by its name."""
    return {
        text(one, "name"): Usage(
            quantity(part(one, "usage"), "cpu") or 0.0, quantity(part(one, "usage"), "memory") or 0.0
        )
        for one in parts(metrics, "containers")
    }
