"""Just enough protobuf for what kubectl sends in it unless asked otherwise: reviews, evictions, deletions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.sandbox.cluster.problems import bad_request, unsupported_media_type

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"

# Field numbers of k8s.io/api's generated.proto files. A text field is named by a string, a message by
# (name, its own fields), a number by (name, int), a repeated text by (name, list).
_Fields = Mapping[int, Any]
_META: _Fields = {1: "name", 2: "generateName", 3: "namespace", 5: "uid", 6: "resourceVersion"}
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
_KINDS: dict[str, _Fields] = {
    "SelfSubjectAccessReview": {
        1: ("metadata", _META),
        2: ("spec", {1: ("resourceAttributes", _RESOURCE), 2: ("nonResourceAttributes", {1: "path", 2: "verb"})}),
    },
    "SelfSubjectRulesReview": {1: ("metadata", _META), 2: ("spec", {1: "namespace"})},
    "SelfSubjectReview": {1: ("metadata", _META)},
    "Eviction": {1: ("metadata", _META), 2: ("deleteOptions", _DELETE)},
    "DeleteOptions": _DELETE,
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
    except (IndexError, KeyError, UnicodeDecodeError) as error:
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
