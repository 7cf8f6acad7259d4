"""Objects nobody stores: endpoints, endpoint slices, leases, metrics, and events in their newer form."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.clock import micro_stamp
from tui.sandbox.cluster.resources import (
    ENDPOINTS,
    EVENTS,
    EVENTS_V1,
    LEASES,
    NODE_METRICS,
    NODES,
    POD_METRICS,
    PODS,
    SERVICES,
    SLICES,
    Object,
    Resource,
)
from tui.sandbox.cluster.shapes import is_ready, owner_reference
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage


class Computed:
    """Gives the objects of kinds that are computed at each request."""

    def __init__(self, store: Store, usage: Usage) -> None:
        self._store = store
        self._usage = usage

    def objects(self, resource: Resource, namespace: str) -> list[Object]:
        """Return the objects of one kind, of all namespaces or of one."""
        if resource == POD_METRICS:
            return self._usage.pod_metrics(namespace)
        if resource == NODE_METRICS:
            return self._usage.node_metrics()
        if resource == ENDPOINTS:
            return [self._endpoints(s) for s in self._store.things(SERVICES, namespace)]
        if resource == SLICES:
            return [self._slice(s) for s in self._store.things(SERVICES, namespace)]
        if resource == LEASES:
            return self._leases() if namespace in ("", "kube-node-lease") else []
        if resource == EVENTS_V1:
            return [newer_event(e) for e in self._store.things(EVENTS, namespace)]
        return []

    def _pods(self, service: Object) -> list[Object]:
        selector = service["spec"].get("selector")
        if not selector:
            return []
        return [
            p
            for p in self._store.things(PODS, service["metadata"]["namespace"])
            if selector.items() <= (p["metadata"].get("labels") or {}).items() and p["status"].get("podIP")
        ]

    def _endpoints(self, service: Object) -> Object:
        addresses: dict[bool, list[Any]] = {True: [], False: []}
        for pod in self._pods(service):
            reference = {"kind": "Pod", **{k: pod["metadata"][k] for k in ("namespace", "name", "uid")}}
            address = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference}
            addresses[is_ready(pod)].append(address)
        body: Object = {"kind": "Endpoints", "apiVersion": "v1", "metadata": _meta(service)}
        if addresses[True] or addresses[False]:
            subset: dict[str, Any] = {"ports": _ports(service)}
            if addresses[True]:
                subset["addresses"] = addresses[True]
            if addresses[False]:
                subset["notReadyAddresses"] = addresses[False]
            body["subsets"] = [subset]
        return body

    def _slice(self, service: Object) -> Object:
        meta = _meta(service)
        meta["name"] += "-slice"
        meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/service-name": service["metadata"]["name"]}
        meta["ownerReferences"] = [owner_reference(service)]
        return {
            "kind": "EndpointSlice",
            "apiVersion": SLICES.api_version,
            "metadata": meta,
            "addressType": "IPv4",
            "endpoints": [
                {
                    "addresses": [pod["status"]["podIP"]],
                    "conditions": {"ready": is_ready(pod)},
                    "nodeName": pod["spec"]["nodeName"],
                    "targetRef": {
                        "kind": "Pod",
                        "namespace": pod["metadata"]["namespace"],
                        "name": pod["metadata"]["name"],
                    },
                }
                for pod in self._pods(service)
            ],
            "ports": _ports(service),
        }

    def _leases(self) -> list[Object]:
        now = micro_stamp(self._store.clock.now())
        return [
            {
                "kind": "Lease",
                "apiVersion": LEASES.api_version,
                "metadata": {**_meta(node), "namespace": "kube-node-lease"},
                "spec": {
                    "holderIdentity": node["metadata"]["name"],
                    "leaseDurationSeconds": 40,
                    "renewTime": now,
                },
            }
            for node in self._store.things(NODES)
        ]


def newer_event(event: Object) -> Object:
    """Return a core event as events.k8s.io/v1 shows it."""
    source = event.get("source") or {}
    newer: Object = {
        "kind": "Event",
        "apiVersion": EVENTS_V1.api_version,
        "metadata": event["metadata"],
        "eventTime": event.get("eventTime"),
        "reportingController": event.get("reportingComponent") or source.get("component", ""),
        "reportingInstance": event.get("reportingInstance", ""),
        "reason": event.get("reason", ""),
        "regarding": event.get("involvedObject", {}),
        "note": event.get("message", ""),
        "type": event.get("type", ""),
        "deprecatedSource": source,
        "deprecatedFirstTimestamp": event.get("firstTimestamp"),
        "deprecatedLastTimestamp": event.get("lastTimestamp"),
        "deprecatedCount": event.get("count", 1),
    }
    if event.get("action"):
        newer["action"] = event["action"]
    return newer


def _meta(thing: Object) -> Object:
    shown = ("name", "namespace", "uid", "creationTimestamp", "resourceVersion", "labels")
    return {key: thing["metadata"][key] for key in shown if key in thing["metadata"]}


def _ports(service: Object) -> list[Any]:
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else 8080
        found.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
    return found
