"""Which pod serves: from a pod, a service or a workload to one ready pod, read afresh each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tui.sources.errors import Unreachable, Unreadable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Health, Pod, parse_pod

SERVICE: Final = "service"
_WORKLOADS: Final[Mapping[str, str]] = {
    name.lower(): name for name in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
}
_OPERATORS: Final = {"In": "in", "NotIn": "notin"}


@dataclass(frozen=True, slots=True)
class Serving:
    """A pod that serves, and on which of its ports."""

    place: Place
    """Its `container` is empty: a port belongs to the whole pod."""
    port: int


async def serving(connection: Connection, namespace: str, kind: str, name: str, port: int) -> Serving:
    """Return the ready pod that has served longest behind a `pod`, `service`, `deployment`, `statefulset`….

    `port` is the pod's own, for a service the service's.

    Raises:
        Unreachable: no pod there is ready.
        SourceError: it does not exist, or cannot be read.
    """
    named = f"{kind} {namespace}/{name}"
    if kind == "pod":
        pods = [await connection.get(KINDS["Pod"].path(namespace, name))]
        return Serving(_place(_ready(pods, named)[0]), port)
    if kind == SERVICE:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/services/{quote(name, safe='')}"
        spec = part(await connection.get(path), "spec")
        terms = [f"{key}={value}" for key, value in part(spec, "selector").items()]
    elif (known := _WORKLOADS.get(kind)) is not None:
        spec = part(await connection.get(KINDS[known].path(namespace, name)), "spec")
        terms = _terms(part(spec, "selector"))
    else:
        raise Unreadable(f"{kind} leads to no pod", f"pod, {SERVICE}, {', '.join(_WORKLOADS)}")
    if not terms:
        raise Unreadable(f"{named} selects no pods")
    listed = await connection.get(KINDS["Pod"].path(namespace), [("labelSelector", ",".join(terms))])
    pod, obj = _ready(parts(listed, "items"), named)
    return Serving(_place(pod), _target(spec, port, obj, named) if kind == SERVICE else port)


def _place(pod: Pod) -> Place:
    return Place(pod.namespace, pod.name, pod.uid, "")


def _ready(found: Sequence[Object], named: str) -> tuple[Pod, Object]:
    pods = [(parse_pod(obj), obj) for obj in found]
    ready = [one for one in pods if one[0].health is Health.FINE and one[0].phase == "Running"]
    if not ready:
        states = ", ".join(sorted({pod.status for pod, _ in pods})) or "there is none"
        raise Unreachable(f"no pod of {named} is ready: {states}")
    return min(ready, key=lambda one: (one[0].created_at or 0.0, one[0].name))


def _terms(selector: Object) -> list[str]:
    """Return a workload's selector as the terms of a label selector."""
    terms = [f"{key}={value}" for key, value in part(selector, "matchLabels").items()]
    for wanted in parts(selector, "matchExpressions"):
        key, operator, values = text(wanted, "key"), text(wanted, "operator"), wanted.get("values") or []
        if operator in _OPERATORS:
            terms.append(f"{key} {_OPERATORS[operator]} ({','.join(map(str, values))})")
        else:
            terms.append(key if operator == "Exists" else f"!{key}")
    return terms


def _target(spec: Object, port: int, pod: Object, named: str) -> int:
    """Return the pod's port behind a service's."""
    entry = next((one for one in parts(spec, "ports") if one.get("port") == port), None)
    if entry is None:
        offered = ", ".join(str(one.get("port")) for one in parts(spec, "ports")) or "none"
        raise Unreadable(f"{named} has no port {port}", f"its ports: {offered}")
    target: Any = entry.get("targetPort", port)
    if isinstance(target, int):
        return target or port
    for container in parts(part(pod, "spec"), "containers"):
        for declared in parts(container, "ports"):
            if declared.get("name") == target and isinstance(declared.get("containerPort"), int):
                return int(declared["containerPort"])
    raise Unreadable(f"{named}: its port {port} leads to {target!r}, which the pod does not declare")
