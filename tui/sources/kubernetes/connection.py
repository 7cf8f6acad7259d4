"""The one place that speaks HTTP to an API server; everything foreign becomes a `SourceError` here.

Nothing is ever sent twice: the client's own retries stay off.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, Final

from profiles.systems import Kubernetes
from tui.sources.errors import SourceError, Unreachable, Unreadable
from tui.sources.http_date import clock_offset
from tui.sources.kubernetes.answers import (
    CONNECT_S,
    Answer,
    ConnectFailed,
    CredentialsRefused,
    decoded,
    refused,
    translation,
)
from tui.sources.kubernetes.client import client_for, sending_once
from tui.sources.kubernetes.credentials import Credentials
from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.flight import Flight
from tui.sources.kubernetes.kubeconfig import IN_CLUSTER, Login, Material, login

_LOG: Final = logging.getLogger(__name__)

_LEAVING_S: Final = 0.5
"""How long closing waits for clients that were given up before."""

Query = Sequence[tuple[str, str]]


class Connection:
    """Requests to one cluster, with fresh credentials. Safe for concurrent use on one event loop."""

    def __init__(self, entry: Kubernetes, environ: Mapping[str, str] | None = None) -> None:
        self._entry = entry
        self._environ = os.environ if environ is None else environ
        self._opening: Flight[Login] = Flight()
        self._api: Any = None
        self._credentials: Credentials | None = None
        self._opened_at = float("-inf")
        self._streams: set[Any] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        """What closes clients that were given up."""
        self.reopen_s = 5.0
        """At least so long between two logins: a plugin is not run in a tight loop."""
        self.servers = 0
        """How many different servers this has spoken to: a mirror of one must not be continued with another."""
        self.openings = 0
        """How often this was opened: at the next opening another cluster may answer, also under the same address."""
        self.heard_at = float("-inf")
        """`time.monotonic()` when the server last sent anything."""
        self.clock_offset_s: float | None = None
        """The `Date` of the newest answer minus our clock, in seconds; None when it is not told."""
        self.requests = 0
        """Requests sent so far, watches and what they ask again included."""
        self.login: Login | None = None
        """As whom and where; None until opened."""

    async def open(self) -> Login:
        """Read the kubeconfig and prepare the client; sends nothing.

        Raises:
            SourceError: the kubeconfig, a certificate or a credential plugin is at fault.
        """
        if self._credentials is not None and self._credentials.is_certificate_due:
            self._start_over()
        if self._api is None or self.login is None:
            return await self._opening.join(self._open)
        return self.login

    async def _open(self) -> Login:
        self._opened_at = time.monotonic()
        found = await asyncio.to_thread(login, self._entry, self._environ)
        if found.context != IN_CLUSTER:
            # Somebody's `kubectl config use-context` must not move a running session to another cluster.
            self._entry = self._entry.model_copy(update={"context": found.context})
        credentials = Credentials(found)
        certificate, key = found.certificate, found.key
        if credentials.come_from_plugin:
            try:
                credential = await credentials.credential()
            except asyncio.CancelledError:
                await credentials.close()
                raise
            if credential.certificate is not None:
                certificate, key = Material(None, credential.certificate), Material(None, credential.key)
        self._api = sending_once(await asyncio.to_thread(client_for, found, certificate, key))
        self.openings += 1
        if self.login is None or self.login.server != found.server:
            self.servers += 1
        self.login, self._credentials = found, credentials
        return found

    async def ready(self) -> None:
        """Open, and have the credentials for the next request: what fails here is certainly not sent.

        Raises:
            SourceError: the kubeconfig, a certificate or a credential plugin is at fault.
        """
        await self.open()
        if self._credentials is not None:
            await self._credentials.authorization()

    async def close(self) -> None:
        """Give back every connection; streams under way end with Unreachable. The next request opens again."""
        await self._opening.end()
        if self._credentials is not None:
            await self._credentials.close()
        api, self._api = self._api, None
        self._cut_streams()
        if api is not None:
            await _give_back(api)
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_LEAVING_S)

    def _cut_streams(self) -> None:
        # Closing the client alone would leave whoever reads from a stream waiting.
        for response in self._streams:
            import aiohttp

            response.content.set_exception(aiohttp.ClientPayloadError("closed by ourselves"))

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: object = None,
        content_type: str = "application/json",
        timeout_s: float = 10.0,
        opening: int | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """Send one request, once, and return the answer whatever its status.

        `accept` names the form of the answer. `opening` sends it only as long as this has not been opened anew since
        `openings` was that.

        Raises:
            ConnectFailed: certainly nothing was sent.
            SourceError: no answer, or not one of an API server; whether it was carried out is unknown.
        """
        await self.open()
        with self.translated():
            async with asyncio.timeout(timeout_s):
                response, sent_by = await self._send(
                    method, path, query, body, content_type, silence_s=timeout_s, opening=opening, accept=accept
                )
                told = {name.lower(): value for name, value in response.headers.items()}
                self.clock_offset_s = clock_offset(told, time.time())
                try:
                    content = await response.read()
                finally:
                    response.release()
        self.heard_at = time.monotonic()
        answer = Answer(response.status, decoded(content), response.headers.get("Retry-After", ""))
        if answer.status == 401:
            self._refused(sent_by)
        if answer.is_ok and not answer.body:
            raise Unreadable("the answer is not JSON: a proxy or a login page, not an API server?")
        return answer

    async def get(
        self, path: str, query: Query = (), *, timeout_s: float = 10.0, accept: str = "application/json"
    ) -> Object:
        """Return the object at `path`; raises SourceError for anything but success."""
        return (await self.call("GET", path, query=query, timeout_s=timeout_s, accept=accept)).object()

    async def raw(self, path: str, *, timeout_s: float, most: int) -> tuple[int, str, bytes]:
        """GET what need not be the API server's own (a pod behind its proxy): status, content type, `most` bytes.

        Raises:
            SourceError: no answer.
        """
        await self.open()
        with self.translated():
            async with asyncio.timeout(timeout_s):
                response, _ = await self._send("GET", path, (), None, "application/json", silence_s=timeout_s)
                try:
                    body = bytearray()
                    async for chunk in response.content.iter_chunked(most):
                        body += chunk
                        if len(body) >= most:
                            break
                finally:
                    response.close()
        return response.status, response.headers.get("Content-Type", ""), bytes(body[:most])

    async def stream(self, path: str, query: Query, *, silence_s: float) -> AsyncGenerator[bytes, None]:
        """Yield an empty chunk once the server has agreed, then a watch's or a log's chunks until the server ends it.

        Raises:
            Unreachable: also when nothing came for `silence_s` seconds.
        """
        await self.open()
        with self.translated():
            response, sent_by = await self._send("GET", path, query, None, "application/json", silence_s=silence_s)
            try:
                if response.status != 200:
                    if response.status == 401:
                        self._refused(sent_by)
                    said = decoded(await response.content.read(100_000))
                    raise refused(response.status, said, response.headers.get("Retry-After", ""))
                self._streams.add(response)
                yield b""
                async for chunk in response.content.iter_any():
                    self.heard_at = time.monotonic()
                    yield chunk
            finally:
                self._streams.discard(response)
                response.close()

    async def upgrading(
        self, path: str, query: Query, *, opening: int | None = None
    ) -> tuple[Any, str, dict[str, str], Login]:
        """Return the HTTP session and what a GET needs that shall become something else than HTTP: URL and headers.

        Raises:
            ConnectFailed: another opening than `opening` stands by now.
            SourceError: as `ready`.
        """
        self.requests += 1
        found, api, (_, url, headers, *_), _ = await self._prepared("GET", path, query, None, {}, opening)
        return api.rest_client.pool_manager, url, headers, found

    def not_upgraded(self, status: int, content: bytes) -> SourceError:
        """Return the error for an answer to that which stayed HTTP."""
        if status == 401:
            self._start_over()
        body = decoded(content)
        if status in (101, 200, 204) or (status < 500 and not body):
            return Unreadable("no WebSocket came about: is there a proxy in between that does not know them?")
        return refused(status, body)

    async def _prepared(
        self, method: str, path: str, query: Query, body: object, headers: dict[str, str], opening: int | None
    ) -> tuple[Login, Any, tuple[Any, ...], int]:
        """Return who asks, the client, the request with fresh credentials, and the opening that all of it is of."""
        found = await self.open()
        api, credentials, opened = self._api, self._credentials, self.openings
        if api is None or credentials is None:
            raise Unreachable("the connection was closed")
        headers = {**headers, **(found.impersonate or {})}
        if authorization := await credentials.authorization():
            headers["Authorization"] = authorization
        if opening not in (None, self.openings):
            raise ConnectFailed("the connection was made anew in that very moment", "look again, then try again")
        request = await api.param_serialize(method, path, query_params=list(query), header_params=headers, body=body)
        return found, api, request, opened

    async def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: object,
        content_type: str,
        *,
        silence_s: float,
        opening: int | None = None,
        accept: str = "application/json",
    ) -> tuple[Any, int]:
        """Return the response, and by which opening it was asked for."""
        import aiohttp

        self.requests += 1
        headers = {"Accept": accept, "Content-Type": content_type}
        _, api, request, sent_by = await self._prepared(method, path, query, body, headers, opening)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s)
        return (await api.call_api(*request, _request_timeout=timeout)).response, sent_by

    def _refused(self, sent_by: int) -> None:
        """Log in again, unless somebody has since: every watch is refused at once, and one login is enough for all."""
        if sent_by == self.openings:
            self._start_over()

    def _start_over(self) -> None:
        """Read the kubeconfig again at the next request: somebody may have logged in, or made the cluster anew."""
        if time.monotonic() - self._opened_at > self.reopen_s and self._api is not None:
            api, self._api = self._api, None
            self._cut_streams()
            task = asyncio.get_running_loop().create_task(_give_back(api))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
            task.add_done_callback(_closed)

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what aiohttp, ssl and asyncio raise into our three words; needs the client to be open."""
        import aiohttp

        try:
            yield
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError, TimeoutError, ValueError) as error:
            translated = translation(error, self.login.endpoint if self.login else "the API server")
            if isinstance(translated, ConnectFailed | CredentialsRefused):
                self._start_over()
            raise translated from error
        except RuntimeError as error:
            # What aiohttp says when the client is closed under a request: another one's credentials were refused.
            match str(error):
                case "Session is closed":
                    raise ConnectFailed("the connection was made anew in that very moment", "try again") from error
                case "Connection closed.":
                    raise Unreachable("the connection was closed before the answer was whole") from error
            raise


async def _give_back(api: Any) -> None:
    # A peer that is gone never answers TLS's farewell: nobody waits for that, and no socket stays open for it.
    await api.rest_client.pool_manager.connector.close(abort_ssl=True)
    await api.close()


def _closed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.warning("closing a Kubernetes client", exc_info=task.exception())
