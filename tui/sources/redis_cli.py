"""The redis-cli command line that reaches an instance of the profile; secrets stay references."""

import shlex
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from profiles.sentinel import is_sentinel, sentinels_of
from profiles.systems import RedisInstance
from profiles.values import Command, SecretReference


def redis_cli(entry: RedisInstance, *arguments: str, is_forwarded: bool = False) -> str:
    """Return a line to paste into a shell, e.g. `REDISCLI_AUTH="$CACHE_PW" redis-cli -h cache -p 6379 INFO memory`.

    `is_forwarded` tells whether a port of 127.0.0.1 leads to the server instead of its own address.
    """
    if is_forwarded:
        return _line(entry, ["-h", "127.0.0.1", "-p", "6379", *_tls_name(entry.url)], arguments)
    if is_sentinel(entry.url):
        return _through_sentinel(entry, arguments)
    return _line(entry, _address(entry.url), arguments)


def _tls_name(url: str) -> list[str]:
    parts = urlsplit(url)
    return ["--tls", "--sni", shlex.quote(parts.hostname or "localhost")] if parts.scheme == "rediss" else []


def _through_sentinel(entry: RedisInstance, arguments: Sequence[str]) -> str:
    """Return a line that asks the first sentinel for the master, and then the master."""
    known = sentinels_of(entry.url)
    (host, port), *_ = known.addresses
    ask = f"redis-cli -h {shlex.quote(host)} -p {port} SENTINEL GET-MASTER-ADDR-BY-NAME {shlex.quote(known.master)}"
    user = ["--user", shlex.quote(known.username)] if known.username else []
    tls = ["--tls"] if known.is_tls else []
    options = ["-h", '"$1"', "-p", '"$2"', *tls, *_database(str(known.db)), *user]
    return f"set -- $({ask}); {_line(entry, options, arguments)}"


def _line(entry: RedisInstance, options: list[str], arguments: Sequence[str]) -> str:
    if entry.username:
        options += ["--user", shlex.quote(entry.username)]
    if entry.ca_file:
        options += ["--cacert", shlex.quote(entry.ca_file)]
    password = f"REDISCLI_AUTH={_expansion(entry.password)} " if entry.password is not None else ""
    return password + " ".join(["redis-cli", *options, *(shlex.quote(argument) for argument in arguments)])


def _address(url: str) -> list[str]:
    if url.startswith(("env:", "file:")):
        return ["-u", _expansion(url)]
    parts = urlsplit(url)
    user = ["--user", shlex.quote(unquote(parts.username))] if parts.username else []
    if parts.scheme == "unix":
        db = parse_qs(parts.query).get("db", ["0"])[0]
        return ["-s", shlex.quote(unquote(parts.path)), *_database(db), *user]
    tls = ["--tls"] if parts.scheme == "rediss" else []
    host = shlex.quote(parts.hostname or "localhost")
    return ["-h", host, "-p", str(parts.port or 6379), *tls, *_database(parts.path.strip("/")), *user]


def _database(db: str) -> list[str]:
    return ["-n", shlex.quote(db)] if db not in ("", "0") else []


def _expansion(reference: SecretReference) -> str:
    """Return what a shell replaces by the secret."""
    if isinstance(reference, Command):
        return f'"$({shlex.join(reference.command)})"'
    kind, _, place = reference.partition(":")
    return f'"${{{place}}}"' if kind == "env" else f'"$(cat {shlex.quote(place)})"'
