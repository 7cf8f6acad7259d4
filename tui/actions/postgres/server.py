"""The server a change was asked for: whether it still is the one that answers, and connections that may write to it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.actions.action import NotSentError, Plain
from tui.sources.errors import SourceError
from tui.sources.postgres import words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server
from tui.sources.postgres.source import PostgresSource
from tui.sources.text import clean

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

_COMPARED: Final = ("started", "database", "is_standby", "address", "port", "system_identifier")
ANOTHER_SERVER: Final = "another server answers now, or it restarted or changed its role; look at the list again"


def server_identity(server: Server) -> dict[str, Plain]:
    """Return what tells the server that was seen from any other, its standbys and clones included."""
    return {
        "server_started": plain(server.started),
        "server_address": server.address,
        "server_port": server.port,
        "server_database": server.database,
        "server_is_standby": server.is_standby,
        "server_system_identifier": server.system_identifier,
    }


def where_words(name: str, database: str | None) -> str:
    """Return where something lives, for the eye: `shop on orders`, or one name where both are the same."""
    return name if database in (name, None) else f"{database} on {name}"


def plain(moment: datetime | None) -> str | None:
    """Return a moment as it stands in a journal; None for none."""
    return None if moment is None else moment.isoformat()


def moment(written: object) -> datetime | None:
    """Return the moment that `plain` wrote; None for none."""
    return datetime.fromisoformat(written) if isinstance(written, str) else None


async def answering(link: Link, identity: Mapping[str, Plain]) -> "Record":
    """Return who answers; its system identifier only where it was seen, for a role may not be allowed to ask."""
    asks_system = identity.get("server_system_identifier") is not None
    (found,) = await link.fetch("answering", asks_system=asks_system)
    return found


def compared(found: "Record") -> tuple[Any, ...]:
    """Return what is compared of who answers, in the order in which signalling statements take it."""
    return tuple(found[name] for name in _COMPARED)


def expected(identity: Mapping[str, Plain]) -> tuple[Any, ...]:
    """Return the same of the server that was seen."""
    # A journal of an earlier version names no system identifier.
    return (moment(identity["server_started"]), *(identity.get(f"server_{name}") for name in _COMPARED[1:]))


async def check_server(link: Link, identity: Mapping[str, Plain]) -> "Record":
    """Return who answers, once it is the server that was seen.

    A session does not outlive the server's process, so what is sent next on this connection reaches that very one.

    Raises:
        NotSentError: it is another, it has restarted, or it has another role.
    """
    found = await answering(link, identity)
    if compared(found) != expected(identity):
        raise NotSentError(ANOTHER_SERVER)
    return found


@contextlib.asynccontextmanager
async def writing(source: PostgresSource, **settings: str) -> AsyncIterator[Link]:
    """Lend a connection that may write, closed afterwards; without one nothing can have been sent.

    Raises:
        NotSentError: there is no connection, or only one through a pooler.
    """
    try:
        link = await source.for_writing(**settings)
    except SourceError as error:
        raise NotSentError(f"nothing was sent: {error}") from error
    try:
        yield link
    finally:
        source.give_back(link)


@contextlib.asynccontextmanager
async def looking(source: PostgresSource) -> AsyncIterator[Link]:
    """Lend such a connection, with no settings of ours in it, in a transaction that only reads. Raises SourceError."""
    link = await source.for_writing()
    try:
        with words.translated():
            await link.connection.execute("BEGIN READ ONLY")
            yield link
    finally:
        source.give_back(link)


def shell_word(statement: str) -> str:
    """Return a statement as a word that a shell hands on as it is."""
    return "'" + clean(statement).replace("'", "'\\''") + "'"


_REFUSALS: Final = frozenset({"0A", "22", "23", "25", "26", "2F", "3F", "42", "54", "55"})
"""Classes of SQLSTATE by which a server refuses a statement as a whole: nothing of it happened."""


def is_refusal(error: BaseException) -> bool:
    """Tell whether a server refused a statement; a connection that broke, or a statement cut short, is none."""
    return (getattr(error, "sqlstate", None) or "")[:2] in _REFUSALS
