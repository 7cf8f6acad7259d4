"""One engine behind its Unix socket, and its failures in words. The only file that imports the HTTP client for it.

Everything is asked by GET but for `post`, which sends one change, once, on a connection of its own.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.http_library import http_library
from tui.sources.text import clean

if TYPE_CHECKING:
    import httpx

NEWEST: Final = (1, 43)
"""The newest version of the API that is spoken here; an engine that no longer speaks it gets its own oldest."""
ANSWER_S: Final = 5.0
"""How long one answer may take."""
_CONNECT_S: Final = 2.0
_MOST_BYTES: Final = 32 * 1024 * 1024
_GROUP: Final = "join the group of the socket (sudo usermod -aG docker $USER, then log in again); it is as good as root"
_STOPPED: Final = "start it (systemctl start docker, or podman.socket), or correct socket in the profile"

Query = Mapping[str, str]


class Refusal(Unreadable):
    """The engine answered with an error of its own."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status: 404 no such container, 409 conflict, 500 it failed."""


@dataclass(frozen=True, slots=True)
class Version:
    """Who answers, from `/version`."""

    engine: str
    """`Engine` for Docker, `Podman Engine`."""
    version: str
    api: str
    """The version of the API that is spoken with it: `1.43`."""


def negotiated(newest: str, oldest: str) -> str:
    """Return the version of the API to speak with an engine whose newest and oldest are these."""
    theirs, least = _numbers(newest), _numbers(oldest)
    chosen = max(min(theirs, NEWEST), least)
    return ".".join(map(str, chosen))


def _numbers(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        raise Unreadable(f"the engine's API version cannot be read: {clean(version, limit=40)}") from None


class DockerConnection:
    """Asks one engine; connects anew by itself."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self.version: Version | None = None
        """Who answers; None before the first answer."""

    async def get(self, path: str, query: Query | None = None) -> Any:
        """Return what a path holds, parsed. Raises SourceError."""
        return (await self.get_dated(path, query))[0]

    async def get_dated(self, path: str, query: Query | None = None) -> tuple[Any, float | None]:
        """Return what a path holds, and the engine's own time of the answer (whole seconds; None when not told).

        Raises:
            Unreachable: nobody listens, or the answer took too long.
            Denied: the socket may not be opened, or a policy refused.
            Unreadable: a `Refusal` of the engine, or no JSON.
        """
        client = await self._opened()
        async with self._words():
            response = await client.get(self._path(path), params=dict(query or {}))
        if response.status_code >= 300:
            raise refusal(response.status_code, response.content)
        if len(response.content) > _MOST_BYTES:
            raise Unreadable(f"{path} answered {len(response.content)} bytes")
        # A large list takes tens of milliseconds, which nobody who types should feel.
        if len(response.content) > 64 * 1024:
            return await asyncio.to_thread(parsed, response.content), _date(response.headers.get("date"))
        return parsed(response.content), _date(response.headers.get("date"))

    async def lines(self, path: str, query: Query) -> list[Any]:
        """Return a stream of JSON objects, one a line, that ends by itself: past events. Raises SourceError."""
        client = await self._opened()
        async with self._words():
            response = await client.get(self._path(path), params=dict(query))
        if response.status_code >= 300:
            raise refusal(response.status_code, response.content)
        return [parsed(line) for line in response.content.splitlines() if line.strip()]

    async def stream(self, path: str, query: Query) -> AsyncIterator[bytes]:
        """Yield an answer's bytes as they come, for as long as they come: logs. Raises SourceError."""
        await self._opened()
        async with (
            self._words(),
            self._new_client(read_s=None) as client,
            client.stream("GET", self._path(path), params=dict(query)) as response,
        ):
            if response.status_code >= 300:
                raise refusal(response.status_code, await response.aread())
            async for piece in response.aiter_raw():
                yield piece

    async def post(self, path: str, query: Query, timeout_s: float) -> int:
        """Send one change and return the HTTP status of its answer: 204 done, 304 it was so already.

        Raises:
            Unreachable: nobody listens, or no answer came: the change may have been made.
            Denied: it was refused.
            Unreadable: a `Refusal` of the engine.
        """
        await self._opened()
        async with self._words(), self._new_client(read_s=timeout_s) as client:
            response = await client.post(self._path(path), params=dict(query))
        if response.status_code >= 400:
            raise refusal(response.status_code, response.content)
        return int(response.status_code)

    async def reach(self) -> None:
        """Make sure that somebody answers, before something is sent. Raises SourceError."""
        await self.get("/version")

    async def close(self) -> None:
        """Give the connection back."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _path(self, path: str) -> str:
        return f"/v{self.version.api}{path}" if self.version is not None else path

    async def _opened(self) -> "httpx.AsyncClient":
        async with self._opening:
            if self._client is None:
                await asyncio.to_thread(http_library)
                self._client = self._new_client(read_s=ANSWER_S)
            if self.version is None:
                async with self._words():
                    response = await self._client.get("/version")
                if response.status_code >= 300:
                    raise refusal(response.status_code, response.content)
                self.version = _version(parsed(response.content))
            return self._client

    def _new_client(self, *, read_s: float | None) -> "httpx.AsyncClient":
        import httpx

        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=self._socket, limits=httpx.Limits(max_connections=8)),
            base_url="http://docker",  # the name is never looked up; engines want some Host
            timeout=httpx.Timeout(read_s, connect=_CONNECT_S),
            headers={"User-Agent": "opstui", "Accept-Encoding": "identity"},
            trust_env=False,
        )

    @contextlib.asynccontextmanager
    async def _words(self) -> AsyncIterator[None]:
        import httpx

        where = clean(self._socket, limit=200)
        try:
            yield
        except httpx.ConnectError as error:
            self.version = None  # whoever answers next may be another engine
            raise _unreached(where, error) from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"{where}: no answer in time", "the engine may be stopped or busy") from error
        except httpx.HTTPError as error:
            self.version = None
            raise Unreachable(f"{where}: {type(error).__name__}: the connection broke off") from error


def _unreached(where: str, error: BaseException) -> SourceError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, PermissionError):
        return Denied(f"{where}: permission denied", _GROUP)
    if isinstance(cause, FileNotFoundError):
        return Unreachable(f"no engine listens at {where}: there is no such socket", _STOPPED)
    return Unreachable(f"no engine answers at {where}: {clean(str(cause or error), limit=200)}", _STOPPED)


def refusal(status: int, body: bytes) -> SourceError:
    """Return an error answer in the engine's own words."""
    try:
        said = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = body.decode("utf-8", "replace")
    words = clean(str(said).strip(), limit=300) or "no reason given"
    if status in (401, 403):
        return Denied(
            f"refused (HTTP {status}): {words}", "a proxy or authorization plugin in front of the engine says no"
        )
    return Refusal(f"{words} (HTTP {status})", status)


def parsed(body: bytes) -> Any:
    """Return a JSON document. Raises Unreadable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable(f"no JSON came back: {clean(body[:80].decode('utf-8', 'replace'))}") from None


def _version(document: Any) -> Version:
    found = document if isinstance(document, dict) else {}
    newest = str(found.get("ApiVersion") or "")
    if not newest:
        raise Unreadable("/version names no ApiVersion: is this Docker's API?")
    parts = found.get("Components")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], dict) else {}
    return Version(
        clean(str(first.get("Name") or "Engine"), limit=40),
        clean(str(found.get("Version") or ""), limit=40),
        negotiated(newest, str(found.get("MinAPIVersion") or newest)),
    )


def _date(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None
