"""Pods as slim facts, in the words of `kubectl get pods`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.sources.kubernetes.fields import (
    Object,
    Owner,
    maybe,
    moment,
    owner,
    part,
    parts,
    quantity,
    strings,
    text,
    whole,
)


class Health(StrEnum):
    """How a pod is doing, judged from its status alone."""

    FINE = "fine"
    """It runs, every container is ready, and so is the pod: a Service sends it requests."""
    WAITING = "waiting"
    """Starting, not ready, or terminating: may pass by itself."""
    FAILING = "failing"
    """A container or the pod itself is in a state that needs somebody."""
    ENDED = "ended"
    """Completed."""
    LEFT_OVER = "left over"
    """Failed for good (Evicted, Error of a Job's pod): what is left of something past."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod."""

    uid: str
    """`metadata.uid`."""
    namespace: str
    name: str
    ready: int
    """Ready containers, restartable init containers included: READY before the slash."""
    containers: int
    """Containers that could be ready: READY behind the slash."""
    status: str
    """The STATUS column: `Running`, `CrashLoopBackOff`, `Init:0/1`."""
    restarts: int
    """The RESTARTS column."""
    restarted_at: float | None
    """When a container that was started again had ended: `lastState.terminated.finishedAt`; None: never."""
    created_at: float | None
    """`metadata.creationTimestamp`."""
    node: str
    """`spec.nodeName`; empty until scheduled."""
    ip: str
    """`status.podIP`; empty until there is one."""
    phase: str
    """`status.phase`."""
    health: Health
    owner: Owner | None
    """The controller: a ReplicaSet, StatefulSet, DaemonSet or Job; None for a bare pod."""
    labels: Mapping[str, str]
    container_names: tuple[str, ...]
    """`spec.containers[].name`, then the restartable init containers'."""
    cpu_request_cores: float | None
    """Sum of the containers' CPU requests; None when no container asks."""
    memory_limit_bytes: float | None
    """Sum of the containers' memory limits; None unless every container has one."""
    cpu_limit_cores: float | None = None
    """Sum of the containers' CPU limits; None unless every container has one."""
    memory_request_bytes: float | None = None
    """Sum of the containers' memory requests; None when no container asks."""
    last_end: str = ""
    """How the container that was started again at `restarted_at` had ended: `OOMKilled`, `Error (exit code 1)`."""
    init_container_names: tuple[str, ...] = ()
    """`spec.initContainers[].name` of those that must end before the others begin."""
    ephemeral_container_names: tuple[str, ...] = ()
    """`spec.ephemeralContainers[].name`: what `kubectl debug` put into it."""

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_held_back(self) -> bool:
        """Whether every container is ready and the pod is not: READY and STATUS look well, and no Service uses it."""
        is_whole = self.status == "Running" and self.ready == self.containers
        return is_whole and self.health is Health.WAITING


_FAILING: Final = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "ContainerCannotRun",
        "StartError",
        "PostStartHookError",
        "OOMKilled",
        "Error",
        "DeadlineExceeded",
        "ContainerStatusUnknown",
        "Unknown",
        "NodeLost",
    }
)


def parse_pod(obj: Object) -> Pod:
    """Return the slim fact for a Pod object."""
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    printed = _Printed(obj)
    phase = text(status, "phase")
    sidecars = [text(c, "name") for c in parts(spec, "initContainers") if c.get("restartPolicy") == "Always"]
    containers = parts(spec, "containers")
    return Pod(
        uid=text(metadata, "uid"),
        namespace=text(metadata, "namespace"),
        name=text(metadata, "name"),
        ready=printed.ready,
        containers=len(containers) + len(sidecars),
        status=printed.reason,
        restarts=printed.restarts,
        restarted_at=printed.restarted_at if printed.restarts else None,
        created_at=moment(metadata, "creationTimestamp"),
        node=text(spec, "nodeName"),
        ip=text(status, "podIP"),
        phase=phase,
        health=_health(printed, phase, len(containers) + len(sidecars)),
        owner=owner(metadata),
        labels=strings(metadata, "labels"),
        container_names=(*(text(container, "name") for container in containers), *sidecars),
        cpu_request_cores=_sum(containers, "requests", "cpu", every=False),
        memory_limit_bytes=_sum(containers, "limits", "memory", every=True),
        cpu_limit_cores=_sum(containers, "limits", "cpu", every=True),
        memory_request_bytes=_sum(containers, "requests", "memory", every=False),
        last_end=_last_end(status, printed.restarted_at) if printed.restarts else "",
        init_container_names=tuple(
            text(c, "name") for c in parts(spec, "initContainers") if c.get("restartPolicy") != "Always"
        ),
        ephemeral_container_names=tuple(text(c, "name") for c in parts(spec, "ephemeralContainers")),
    )


