"""Building or rebuilding indexes while writes go on, from a typed statement."""

from typing import TYPE_CHECKING, Final

from tui.actions.action import About, Action, NotSentError, Request, Risk, Sent, Target
from tui.actions.postgres.index_statement import IndexStatement, StatementError, parsed
from tui.actions.postgres.long_running import DEADLINE_S, GOES_ON, LongStatement, open_transactions
from tui.actions.postgres.server import check_server, is_refusal, looking, server_identity, shell_word, where_words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server
from tui.sources.text import clean
from tui.units import size, span

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

BUILD_INDEX: Final = "build-index"


def index_request(source: str, server: Server, statement: IndexStatement) -> Request:
    """Return the request to run a typed statement that was read."""
    target = Target(
        source=source,
        kind="table" if statement.kind == "reindex-table" else "index",
        name=statement.name,
        where=where_words(source.partition(":")[2], server.database),
        identity={"schema": statement.schema, "table": statement.table, "index": statement.index,
                  **server_identity(server)},
        scope={"database": server.database},
    )  # fmt: skip
    return Request(BUILD_INDEX, target, wanted={"statement": statement.sql})


class BuildIndex(LongStatement):
    """`CREATE INDEX CONCURRENTLY` or `REINDEX INDEX` or `TABLE CONCURRENTLY`, as it was typed and shown.

    Identity: the oid of the table (of the index that is rebuilt, and its table's), under the name in the statement, and
    the server's start, address, port, database, recovery state and system identifier, on the same connection right
    before: these statements run in no transaction and take names alone. A table that is dropped and made anew under
    that name in the round trip between gets the index instead.
    """

    name = BUILD_INDEX
    title = "Build index"
    about = About(
        system="PostgreSQL",
        targets="one CREATE INDEX CONCURRENTLY, or REINDEX INDEX or TABLE CONCURRENTLY, as typed",
        risk="medium",
        inverse="none offered; by hand: DROP INDEX CONCURRENTLY",
        identity="the oids of the table and its indexes under the names in the statement; the server's start, address, "
        "port, database, recovery state and system identifier: all on the same connection right before",
        window="one round trip: a table made anew under the same name would get the index",
        command="CREATE INDEX CONCURRENTLY name ON schema.table (…)",
        verification="the index is there, valid, and another one than before where it is rebuilt; within 6 h",
    )
    _lock_timeout = "0"
    """It waits for transactions by locks of theirs; a limit would leave an invalid index behind."""

    def forbidden(self, request: Request) -> str:
        """Return why our role may not, from what the last tick told of the server."""
        server = self._source.server
        return "this is a standby: indexes come from its primary" if server is not None and server.is_standby else ""

    async def plan(self, request: Request) -> Action:
        """Read the table and its indexes, and who will be waited for.

        Raises:
            NotSentError: the statement is none of these, the table is not there, the index is (or is not), or another
                server answers.
            SourceError: the server could not be asked.
        """
        statement = _statement(request)
        async with looking(self._source) as link:
            answering = await check_server(link, request.target.identity)
            table, indexes = await _found(link, statement)
            others = await open_transactions(link)
        if answering["is_standby"]:
            raise NotSentError("this is a standby: indexes come from its primary")
        waited = (
            f"waits for {others['number']} transactions that are open now, the oldest for {span(others['oldest_s'])} "
            f"(pid {others['oldest_pid']})"
            if others["number"]
            else "no transaction is open that it would wait for"
        )
        old = _of(statement, indexes)
        is_new = statement.kind == "create"
        return Action(
            request=request,
            before=f"{clean(table['sql_name'])}: {max(0.0, table['rows']):,.0f} rows, {size(table['bytes'])}, "
            f"{len(indexes)} indexes" + ("" if is_new else f"; {_validity(old)}"),
            after=f"{clean(statement.name)} is there and valid" if is_new else f"{len(old)} rebuilt and valid",
            risk=Risk.MEDIUM,
            command=f"{await self._source.psql()} -c {shell_word(statement.sql)}",
            preview=("no preview: PostgreSQL has no dry run for indexes", f"sent as typed: {clean(statement.sql)}"),
            deadline_s=DEADLINE_S,
            undo=f"by hand: DROP INDEX CONCURRENTLY {clean(statement.name)}" if is_new else "needs no undoing",
            impact=(
                "reads the table twice and writes the index: load on disks, and WAL for the standbys",
                "reads and writes go on; other DDL on this table waits",
                waited,
                "if it fails or is cancelled, an INVALID index stays behind and must be dropped",
                GOES_ON,
            ),
            permission="" if _may(table, is_new=is_new) else _permission(table, is_new=is_new),
            evidence={
                "table_oid": table["oid"],
                "before": ",".join(str(one["oid"]) for one in old),
            },
            payload=statement.sql,
        )

    async def _check(self, link: Link, action: Action) -> None:
        statement = _statement(action.request)
        table, indexes = await _found(link, statement)
        if table["oid"] != action.evidence["table_oid"]:
            raise NotSentError(f"{clean(table['sql_name'])} is another table now: it was dropped and made anew")
        before = ",".join(str(one["oid"]) for one in _of(statement, indexes))
        if before != action.evidence["before"]:
            raise NotSentError(f"the indexes of {clean(table['sql_name'])} are others now")

    async def _verdict(self, link: Link, sent: Sent) -> tuple[bool, str]:
        statement = _statement(sent.request)
        indexes = await link.fetch("index_action", sent.evidence["table_oid"])
        old = {int(part) for part in str(sent.evidence["before"]).split(",") if part}
        if broken := [one for one in indexes if not one["is_valid"] and _concerns(statement, one["name"])]:
            names = ", ".join(clean(one["sql_name"]) for one in broken)
            return False, f"INVALID, of no use to queries: DROP INDEX CONCURRENTLY {names}, then begin again"
        new = _of(statement, indexes)
        if not new:
            return False, f"{clean(statement.name)} is not there"
        if old & {one["oid"] for one in new}:
            return False, "the indexes are those of before"
        return True, f"{', '.join(clean(one['sql_name']) for one in new)}: valid, {size(sum(o['bytes'] for o in new))}"

    def _is_harmless(self, error: Exception) -> bool:
        # Once it has begun, what fails leaves an index behind: duplicate rows (23), an expression (22).
        return is_refusal(error) and (getattr(error, "sqlstate", None) or "")[:2] not in ("22", "23")


