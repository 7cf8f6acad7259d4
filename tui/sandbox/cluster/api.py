"""The API server: from an HTTP request to its answer."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from tui.sandbox.cluster import discovery, problems, writes
from tui.sandbox.cluster.faults import Fault, Faults, strike, strike_answer
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.reads import COMPRESSED_BYTES, listed, reply, shown
from tui.sandbox.cluster.request import Call, parse
from tui.sandbox.cluster.resources import Object, Resource
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.users import User, forbidden, is_allowed
from tui.sandbox.cluster.watches import watch

Compute = Callable[[Resource, str], list[Object]]
"""Objects of a kind that is not stored, of all namespaces or of one."""
_AS = re.compile(r"/as/(?P<token>[^/]+)")
Handler = Callable[[Call, Fault | None], Awaitable[web.StreamResponse]]
_READING: Final = ("get", "list", "watch")
_WRITES_KEPT: Final = 2000


@dataclass(frozen=True)
class Write:
    """A request that asked for a change, whatever became of it."""

    user: str
    method: str
    path: str
    query: dict[str, str]
    content_type: str
    body: Any
    """Decoded; None when there was none, or none that can be decoded."""

    @property
    def is_review(self) -> bool:
        """Whether it only asked what its user may do, which changes nothing."""
        return self.path.startswith("/apis/authorization.k8s.io/") or "selfsubjectreviews" in self.path

    @property
    def is_dry_run(self) -> bool:
        """Whether it only asked what would come of it."""
        options = self.body.get("deleteOptions") or self.body if isinstance(self.body, dict) else {}
        return self.query.get("dryRun") == "All" or "All" in (options.get("dryRun") or ())


class ApiServer:
    """Answers requests from the store; subresources and reviews are plugged in by kind.

    Args:
        store: the objects.
        users: who may speak to it, by name.
        compute: gives the objects that are computed rather than stored.
        special: handlers of subresources and reviews, by `resource` or `resource/subresource`.
        bookmark_s: how often a watch that allows them gets a bookmark.
    """

    def __init__(
        self,
        store: Store,
        users: dict[str, User],
        compute: Compute,
        special: dict[str, Handler],
        bookmark_s: float = 60.0,
    ) -> None:
        self.faults = Faults()
        self.requests = 0
        """Requests answered so far, discovery included."""
        self.watched: Counter[str] = Counter()
        """Watches open now, by the plural name of what they watch."""
        self.writes: deque[Write] = deque(maxlen=_WRITES_KEPT)
        """What was asked for beside reading, the newest last."""
        self._store = store
        self._tokens = {user.token: user for user in users.values()}
        self._compute = compute
        self._special = special
        self._bookmark_s = bookmark_s

    def replace_token(self, user: User, token: str) -> None:
        """Have a user's session end: only the new token is accepted from now on."""
        self._tokens = {known: one for known, one in self._tokens.items() if one is not user} | {token: user}

    @property
    def watchers(self) -> int:
        """Watches open now."""
        return self.watched.total()

    def application(self) -> web.Application:
        """Return the application to be served."""
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Answer any request."""
        self.requests += 1
        try:
            user, path = self._who(http)
            accept = http.headers.get("Accept", "").replace(" ", "")
            if http.method == "GET" and (found := discovery.answer(path, accept)):
                response = reply(found[0] if found[1] != "text/plain" else str(found[0]).encode())
                response.headers["Content-Type"] = found[1]
                return response
            answer = await self._answer(parse(http, path, user))
            is_big = isinstance(answer, web.Response) and (answer.content_length or 0) >= COMPRESSED_BYTES
            if is_big and "gzip" in http.headers.get("Accept-Encoding", ""):
                answer.enable_compression(web.ContentCoding.gzip)
            return answer
        except ApiError as error:
            return reply(error.body(), error.code, error.headers)

    def _who(self, http: web.Request) -> tuple[User, str]:
        """Return who asks, and for which path.

        kubectl sends no token over plain HTTP, therefore the kubeconfig's server URL ends in `/as/TOKEN`;
        a client that does send one is believed before the path.
        """
        path, header = http.path, http.headers.get("Authorization")
        found = _AS.match(path)
        token = header.removeprefix("Bearer ") if header else found["token"] if found else ""
        user = self._tokens.get(token)
        if user is None:
            raise problems.unauthorized()
        return user, path[found.end() :] or "/" if found else path

    async def _answer(self, call: Call) -> web.StreamResponse:
        if call.verb not in _READING:
            self.writes.append(await _write(call))
        fault = self.faults.take(call)
        if fault is not None and (response := await strike(fault, call)) is not None:
            return response
        answer = await self._carried_out(call, fault)
        struck = await strike_answer(fault, call) if fault is not None else None
        return answer if struck is None else struck

    async def _carried_out(self, call: Call, fault: Fault | None) -> web.StreamResponse:
        if not is_allowed(call.user, call.ask):
            raise forbidden(call.user, call.ask, call.resource, call.name)
        plural = call.resource.plural
        handler = self._special.get(f"{plural}/{call.subresource}" if call.subresource else plural)
        if handler is not None and (call.subresource or call.verb == "create"):
            return await handler(call, fault)
        if call.verb == "watch":
            if not call.resource.is_stored:
                raise problems.method_not_allowed()
            self.watched[plural] += 1
            try:
                return await watch(call, self._store, self._bookmark_s, fault)
            finally:
                self.watched[plural] -= 1
        return await self._plain(call)

    async def _plain(self, call: Call) -> web.StreamResponse:
        if call.verb in ("get", "list"):
            return self._read(call)
        if call.verb not in call.resource.verbs or not call.resource.is_stored:
            raise problems.method_not_allowed()
        if call.verb == "create":
            return await writes.create(call, self._store)
        if call.verb == "deletecollection":
            return await writes.delete_all(call, self._store)
        change = {"update": writes.update, "patch": writes.patch, "delete": writes.delete}.get(call.verb)
        if change is None or not call.name:
            raise problems.method_not_allowed()
        return await change(call, self._store)

    def _read(self, call: Call) -> web.Response:
        if call.verb == "list":
            return listed(call, self._store, self._compute)
        if call.resource.is_stored:
            return shown(call, self._store.get(call.resource, call.namespace, call.name), self._store)
        found = self._compute(call.resource, call.namespace)
        thing = next((t for t in found if t["metadata"]["name"] == call.name), None)
        if thing is None:
            raise problems.not_found(call.resource, call.name)
        return shown(call, thing, self._store)


async def _write(call: Call) -> Write:
    try:
        body = await call.body()
    except ApiError:
        body = None
    http = call.http
    content_type = http.content_type if http.body_exists else ""
    return Write(call.user.name, http.method, call.path, call.query, content_type, body)


async def serve(server: ApiServer, port: int, tls: ssl.SSLContext | None = None) -> tuple[web.AppRunner, int]:
    """Listen on the loopback; return what stops it and the port that was taken."""
    runner = web.AppRunner(server.application(), handle_signals=False, shutdown_timeout=0.2, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    await asyncio.sleep(0)
    return runner, int(runner.addresses[0][1])
