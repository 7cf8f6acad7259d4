"""A bare client of the simulated cluster, for tests and scenarios: paths in, JSON out."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from tui.sandbox.cluster.cluster import Cluster

SHOP = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    body: Any
    """Decoded JSON, or text when it is none."""
    headers: dict[str, str]

    @property
    def message(self) -> str:
        """The message of a `Status`."""
        return str(self.body.get("message", ""))

    @property
    def names(self) -> list[str]:
        """The names of a list's items."""
        return [item["metadata"]["name"] for item in self.body["items"]]


class Client:
    """Speaks to a cluster as one of its users."""

    def __init__(self, cluster: Cluster, user: str = "admin", token: str | None = None) -> None:
        self._url = cluster.url
        headers = {"Authorization": f"Bearer {token or cluster.users[user].token}"}
        trusted = ssl.create_default_context(cadata=cluster.certificate.pem) if cluster.certificate else True
        self._http = aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=trusted))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def ask(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", accept: str = ""
    ) -> Answer:
        """Send one request; bytes are sent as they are, anything else as JSON.

        Raises:
            aiohttp.ClientError: no answer came.
        """
        headers = {"Accept": accept or "application/json"}
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            headers["Content-Type"] = content_type
        async with self._http.request(method, self._url + path, data=raw, headers=headers) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Answer(response.status, json.loads(text) if is_json else text, dict(response.headers))

    async def get(self, path: str, *, accept: str = "") -> Answer:
        """GET."""
        return await self.ask("GET", path, accept=accept)

    async def patch(self, path: str, body: Any, content_type: str = MERGE) -> Answer:
        """PATCH, a merge patch unless said otherwise."""
        return await self.ask("PATCH", path, body, content_type=content_type)

    async def lines(self, path: str, *, accept: str = "") -> AsyncGenerator[str]:
        """Yield the lines of a followed log or a watch as they come.

        Raises:
            aiohttp.ClientError: the stream was cut.
        """
        headers = {"Accept": accept or "application/json"}
        async with self._http.get(self._url + path, headers=headers) as response:
            while line := await response.content.readline():
                yield line.decode().rstrip("\n")

    async def events(self, path: str, *, accept: str = "") -> AsyncGenerator[dict[str, Any]]:
        """Yield the events of a watch as they come.

        Raises:
            aiohttp.ClientError: the stream was cut.
        """
        async for line in self.lines(path, accept=accept):
            yield json.loads(line)
