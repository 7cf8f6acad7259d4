"""Addresses that name a master through its sentinels: `redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB`."""

from dataclasses import dataclass
from urllib.parse import unquote

SCHEMES = ("redis+sentinel", "rediss+sentinel")
_PORT = 26379


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Who knows where the master is."""

    addresses: tuple[tuple[str, int], ...]
    """Host and port of each, in the order in which they are asked."""
    master: str
    """The name under which they watch it."""
    db: int
    username: str
    """User of the master; empty when not given. The sentinels are asked without one."""
    is_tls: bool


def is_sentinel(url: str) -> bool:
    """Tell whether an address leads through sentinels."""
    return url.partition("://")[0].lower() in SCHEMES


def sentinels_of(url: str) -> Sentinels:
    """Return what such an address says.

    Raises:
        ValueError: it has another form; the message does not repeat it.
    """
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    master, _, db = path.partition("/")
    if not master or not hosts or (db and not db.isdecimal()):
        raise ValueError(f"a master behind sentinels is {SCHEMES[0]}://HOST:PORT,HOST:PORT/MASTER, with /DB at its end")
    return Sentinels(
        tuple(_address(one) for one in hosts.split(",")),
        unquote(master),
        int(db or 0),
        unquote(user) if at else "",
        scheme.lower() == SCHEMES[1],
    )


def _address(written: str) -> tuple[str, int]:
    if written.startswith("["):
        host, _, port = written[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = written.partition(":")
    if not host or (port and not (port.isdecimal() and int(port) < 65536)):
        raise ValueError("host and port of a sentinel cannot be read; a port is a number up to 65535")
    return host, int(port or _PORT)