def _health(printed: "_Printed", phase: str, containers: int) -> Health:
    if phase == "Succeeded":
        return Health.ENDED
    if phase == "Failed":
        return Health.LEFT_OVER
    reason = printed.reason.removeprefix("Init:")
    if reason in _FAILING or reason.startswith(("ExitCode:", "Signal:")):
        return Health.FAILING
    is_running = printed.reason == "Running" and printed.ready == containers
    return Health.FINE if is_running and not printed.is_held_back else Health.WAITING


def _sum(containers: Sequence[Object], section: str, resource: str, *, every: bool) -> float | None:
    found = [quantity(part(container, "resources", section), resource) for container in containers]
    known = [amount for amount in found if amount is not None]
    return None if not known or (every and len(known) < len(found)) else sum(known)


class _Printed:
    """The READY, STATUS and RESTARTS cells, by the rules of the API server's pod printer."""

    def __init__(self, pod: Object) -> None:
        self._spec, self._status = part(pod, "spec"), part(pod, "status")
        self._conditions = {text(c, "type"): c for c in parts(self._status, "conditions")}
        self.ready = 0
        self.restarts = 0
        self.restarted_at: float | None = None
        phase = text(self._status, "phase")
        self.reason = text(self._status, "reason") or phase
        if self._conditions.get("PodScheduled", {}).get("reason") == "SchedulingGated":
            self.reason = "SchedulingGated"
        if not self._init_containers() or self._is_true("Initialized"):
            self._main_containers()
        if part(pod, "metadata").get("deletionTimestamp"):
            if self._status.get("reason") == "NodeLost":
                self.reason = "Unknown"
            elif phase not in ("Succeeded", "Failed"):
                self.reason = "Terminating"

    @property
    def is_held_back(self) -> bool:
        """Whether the pod is not ready whatever its containers are: its node is silent, or a readiness gate is shut."""
        return self._conditions.get("Ready", {}).get("status") in ("False", "Unknown")

    def _is_true(self, condition: str) -> bool:
        return self._conditions.get(condition, {}).get("status") == "True"

    def _init_containers(self) -> bool:
        """Count the init containers and tell whether the pod is still initializing."""
        specs = parts(self._spec, "initContainers")
        restartable = {text(spec, "name") for spec in specs if spec.get("restartPolicy") == "Always"}
        self._sidecar_restarts = 0
        self._sidecar_restarted_at: float | None = None
        for index, status in enumerate(parts(self._status, "initContainerStatuses")):
            is_sidecar = text(status, "name") in restartable
            self.restarts += whole(status, "restartCount")
            self.restarted_at = _later(self.restarted_at, status)
            if is_sidecar:
                self._sidecar_restarts += whole(status, "restartCount")
                self._sidecar_restarted_at = _later(self._sidecar_restarted_at, status)
            terminated, waiting = maybe(part(status, "state"), "terminated"), part(status, "state", "waiting")
            if terminated is not None and not whole(terminated, "exitCode"):
                continue
            if is_sidecar and status.get("started") is True:
                self.ready += status.get("ready") is True
                continue
            if terminated is not None:
                self.reason = "Init:" + _ended(terminated)
            elif text(waiting, "reason") not in ("", "PodInitializing"):
                self.reason = "Init:" + text(waiting, "reason")
            else:
                self.reason = f"Init:{index}/{len(specs)}"
            return True
        return False

    def _main_containers(self) -> None:
        # An initialized pod's plain init containers no longer count; its sidecars do.
        self.restarts, self.restarted_at = self._sidecar_restarts, self._sidecar_restarted_at
        is_running = False
        for status in reversed(parts(self._status, "containerStatuses")):
            self.restarts += whole(status, "restartCount")
            self.restarted_at = _later(self.restarted_at, status)
            state = part(status, "state")
            terminated, waiting = maybe(state, "terminated"), text(part(state, "waiting"), "reason")
            if waiting:
                self.reason = waiting
            elif terminated is not None:
                self.reason = _ended(terminated)
            elif status.get("ready") is True and state.get("running") is not None:
                is_running = True
                self.ready += 1
        if self.reason == "Completed" and is_running:
            self.reason = "Running" if self._is_true("Ready") else "NotReady"


def _ended(terminated: Object) -> str:
    if reason := text(terminated, "reason"):
        return reason
    if signal := whole(terminated, "signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{whole(terminated, 'exitCode')}"


def _last_end(status: Object, at: float | None) -> str:
    for key in ("containerStatuses", "initContainerStatuses"):
        for container in parts(status, key):
            terminated = part(container, "lastState", "terminated")
            if terminated and moment(terminated, "finishedAt") == at:
                code, reason = whole(terminated, "exitCode"), _ended(terminated)
                return f"{reason} (exit code {code})" if reason == "Error" else reason
    return ""


def _later(known: float | None, status: Object) -> float | None:
    finished = moment(part(status, "lastState", "terminated"), "finishedAt")
    return finished if known is None or (finished is not None and finished > known) else known
