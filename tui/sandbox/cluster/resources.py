"""The kinds the simulated API server serves, with the names that discovery gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""One Kubernetes object as JSON."""

READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ = ("get", "list")


@dataclass(frozen=True)
class Resource:
    """One kind in one API version, as discovery describes it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = READ_WRITE

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """`pods` or `deployments.apps`, the name that error messages use."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_stored(self) -> bool:
        """False for what is computed at each request (metrics, endpoints, leases, reviews, newer events)."""
        return "watch" in self.verbs


def _core(plural: str, kind: str, *short: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, short_names=short, **more)


ALL = ("all",)
SCALED = ("scale", "status")

NAMESPACES = _core("namespaces", "Namespace", "ns", namespaced=False, subresources=("finalize", "status"))
NODES = _core("nodes", "Node", "no", namespaced=False, subresources=("proxy", "status"))
_OF_PODS = ("eviction", "exec", "log", "portforward", "proxy", "status")
PODS = _core("pods", "Pod", "po", categories=ALL, subresources=_OF_PODS)
EVENTS = _core("events", "Event", "ev")
SERVICES = _core("services", "Service", "svc", categories=ALL, subresources=("status",))
CONFIGMAPS = _core("configmaps", "ConfigMap", "cm")
SECRETS = _core("secrets", "Secret")
SERVICE_ACCOUNTS = _core("serviceaccounts", "ServiceAccount", "sa")
ENDPOINTS = _core("endpoints", "Endpoints", "ep", verbs=READ)
CLAIMS = _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=("status",))
VOLUMES = _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, subresources=("status",))
QUOTAS = _core("resourcequotas", "ResourceQuota", "quota", subresources=("status",))
LIMIT_RANGES = _core("limitranges", "LimitRange", "limits")
CONTROLLERS = _core("replicationcontrollers", "ReplicationController", "rc", subresources=SCALED)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, ("deploy",), ALL, SCALED)
REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ALL, SCALED)
STATEFULSETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), ALL, SCALED)
DAEMONSETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ALL, ("status",))
REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
JOBS = Resource("batch", "v1", "jobs", "Job", True, (), ALL, ("status",))
CRONJOBS = Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ALL, ("status",))
AUTOSCALERS = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ("hpa",), ALL, ("status",)
)
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), (), ("status",))
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), (), ("status",))
POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",))
EVENTS_V1 = Resource("events.k8s.io", "v1", "events", "Event", True, ("ev",), verbs=READ)
SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", verbs=READ)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", verbs=READ)
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=READ)
NODE_METRICS = Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False, verbs=READ)
_REVIEW = ("create",)
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=_REVIEW
)
RULES_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False, verbs=_REVIEW
)
SUBJECT_REVIEWS = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False, verbs=_REVIEW
)

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd", "crds"),
    subresources=("status",),
)  # fmt: skip
CERTIFICATES = Resource(
    "cert-manager.io", "v1", "certificates", "Certificate", True, ("cert", "certs"), ("cert-manager",), ("status",)
)
CUSTOM = (CERTIFICATES,)
"""Kinds that a CustomResourceDefinition brings."""

RESOURCES: tuple[Resource, ...] = (
    NAMESPACES, NODES, PODS, EVENTS, SERVICES, CONFIGMAPS, SECRETS, SERVICE_ACCOUNTS, ENDPOINTS, CLAIMS, VOLUMES,
    QUOTAS, LIMIT_RANGES, CONTROLLERS, DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS, REVISIONS, JOBS,
    CRONJOBS, AUTOSCALERS, BUDGETS, INGRESSES, POLICIES, EVENTS_V1, SLICES, LEASES, POD_METRICS, NODE_METRICS,
    ACCESS_REVIEWS, RULES_REVIEWS, SUBJECT_REVIEWS, DEFINITIONS, *CUSTOM,
)  # fmt: skip
"""Every kind, core first, in the order that discovery lists them."""

_BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND = {(r.api_version, r.kind): r for r in RESOURCES}


def resource_at(group: str, version: str, plural: str) -> Resource | None:
    """Return the kind served at a path, or None."""
    return _BY_PATH.get((group, version, plural))


def resource_of(thing: Object) -> Resource:
    """Return the kind of an object by its `apiVersion` and `kind`.

    Raises:
        KeyError: nothing here serves such objects.
    """
    return _BY_KIND[thing["apiVersion"], thing["kind"]]


def group_versions() -> list[tuple[str, str]]:
    """Return (group, version) pairs without the core one, in order."""
    return list(dict.fromkeys((r.group, r.version) for r in RESOURCES if r.group))
