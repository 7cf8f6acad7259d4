"""What asyncpg and the server complain about → the three words of `tui.sources.errors`, with a remedy."""

import asyncio
import contextlib
import importlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.reading import Number
from tui.sources.text import clean

_NO_SUCH_QUERY: Final = frozenset({"42501", "42883", "42P01", "42703", "0A000", "55000"})
"""Not permitted, no such function, relation or column, not supported (Aurora), extension not preloaded."""
_TOO_DEAR: Final = frozenset({"57014", "55P03"})
"""Our statement_timeout or lock_timeout struck."""
_DEAR_AGAIN_S: Final = 600.0
_LOGIN: Final = "check user and password: in the profile, ~/.pgpass (mode 0600) or the service file"
_REMEDIES: Final[dict[str, tuple[type[SourceError], str]]] = {
    "28P01": (Denied, _LOGIN),
    "28000": (Denied, "the server's pg_hba.conf and the role decide who may connect; check host, user and database"),
    "3D000": (Denied, "check the database in the profile's dsn"),
    "42501": (Denied, "ask for: GRANT pg_monitor"),
    "53300": (
        Denied,
        "end idle sessions, raise max_connections, or (16+) reserve places: GRANT pg_use_reserved_connections",
    ),
    "55000": (Unreachable, "see the server's log"),
    "57014": (Unreachable, "the server answers too slowly; is it overloaded?"),
    "57P01": (Unreachable, "the server or our session was shut down; opstui connects again"),
    "57P02": (Unreachable, "the server restarts after a crash; see its log"),
    "57P03": (Unreachable, "it is starting, recovering or shutting down; opstui tries again"),
    "57P05": (Unreachable, "opstui connects again"),
}
_FULL: Final = "53300"
_OF_ONE: Final = frozenset({"InitializeSessionUserId", "CheckMyDatabase"})
"""The server's functions that refuse for a role's or a database's own CONNECTION LIMIT, under the same SQLSTATE."""
_ALL_TAKEN: Final = (Number("connections_percent", 100.0),)


async def load_asyncpg() -> None:
    """Import asyncpg in a thread: it takes longer than a frame."""
    await asyncio.to_thread(importlib.import_module, "asyncpg")


@contextlib.contextmanager
def translated(place: str = "its address") -> Iterator[None]:
    """Turn everything asyncpg raises into a SourceError. asyncpg must have been loaded.

    `place` is where we connect to, for "nobody listens at …".
    """
    import asyncpg

    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise of_server(error) from error
    except asyncpg.InternalClientError as error:
        # What asyncpg's state machine says when the server's farewell met our next query.
        raise Unreachable("the connection was lost", "opstui connects again") from error
    except (OSError, UnicodeError) as error:
        raise of_network(error, place) from error


def is_full(error: BaseException) -> bool:
    """Tell whether a server refused us because all its places, or all but the reserved ones, are taken."""
    of_one = getattr(error, "server_source_function", None) in _OF_ONE
    return getattr(error, "sqlstate", None) == _FULL and not of_one


def of_server(error: BaseException) -> SourceError:
    """Return what an error of asyncpg means: its message, its DETAIL and HINT, and what to try."""
    sqlstate = getattr(error, "sqlstate", None) or ""
    message = sentence(error)
    if sqlstate in _REMEDIES:
        kind, remedy = _REMEDIES[sqlstate]
        return kind(message, remedy, _ALL_TAKEN if is_full(error) else ())
    if sqlstate.startswith("28"):
        return Denied(message, _LOGIN)
    if sqlstate.startswith(("08", "57P")) and sqlstate != "08P01":
        return Unreachable("the connection was lost", "opstui connects again")
    if sqlstate:
        return Unreadable(f"{message} (SQLSTATE {sqlstate})")
    if "password" in message:
        return Denied(message, _LOGIN)
    if "closed" in message:
        return Unreachable("the connection was closed", "opstui connects again")
    return Unreadable(message)


def sentence(error: BaseException) -> str:
    """Return the server's own words on one line: message, DETAIL, HINT."""
    parts = [
        getattr(error, "message", None) or str(error),
        getattr(error, "detail", None),
        getattr(error, "hint", None),
    ]
    return clean(". ".join(str(part).strip().rstrip(".") for part in parts if part), limit=500) or type(error).__name__


def of_network(error: OSError | UnicodeError, place: str) -> SourceError:
    """Return what a failure of sockets, names or TLS means."""
    words = clean(str(error), limit=300)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Denied(
            f"the server's certificate was not accepted: {clean(getattr(error, 'verify_message', words))}",
            "sslrootcert= names the CA (or system); sslmode=verify-full also checks the host name",
        )
    if isinstance(error, ssl.SSLError) or "SSL" in words:
        return Denied(words, "check sslmode in the dsn: does the server offer TLS there?")
    if isinstance(error, socket.gaierror | UnicodeError):
        return Unreachable(f"host name not known: {place}", "check the host in the dsn, VPN and DNS")
    if isinstance(error, TimeoutError):
        return Unreachable(
            f"no answer from {place}", "is the server up and not stopped, and does a firewall swallow the packets?"
        )
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return Unreachable(f"nobody listens at {place}", "is PostgreSQL running, and is this its address?")
    return Unreachable(words or type(error).__name__, "opstui connects again")


def switches_off(error: BaseException, *, is_dear: bool = False) -> tuple[float, str] | None:
    """Return for how many seconds an optional query that failed so should not be sent again, and why not.

    None: a real failure. What is absent or forbidden stays so for the life of the connection; each attempt would be
    an ERROR line in the server's log. What was too slow or met a lock is tried again after a minute, or much later
    when it is dear anyway.
    """
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate in _NO_SUCH_QUERY:
        return float("inf"), sentence(error)
    if sqlstate not in _TOO_DEAR:
        return None
    if is_dear:
        return _DEAR_AGAIN_S, f"{sentence(error)}: too dear for this server, not asked again for 10 min"
    return 60.0, sentence(error)
