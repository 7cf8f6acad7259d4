"""Nodes as slim facts, in the words of `kubectl get nodes`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tui.sources.kubernetes.fields import Object, moment, part, parts, quantity, strings, text

_ROLE: Final = "node-role.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Node:
    """One node."""

    uid: str
    name: str
    status: str
    """The STATUS column: `Ready`, `NotReady`, `Ready,SchedulingDisabled`, `Unknown`."""
    roles: str
    """The ROLES column; `<none>` without one."""
    version: str
    """`status.nodeInfo.kubeletVersion`."""
    ip: str
    """The InternalIP address."""
    os_image: str
    created_at: float | None
    cpu_cores: float | None
    """`status.allocatable.cpu`."""
    memory_bytes: float | None
    """`status.allocatable.memory`."""
    pressures: tuple[str, ...]
    """Conditions that are True and should not be: `MemoryPressure`, `DiskPressure`, `NetworkUnavailable`…"""
    labels: Mapping[str, str] = field(default_factory=dict)
    """`metadata.labels`."""
    turned_at: float | None = None
    """When it became ready, or ceased to be: `lastTransitionTime` of its Ready condition."""

    @property
    def is_ready(self) -> bool:
        """Whether the node's Ready condition is True."""
        return self.status.split(",")[0] == "Ready"

    @property
    def takes_pods(self) -> bool:
        """Whether nobody has cordoned it (`spec.unschedulable`)."""
        return "SchedulingDisabled" not in self.status.split(",")


def parse_node(obj: Object) -> Node:
    """Return the slim fact for a Node object."""
    metadata, status = part(obj, "metadata"), part(obj, "status")
    conditions = {text(condition, "type"): condition.get("status") for condition in parts(status, "conditions")}
    words = ["Unknown" if "Ready" not in conditions else "Ready" if conditions["Ready"] == "True" else "NotReady"]
    if part(obj, "spec").get("unschedulable") is True:
        words.append("SchedulingDisabled")
    info = part(status, "nodeInfo")
    return Node(
        uid=text(metadata, "uid"),
        name=text(metadata, "name"),
        status=",".join(words),
        roles=_roles(part(metadata, "labels")),
        version=text(info, "kubeletVersion"),
        ip=next((text(a, "address") for a in parts(status, "addresses") if a.get("type") == "InternalIP"), ""),
        os_image=text(info, "osImage"),
        created_at=moment(metadata, "creationTimestamp"),
        cpu_cores=quantity(part(status, "allocatable"), "cpu"),
        memory_bytes=quantity(part(status, "allocatable"), "memory"),
        pressures=tuple(sorted(kind for kind, state in conditions.items() if kind != "Ready" and state == "True")),
        labels=strings(metadata, "labels"),
        turned_at=next(
            (moment(one, "lastTransitionTime") for one in parts(status, "conditions") if text(one, "type") == "Ready"),
            None,
        ),
    )


def _roles(labels: Object) -> str:
    roles = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE) and key != _ROLE}
    if isinstance(role := labels.get("kubernetes.io/role"), str) and role:
        roles.add(role)
    return ",".join(text({"role": role}, "role") for role in sorted(roles)) or "<none>"
