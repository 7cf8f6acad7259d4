"""Custom resources: the certificates of a cert-manager, with the definition that makes the server serve them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.durations import since
from tui.sandbox.cluster.population import DAY, Populator
from tui.sandbox.cluster.resources import CERTIFICATES, CUSTOM, DEFINITIONS, Object, Resource

_COLUMNS: dict[str, tuple[tuple[str, str, str, int], ...]] = {
    CERTIFICATES.group_resource: (
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
        ("Secret", "string", ".spec.secretName", 0),
        ("Issuer", "string", ".spec.issuerRef.name", 1),
        ("Status", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    )
}
"""By `PLURAL.GROUP`: name, type, JSON path and priority of each column behind the name."""
_STEP = re.compile(r"\.(?P<key>\w+)(?:\[\?\(@\.(?P<field>\w+)==\"(?P<value>[^\"]*)\"\)\])?")


def columns(resource: Resource) -> list[dict[str, Any]]:
    """Return the `columnDefinitions` of a custom resource, as its definition says."""
    first = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    return [first] + [
        {"name": name, "type": kind, "format": "", "description": "", "priority": priority}
        for name, kind, _, priority in _COLUMNS[resource.group_resource]
    ]


def cells(resource: Resource, thing: Object, now: datetime) -> list[Any]:
    """Return the cells of one object's row; None where its path leads nowhere."""
    row: list[Any] = [thing["metadata"]["name"]]
    for _, kind, path, _ in _COLUMNS[resource.group_resource]:
        found = next(_found(thing, path), None)
        row.append(since(str(found), now) if kind == "date" and found else found)
    return row


def _found(thing: Any, path: str) -> Iterator[Any]:
    """Yield what a path of keys and `[?(@.type=="…")]` leads to."""
    for step in _STEP.finditer(path):
        thing = thing.get(step["key"]) if isinstance(thing, dict) else None
        if step["field"]:
            thing = next((one for one in thing or () if one.get(step["field"]) == step["value"]), None)
    if thing is not None:
        yield thing


def definition(resource: Resource) -> Object:
    """Return the CustomResourceDefinition of a kind."""
    names: Object = {"kind": resource.kind, "listKind": f"{resource.kind}List", "plural": resource.plural}
    names |= {"singular": resource.kind.lower(), "shortNames": list(resource.short_names)}
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "priority": priority}
            for name, kind, path, priority in _COLUMNS[resource.group_resource]
        ],
    }
    spec = {"group": resource.group, "names": names, "scope": "Namespaced", "versions": [version]}
    return {"metadata": {"name": resource.group_resource}, "spec": {**spec, "conversion": {"strategy": "None"}}}


def populate(populator: Populator) -> None:
    """Store the definitions, and certificates: one in order, two that cannot be renewed."""
    for resource in CUSTOM:
        populator.put(DEFINITIONS, {**definition(resource), "status": {"acceptedNames": {}}}, 110 * DAY)
    for namespace, name, days, why in (
        ("shop", "shop-tls", 61, ""),
        ("shop", "legacy-tls", 2, "Issuing certificate: the issuer did not answer the HTTP-01 challenge"),
        (
            "payments",
            "webhooks-tls",
            5,
            'Issuing certificate: the order "webhooks" is pending',
        ),
    ):
        ready = {"type": "Ready", "status": "False" if why else "True", "observedGeneration": 1}
        ready |= {"reason": "DoesNotExist" if why else "Ready"}
        ready |= {"message": why or "Certificate is up to date and has not expired"}
        ends = populator.now + timedelta(days=days)
        issuer = {"group": CERTIFICATES.group, "kind": "ClusterIssuer", "name": "letsencrypt"}
        thing = {
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"secretName": name, "dnsNames": [f"{name}.example.test"], "issuerRef": issuer},
            "status": {
                "conditions": [ready],
                "notBefore": stamp(ends - timedelta(days=90)),
                "notAfter": stamp(ends),
                "renewalTime": stamp(ends - timedelta(days=30)),
                "revision": 1,
            },
        }
        populator.put(CERTIFICATES, thing, 60 * DAY)
