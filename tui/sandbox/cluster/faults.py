"""Misbehaviour on demand: what a cluster, its proxies and the network do on bad days."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.request import Call


class FaultKind(StrEnum):
    """What goes wrong."""

    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    CONFLICT = "409"
    GONE = "410"
    """A watch gets an ERROR event with code 410; other requests the status 410."""
    TOO_MANY = "429"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    HTML = "html"
    """A proxy answers instead: 502 with a page of HTML."""
    SLOW = "slow"
    """The answer comes after `delay_s`."""
    SILENT = "silent"
    """A stream says nothing more, not even bookmarks; other requests are kept until somebody behaves again."""
    CUT = "cut"
    """The connection is torn down; that of a followed log in the middle of a line."""
    TORN = "torn"
    """A followed log ends in the middle of a line, as if it were whole: the API server lost the kubelet."""
    TRICKLE = "trickle"
    """A stream comes a few bytes at a time, cut anywhere; it stays whole."""
    REPLAYED = "replayed"
    """A watch tells the last changes once more, as a server's cache may that is behind."""
    LOST = "lost"
    """The request is carried out; the connection is torn down before the answer."""
    LATE = "late"
    """The request is carried out at once; the answer comes after `delay_s`."""
    ANSWER = "answer"
    """The request is not carried out; the answer is `status` and `body`, word for word."""


_REASONS = {
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "409": "Conflict",
    "410": "Expired",
    "429": "TooManyRequests",
    "500": "InternalError",
    "503": "ServiceUnavailable",
}
_MESSAGES = {
    "401": "Unauthorized",
    "403": "forbidden: the sandbox was told to refuse",
    "404": "the server could not find the requested resource",
    "409": "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest "
    "version and try again",
    "410": "The provided resource version is too old",
    "429": "the server has received too many requests and has asked us to try again later",
    "500": "Internal error occurred: etcdserver: request timed out",
    "503": "the server is currently unable to handle the request",
}
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"


@dataclass(eq=False)
class Fault:
    """One rule: the requests it hits, and what happens to them."""

    kind: FaultKind
    path: str = "/"
    """Prefix of the paths it hits, of those of the API: /api/v1/pods, /apis/apps/."""
    verb: str = ""
    """get, list, watch, create, update, patch, delete; empty for all."""
    times: int | None = None
    """How many requests it still hits; None until cleared."""
    after_s: float = 0.0
    """How long a stream works before it goes wrong."""
    delay_s: float = 5.0
    retry_after_s: int | None = 1
    passes: int = 0
    """How many requests it lets through before it strikes."""
    status: int = 200
    """The HTTP status of an `ANSWER`."""
    body: object = None
    """The JSON of an `ANSWER`, as a real server was recorded to say it."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def hits(self, call: Call) -> bool:
        """Return whether this request goes wrong."""
        has_times_left = self.times is None or self.times > 0
        return has_times_left and call.path.startswith(self.path) and self.verb in ("", call.verb)


class Faults:
    """The rules in force, the newest first."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a rule in force."""
        self._rules.insert(0, fault)

    def clear(self) -> None:
        """Behave again; whoever was kept waiting is let go."""
        for fault in self._rules:
            fault.released.set()
        self._rules.clear()

    def forget(self) -> None:
        """Behave again, but never answer who was kept waiting: a server that was replaced knows nothing of them."""
        self._rules.clear()

    def take(self, call: Call) -> Fault | None:
        """Return the rule that hits this request, counted, or None."""
        for fault in self._rules:
            if fault.hits(call):
                if fault.passes:
                    fault.passes -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def cut(call: Call) -> web.Response:
    """Tear the connection of a request down; what is returned reaches nobody."""
    if call.http.transport is not None:
        call.http.transport.abort()
    return web.Response(status=500)


async def strike_answer(fault: Fault, call: Call) -> web.Response | None:
    """Do what `fault` says once the request was carried out; None when the answer may go."""
    if fault.kind is FaultKind.LATE:
        try:
            await asyncio.wait_for(fault.released.wait(), fault.delay_s)
        except TimeoutError:
            return None
    return cut(call) if fault.kind is FaultKind.LOST else None


async def strike(fault: Fault, call: Call) -> web.Response | None:
    """Answer a request as `fault` says; None when it may go on (late, or a stream that fails later).

    Raises:
        ApiError: the refusal that was asked for.
    """
    is_followed = call.subresource == "log" and call.query.get("follow") == "true"
    is_stream = call.is_watch or is_followed or call.subresource in ("exec", "portforward")
    match fault.kind:
        case FaultKind.SLOW:
            try:
                await asyncio.wait_for(fault.released.wait(), fault.delay_s)
            except TimeoutError:
                return None
        case FaultKind.HTML:
            return web.Response(status=502, body=_PAGE, content_type="text/html")
        case FaultKind.SILENT | FaultKind.CUT | FaultKind.GONE if is_stream:
            return None
        case FaultKind.SILENT:
            await fault.released.wait()
            # Who has gone meanwhile was never heard: their write must not be carried out behind them.
            return cut(call) if call.http.transport is None else None
        case FaultKind.LOST | FaultKind.LATE | FaultKind.TRICKLE | FaultKind.REPLAYED | FaultKind.TORN:
            return None
        case FaultKind.CUT:
            return cut(call)
        case FaultKind.ANSWER:
            return web.json_response(fault.body, status=fault.status)
        case kind:
            retry = fault.retry_after_s
            headers = {"Retry-After": str(retry)} if kind is FaultKind.TOO_MANY and retry is not None else {}
            raise ApiError(int(kind), _REASONS[kind], _MESSAGES[kind], {}, headers)
    return None
