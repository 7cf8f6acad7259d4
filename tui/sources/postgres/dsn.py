"""What a profile's `dsn` means: libpq's connection strings and service files, read as libpq reads them.

asyncpg ignores a service it does not find, takes no keyword strings, and sends libpq's own options to the server;
so the string is taken apart here and only what asyncpg understands goes on.
"""

import configparser
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode

from tui.sources.errors import Unreadable
from tui.sources.text import clean

_CONNECTION: Final = ("host", "hostaddr", "port", "user", "dbname", "password", "passfile", "connect_timeout")
_TLS: Final = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "sslpassword",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "target_session_attrs",
    "krbsrvname",
    "gsslib",
)
_LIBPQ_ONLY: Final = frozenset(
    {
        "application_name",
        "fallback_application_name",
        "client_encoding",
        "options",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "replication",
        "gssencmode",
        "channel_binding",
        "require_auth",
        "load_balance_hosts",
        "sslcompression",
        "sslcertmode",
        "sslcrldir",
        "sslsni",
        "requirepeer",
        "gssdelegation",
        "sslkeylogfile",
        "min_protocol_version",
        "max_protocol_version",
        "scram_client_key",
        "scram_server_key",
        "servicefile",
    }
)
_CONNECT_TIMEOUT_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Dsn:
    """A connection string, taken apart."""

    options: Mapping[str, str] = field(repr=False)
    """libpq's keywords, those asyncpg understands; may hold a password, so it is never shown."""
    service: str | None = None
    """The service it came from, for the command a colleague would type."""
    through: str = ""
    """The command that forwards 127.0.0.1 to it, where it is reached through a pod; else empty."""
    pod: str = ""
    """Where that forward leads, for messages."""
    promised: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The host and the options of TLS that it has of its own, where the forward stands in their place."""

    @property
    def hosts(self) -> list[str]:
        """Hosts or socket folders, in the order they are tried; empty: asyncpg's defaults."""
        return [host for host in (self.options.get("hostaddr") or self.options.get("host") or "").split(",") if host]

    @property
    def ports(self) -> list[int]:
        """Ports, one for all hosts or one for each; empty: the default."""
        return [int(port) for port in self.options.get("port", "").split(",") if port]

    @property
    def place(self) -> str:
        """Where it leads, for messages: `db.example:5432`, `/run/postgresql`, `service shop/db:5432`."""
        if self.pod:
            return self.pod
        hosts = self.hosts or ["the default address"]
        ports = self.ports or [5432]
        many = len(ports) == len(hosts)
        named = [
            host if host.startswith("/") or not self.hosts else f"{host}:{ports[number if many else 0]}"
            for number, host in enumerate(hosts)
        ]
        return clean(", ".join(named), limit=200)

    @property
    def connect_timeout_s(self) -> float:
        """How long connecting may take, in seconds; at most what a poll can wait."""
        given = self.options.get("connect_timeout", "")
        return min(_CONNECT_TIMEOUT_S, float(given)) if given.isdigit() and int(given) else _CONNECT_TIMEOUT_S

    @property
    def tls_url(self) -> str:
        """What asyncpg takes only from a URL: the TLS files and their like."""
        return "postgresql://?" + urlencode({key: self.options[key] for key in _TLS if self.options.get(key)})

    def behind(self, folder: str, through: str, pod: str) -> "Dsn":
        """Return the same database behind a forward, whose socket is in `folder`; `through` is how to make one."""
        options = {key: value for key, value in self.options.items() if key not in ("host", "hostaddr", *_TLS)}
        promised = {key: self.options[key] for key in ("host", *_SHOWN_TLS) if self.options.get(key)}
        return Dsn({**options, "host": folder, "port": "5432"}, None, through, pod, promised)

    def psql(self) -> str:
        """Return the `psql` command that reaches the same database; without secrets."""
        if self.through:
            here = {**self.options, "host": "127.0.0.1"}
            if "sslmode" in self.promised or "sslrootcert" in self.promised:
                # The name is what the certificate must be for; the address is where the forward listens.
                alone = Dsn({**here, **self.promised, "hostaddr": "127.0.0.1"}, promised=self.promised)
            else:
                alone = Dsn(here)
            return f"{self.through} & {alone.psql()}"
        if self.service:
            return f"psql {shlex.quote(f'service={self.service}')}"
        address = ("hostaddr",) if self.promised else ()
        keys = ("host", *address, "port", "user", "dbname", *(_SHOWN_TLS if self.promised else ()))
        shown = ((key, self.options[key]) for key in keys if self.options.get(key))
        words = clean(" ".join(f"{key}={_quoted(value)}" for key, value in shown))
        if not words:
            return "psql"
        # Double quotes read better around a quoted value, but a shell looks into them.
        return f"psql {shlex.quote(words)}" if _ACTIVE.search(words) else f'psql "{words}"'


