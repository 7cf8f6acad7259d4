"""TLS as libpq's options ask for it, for a server that is reached through a forward."""

import asyncio
import os
import ssl
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tui.sources.errors import Denied, Unreadable
from tui.sources.postgres.words import of_network
from tui.sources.text import clean
from tui.sources.tls_socket import Tls

_REQUEST: Final = struct.pack("!ii", 8, 80877103)
"""SSLRequest, with which a client asks for TLS."""
_PROMISING: Final = ("require", "verify-ca", "verify-full")
_VERSIONS: Final = {
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_OWN: Final = Path("~/.postgresql")
"""Where libpq looks for what a connection string does not name."""


def mode_of(options: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Return the `sslmode` that promises TLS; empty for one that does not (`prefer`, `allow`, `disable`, none)."""
    environment = os.environ if environment is None else environment
    mode = options.get("sslmode") or environment.get("PGSSLMODE") or ""
    if options.get("sslrootcert") == "system":
        return "verify-full"
    return mode if mode in _PROMISING else ""


def tls_of(options: Mapping[str, str], mode: str, place: str) -> Tls:
    """Return how to speak to a server, by options that promise TLS. Reads the files they name.

    Raises:
        Unreadable: the options do not go together, or a file is not what it should be.
    """
    name = (options.get("host") or "").partition(",")[0]
    if name.startswith("/"):
        name = ""
    if mode == "verify-full" and not name:
        raise Unreadable("sslmode=verify-full needs host= in the dsn: the name in the server's certificate")
    context = _context(options, mode)
    is_direct = options.get("sslnegotiation") == "direct"
    if is_direct:
        context.set_alpn_protocols(["postgresql"])
    return Tls(context, name or "localhost", lambda error: of_network(error, place), None if is_direct else _ask)


def _context(options: Mapping[str, str], mode: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    try:
        context.minimum_version = _VERSIONS[options.get("ssl_min_protocol_version") or "TLSv1.2"]
        if highest := options.get("ssl_max_protocol_version"):
            context.maximum_version = _VERSIONS[highest]
    except KeyError as error:
        raise Unreadable(f"no such TLS version: {clean(str(error.args[0]), limit=40)}", "TLSv1.2 or TLSv1.3") from None
    try:
        _trust(context, options, mode)
        if (certificate := _file(options, "sslcert", "postgresql.crt")) is not None:
            # A password in any case: without one OpenSSL would ask the terminal, under the screen.
            key = _file(options, "sslkey", "postgresql.key") or certificate
            context.load_cert_chain(certificate, key, password=options.get("sslpassword") or "")
        if (revoked := _file(options, "sslcrl", "root.crl")) is not None:
            context.load_verify_locations(revoked)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    except (ssl.SSLError, OSError) as error:
        reason = clean(str(getattr(error, "reason", "") or error.strerror or "not readable"), limit=200)
        told = f"a certificate or key of the dsn cannot be used: {reason}"
        raise Unreadable(told, "see sslrootcert, sslcert, sslkey, sslcrl") from error
    return context


def _trust(context: ssl.SSLContext, options: Mapping[str, str], mode: str) -> None:
    if options.get("sslrootcert") == "system":
        context.load_default_certs()
        return
    if (root := _file(options, "sslrootcert", "root.crt")) is not None:
        context.load_verify_locations(root)
    elif mode == "require":
        context.verify_mode = ssl.CERT_NONE  # as libpq: encrypted, to whoever answers
    else:
        raise Unreadable(f"sslmode={mode} needs the CA", "sslrootcert=FILE, or sslrootcert=system, in the dsn")


def _file(options: Mapping[str, str], key: str, usual: str) -> str | None:
    if given := options.get(key):
        return os.path.expanduser(given)
    found = os.path.expanduser(_OWN / usual)
    return found if os.path.isfile(found) else None


async def _ask(answers: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    """Ask for TLS. Raises Denied where the server offers none: nothing was sent in the clear by then."""
    server.write(_REQUEST)
    await server.drain()
    # Whatever else an answer holds comes from who knows whom: it is not encrypted yet.
    if await answers.readexactly(1) != b"S":
        raise Denied("the server offers no TLS, and the dsn asks for it", "ssl=on at the server, or another sslmode")
