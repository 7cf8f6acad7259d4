"""Single values that checklists ask for: commands that only read and cost the server nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui.sources import redis_info
from tui.sources.errors import Denied, Unreadable
from tui.sources.redis_connection import RedisConnection, RefusedError
from tui.sources.text import clean

READS: Final[Mapping[str, int]] = {
    "DBSIZE": 0, "EXISTS": 1, "HLEN": 1, "INFO": 1, "LLEN": 1, "PING": 0, "PTTL": 1, "SCARD": 1, "STRLEN": 1, "TTL": 1,
    "XLEN": 1, "ZCARD": 1,
}  # fmt: skip
"""Commands of constant cost that change nothing, and how many arguments they take: what a checklist may ask."""


def check(command: Sequence[str]) -> None:
    """Raise Unreadable unless a command is one that only reads, with as many arguments as it takes."""
    name, *arguments = command
    if (wanted := READS.get(name.upper())) is None or len(arguments) != wanted:
        known = ", ".join(sorted(READS))
        raise Unreadable(f"{name} with {len(arguments)} arguments is not read here", f"what is read: {known}")


async def value(connection: RedisConnection, command: Sequence[str]) -> str | float | None:
    """Return what a command gives: a number as float; `INFO field` gives that field.

    Raises:
        Unreadable: INFO has no such field.
        Denied: the server refuses it.
        SourceError: the server could not be asked.
    """
    name, *arguments = command
    is_info = name.upper() == "INFO"
    (reply,) = await connection.ask([("INFO", "everything")] if is_info else [tuple(command)])
    if isinstance(reply, RefusedError):
        raise Denied(f"{name} is {reply.reason}")
    if is_info:
        reply = redis_info.known(reply).get(arguments[0])
        if reply is None:
            raise Unreadable(f"INFO has no field {arguments[0]} on this server")
    return _plain(reply)


def _plain(reply: Any) -> str | float | None:
    """Return a simple reply as a number where it is one, else as text."""
    if reply is None or isinstance(reply, int | float):
        return None if reply is None else float(reply)
    said = clean(reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply), limit=300)
    try:
        return float(said)
    except ValueError:
        return said
