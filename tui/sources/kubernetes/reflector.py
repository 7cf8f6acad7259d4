"""One watch, kept alive: the objects of one kind in one namespace (or all) flow into the mirror.

It begins with a WatchList (the server streams what exists, then what changes) and falls back to a list in pages
followed by a watch where the server knows no WatchList. It resumes from the last resourceVersion that a list or a
bookmark gave, lists afresh when that is too old (410), and backs off, jittered, when something fails.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

from tui.sources.errors import SourceError, Unreachable, Unreadable
from tui.sources.kubernetes.answers import Busy, Expired, loads, refused, status_code
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, parts, strings
from tui.sources.kubernetes.kinds import Fact, Kind
from tui.sources.kubernetes.mirror import Family

_LOG: Final = logging.getLogger(__name__)
_FIRST_BACKOFF_S: Final = 0.8
_MAX_BACKOFF_S: Final = 30.0
_STOOD_S: Final = 10.0
"""A watch that stood for so long was no failure of the kind that makes us back off further."""
_LIST_AFTER: Final = 3
"""Failures in a row after which a watch begins with a list again."""
_PAGE: Final = 200
_INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
_YIELD_EVERY: Final = 50
"""Events handled before the event loop gets its turn."""


class _NoWatchList(SourceError):
    """The server does not know (or allow) `sendInitialEvents`."""


class Reflector:
    """Keeps one scope of one kind mirrored."""

    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        namespace: str | None,
        family: Family[Any],
        changed: Callable[[], None],
        *,
        silence_s: float = 70.0,
    ) -> None:
        self.kind = kind
        self.namespace = namespace
        """None: all namespaces."""
        self.error: SourceError | None = None
        """Why the newest attempt failed; None while the watch stands."""
        self.since: float | None = None
        """`time.time()` of the first failure of the present run of failures."""
        self.failures = 0
        """Failed attempts in a row."""
        self.is_synced = False
        """Whether the mirror has held everything at least once."""
        self.settled = asyncio.Event()
        """Set once the mirror has held everything, or an attempt has failed."""
        self._connection = connection
        self._family = family
        self.scope = kind.path(namespace)
        """The path watched, under which the mirror keeps what it tells."""
        self._changed = changed
        self._silence_s = silence_s
        self._has_watch_list = True
        self._version: str | None = None
        self._server = 0
        self._agreed_at: float | None = None
        """`time.monotonic()` when the server accepted the present watch."""
        self._wake = asyncio.Event()

    @property
    def is_failing(self) -> bool:
        """Whether this is more than a watch that was cut once and stands again in a second."""
        return self.error is not None and (self.failures > 1 or not self.is_synced)

    def hurry(self) -> None:
        """End a back-off under way: something else found the server alive."""
        self._wake.set()

    async def run(self) -> None:
        """Mirror until cancelled."""
        while True:
            self._agreed_at = None
            try:
                await self._once()
                self.failures = 0
                continue
            except _NoWatchList:
                self._has_watch_list = False
                continue
            except Expired:
                _LOG.info("%s: resourceVersion too old, listing again", self.scope)
                self._version = None
            except SourceError as error:
                self._failed(error)
            if self._agreed_at is not None and time.monotonic() - self._agreed_at > _STOOD_S:
                self.failures = 0
            self.failures += 1
            if self.failures >= _LIST_AFTER:
                # A cluster that was restored or made anew may not know our resourceVersion, and not all say 410.
                self._version = None
            await self._back_off()

    async def _once(self) -> None:
        """List where needed and watch until the server ends the watch."""
        await self._connection.open()
        if self._server != self._connection.servers:
            self._server, self._version = self._connection.servers, None
        if self._version is None and not self._has_watch_list:
            await self._list()
        begins_with_list = self._version is None
        started = time.monotonic()
        events = self._events(self._version)
        async with aclosing(events):
            if begins_with_list:
                await self._initial(events)
            handled = 0
            async for kind, obj in events:
                self._take(kind, obj)
                handled += 1
                if handled % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        if time.monotonic() - started < 1.0:
            # A server that closes every watch at once must not be asked a thousand times a second.
            raise Unreachable("the API server closes watches at once")

    async def _list(self) -> None:
        fresh: list[Fact] = []
        is_bare = self._family.is_bare(self.scope)
        query = [("limit", str(_PAGE))]
        while True:
            page = await self._connection.get(self.kind.path(self.namespace), query, timeout_s=60)
            for index, item in enumerate(parts(page, "items"), 1):
                fresh.append(self._come(item, is_bare=is_bare))
                if index % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
            metadata = part(page, "metadata")
            if not (token := metadata.get("continue")):
                break
            query = [("limit", str(_PAGE)), ("continue", str(token))]
        self._swap(fresh, metadata.get("resourceVersion"))

    async def _initial(self, events: AsyncIterator[tuple[str, Object]]) -> None:
        """Collect the initial events and put them in place once they are complete."""
        fresh: dict[str, Fact] = {}
        is_bare = self._family.is_bare(self.scope)
        handled = 0
        try:
            async for kind, obj in events:
                if kind == "BOOKMARK":
                    metadata = part(obj, "metadata")
                    if strings(metadata, "annotations").get(_INITIAL_EVENTS_END) == "true":
                        self._swap(list(fresh.values()), metadata.get("resourceVersion"))
                        return
                    continue
                if kind == "DELETED":
                    fresh.pop(self.kind.parse(obj).uid, None)
                else:
                    fact = self._come(obj, is_bare=is_bare)
                    fresh[fact.uid] = fact
                handled += 1
                if handled % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        except Unreachable:
            # Servers from before WatchLists overlook the question and never say where the list ends.
            self._has_watch_list = self._agreed_at is None
            raise
        raise Unreachable("the watch ended before its first list was complete")

    def _come(self, obj: Object, *, is_bare: bool) -> Fact:
        """Return the fact of an object in a list under way; where there was nothing before, it is seen at once."""
        fact = self.kind.parse(obj)
        if is_bare:
            self._family.upsert(self.scope, fact)
            self._changed()
        return fact

    async def _events(self, version: str | None) -> AsyncGenerator[tuple[str, Object], None]:
        """Yield (type, object) of a watch: from `version` on, or from a complete list when it is None."""
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", str(random.randint(300, 600))),  # noqa: S311 — spreads reconnects, no secret
        ]
        if version is None:
            query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
        else:
            query += [("resourceVersion", version)]
        rest = b""
        stream = self._connection.stream(self.kind.path(self.namespace), query, silence_s=self._silence_s)
        async with aclosing(stream):
            try:
                async for chunk in stream:
                    if not chunk:
                        self._agreed(version)
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        if line:
                            yield _event(line)
            except Unreadable as error:
                # 400 and 422 both mean that this server was not made for the question.
                raise (_NoWatchList(error.message) if version is None else error) from error

    def _agreed(self, version: str | None) -> None:
        self._agreed_at = time.monotonic()
        if self._server != self._connection.servers:
            self._version = None
            raise Unreachable("another server answers now")
        if version is not None and self.error is not None:
            self.error = self.since = None
            self._changed()

    def _take(self, kind: str, obj: Object) -> None:
        if kind == "BOOKMARK":
            self._version = str(part(obj, "metadata").get("resourceVersion") or "") or self._version
            return
        version = str(part(obj, "metadata").get("resourceVersion") or "")
        if _is_past(version, self._version):
            return  # told again by a server that is behind: taking it in would go back in time
        fact = self.kind.parse(obj)
        if kind == "DELETED":
            self._family.remove(self.scope, fact.uid)
        else:
            self._family.upsert(self.scope, fact)
        self._version = version or self._version
        self._changed()

    def _swap(self, facts: list[Fact], version: Any) -> None:
        self._family.swap(self.scope, facts)
        self._version = str(version) if version else None
        self.is_synced = True
        self.settled.set()
        self.error = self.since = None
        self._changed()

    def _failed(self, error: SourceError) -> None:
        self.error = error
        self.settled.set()
        if self.since is None:
            self.since = time.time()
        self._changed()

    async def _back_off(self) -> None:
        limit = min(_MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** min(self.failures - 1, 10))
        if isinstance(self.error, Busy):
            # Whatever else is found out meanwhile: the server has said when.
            await asyncio.sleep(self.error.retry_after_s)
        self._wake.clear()
        try:
            async with asyncio.timeout(random.uniform(limit / 2, limit)):  # noqa: S311 — jitter, no secret
                await self._wake.wait()
        except TimeoutError:
            return


def _is_past(version: str, known: str | None) -> bool:
    """Tell whether a resourceVersion is not newer than what is known; they are numbers since Kubernetes says so."""
    return known is not None and version.isdecimal() and known.isdecimal() and int(version) <= int(known)


def _event(line: bytes) -> tuple[str, Object]:
    try:
        found = loads(line)
        kind, obj = found["type"], found["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreachable("the watch brought something that is not a watch event: a proxy?") from error
    if not isinstance(kind, str) or not isinstance(obj, dict):
        raise Unreachable("the watch brought something that is not a watch event: a proxy?")
    if kind == "ERROR":
        raise refused(status_code(obj), obj)
    return kind, obj
