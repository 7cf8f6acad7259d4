"""The SQL of `tui/sources/sql`: one query a file, named by what it reads and the first major version it works on."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parent.parent / "sql"
_NAME: Final = re.compile(r"(?P<name>[a-z_]+)-(?P<since>\d+)\.sql")
OWN_MARK: Final = "/* opstui */"
"""Stands in every query, so that people who look at pg_stat_statements, ourselves included, see whose it is."""
OLDEST_MAJOR: Final = 13
"""The oldest major version the queries are written for."""


@lru_cache(maxsize=256)
def query(name: str, major: int) -> str:
    """Return the query `name` for a server of major version `major`: the newest one that is not newer than it.

    Raises:
        LookupError: there is no such query for a server that old.
    """
    versions = {since: path for found, since, path in _files() if found == name and since <= major}
    if not versions:
        raise LookupError(f"no query {name!r} for PostgreSQL {major}")
    text = re.sub(r"^--.*\n", "", versions[max(versions)].read_text("utf-8"), flags=re.MULTILINE)
    return text.replace("SELECT", f"SELECT {OWN_MARK}", 1)


@lru_cache(maxsize=1)
def _files() -> tuple[tuple[str, int, Path], ...]:
    found = ((_NAME.fullmatch(path.name), path) for path in sorted(_FOLDER.glob("*.sql")))
    return tuple((match["name"], int(match["since"]), path) for match, path in found if match)


def statements_major(extension_version: str) -> int:
    """Return the server version whose columns pg_stat_statements has.

    After pg_upgrade the extension's SQL stays old until `ALTER EXTENSION … UPDATE`, so the server's own version
    says nothing about it: 1.8 came with 13, 1.9 with 14.
    """
    numbers = [int(part) for part in re.findall(r"\d+", extension_version)[:2]]
    return 14 if numbers >= [1, 9] else 13
