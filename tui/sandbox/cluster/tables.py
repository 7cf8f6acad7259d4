"""Tables: what `kubectl get` asks for (`Accept: application/json;as=Table`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tui.sandbox.cluster import cells, custom, workload_cells
from tui.sandbox.cluster.pod_cells import pod_cells
from tui.sandbox.cluster.resources import CUSTOM, Object, Resource

Printer = tuple[str, Callable[[Object, datetime], list[Any]]]
"""Column names (`+` before those of `-o wide`, `#` before numbers) and the cells of one object."""

_PRINTERS: dict[str, Printer] = {
    "pods": ("Name Ready Status Restarts Age +IP +Node +Nominated_Node +Readiness_Gates", pod_cells),
    "deployments.apps": (
        "Name Ready Up-to-date Available Age +Containers +Images +Selector",
        workload_cells.deployment_cells,
    ),
    "replicasets.apps": (
        "Name #Desired #Current #Ready Age +Containers +Images +Selector",
        workload_cells.replicaset_cells,
    ),
    "statefulsets.apps": ("Name Ready Age +Containers +Images", workload_cells.statefulset_cells),
    "daemonsets.apps": (
        "Name #Desired #Current #Ready #Up-to-date #Available Node_Selector Age +Containers +Images +Selector",
        workload_cells.daemonset_cells,
    ),
    "jobs.batch": (
        "Name Status Completions Duration Age +Containers +Images +Selector",
        workload_cells.job_cells,
    ),
    "cronjobs.batch": (
        "Name Schedule Timezone ?Suspend #Active Last_Schedule Age +Containers +Images +Selector",
        workload_cells.cronjob_cells,
    ),
    "horizontalpodautoscalers.autoscaling": (
        "Name Reference Targets MinPods MaxPods Replicas Age",
        workload_cells.autoscaler_cells,
    ),
    "poddisruptionbudgets.policy": (
        "Name Min_Available Max_Unavailable #Allowed_Disruptions Age",
        workload_cells.budget_cells,
    ),
    "nodes": (
        "Name Status Roles Age Version +Internal-IP +External-IP +OS-Image +Kernel-Version +Container-Runtime",
        cells.node_cells,
    ),
    "namespaces": ("Name Status Age", cells.namespace_cells),
    "services": ("Name Type Cluster-IP External-IP Port(s) Age +Selector", cells.service_cells),
    "ingresses.networking.k8s.io": ("Name Class Hosts Address Ports Age", cells.ingress_cells),
    "networkpolicies.networking.k8s.io": ("Name Pod-Selector Age", cells.policy_cells),
    "events": (
        "Last_Seen Type Reason Object +Subobject +Source Message +First_Seen +Count +Name",
        cells.event_cells,
    ),
    "resourcequotas": ("Name Request Limit Age", cells.quota_cells),
    "configmaps": ("Name #Data Age", cells.data_cells),
    "secrets": ("Name Type #Data Age", cells.secret_cells),
    "persistentvolumeclaims": (
        "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age +VolumeMode",
        cells.claim_cells,
    ),
    "endpoints": ("Name Endpoints Age", cells.endpoints_cells),
    "endpointslices.discovery.k8s.io": ("Name AddressType Ports Endpoints Age", cells.slice_cells),
    "customresourcedefinitions.apiextensions.k8s.io": ("Name Created_At", cells.created_cells),
    "controllerrevisions.apps": ("Name Controller #Revision Age", cells.revision_cells),
}
_PLAIN: Printer = ("Name Age", cells.plain_cells)


def columns(resource: Resource) -> list[dict[str, Any]]:
    """Return the `columnDefinitions` of a kind; priority 1 is shown by `-o wide` only."""
    if resource in CUSTOM:
        return custom.columns(resource)
    names, _ = _PRINTERS.get(resource.group_resource, _PLAIN)
    types = {"#": "integer", "?": "boolean"}
    found = []
    for word in names.split():
        name = word.lstrip("+#?").replace("_", " ")
        kind = next((types[mark] for mark in types if mark in word[:2]), "string")
        form = "name" if name == "Name" and not word.startswith("+") else ""
        priority = int(word.startswith("+"))
        found.append({"name": name, "type": kind, "format": form, "description": "", "priority": priority})
    return found


def cells_of(resource: Resource, thing: Object, now: datetime) -> list[Any]:
    """Return the cells of one object's row."""
    if resource in CUSTOM:
        return custom.cells(resource, thing, now)
    return _PRINTERS.get(resource.group_resource, _PLAIN)[1](thing, now)


def table(
    resource: Resource,
    things: Iterable[Object],
    now: datetime,
    *,
    include: str = "Metadata",
    metadata: dict[str, Any] | None = None,
    with_columns: bool = True,
) -> Object:
    """Return a Table; `include` is None, Metadata or Object: what each row carries besides its cells."""
    rows: list[dict[str, Any]] = []
    for thing in things:
        row: dict[str, Any] = {"cells": cells_of(resource, thing, now)}
        if include == "Object":
            row["object"] = thing
        elif include == "Metadata":
            row["object"] = metadata_only(thing)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {},
        "columnDefinitions": columns(resource) if with_columns else None,
        "rows": rows,
    }


def metadata_only(thing: Object) -> Object:
    """Return the PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": thing["metadata"]}
