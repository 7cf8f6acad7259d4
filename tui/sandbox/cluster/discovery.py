"""Discovery: which kinds there are, in the aggregated form and in the one of old."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster import openapi
from tui.sandbox.cluster.resources import RESOURCES, Resource, group_versions

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2-sandbox",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def singular(resource: Resource) -> str:
    """Return the singular name, `pod` for `pods`."""
    return resource.kind.lower()


def answer(path: str, accept: str) -> tuple[Any, str] | None:
    """Return the body and content type of a discovery path, or None when it is not one."""
    parts = path.strip("/").split("/")
    match parts:
        case ["version"]:
            return VERSION, "application/json"
        case ["api" | "apis" as root] if "as=APIGroupDiscoveryList" in accept:
            version = "v2" if "v=v2;" in accept or accept.endswith("v=v2") else "v2beta1"
            return _aggregated(root, version), _AGGREGATED.format(version=version)
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}, "application/json"
        case ["apis"]:
            groups = [_group(g, v) for g, v in group_versions()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}, "application/json"
        case ["api", "v1"]:
            return _resource_list("", "v1"), "application/json"
        case ["apis", group]:
            found = [_group(g, v) for g, v in group_versions() if g == group]
            head = {"kind": "APIGroup", "apiVersion": "v1"}
            return ({**head, **found[0]}, "application/json") if found else None
        case ["apis", group, version] if (group, version) in group_versions():
            return _resource_list(group, version), "application/json"
        case ["openapi", "v3"]:
            return openapi.index(), "application/json"
        case ["openapi", "v3", "api", "v1"]:
            return openapi.document("", "v1"), "application/json"
        case ["openapi", "v3", "apis", group, version]:
            return openapi.document(group, version), "application/json"
        case ["livez" | "readyz" | "healthz"]:
            return "ok", "text/plain"
    return None


def _group(group: str, version: str) -> dict[str, Any]:
    pair = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [pair], "preferredVersion": pair}


def _resource_list(group: str, version: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    for r in RESOURCES:
        if (r.group, r.version) != (group, version):
            continue
        entry: dict[str, Any] = {
            "name": r.plural,
            "singularName": singular(r),
            "namespaced": r.namespaced,
            "kind": r.kind,
            "verbs": list(r.verbs),
        }
        if r.short_names:
            entry["shortNames"] = list(r.short_names)
        if r.categories:
            entry["categories"] = list(r.categories)
        found.append(entry)
        found += [
            {
                "name": f"{r.plural}/{s['subresource']}",
                "singularName": "",
                "namespaced": r.namespaced,
                "group": s["responseKind"]["group"],
                "version": s["responseKind"]["version"],
                "kind": s["responseKind"]["kind"],
                "verbs": s["verbs"],
            }
            for s in _subresources(r)
        ]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": found}


def _aggregated(root: str, api_version: str) -> dict[str, Any]:
    pairs = [("", "v1")] if root == "api" else group_versions()
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [_described(r) for r in RESOURCES if (r.group, r.version) == (group, version)],
                }
            ],
        }
        for group, version in pairs
    ]
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{api_version}"}
    return {**head, "metadata": {}, "items": items}


def _described(r: Resource) -> dict[str, Any]:
    described: dict[str, Any] = {
        "resource": r.plural,
        "responseKind": {"group": r.group, "version": r.version, "kind": r.kind},
        "scope": "Namespaced" if r.namespaced else "Cluster",
        "singularResource": singular(r),
        "verbs": list(r.verbs),
    }
    if r.short_names:
        described["shortNames"] = list(r.short_names)
    if r.categories:
        described["categories"] = list(r.categories)
    if r.subresources:
        described["subresources"] = _subresources(r)
    return described


def _subresources(r: Resource) -> list[dict[str, Any]]:
    forms: dict[str, tuple[tuple[str, str, str], list[str]]] = {
        "scale": (("autoscaling", "v1", "Scale"), ["get", "patch", "update"]),
        "eviction": (("policy", "v1", "Eviction"), ["create"]),
        "exec": (("", "v1", "PodExecOptions"), ["create", "get"]),
        "log": (("", "v1", "Pod"), ["get"]),
        "portforward": (("", "v1", "PodPortForwardOptions"), ["create", "get"]),
        "proxy": (("", "v1", f"{r.kind}ProxyOptions"), ["create", "delete", "get", "patch", "update"]),
        "status": ((r.group, r.version, r.kind), ["get", "patch", "update"]),
        "finalize": ((r.group, r.version, r.kind), ["update"]),
    }
    return [
        {
            "subresource": name,
            "responseKind": dict(zip(("group", "version", "kind"), forms[name][0], strict=True)),
            "verbs": forms[name][1],
        }
        for name in r.subresources
    ]