_SHOWN_TLS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_ACTIVE: Final = re.compile(r'[$`!"\\]')


def _quoted(value: str) -> str:
    return (
        value if re.fullmatch(r"[\w./:,@%+-]+", value) else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    )


def parse(text: str, environment: Mapping[str, str] | None = None) -> Dsn:
    """Return what `postgresql://…`, `service=NAME` or `host=… dbname=…` means.

    `$PGSERVICE` counts where the string names neither a service nor a host.

    Raises:
        Unreadable: not a connection string, an option libpq does not know, or a service that is not in the file.
    """
    environment = os.environ if environment is None else environment
    text = text.strip()
    given = _from_url(text) if re.match(r"postgres(ql)?://", text) else _from_keywords(text)
    service = given.pop("service", None)
    if service is None and not given.get("host") and not given.get("hostaddr"):
        service = environment.get("PGSERVICE") or None
    if service is not None:
        given = {**_from_service(service, given.get("servicefile"), environment), **given}
    if "database" in given:
        given.setdefault("dbname", given.pop("database"))
    for key in given:
        if key not in _CONNECTION and key not in _TLS and key not in _LIBPQ_ONLY:
            # An unquoted password with a space in it would be taken for an option.
            named = "" if "password" in given else f' "{clean(key, limit=40)}"'
            raise Unreadable(f"invalid connection option{named}", "see the dsn in the profile")
    options = {key: value for key, value in given.items() if key not in _LIBPQ_ONLY}
    _check(options)
    return Dsn(options, service)


def _check(options: Mapping[str, str]) -> None:
    if not re.fullmatch(r"(\d{1,5}(,\d{1,5})*)?", options.get("port", "")):
        raise Unreadable("the dsn's port is not a number")
    if any(int(port) > 65535 for port in options.get("port", "").split(",") if port):
        raise Unreadable("the dsn's port is greater than 65535")
    if options.get("hostaddr") and options.get("sslmode") == "verify-full":
        raise Unreadable("hostaddr with sslmode=verify-full is not supported", "give host= alone")

    for key in ("sslrootcert", "sslcert", "sslkey", "sslcrl"):
        path = options.get(key)
        if path and path != "system" and not os.path.isfile(os.path.expanduser(path)):
            raise Unreadable(f"{key}: there is no file {clean(path, limit=200)}")


_URL: Final = re.compile(r"\w+://(?P<place>[^/?#]*)(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?")


def _from_url(text: str) -> dict[str, str]:
    # Not urlsplit: newer Pythons refuse an address in brackets anywhere but first, and libpq takes several hosts.
    url = _URL.fullmatch(text)
    if url is None or url["place"].count("[") != url["place"].count("]"):
        raise Unreadable("the dsn is not a URL that can be read", "postgresql://user@host:5432/database")
    login, _, places = url["place"].rpartition("@")
    user, _, password = login.partition(":")
    found: dict[str, str] = {"user": unquote(user), "password": unquote(password), "dbname": unquote(url["path"] or "")}
    hosts, ports = [], []
    for place in places.split(",") if places else []:
        host, _, port = (
            place.rpartition(":") if re.search(r":\d*$", place) and not place.endswith("]") else (place, "", "")
        )
        hosts.append(unquote(host.removeprefix("[").removesuffix("]")))
        ports.append(port or "5432")
    found["host"] = ",".join(hosts)
    found["port"] = ",".join(ports) if any(port != "5432" for port in ports) else ""
    found = {key: value for key, value in found.items() if value}
    return {**found, **{key: value for key, value in parse_qsl(url["query"] or "") if value}}


_KEYWORD: Final = re.compile(
    r"\s*(?P<key>\w+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<plain>(?:[^\s'\\]|\\.)*))(?=\s|$)"
)


def _from_keywords(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _KEYWORD.match(text, at)
        if match is None:
            raise Unreadable(
                "the dsn is neither a URL nor keywords", "postgresql://user@host/db, service=NAME or host=… dbname=…"
            )
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        found[match["key"]] = re.sub(r"\\(.)", r"\1", value)
        at = match.end()
    return found


def _from_service(service: str, file: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    own = file or environment.get("PGSERVICEFILE") or os.path.expanduser("~/.pg_service.conf")
    places = [Path(own)]
    if folder := environment.get("PGSYSCONFDIR"):
        places.append(Path(folder) / "pg_service.conf")
    for place in places:
        parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
        try:
            parser.read_string(place.read_text("utf-8"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Unreadable(f"{place}: {error.strerror}") from error
        except (configparser.Error, UnicodeDecodeError):
            # The parser's own words quote the line, which may hold a password.
            raise Unreadable(f"{place}: not a service file") from None
        if parser.has_section(service):
            return dict(parser.items(service))
    searched = " and ".join(str(place) for place in places)
    raise Unreadable(f'definition of service "{clean(service, limit=60)}" not found', f"looked in {searched}")
