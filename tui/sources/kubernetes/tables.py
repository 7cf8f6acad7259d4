"""Any kind as the server itself prints it: the columns and cells that `kubectl get -o wide` shows."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tui.sources.errors import Denied, SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.discovery import ApiResource
from tui.sources.kubernetes.fields import Object, Owner, moment, owner, part, parts, strings, text, whole
from tui.sources.text import clean

LIMIT: Final = 500
"""Rows read at most, of each namespace watched or of all together."""
_FORM: Final = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Printed:
    """A column the server prints."""

    name: str
    """As it stands in the Table: `Cluster-IP`."""
    is_wide: bool
    """Whether only `-o wide` shows it."""
    is_number: bool
    description: str


@dataclass(frozen=True, slots=True)
class Line:
    """One object as the server prints it."""

    key: str
    """The uid; `namespace/name` of an object without one (metrics)."""
    uid: str
    """Empty where the object has none."""
    namespace: str
    """Empty for what belongs to the cluster."""
    name: str
    created_at: float | None
    labels: dict[str, str]
    owner: Owner | None
    cells: tuple[str, ...]
    """One for each column, cleaned."""


@dataclass(frozen=True, slots=True)
class ResourceTable:
    """The objects of one kind at one moment."""

    resource: ApiResource
    columns: tuple[Printed, ...]
    lines: tuple[Line, ...]
    more: int
    """How many there are beyond `LIMIT`; -1 when the server does not say how many; 0: these are all."""
    forbidden: tuple[str, ...] = ()
    """The namespaces that we may not read."""
    scopes: int = 1
    """How many namespaces were asked; 1 also for the cluster as a whole."""


async def read_table(
    connection: Connection, resource: ApiResource, namespaces: Sequence[str] = (), *, selector: str = ""
) -> ResourceTable:
    """Return the objects of a kind: of all the cluster, or of these namespaces.

    Args:
        connection: to the cluster.
        resource: as discovery tells it.
        namespaces: read one by one; empty: all of the cluster.
        selector: a label selector that the server applies; empty: everything.

    Raises:
        SourceError: none of it can be read.
    """
    scopes: Sequence[str | None] = namespaces if resource.is_namespaced and namespaces else (None,)
    pages = await asyncio.gather(*(_page(connection, resource, scope, selector) for scope in scopes))
    read = [page for page in pages if not isinstance(page, SourceError)]
    refused = [page for page in pages if isinstance(page, SourceError)]
    # A namespace that may not be read costs only itself; anything else makes what is shown doubtful as a whole.
    if refused and (not read or not all(isinstance(error, Denied) for error in refused)):
        raise next((error for error in refused if not isinstance(error, Denied)), refused[0])
    forbidden = [str(scope) for scope, page in zip(scopes, pages, strict=True) if isinstance(page, SourceError)]
    return ResourceTable(
        resource,
        next((columns for page in read if (columns := _columns(page))), ()),
        tuple(line for page in read for line in _lines(page)),
        _more(read),
        tuple(forbidden),
        len(scopes),
    )


async def _page(
    connection: Connection, resource: ApiResource, namespace: str | None, selector: str
) -> Object | SourceError:
    query = [("limit", str(LIMIT)), ("includeObject", "Metadata")]
    if selector:
        query.append(("labelSelector", selector))
    try:
        return await connection.get(resource.path(namespace), query, timeout_s=_TIMEOUT_S, accept=_FORM)
    except SourceError as error:
        return error


def parse_table(resource: ApiResource, page: Object) -> ResourceTable:
    """Return what one answer holds: a Table, or the plain list of a server that prints none."""
    return ResourceTable(resource, _columns(page), tuple(_lines(page)), _more([page]))


def _columns(page: Object) -> tuple[Printed, ...]:
    if text(page, "kind") != "Table":
        return (Printed("Name", False, False, ""),)
    return tuple(
        Printed(
            text(column, "name"),
            whole(column, "priority") > 0,
            column.get("type") in ("integer", "number"),
            text(column, "description"),
        )
        for column in parts(page, "columnDefinitions")
    )


def _lines(page: Object) -> Iterator[Line]:
    if text(page, "kind") != "Table":
        for item in parts(page, "items"):
            yield _line(item, [part(item, "metadata").get("name")])
        return
    count = len(parts(page, "columnDefinitions"))
    for row in parts(page, "rows"):
        cells = row.get("cells")
        yield _line(part(row, "object"), cells if isinstance(cells, list) else [], count)


def _line(obj: Object, cells: Sequence[object], count: int = 1) -> Line:
    metadata = part(obj, "metadata")
    namespace, name = text(metadata, "namespace"), text(metadata, "name")
    uid = text(metadata, "uid")
    words = [_word(cell) for cell in cells[:count]]
    return Line(
        key=uid or f"{namespace}/{name}",
        uid=uid,
        namespace=namespace,
        name=name,
        created_at=moment(metadata, "creationTimestamp"),
        labels=strings(metadata, "labels"),
        owner=owner(metadata),
        cells=tuple(words + [""] * (count - len(words))),
    )


def _word(cell: object) -> str:
    """Return a cell as kubectl writes it."""
    if cell is None:
        return "<none>"
    if isinstance(cell, bool):
        return str(cell).lower()
    return clean(cell if isinstance(cell, str) else str(cell))


def _more(pages: Sequence[Object]) -> int:
    left = 0
    for page in pages:
        metadata = part(page, "metadata")
        if metadata.get("continue"):
            remaining = whole(metadata, "remainingItemCount")
            if not remaining:
                return -1
            left += remaining
    return left
