"""Which kinds a cluster serves, custom ones included, by the names that kubectl takes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tui.sources.errors import SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.text import clean

_FORMS: Final = ",".join(
    (*(f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")),
     "application/json")
)  # fmt: skip
_AT_ONCE: Final = 8
"""Groups asked for at the same time, of a server that knows only the discovery of old."""


@dataclass(frozen=True, slots=True)
class ApiResource:
    """One kind that can be listed."""

    group: str
    """API group; empty for core."""
    version: str
    """The version the server prefers."""
    name: str
    """Plural, as in URLs: `services`."""
    kind: str
    """As in manifests: `Service`."""
    is_namespaced: bool
    short_names: tuple[str, ...]
    """`svc`."""
    verbs: frozenset[str]

    @property
    def full_name(self) -> str:
        """`services`, `certificates.cert-manager.io`: what kubectl always understands."""
        return f"{self.name}.{self.group}" if self.group else self.name

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """Return the URL path of the collection (None: in all namespaces), or of one object."""
        steps = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.is_namespaced:
            steps += ["namespaces", namespace]
        return "/" + "/".join(quote(step, safe="") for step in [*steps, self.name, name] if step)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What there is."""

    resources: tuple[ApiResource, ...]
    """What can be listed, core first, then by group as the server orders them."""
    missing: tuple[str, ...] = ()
    """Groups whose kinds could not be read, each with why: an aggregated API that is down."""

    def named(self, name: str) -> ApiResource | None:
        """Return the kind that kubectl would take this name for: plural, short or full, or the kind's own."""
        wanted = name.lower()
        asked: tuple[Callable[[ApiResource], bool], ...] = (
            lambda one: one.full_name == wanted,
            lambda one: one.name == wanted,
            lambda one: one.kind.lower() == wanted,
            lambda one: wanted in one.short_names,
        )
        return next((one for fits in asked for one in self.resources if fits(one)), None)


async def discover(connection: Connection) -> Discovery:
    """Return every kind that can be listed; two requests where the server knows aggregated discovery (1.26 and newer).

    Raises:
        SourceError: the server cannot be asked.
    """
    core, named = await asyncio.gather(connection.get("/api", accept=_FORMS), connection.get("/apis", accept=_FORMS))
    found: list[ApiResource] = []
    missing: list[str] = []
    for root in (core, named):
        if text(root, "kind") == "APIGroupDiscoveryList":
            found += _aggregated(root, missing)
        else:
            found += await _one_by_one(connection, root, missing)
    return Discovery(tuple(_once(found)), tuple(missing))


def _aggregated(root: Object, missing: list[str]) -> Iterator[ApiResource]:
    for item in parts(root, "items"):
        group = text(part(item, "metadata"), "name")
        for version in parts(item, "versions"):
            name = text(version, "version")
            if version.get("freshness") == "Stale":
                missing.append(f"{group}/{name}: the API behind it does not answer")
            for one in parts(version, "resources"):
                served = part(one, "responseKind")
                yield ApiResource(
                    group,
                    name,
                    text(one, "resource"),
                    text(served, "kind"),
                    one.get("scope") == "Namespaced",
                    _words(one, "shortNames"),
                    frozenset(_words(one, "verbs")),
                )


async def _one_by_one(connection: Connection, root: Object, missing: list[str]) -> list[ApiResource]:
    if "versions" in root:
        pairs = [("", clean(str(version))) for version in root.get("versions") or ()]
    else:
        pairs = [(text(g, "name"), text(part(g, "preferredVersion"), "version")) for g in parts(root, "groups")]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(group: str, version: str) -> list[ApiResource]:
        path = (
            f"/apis/{quote(group, safe='')}/{quote(version, safe='')}" if group else f"/api/{quote(version, safe='')}"
        )
        async with gate:
            try:
                listed = await connection.get(path)
            except SourceError as error:
                missing.append(f"{group}/{version}: {error.message}")
                return []
        return [
            ApiResource(
                group,
                version,
                text(one, "name"),
                text(one, "kind"),
                one.get("namespaced") is True,
                _words(one, "shortNames"),
                frozenset(_words(one, "verbs")),
            )
            for one in parts(listed, "resources")
        ]

    return [one for found in await asyncio.gather(*(ask(*pair) for pair in pairs)) for one in found]


def _once(found: Iterable[ApiResource]) -> Iterable[ApiResource]:
    """Leave out what cannot be listed, subresources, and the versions that the server prefers less."""
    known: dict[tuple[str, str], ApiResource] = {}
    for one in found:
        if one.name and "list" in one.verbs and "/" not in one.name:
            known.setdefault((one.group, one.name), one)
    return known.values()


def _words(obj: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = obj.get(key)
    return tuple(clean(str(word)) for word in found) if isinstance(found, list) else ()
