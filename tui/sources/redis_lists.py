"""Replies of CLIENT LIST, SLOWLOG GET, LATENCY LATEST and MEMORY STATS → facts. Pure.

The shapes differ between protocol 2 and 3 and between versions; what does not fit raises `Unreadable`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tui.sources.errors import Unreadable
from tui.sources.redis_facts import Client, LatencyEvent, Memory, SlowEntry
from tui.sources.text import clean


def text(value: Any) -> str:
    """Return a reply's text, cleaned; bytes that are no UTF-8 become replacement characters."""
    return clean(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def clients(raw: bytes, own_id: int | None = None) -> tuple[Client, ...]:
    """Return the lines of CLIENT LIST.

    Raises:
        Unreadable: a line without an id.
    """
    # RESP3 sends a verbatim string, which a parser may hand over with its format in front.
    body = raw.removeprefix(b"txt:").decode(errors="replace")
    return tuple(_client(line, own_id) for line in body.split("\n") if line.strip())


def _client(line: str, own_id: int | None) -> Client:
    fields: dict[str, str] = {}
    name = ""
    for part in clean(line).split(" "):
        key, equals, value = part.partition("=")
        if equals and key.replace("-", "").isalnum():
            name = key
            fields[name] = value
        elif name:
            fields[name] += " " + part  # the path of a unix socket may hold spaces
    try:
        client_id = int(fields["id"])
    except (KeyError, ValueError) as error:
        raise Unreadable(f"CLIENT LIST sent a line without an id: {clean(line, limit=60)}") from error

    def number(key: str) -> int:
        value = fields.get(key, "0")
        return int(value) if value.lstrip("-").isdigit() else 0

    library = " ".join(filter(None, (fields.get("lib-name", ""), fields.get("lib-ver", ""))))
    return Client(
        id=client_id,
        addr=fields.get("addr", ""),
        name=fields.get("name", ""),
        user=fields.get("user", ""),
        age_s=number("age"),
        idle_s=number("idle"),
        cmd=fields.get("cmd", ""),
        flags=fields.get("flags", ""),
        db=number("db"),
        sub=number("sub") + number("psub") + number("ssub"),
        omem_bytes=number("omem"),
        tot_mem_bytes=number("tot-mem") if "tot-mem" in fields else None,
        lib=library,
        is_own=client_id == own_id,
    )


def slowlog(reply: Any, *, masks: bool = False) -> tuple[SlowEntry, ...]:
    """Return SLOWLOG GET's entries, newest first; with `masks` only how many arguments a command had.

    Raises:
        Unreadable: an entry is not the list the protocol promises.
    """
    try:
        return tuple(
            SlowEntry(
                id=int(entry[0]),
                at=float(entry[1]),
                took_us=int(entry[2]),
                command=_masked(entry[3]) if masks else " ".join(_argument(part) for part in entry[3]),
                addr=text(entry[4]) if len(entry) > 4 else "",
                client_name=text(entry[5]) if len(entry) > 5 else "",
            )
            for entry in reply
        )
    except (TypeError, ValueError, IndexError) as error:
        raise Unreadable("SLOWLOG GET sent an entry of another shape") from error


def _masked(parts: list[Any]) -> str:
    name, *arguments = (_argument(part) for part in parts)
    return f"{name} ({len(arguments)} arguments)" if arguments else name


def _argument(part: Any) -> str:
    shown = text(part)
    return f'"{shown}"' if not shown or " " in shown else shown


def latency(reply: Any) -> tuple[LatencyEvent, ...]:
    """Return LATENCY LATEST's events.

    Raises:
        Unreadable: an event is not the list the protocol promises.
    """
    try:
        return tuple(LatencyEvent(text(event[0]), int(event[1]), int(event[2]), int(event[3])) for event in reply)
    except (TypeError, ValueError, IndexError) as error:
        raise Unreadable("LATENCY LATEST sent an event of another shape") from error


def mapping(reply: Any) -> Mapping[str, Any]:
    """Return a reply that is a map in protocol 3 and a flat list in protocol 2 as a mapping with text keys."""
    if isinstance(reply, Mapping):
        return {text(key): value for key, value in reply.items()}
    flat: Iterable[Any] = reply if isinstance(reply, list) else ()
    parts = list(flat)
    return {text(key): value for key, value in zip(parts[::2], parts[1::2], strict=False)}


_SECRET: Final = re.compile(r"pass|auth|secret|key-file")


def is_secret(parameter: str) -> bool:
    """Tell whether a setting holds, or leads to, a secret (`requirepass`, `masterauth`): it is not for screens."""
    return _SECRET.search(parameter.lower()) is not None


def settings(reply: Any) -> dict[str, str]:
    """Return CONFIG GET's settings by name, without those that hold secrets."""
    return {name: text(value) for name, value in mapping(reply).items() if not is_secret(name)}


def whole_setting(reply: Any, name: str) -> int | None:
    """Return a setting of CONFIG GET as a number; None when the server does not have it."""
    value = mapping(reply).get(name)
    return None if value is None else int(value)


def memory_stats(reply: Any) -> Memory:
    """Return what MEMORY STATS tells of the memory, for users who may not send INFO."""
    stats = mapping(reply)

    def whole(name: str) -> int | None:
        value = stats.get(name)
        return value if isinstance(value, int) else None

    ratio = stats.get("fragmentation")
    try:
        fragmentation = None if ratio is None else float(ratio)
    except (TypeError, ValueError):
        fragmentation = None
    return Memory(
        used_bytes=whole("total.allocated"),
        rss_bytes=whole("allocator.resident"),
        peak_bytes=whole("peak.allocated"),
        dataset_bytes=whole("dataset.bytes"),
        overhead_bytes=whole("overhead.total"),
        clients_bytes=whole("clients.normal"),
        replication_bytes=whole("replication.backlog"),
        aof_buffer_bytes=whole("aof.buffer"),
        fragmentation_ratio=fragmentation,
        fragmentation_bytes=whole("fragmentation.bytes"),
    )
