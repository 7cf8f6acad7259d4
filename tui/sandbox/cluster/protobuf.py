"""Just enough protobuf for what kubectl sends in it: reviews, evictions, deletions, and `kubectl create KIND`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.sandbox.cluster.problems import bad_request, unsupported_media_type

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"

# Field numbers of k8s.io/api's generated.proto files. A text field is named by a string; others by a pair of name
# and form: int, bool, bytes, list (of texts), dict (a map of texts), QUANTITIES, a message's own fields, or a list
# with the fields of a repeated message.
_Fields = Mapping[int, Any]
QUANTITIES = "quantities"

_OWNER: _Fields = {1: "kind", 3: "name", 4: "uid", 5: "apiVersion", 6: ("controller", bool)}
_META: _Fields = {
    1: "name",
    2: "generateName",
    3: "namespace",
    5: "uid",
    6: "resourceVersion",
    11: ("labels", dict),
    12: ("annotations", dict),
    13: ("ownerReferences", [_OWNER]),
}
_DELETE: _Fields = {
    1: ("gracePeriodSeconds", int),
    2: ("preconditions", {1: "uid", 2: "resourceVersion"}),
    3: ("orphanDependents", bool),
    4: "propagationPolicy",
    5: ("dryRun", list),
}
_RESOURCE: _Fields = {
    1: "namespace",
    2: "verb",
    3: "group",
    4: "version",
    5: "resource",
    6: "subresource",
    7: "name",
}
_CONTAINER: _Fields = {
    1: "name",
    2: "image",
    3: ("command", list),
    4: ("args", list),
    6: ("ports", [{1: "name", 3: ("containerPort", int), 4: "protocol"}]),
    7: ("env", [{1: "name", 2: "value"}]),
    8: ("resources", {1: ("limits", QUANTITIES), 2: ("requests", QUANTITIES)}),
    14: "imagePullPolicy",
}
_TEMPLATE: _Fields = {
    1: ("metadata", _META),
    2: (
        "spec",
        {
            2: ("containers", [_CONTAINER]),
            3: "restartPolicy",
            4: ("terminationGracePeriodSeconds", int),
            7: ("nodeSelector", dict),
            8: "serviceAccountName",
            20: ("initContainers", [_CONTAINER]),
        },
    ),
}
_JOB: _Fields = {
    1: ("parallelism", int),
    2: ("completions", int),
    6: ("template", _TEMPLATE),
    7: ("backoffLimit", int),
    8: ("ttlSecondsAfterFinished", int),
    10: ("suspend", bool),
}
_DEPLOYMENT: _Fields = {
    1: ("replicas", int),
    2: ("selector", {1: ("matchLabels", dict)}),
    3: ("template", _TEMPLATE),
}
_CRONJOB: _Fields = {
    1: "schedule",
    3: "concurrencyPolicy",
    4: ("suspend", bool),
    5: ("jobTemplate", {1: ("metadata", _META), 2: ("spec", _JOB)}),
}
_KINDS: dict[str, _Fields] = {
    "SelfSubjectAccessReview": {
        1: ("metadata", _META),
        2: ("spec", {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})}),
    },
    "SelfSubjectRulesReview": {1: ("metadata", _META), 2: ("spec", {1: "namespace"})},
    "SelfSubjectReview": {1: ("metadata", _META)},
    "Eviction": {1: ("metadata", _META), 2: ("deleteOptions", _DELETE)},
    "DeleteOptions": _DELETE,
    "Namespace": {1: ("metadata", _META)},
    "ConfigMap": {1: ("metadata", _META), 2: ("data", dict)},
    "Deployment": {1: ("metadata", _META), 2: ("spec", _DEPLOYMENT)},
    "Job": {1: ("metadata", _META), 2: ("spec", _JOB)},
    "CronJob": {1: ("metadata", _META), 2: ("spec", _CRONJOB)},
}


def decode(data: bytes) -> dict[str, Any]:
    """Return the object in a protobuf request as JSON.

    Raises:
        ApiError: 415, a kind that is not decoded here; 400, no such envelope.
    """
    if not data.startswith(_MAGIC):
        raise bad_request("provided data does not appear to be a protobuf message")
    try:
        envelope = _message(data[len(_MAGIC) :], {1: ("type", {1: "apiVersion", 2: "kind"}), 2: ("raw", bytes)})
        kind = envelope["type"]["kind"]
        fields = _KINDS.get(kind)
        if fields is None:
            raise unsupported_media_type()
        decoded = _message(envelope.get("raw", b""), fields)
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise bad_request("unable to decode the protobuf message") from error
    return {"kind": kind, "apiVersion": envelope["type"]["apiVersion"], **decoded}


def _message(data: bytes, fields: _Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value: Any
            value, at = _varint(data, at)
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            at += {1: 8, 5: 4}[wire]
            continue
        if number in fields:
            _set(found, fields[number], value)
    return found


def _set(found: dict[str, Any], form: Any, value: Any) -> None:
    if isinstance(form, str):
        if value:
            found[form] = value.decode()
        return
    name, kind = form
    if kind is int:
        found[name] = value - (1 << 64) if value >> 63 else value
    elif kind is bool:
        found[name] = bool(value)
    elif kind is bytes:
        found[name] = value
    elif kind is list:
        found.setdefault(name, []).append(value.decode())
    elif kind is dict:
        pair = _message(value, {1: "key", 2: "value"})
        found.setdefault(name, {})[pair["key"]] = pair.get("value", "")
    elif kind == QUANTITIES:
        pair = _message(value, {1: "key", 2: ("value", {1: "string"})})
        found.setdefault(name, {})[pair["key"]] = pair["value"]["string"]
    elif isinstance(kind, list):
        found.setdefault(name, []).append(_message(value, kind[0]))
    else:
        found[name] = _message(value, kind)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
