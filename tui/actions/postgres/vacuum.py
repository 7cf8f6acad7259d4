"""Vacuuming a table, and measuring it for the planner."""

from typing import TYPE_CHECKING, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, Action, NotSentError, Request, Risk, Sent, Target
from tui.actions.postgres.long_running import DEADLINE_S, GOES_ON, LongStatement, open_transactions
from tui.actions.postgres.server import check_server, looking, moment, plain, server_identity, shell_word, where_words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server
from tui.sources.postgres.rows import quoted
from tui.units import size, span

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

VACUUM: Final = "vacuum"
_LONG_S: Final = 10.0
"""How long a transaction must have been open to be worth a word about the dead rows it keeps."""
_KINDS: Final = ("r", "m", "t")
"""`relkind` of what holds rows: tables, materialized views, TOAST tables."""


def vacuum_request(source: str, server: Server, schema: str, table: str, oid: int) -> Request:
    """Return the request to vacuum and analyze a table that was seen."""
    target = Target(
        source=source,
        kind="table",
        name=f"{schema}.{table}",
        where=where_words(source.partition(":")[2], server.database),
        identity={"oid": oid, "schema": schema, "table": table, **server_identity(server)},
        scope={"database": server.database},
    )
    return Request(VACUUM, target)


class VacuumTable(LongStatement):
    """`VACUUM (ANALYZE)` of one table.

    Identity: the table's oid under its name, and the server's start, address, port, database, recovery state and system
    identifier, on the same connection right before: VACUUM runs in no transaction and takes a name alone. A table that
    is dropped and made anew under that name in the round trip between is vacuumed instead, which does it no harm.
    """

    name = VACUUM
    title = "Vacuum and analyze"
    about = About(
        system="PostgreSQL",
        targets="table or materialized view",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="the table's oid under its name; the server's start, address, port, database, recovery state and "
        "system identifier: all on the same connection right before",
        window="one round trip: a table made anew under the same name would be vacuumed",
        command="VACUUM (ANALYZE) schema.table",
        verification="last_vacuum and last_analyze are later than before; within 6 h",
    )

    def forbidden(self, request: Request) -> str:
        """Return why our role may not, from what the last tick told of the server."""
        server = self._source.server
        return "this is a standby: VACUUM runs on its primary" if server is not None and server.is_standby else ""

    async def plan(self, request: Request) -> Action:
        """Read the table again, and what keeps its dead rows.

        Raises:
            NotSentError: it is gone or another one now, or another server answers.
            SourceError: the server could not be asked.
        """
        async with looking(self._source) as link:
            answering = await check_server(link, request.target.identity)
            row = await _table(link, request)
            others = await open_transactions(link)
        if answering["is_standby"]:
            raise NotSentError("this is a standby: VACUUM runs on its primary")
        statement = f"VACUUM (ANALYZE) {row['sql_name']}"
        dead, rows = row["dead"] or 0, max(0.0, row["rows"])
        last = f"{row['last_vacuum']:%Y-%m-%d %H:%M}Z" if row["last_vacuum"] else "never"
        held = (
            f"a transaction has been open for {span(others['oldest_s'])} (pid {others['oldest_pid']}): what died since "
            "then stays"
            if (others["oldest_s"] or 0.0) >= _LONG_S
            else ""
        )
        return Action(
            request=request,
            before=f"{dead:,} dead rows beside {rows:,.0f}, {size(row['bytes'])}; vacuumed by hand {last}",
            after="dead rows are free space in the table, and the planner's statistics are new",
            risk=Risk.MEDIUM,
            command=f"{await self._source.psql()} -c {shell_word(statement)}",
            preview=("no preview: VACUUM has no dry run",),
            deadline_s=DEADLINE_S,
            impact=tuple(
                filter(
                    None,
                    (
                        "reads the table and its indexes as fast as the disks allow: load for everybody",
                        "reads and writes go on; other DDL on this table waits",
                        held,
                        GOES_ON,
                    ),
                )
            ),
            permission=""
            if row["may_maintain"]
            else f"role {row['role']} may vacuum only its own tables; ask for: GRANT MAINTAIN ON {row['sql_name']} TO "
            f"{quoted(row['role'])} (17+)",
            evidence={"last_vacuum": plain(row["last_vacuum"]), "last_analyze": plain(row["last_analyze"])},
            payload=statement,
        )

    async def _check(self, link: Link, action: Action) -> None:
        await _table(link, action.request)

    async def _verdict(self, link: Link, sent: Sent) -> tuple[bool, str]:
        try:
            row = await _table(link, sent.request)
        except NotSentError as error:
            return False, str(error)
        before = (moment(sent.evidence["last_vacuum"]), moment(sent.evidence["last_analyze"]))
        now = (row["last_vacuum"], row["last_analyze"])
        if all(after is not None and after != was for after, was in zip(now, before, strict=True)):
            return True, f"vacuumed and analyzed; {row['dead'] or 0:,} dead rows are left, {size(row['bytes'])}"
        return False, "its last vacuum by hand is the one before"


async def _table(link: Link, request: Request) -> "Record":
    identity = request.target.identity
    found = await link.fetch("table_action", identity["schema"], identity["table"])
    if not found:
        raise NotSentError(f"{request.target.name} is gone")
    if found[0]["oid"] != identity["oid"]:
        raise NotSentError(f"{request.target.name} is another table now: it was dropped and made anew")
    if found[0]["kind"] not in _KINDS:
        raise NotSentError(f"{request.target.name} holds no rows itself")
    return found[0]