def _statement(request: Request) -> IndexStatement:
    try:
        return parsed(str(request.wanted["statement"]))
    except StatementError as error:
        raise NotSentError(str(error)) from error


async def _found(link: Link, statement: IndexStatement) -> "tuple[Record, list[Record]]":
    """Return the table and its indexes; raises NotSentError when the statement cannot succeed on them."""
    schema, table = statement.schema, statement.table
    if statement.kind == "reindex-index":
        owners = await link.fetch("index_table", statement.schema, statement.index)
        if not owners:
            raise NotSentError(f"there is no index {clean(statement.name)}")
        schema, table = owners[0]["schema"], owners[0]["name"]
    found = await link.fetch("table_action", schema, table)
    if not found or found[0]["kind"] not in ("r", "m"):
        raise NotSentError(f"there is no table {clean(f'{schema}.{table}')}" if not found else
                           f"{clean(f'{schema}.{table}')} holds no rows itself: name its partitions")  # fmt: skip
    indexes = await link.fetch("index_action", found[0]["oid"])
    if statement.kind == "create":
        await _check_name(link, statement)
    return found[0], indexes


async def _check_name(link: Link, statement: IndexStatement) -> None:
    owners = await link.fetch("index_table", statement.schema, statement.index)
    taken = owners or await link.fetch("table_action", statement.schema, statement.index)
    if taken:
        raise NotSentError(f"{clean(statement.name)} is there already; if it is INVALID, DROP INDEX CONCURRENTLY first")


def _concerns(statement: IndexStatement, name: str) -> bool:
    """Tell whether an index is one of the statement's, or what it leaves behind under a name of the server's own."""
    if statement.kind == "reindex-table":
        return True
    return name == statement.index or (
        statement.kind == "reindex-index" and name.startswith(f"{statement.index[:50]}") and "_ccnew" in name
    )


def _of(statement: IndexStatement, indexes: "list[Record]") -> "list[Record]":
    if statement.kind == "reindex-table":
        return indexes
    return [one for one in indexes if one["name"] == statement.index]


def _validity(indexes: "list[Record]") -> str:
    broken = sum(not one["is_valid"] for one in indexes)
    return f"{broken} of {len(indexes)} INVALID" if broken else f"{len(indexes)} valid"


def _may(table: "Record", *, is_new: bool) -> bool:
    return bool(table["is_own"] and table["may_create"]) if is_new else bool(table["may_maintain"])


def _permission(table: "Record", *, is_new: bool) -> str:
    role, name = clean(table["role"]), clean(table["sql_name"])
    if is_new and table["is_own"]:
        return f"role {role} may not create in its schema; ask for: GRANT CREATE ON SCHEMA … TO {role}"
    if is_new:
        return f"role {role} does not own {name}: only its owner's roles and superusers may add indexes"
    return f"role {role} may not rebuild indexes of {name}; ask its owner, or for GRANT MAINTAIN ON {name} (17+)"
