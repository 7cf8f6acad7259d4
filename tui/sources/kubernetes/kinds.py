"""Where kinds live in the API; of those that are mirrored, what becomes of their objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import quote

from tui.sources.kubernetes.events import Autoscaler, Event, parse_autoscaler, parse_event
from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.nodes import Node, parse_node
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

Fact: TypeAlias = Pod | Workload | Node | Event | Autoscaler
"""A slim fact; every one has a `uid`."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API."""

    resource: str
    """Its plural name in URLs and permissions: `pods`."""
    kind: str
    """Its name in manifests: `Pod`."""
    group: str
    """API group; empty for core."""
    version: str
    is_namespaced: bool = field(default=True, kw_only=True)

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """Return the URL path of the collection (None: in all namespaces), one object, or a subresource."""
        steps = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None and self.is_namespaced:
            steps += ["namespaces", quote(namespace, safe="")]
        steps += [self.resource, *(quote(step, safe="") for step in (name, subresource) if step)]
        return "/" + "/".join(steps)


@dataclass(frozen=True, slots=True)
class Kind(Resource):
    """One resource whose objects are mirrored."""

    family: str
    """The mapping of the snapshot that holds its facts."""
    parse: Callable[[Object], Fact]


def _workload(resource: str, kind: str, group: str, family: str = "workloads") -> Kind:
    return Kind(resource, kind, group, "v1", family, partial(parse_workload, kind))


KINDS: Final[Mapping[str, Kind]] = {
    kind.kind: kind
    for kind in (
        Kind("pods", "Pod", "", "v1", "pods", parse_pod),
        _workload("deployments", "Deployment", "apps"),
        _workload("replicasets", "ReplicaSet", "apps", "replica_sets"),
        _workload("statefulsets", "StatefulSet", "apps"),
        _workload("daemonsets", "DaemonSet", "apps"),
        _workload("jobs", "Job", "batch"),
        _workload("cronjobs", "CronJob", "batch"),
        Kind("nodes", "Node", "", "v1", "nodes", parse_node, is_namespaced=False),
        Kind("events", "Event", "", "v1", "events", parse_event),
        Kind(
            "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v2", "autoscalers", parse_autoscaler
        ),
    )
}
"""By the name in manifests."""

OTHERS: Final[Mapping[str, Resource]] = {
    one.kind: one
    for one in (
        Resource("networkpolicies", "NetworkPolicy", "networking.k8s.io", "v1"),
        Resource("secrets", "Secret", "", "v1"),
        Resource("certificates", "Certificate", "cert-manager.io", "v1"),
    )
}
"""Kinds of which single objects are changed or read, though none is mirrored; by the name in manifests."""
