"""The proxy that the environment names for an API server, as kubectl takes it: `HTTPS_PROXY`, `NO_PROXY`. Pure."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from tui.sources.errors import Unreadable


def environment_proxy(server: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy's URL; None where the server is to be reached directly.

    A server on this machine never goes through one, whatever the environment says.

    Raises:
        Unreadable: it names a SOCKS proxy.
    """
    found = urlsplit(server)
    name = f"{found.scheme}_proxy"
    proxy = environ.get(name.upper()) or environ.get(name) or ""
    host = found.hostname or ""
    if (
        not proxy
        or _is_local(host)
        or _is_exempt(host, found.port, environ.get("NO_PROXY") or environ.get("no_proxy", ""))
    ):
        return None
    if proxy.lower().startswith("socks"):
        raise Unreadable(
            f"{name.upper()}: SOCKS proxies are not supported", "use an http:// proxy or an ssh port forward"
        )
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    return any(_names(entry.strip().lower(), host.lower(), port) for entry in listed.split(",") if entry.strip())


def _names(entry: str, host: str, port: int | None) -> bool:
    """Tell whether an entry of NO_PROXY fits: `*`, a name, `.suffix`, an address, a network; with a port or without."""
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdecimal():
        if port != int(wanted):
            return False
        entry = name.strip("[]")
    bare = entry.removeprefix("*").removeprefix(".")
    return (host == bare and not entry.startswith((".", "*"))) or host.endswith(f".{bare}")
