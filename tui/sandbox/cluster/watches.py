"""Watches: changes as they happen, replayed from a resourceVersion or preceded by the present state."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tui.sandbox.cluster import problems
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.reads import JSON, selected
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.selectors import Match
from tui.sandbox.cluster.store import Change, Entry, Store, encode
from tui.sandbox.cluster.tables import metadata_only, table

_LASTING = (FaultKind.TRICKLE, FaultKind.REPLAYED)
"""Faults that do not end the stream."""
_TRICKLE = 37
"""Bytes at a time."""
_REPLAYED = 50
"""Changes told once more."""
BACKLOG = 20_000
"""Changes a slow watcher may be behind before the server ends its watch."""


@dataclass
class _Stream:
    """What one watcher still has to be sent."""

    call: Call
    store: Store
    match: Match | None
    has_sent_columns: bool = False

    def __post_init__(self) -> None:
        self.pending: deque[bytes] = deque()
        self.wake = asyncio.Event()
        self.version = self.store.version

    def push(self, change: Change) -> None:
        """Queue a change if this watcher may see it, under the type it means to the watcher."""
        self.version = change.version
        if self.call.namespace and change.entry.key[0] != self.call.namespace:
            return
        kind: str = change.type
        if self.match is not None:
            now = kind != "DELETED" and self.match(change.entry.thing)
            before = change.previous is not None and self.match(change.previous.thing)
            if not now and not before:
                return
            kind = "DELETED" if not now else "MODIFIED" if before else "ADDED"
        self.send(kind, change.entry)

    def send(self, kind: str, entry: Entry) -> None:
        """Queue one event."""
        self.pending.append(b'{"type":"%b","object":%b}\n' % (kind.encode(), self._form(entry)))
        self.wake.set()

    def bookmark(self, *, ends_initial: bool = False) -> None:
        """Queue a BOOKMARK with the newest resourceVersion."""
        meta: dict[str, Any] = {"resourceVersion": str(self.store.version)}
        if ends_initial:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        thing: Object = {"kind": self.call.resource.kind, "apiVersion": self.call.resource.api_version}
        thing["metadata"] = meta
        if self.call.wants_table:
            head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
            thing = {**head, "columnDefinitions": None, "rows": []}
        self.pending.append(encode({"type": "BOOKMARK", "object": thing}) + b"\n")
        self.wake.set()

    def error(self, problem: ApiError) -> None:
        """Queue an ERROR, after which a server ends the watch."""
        self.pending.append(encode({"type": "ERROR", "object": problem.body()}) + b"\n")
        self.wake.set()

    def _form(self, entry: Entry) -> bytes:
        if self.call.wants_table:
            include = self.call.query.get("includeObject", "Metadata")
            with_columns, self.has_sent_columns = not self.has_sent_columns, True
            meta = {"resourceVersion": str(entry.version)}
            return encode(
                table(
                    self.call.resource,
                    [entry.thing],
                    self.store.clock.now(),
                    include=include,
                    metadata=meta,
                    with_columns=with_columns,
                )
            )
        if self.call.wants_metadata:
            return encode(metadata_only(entry.thing))
        return entry.encoded


async def watch(call: Call, store: Store, bookmark_s: float, fault: Fault | None) -> web.StreamResponse:
    """Answer a watch until its time is over, the client leaves, or a fault ends it.

    Raises:
        ApiError: 422 or 400, its options contradict each other.
    """
    stream = _Stream(call, store, selected(call))
    problem = _begin(stream)
    if problem is None and fault is not None and fault.kind is FaultKind.REPLAYED:
        for change in store.last(call.resource, _REPLAYED):
            stream.push(change)
    response = web.StreamResponse(headers={"Content-Type": JSON, "Cache-Control": "no-cache, private"})
    response.enable_chunked_encoding()
    forget = store.listen(call.resource, stream.push)
    try:
        await response.prepare(call.http)
        if problem is not None:
            await response.write(encode({"type": "ERROR", "object": problem.body()}) + b"\n")
            return response
        await _pump(stream, response, bookmark_s, fault)
    except ConnectionResetError:
        pass  # the client left
    finally:
        forget()
    return response


def _begin(stream: _Stream) -> ApiError | None:
    call, store = stream.call, stream.store
    version = call.query.get("resourceVersion", "")
    if call.query.get("sendInitialEvents") == "true":
        if call.query.get("resourceVersionMatch") != "NotOlderThan":
            message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to "NotOlderThan"'
            cause = ("FieldValueForbidden", "resourceVersionMatch", message)
            raise problems.invalid(call.resource, "", [cause])
        _present(stream)
        if call.query.get("allowWatchBookmarks") == "true":
            stream.bookmark(ends_initial=True)
    elif version in ("", "0"):
        _present(stream)
    elif not version.isdigit():
        raise problems.bad_request(
            f'Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        )
    else:
        try:
            for change in store.since(call.resource, int(version)):
                stream.push(change)
        except ApiError as error:
            return error
    return None


async def _write(response: web.StreamResponse, chunk: bytes, fault: Fault | None) -> None:
    if fault is None or fault.kind is not FaultKind.TRICKLE:
        await response.write(chunk)
        return
    for start in range(0, len(chunk), _TRICKLE):
        await response.write(chunk[start : start + _TRICKLE])
        await asyncio.sleep(0)


def _present(stream: _Stream) -> None:
    for entry in stream.store.entries(stream.call.resource, stream.call.namespace):
        if stream.match is None or stream.match(entry.thing):
            stream.send("ADDED", entry)


async def _pump(stream: _Stream, response: web.StreamResponse, bookmark_s: float, fault: Fault | None) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + float(stream.call.query.get("timeoutSeconds") or stream.store.random.uniform(1800, 3600))
    wants_bookmarks = stream.call.query.get("allowWatchBookmarks") == "true"
    next_bookmark = loop.time() + bookmark_s
    trouble_at = loop.time() + fault.after_s if fault else None
    while (now := loop.time()) < ends:
        if len(stream.pending) > BACKLOG:
            return
        if stream.pending:
            chunk = b"".join(stream.pending)
            stream.pending.clear()
            await _write(response, chunk, fault)
            continue
        stream.wake.clear()
        if trouble_at is not None and now >= trouble_at and fault is not None and fault.kind not in _LASTING:
            await _misbehave(stream, response, fault)
            return
        if wants_bookmarks and now >= next_bookmark:
            next_bookmark = now + bookmark_s
            stream.bookmark()
            continue
        until = min(
            ends, next_bookmark if wants_bookmarks else ends, trouble_at if trouble_at and now < trouble_at else ends
        )
        try:
            await asyncio.wait_for(stream.wake.wait(), max(until - now, 0.001))
        except TimeoutError:
            continue


async def _misbehave(stream: _Stream, response: web.StreamResponse, fault: Fault) -> None:
    match fault.kind:
        case FaultKind.GONE:
            stream.error(problems.expired(f"too old resource version: {stream.version - 1000} ({stream.version})"))
            await response.write(b"".join(stream.pending))
        case FaultKind.CUT:
            if stream.call.http.transport is not None:
                stream.call.http.transport.abort()
        case _:
            await fault.released.wait()
