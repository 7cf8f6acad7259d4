"""EXPLAIN of what somebody else runs, without running it.

The statement is a stranger's text, so it goes to the server alone (one message of the extended protocol carries one
statement, or is a syntax error), on a connection of its own that ends with it, inside a read-only transaction with
tight limits, and never with a superuser's rights: planning evaluates functions that are declared stable or immutable.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from profiles.systems import Database
from tui.sources.errors import Denied, Unreadable
from tui.sources.forward import Forward
from tui.sources.postgres import connection, words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import OWN_APPLICATION
from tui.sources.postgres.masking import masked
from tui.sources.postgres.queries import OWN_MARK
from tui.sources.postgres.row import Row
from tui.sources.postgres.rows import quoted
from tui.sources.text import clean, clean_lines

EXPLAIN_APPLICATION: Final = f"{OWN_APPLICATION}-explain"
"""`application_name` of the connection that explains."""
_SETTINGS: Final = {
    **{name: value for name, value in connection.READING.items() if name != "search_path"},
    "statement_timeout": "2s",
    # Planning locks every table it reads: behind a waiting DDL it would wait too, and be one more in the queue.
    "lock_timeout": "100ms",
    "plan_cache_mode": "force_generic_plan",
}
_NAME: Final = "opstui_plan"
_FIRST: Final = re.compile(r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/|\()*(?P<word>[A-Za-z]*)")
_EXPLAINABLE: Final = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE")
_WHOLE: Final = re.compile(
    r"(?:Parallel )?Seq Scan on (?P<table>.+?)  \(cost=[\d.]+\.\.(?P<cost>[\d.]+) rows=(?P<rows>\d+)"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and where its names lead."""

    text: str
    """As the server keeps it: not cleaned, for it goes back to the server."""
    is_cut: bool
    """The server keeps only its beginning (`track_activity_query_size`)."""
    database: str | None
    """None when our role may not see it, or it was dropped."""
    role: str | None
    search_path: str | None
    """What the role or the database has for `search_path`; None where neither has any. What the session has set by
    itself nobody else can see."""

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return what `session_statement` or `known_statement` found."""
        return cls(row["query"] or "", row["is_cut"], row["database"], row["role"], row["search_path"])

    def refusal(self) -> str:
        """Return why it cannot be explained at all; empty when it may be tried."""
        text = self.text
        if not text.strip():
            return "there is no statement"
        if text == "<insufficient privilege>" or self.database is None:
            return "our role may not see the statement; ask for: GRANT pg_monitor"
        if self.is_cut:
            return "the server keeps only the beginning of this statement: raise track_activity_query_size"
        found = _FIRST.match(text)
        first = found["word"].upper() if found else ""
        if first not in _EXPLAINABLE:
            return f"only queries have a plan, and this begins with {first or clean(text.lstrip(), limit=20)}"
        return ""

    def path(self) -> str | None:
        """Return the search path with `"$user"` as the statement's own role; None for the server's own."""
        if self.search_path is None or self.role is None:
            return self.search_path
        return re.sub(r'"\$user"|\$user', lambda _: quoted(self.role or ""), self.search_path)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `EXPLAIN` said; the statement was not run."""

    statement: str
    """As it may be shown."""
    lines: tuple[str, ...]
    """`EXPLAIN`'s own, cleaned."""
    database: str
    search_path: str
    """Where names without a schema were looked for; the session itself may have had another."""
    parameters: int
    """How many `$n` it has; with any, the plan is the generic one, for no value in particular."""

    def whole_tables(self) -> Iterator[tuple[str, float, int]]:
        """Return every table that is read from end to end: name, total cost, estimated rows that are left."""
        for line in self.lines:
            if found := _WHOLE.search(line):
                yield found["table"], float(found["cost"]), int(found["rows"])


async def explain(
    entry: Database, statement: Statement, *, masks: bool = False, forward: Forward | None = None
) -> Plan:
    """Ask the server for the plan of a statement, on a connection of its own; `masks` hides its literals.

    `forward` leads to the pod that the server is behind.

    Raises:
        Unreadable: it cannot be explained, or the server does not take it: in its own words.
        Denied: our role is a superuser, or may not read what the statement reads.
        Unreachable: nobody answered in time.
    """
    if reason := statement.refusal():
        raise Unreadable(reason)
    link = await connection.connect(
        entry, EXPLAIN_APPLICATION, settings=_SETTINGS, database=statement.database, forward=forward
    )
    try:
        with words.translated():
            return await _explained(link, statement, masks=masks)
    finally:
        link.drop()
        await asyncio.sleep(0)


async def _explained(link: Link, statement: Statement, *, masks: bool) -> Plan:
    import asyncpg

    await link.connection.execute("BEGIN READ ONLY")
    for name, value in _SETTINGS.items():
        # A pooler has refused them in the startup packet.
        if link.is_pooled and name != "default_transaction_read_only":
            await link.connection.execute(f"SET LOCAL {name} = '{value}'")
    ((role, is_superuser),) = await link.connection.fetch(
        f"SELECT {OWN_MARK} current_user::text, current_setting('is_superuser') = 'on'"
    )
    if is_superuser:
        raise Denied(
            f"{clean(role)} is a superuser, and planning a statement runs functions that somebody else wrote",
            "connect opstui as a role of its own: CREATE ROLE opstui LOGIN IN ROLE pg_monitor, pg_read_all_data",
        )
    if path := statement.path():
        await link.connection.fetch(f"SELECT {OWN_MARK} set_config('search_path', $1, true)", path)
    try:
        asked, parameters = await _asked(link, statement.text)
        rows = await link.connection.fetch(asked)
        path = await link.connection.fetchval("SHOW search_path")
    except asyncpg.InsufficientPrivilegeError as error:
        raise Denied(words.sentence(error), f"ask for: GRANT pg_read_all_data TO {quoted(role)} (14+)") from error
    except asyncpg.InterfaceError as error:
        if "argument" not in str(error):
            raise
        raise Unreadable(
            "its parameters need a prepared statement, which would stay behind in the pooler's session",
            "name the server itself in the profile's dsn",
        ) from error
    lines = tuple(line for row in rows for line in clean_lines(row[0]).split("\n"))
    return Plan(
        masked(statement.text) if masks else clean_lines(statement.text),
        tuple(map(_masked_line, lines)) if masks else lines,
        clean(statement.database or ""),
        clean(path),
        parameters,
    )


def _masked_line(line: str) -> str:
    """Return a line of a plan without people's data: conditions hold literals, the lines with costs do not."""
    if "(cost=" in line:
        return line
    condition = line.lstrip()
    return line[: len(line) - len(condition)] + masked(condition)


async def _asked(link: Link, text: str) -> tuple[str, int]:
    """Return the EXPLAIN to send, and the number of parameters of the statement in it."""
    explaining = f"EXPLAIN {OWN_MARK} "
    if link.is_pooled:
        return f"{explaining}(FORMAT TEXT) {text}", 0
    await link.connection.fetch(f"PREPARE {_NAME} AS {text}")
    parameters = await link.connection.fetchval(
        f"SELECT {OWN_MARK} cardinality(parameter_types) FROM pg_prepared_statements WHERE name = '{_NAME}'"  # noqa: S608
    )
    values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    return f"{explaining}(FORMAT TEXT) EXECUTE {_NAME}{values}", parameters
