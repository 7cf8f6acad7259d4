"""Just enough OpenAPI for `kubectl apply` and `create -f`: that the server validates fields itself."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.resources import RESOURCES, group_versions


def index() -> dict[str, Any]:
    """Return `/openapi/v3`: where the document of each API version is."""
    roots = ["api/v1", *(f"apis/{group}/{version}" for group, version in group_versions())]
    return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}


def document(group: str, version: str) -> dict[str, Any]:
    """Return the document of one API version: PATCH of every kind, which takes `fieldValidation`."""
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    paths: dict[str, Any] = {}
    for r in RESOURCES:
        if (r.group, r.version) != (group, version):
            continue
        scope = "/namespaces/{namespace}" if r.namespaced else ""
        parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        patch = {
            "parameters": [parameter],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {"group": r.group, "version": r.version, "kind": r.kind},
        }
        paths[f"{root}{scope}/{r.plural}/{{name}}"] = {"patch": patch}
    info = {"title": "Kubernetes", "version": "sandbox"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}
