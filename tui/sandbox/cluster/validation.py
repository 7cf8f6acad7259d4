"""What a server refuses to store: the few rules that clients of a sandbox run into."""

from __future__ import annotations

import re
from typing import Any

from tui.sandbox.cluster.problems import invalid, modified
from tui.sandbox.cluster.resources import Object, Resource

Cause = tuple[str, str, str]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAME_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def check_new(resource: Resource, thing: Object) -> None:
    """Refuse an object that may not be created.

    Raises:
        ApiError: 422.
    """
    name = thing["metadata"].get("name", "")
    causes = _spec_causes(resource, thing)
    if name and resource.plural != "events" and not _NAME.fullmatch(name):
        causes.insert(0, ("FieldValueInvalid", "metadata.name", f'Invalid value: "{name}": {_NAME_MESSAGE}'))
    if causes:
        raise invalid(resource, name, causes)


def check_update(resource: Resource, new: Object, old: Object) -> None:
    """Refuse a new version that is stale, or that changes what must stay.

    Raises:
        ApiError: 409 or 422.
    """
    name = old["metadata"]["name"]
    version = new["metadata"].get("resourceVersion")
    uid = new["metadata"].get("uid")
    if uid is not None and uid != old["metadata"]["uid"]:
        # a real server finds this twice, and says it twice
        raise invalid(resource, name, [("FieldValueInvalid", "metadata.uid", _immutable(uid))] * 2)
    if version and version != old["metadata"]["resourceVersion"]:
        raise modified(resource, name)
    causes = _spec_causes(resource, new)
    selector = (new.get("spec") or {}).get("selector")
    if resource.group == "apps" and selector != (old.get("spec") or {}).get("selector"):
        causes.append(("FieldValueInvalid", "spec.selector", f"Invalid value: {selector!r}: field is immutable"))
    if causes:
        raise invalid(resource, name, causes)


def _immutable(value: str) -> str:
    return f'Invalid value: "{value}": field is immutable'


def _spec_causes(resource: Resource, thing: Object) -> list[Cause]:
    spec: dict[str, Any] = thing.get("spec") or {}
    causes: list[Cause] = []
    for field in ("replicas", "parallelism", "completions", "minReadySeconds", "revisionHistoryLimit"):
        value = spec.get(field)
        if isinstance(value, int) and value < 0:
            message = f"Invalid value: {value}: must be greater than or equal to 0"
            causes.append(("FieldValueInvalid", f"spec.{field}", message))
    if resource.plural in ("deployments", "replicasets", "statefulsets", "daemonsets"):
        causes += _template_causes(spec)
    if resource.plural == "pods" and not spec.get("containers"):
        causes.append(("FieldValueRequired", "spec.containers", "Required value"))
    return causes


def _template_causes(spec: dict[str, Any]) -> list[Cause]:
    template = spec.get("template") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not spec.get("selector"):
        return [("FieldValueRequired", "spec.selector", "Required value")]
    if not (template.get("spec") or {}).get("containers"):
        return [("FieldValueRequired", "spec.template.spec.containers", "Required value")]
    if any(labels.get(k) != v for k, v in wanted.items()):
        message = f"Invalid value: {labels!r}: `selector` does not match template `labels`"
        return [("FieldValueInvalid", "spec.template.metadata.labels", message)]
    return [
        ("FieldValueRequired", f"spec.template.spec.containers[{i}].{field}", "Required value")
        for i, container in enumerate(template["spec"]["containers"])
        for field in ("image", "name")
        if not container.get(field)
    ]
