"""Label and field selectors, with the refusals a real server words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tui.sandbox.cluster.problems import bad_request
from tui.sandbox.cluster.resources import Object, Resource

Match = Callable[[Object], bool]

_TOKEN = re.compile(r"\s*(==|!=|=|!|\(|\)|,|[^\s=!(),]+)")

_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "jobs": ("status.successful",),
    "replicasets": ("status.replicas",),
}  # fmt: skip
"""Fields a selector may name besides `metadata.name` and `metadata.namespace`."""


def labels_match(text: str) -> Match:
    """Return the predicate that a `labelSelector` means.

    Raises:
        ApiError: 400, it cannot be parsed.
    """
    tests = [_requirement(tokens) for tokens in _requirements(text)]
    return lambda thing: all(test(thing["metadata"].get("labels") or {}) for test in tests)


def selector_match(selector: Mapping[str, Any] | None) -> Match:
    """Return the predicate that a `LabelSelector` object means; None matches nothing."""
    if selector is None:
        return lambda _: False
    pairs = tuple((selector.get("matchLabels") or {}).items())
    expressions = tuple(selector.get("matchExpressions") or ())

    def match(thing: Object) -> bool:
        labels = thing["metadata"].get("labels") or {}
        return all(labels.get(k) == v for k, v in pairs) and all(_expression(e, labels) for e in expressions)

    return match


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """Return a `LabelSelector` as one line, as the printers and `/scale` write it."""
    if selector is None:
        return "<none>"
    parts = [(k, f"{k}={v}") for k, v in (selector.get("matchLabels") or {}).items()]
    for e in selector.get("matchExpressions") or ():
        values = ",".join(sorted(e.get("values") or ()))
        forms = {"In": f"{e['key']} in ({values})", "NotIn": f"{e['key']} notin ({values})"}
        forms |= {"Exists": e["key"], "DoesNotExist": f"!{e['key']}"}
        parts.append((e["key"], forms[e["operator"]]))
    return ",".join(text for _, text in sorted(parts))


def fields_match(text: str, resource: Resource) -> Match:
    """Return the predicate that a `fieldSelector` means.

    Raises:
        ApiError: 400, it cannot be parsed or names a field this kind cannot select by.
    """
    known = {"metadata.name", "metadata.namespace", *_FIELDS.get(resource.plural, ())}
    tests: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field, operator, value = found.groups()
        if field not in known:
            raise bad_request(f"field label not supported: {field}")
        tests.append((field, value, operator != "!="))
    return lambda thing: all((_field(thing, f) == value) is wanted for f, value, wanted in tests)


def _field(thing: Object, path: str) -> str:
    if path == "source":
        return str((thing.get("source") or {}).get("component") or thing.get("reportingComponent") or "")
    value: Any = thing
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)


def _requirements(text: str) -> list[list[str]]:
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise bad_request(f"unable to parse requirement: found '{text[at]}', expected: identifier")
        tokens.append(found.group(1))
        at = found.end()
    groups: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:  # noqa: S105 - a comma, not a credential
            groups.append([])
        else:
            groups[-1].append(token)
    return [g for g in groups if g]


def _requirement(tokens: list[str]) -> Callable[[Mapping[str, str]], bool]:
    match tokens:
        case ["!", key]:
            return lambda labels: key not in labels
        case [key] if key not in ("=", "==", "!=", "(", ")"):
            return lambda labels: key in labels
        case [key, "=" | "=="]:
            return lambda labels: labels.get(key) == ""
        case [key, "!="]:
            return lambda labels: labels.get(key) != ""
        case [key, "=" | "==", value] if value not in ("=", "==", "!="):
            return lambda labels: labels.get(key) == value
        case [key, "!=", value]:
            return lambda labels: labels.get(key) != value
        case [key, "in" | "notin" as operator, "(", *values, ")"]:
            wanted = {v for v in values if v != ","}
            return lambda labels: (labels.get(key) in wanted) is (operator == "in")
        case [_, "=" | "==" | "!=", found, *_]:
            raise bad_request(f"unable to parse requirement: found '{found}', expected: identifier")
        case [_, found, *_]:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise bad_request(f"unable to parse requirement: found '{found}', expected: {expected}")
        case _:
            raise bad_request(
                f"unable to parse requirement: found '{tokens[0]}', expected: !, identifier, or 'end of string'"
            )


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
