"""Where libpq finds a user's name and password: the environment and the password file. asyncpg reads its own."""

import getpass
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path


def user_of(options: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return who connects: the dsn's user, else `$PGUSER`, else the one who runs opstui."""
    return options.get("user") or environment.get("PGUSER") or getpass.getuser()


def from_file(path: Path, host: str, port: int, database: str, user: str) -> str | None:
    """Return the password a password file holds for this connection; None without one.

    As with libpq, a file that others could read is passed over.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
            return None
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    asked = ("localhost" if host.startswith("/") else host, str(port), database, user)
    for *fields, password in _lines(text):
        if all(field in ("*", value) for field, value in zip(fields, asked, strict=True)):
            return password
    return None


def place_of_file(options: Mapping[str, str], environment: Mapping[str, str]) -> Path:
    """Return the password file: the dsn's `passfile`, `$PGPASSFILE` or `~/.pgpass`."""
    given = options.get("passfile") or environment.get("PGPASSFILE") or "~/.pgpass"
    return Path(os.path.expanduser(given))


def _lines(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        fields = [re.sub(r"\\(.)", r"\1", field) for field in re.findall(r"(?:^|:)((?:\\.|[^:\\])*)", line)]
        if len(fields) == 5:
            yield fields
