"""What `/exec` and `/portforward` have in common: leave to use them, and how long the container is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiohttp import web

from tui.sandbox.cluster.containers import container_name, container_status, running_since
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.problems import bad_request, internal
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import PODS, Object
from tui.sandbox.cluster.store import Change, Store
from tui.sandbox.cluster.users import Ask, forbidden, is_allowed


def running_pod(call: Call, store: Store) -> tuple[Object, str]:
    """Return the pod a request is for and its container, which runs.

    Raises:
        ApiError: 403, 404, 400 or 500: not allowed, no such pod or container, or it does not run.
    """
    # A server asks for `create`, also where a WebSocket has to begin with a GET.
    ask = Ask("create", "", f"pods/{call.subresource}", call.namespace, call.name)
    if not is_allowed(call.user, ask):
        raise forbidden(call.user, ask, call.resource, call.name)
    pod = store.get(PODS, call.namespace, call.name)
    asked = call.query.get("container", "")
    if call.subresource == "portforward":
        asked = pod["spec"]["containers"][0]["name"]
    name = container_name(pod, asked)
    if not container_status(pod, name) or not running_since(pod, name):
        raise internal(f'container not found ("{name}")')
    return pod, name


async def upgraded(call: Call, protocols: Sequence[str]) -> web.WebSocketResponse:
    """Return the WebSocket that a request asks for, agreed on one of `protocols`.

    Raises:
        ApiError: 400, it asks for none, or for none of these.
    """
    offered = [word.strip() for word in call.http.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if call.http.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    if not set(offered) & set(protocols):
        raise bad_request(f"unable to upgrade: unable to negotiate protocol: client supports {offered}")
    socket = web.WebSocketResponse(protocols=[p for p in protocols if p in offered], max_msg_size=1 << 22)
    await socket.prepare(call.http)
    return socket


@contextmanager
def container_end(store: Store, pod: Object, name: str) -> Iterator[asyncio.Event]:
    """Give an event that is set when this run of the container is over."""
    ended, since = asyncio.Event(), running_since(pod, name)
    uid, key = pod["metadata"]["uid"], (pod["metadata"]["namespace"], pod["metadata"]["name"])

    def on_pod(change: Change) -> None:
        if change.entry.key != key:
            return
        now = store.find(PODS, *key)
        if now is None or now["metadata"]["uid"] != uid or running_since(now, name) != since:
            ended.set()

    forget = store.listen(PODS, on_pod)
    try:
        yield ended
    finally:
        forget()


async def strike_open(call: Call, fault: Fault | None) -> None:
    """Do to a session that is open what `fault` says; never return where it says nothing."""
    if fault is None or fault.kind is not FaultKind.CUT:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(fault.after_s)
        if call.http.transport is not None:
            call.http.transport.abort()
