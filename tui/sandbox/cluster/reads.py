"""GET: one object, lists in chunks, in the forms a client may ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tui.sandbox.cluster import problems
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import Object, Resource
from tui.sandbox.cluster.selectors import Match, fields_match, labels_match
from tui.sandbox.cluster.store import Entry, Store, encode
from tui.sandbox.cluster.tables import metadata_only, table

JSON = "application/json"
COMPRESSED_BYTES = 128 * 1024
"""Answers of this size and more are compressed for those who accept it; watches never are."""


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer; bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else encode(body)
    return web.Response(
        body=raw, status=status, content_type=JSON, headers=headers, zlib_executor_size=COMPRESSED_BYTES
    )


def shown(call: Call, thing: Object, store: Store, status: int = 200) -> web.Response:
    """Return one object in the form the client asked for."""
    if call.wants_table:
        include = call.query.get("includeObject", "Metadata")
        meta = {"resourceVersion": thing["metadata"].get("resourceVersion", "")}
        return reply(table(call.resource, [thing], store.clock.now(), include=include, metadata=meta), status)
    if call.wants_metadata:
        return reply(metadata_only(thing), status)
    return reply(thing, status)


def selected(call: Call) -> Match | None:
    """Return the predicate of both selectors, None when everything is wanted.

    Raises:
        ApiError: 400, a selector cannot be understood.
    """
    tests: list[Match] = []
    if call.query.get("labelSelector"):
        tests.append(labels_match(call.query["labelSelector"]))
    if call.query.get("fieldSelector"):
        tests.append(fields_match(call.query["fieldSelector"], call.resource))
    if call.name:
        tests.append(lambda thing: thing["metadata"]["name"] == call.name)
    if not tests:
        return None
    return lambda thing: all(test(thing) for test in tests)


def listed(call: Call, store: Store, compute: Callable[[Resource, str], list[Object]]) -> web.Response:
    """Answer a list request; `compute` gives the objects of kinds that are not stored."""
    match = selected(call)
    if call.resource.is_stored:
        entries = store.entries(call.resource, call.namespace)
    else:
        found = compute(call.resource, call.namespace)
        entries = [Entry(t, ("", t["metadata"]["name"]), store.version) for t in found]
    if match is not None:
        entries = [e for e in entries if match(e.thing)]
    entries, metadata = _chunk(call, entries, store)
    if call.wants_table:
        include = call.query.get("includeObject", "Metadata")
        things = (e.thing for e in entries)
        return reply(table(call.resource, things, store.clock.now(), include=include, metadata=metadata))
    kind = call.resource.kind
    head = {"kind": f"{kind}List", "apiVersion": call.resource.api_version, "metadata": metadata}
    if call.wants_metadata:
        head |= {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        return reply({**head, "items": [metadata_only(e.thing) for e in entries]})
    return reply(encode(head)[:-1] + b',"items":[' + b",".join(e.encoded for e in entries) + b"]}")


def _chunk(call: Call, entries: list[Entry], store: Store) -> tuple[list[Entry], dict[str, Any]]:
    version = str(store.version)
    token = call.query.get("continue", "")
    try:
        limit = int(call.query.get("limit") or 0)
    except ValueError as error:
        raise problems.bad_request(f"strconv.ParseInt: parsing {call.query['limit']!r}: invalid syntax") from error
    if token:
        start, version = _opened(token)
        if int(version) < store.oldest(call.resource):
            raise problems.expired(
                "The provided continue parameter is too old to display a consistent list result. You can start "
                "a new list without the continue parameter."
            )
        entries = [e for e in entries if e.key > start]
    elif call.query.get("resourceVersion") == "0":
        limit = 0  # a server answers from its cache, which ignores the limit
    metadata: dict[str, Any] = {"resourceVersion": version}
    if 0 < limit < len(entries):
        left = len(entries) - limit
        entries = entries[:limit]
        metadata["continue"] = _sealed(entries[-1].key, version)
        if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
            metadata["remainingItemCount"] = left
    return entries, metadata


def _sealed(key: tuple[str, str], version: str) -> str:
    content = encode({"v": "meta.k8s.io/v1", "rv": int(version), "start": "/".join(key)})
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _opened(token: str) -> tuple[tuple[str, str], str]:
    raw = b""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        content = json.loads(raw)
        namespace, _, name = content["start"].partition("/")
        return (namespace, name), str(content["rv"])
    except (ValueError, KeyError, TypeError) as error:
        first = chr(raw[0]) if raw else ""
        raise problems.bad_request(
            f"invalid continue token: continue key is not valid: invalid character '{first}' "
            "looking for beginning of value"
        ) from error
