"""The fields a server fills in when they are left out."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.resources import Object, Resource


def fill(resource: Resource, thing: Object) -> None:
    """Complete `thing` in place as the server does before it stores it."""
    spec: dict[str, Any] = thing.get("spec") or {}
    match resource.plural:
        case "pods":
            _pod(thing)
        case "deployments":
            _workload(thing, spec)
            strategy = spec.setdefault("strategy", {})
            if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
                rolling = strategy.setdefault("rollingUpdate", {})
                rolling.setdefault("maxUnavailable", "25%")
                rolling.setdefault("maxSurge", "25%")
            spec.setdefault("revisionHistoryLimit", 10)
            spec.setdefault("progressDeadlineSeconds", 600)
            _without_false(spec, "paused")
        case "nodes":
            _without_false(spec, "unschedulable")
        case "replicasets":
            _workload(thing, spec)
        case "statefulsets":
            _workload(thing, spec)
            spec.setdefault("podManagementPolicy", "OrderedReady")
            spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
            spec.setdefault("revisionHistoryLimit", 10)
        case "daemonsets":
            _template(spec.get("template"))
            rolling = {"maxUnavailable": 1, "maxSurge": 0}
            spec.setdefault("updateStrategy", {"type": "RollingUpdate", "rollingUpdate": rolling})
            spec.setdefault("revisionHistoryLimit", 10)
            thing.setdefault("status", {})
        case "jobs":
            _job(thing, spec)
        case "cronjobs":
            spec.setdefault("concurrencyPolicy", "Allow")
            spec.setdefault("suspend", False)
            spec.setdefault("successfulJobsHistoryLimit", 3)
            spec.setdefault("failedJobsHistoryLimit", 1)
            _template((spec.get("jobTemplate") or {}).get("spec", {}).get("template"))
            thing.setdefault("status", {})
        case "services":
            spec.setdefault("type", "ClusterIP")
            spec.setdefault("sessionAffinity", "None")
            for port in spec.get("ports") or ():
                port.setdefault("protocol", "TCP")
                port.setdefault("targetPort", port["port"])
            thing.setdefault("status", {"loadBalancer": {}})
        case "namespaces":
            thing.setdefault("spec", {"finalizers": ["kubernetes"]})
            thing["status"] = {"phase": "Active"}
            thing["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = thing["metadata"]["name"]
        case "horizontalpodautoscalers":
            spec.setdefault("minReplicas", 1)
            thing.setdefault("status", {"currentReplicas": 0, "desiredReplicas": 0})
        case "poddisruptionbudgets":
            zero = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
            thing.setdefault("status", zero)


def _workload(thing: Object, spec: dict[str, Any]) -> None:
    spec.setdefault("replicas", 1)
    _template(spec.get("template"))
    thing.setdefault("status", {})


def _job(thing: Object, spec: dict[str, Any]) -> None:
    spec.setdefault("parallelism", 1)
    spec.setdefault("completions", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    _template(spec.get("template"))
    thing.setdefault("status", {})


def _pod(thing: Object) -> None:
    spec = thing["spec"]
    _pod_spec(spec)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("priority", 0)
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    if "tolerations" not in spec:
        spec["tolerations"] = [
            {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("not-ready", "unreachable")
        ]
    status = thing.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", _qos(spec))


def _template(template: Object | None) -> None:
    if template:
        _pod_spec(template.setdefault("spec", {}))


def _pod_spec(spec: dict[str, Any]) -> None:
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
        container.setdefault("imagePullPolicy", "Always" if tag in ("", "latest") else "IfNotPresent")
        for port in container.get("ports") or ():
            port.setdefault("protocol", "TCP")
        for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
            if kind in container:
                _probe(container[kind])
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")


def _probe(probe: dict[str, Any]) -> None:
    if "httpGet" in probe:
        probe["httpGet"].setdefault("scheme", "HTTP")
    for name, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        probe.setdefault(name, value)


def _qos(spec: dict[str, Any]) -> str:
    resources = [c.get("resources") or {} for c in spec.get("containers") or ()]
    if not any(r.get("limits") or r.get("requests") for r in resources):
        return "BestEffort"
    if all({"cpu", "memory"} <= set(r.get("limits") or ()) for r in resources) and all(
        (r.get("requests") or r["limits"]) == r["limits"] for r in resources
    ):
        return "Guaranteed"
    return "Burstable"


def _without_false(spec: dict[str, Any], field: str) -> None:
    """Leave out a field that servers write only when it is true."""
    if spec.get(field) is False:
        del spec[field]
