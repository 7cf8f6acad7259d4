"""Another value of a parameter for the whole server: ALTER SYSTEM, then a reload."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.actions.action import (
    About,
    Action,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.actions.postgres.server import check_server, is_refusal, looking, server_identity, shell_word, writing
from tui.sources.errors import SourceError
from tui.sources.postgres import words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server
from tui.sources.postgres.parameter_values import is_same
from tui.sources.postgres.rows import quoted
from tui.sources.postgres.settings import shown
from tui.sources.postgres.source import PostgresSource
from tui.sources.text import clean

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

SET_PARAMETER: Final = "set-parameter"
DEFAULT: Final = "DEFAULT"
"""What is typed to take a value out of `postgresql.auto.conf` (ALTER SYSTEM RESET)."""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_AUTO: Final = "postgresql.auto.conf"
_DEADLINE_S: Final = 15.0
_LEFT_ALONE: Final = (
    (re.compile(r"^(search_path|temp_tablespaces|createrole_self_grant)$"),
     "it is a list of names, which ALTER SYSTEM does not take as it is typed"),
    (re.compile(r"_(command|libraries|library|path|file|files|conninfo|directory|directories)$"),
     "it names a program, a library or a file; a mistake there keeps the server from starting"),
    (re.compile(r"^(listen_addresses|port|ssl|fsync|full_page_writes|allow_system_table_mods|zero_damaged_pages)$"),
     "a mistake there loses the way in, or data"),
)  # fmt: skip
"""Which parameters are not changed from here, and why."""
_EFFECT: Final = {
    "postmaster": "only a RESTART of the server brings it; until then it is pending",
    "sighup": "the reload brings it, for everybody at once",
    "backend": "it holds for sessions that begin after the reload",
    "superuser-backend": "it holds for sessions that begin after the reload",
}
_NOT_SERVER_WIDE: Final = ("database", "user", "database user", "client", "session", "override", "command line")
"""`pg_settings.source`: where a value may come from that hides the configuration file's."""


def parameter_request(source: str, server: Server, name: str, wanted: str, temporary_s: float | None = None) -> Request:
    """Return the request to give a parameter another value; `DEFAULT` takes it out of ALTER SYSTEM's file."""
    target = Target(
        source=source,
        kind="parameter",
        name=name,
        where=source.partition(":")[2],
        identity={"parameter": name, **server_identity(server)},
    )
    value = None if wanted.strip().upper() == DEFAULT else wanted
    return Request(SET_PARAMETER, target, wanted={"value": value}, temporary_s=temporary_s)


@dataclass(frozen=True, slots=True)
class _Payload:
    """The value the change was planned from, and the statement."""

    was: str
    statement: str


class SetParameter:
    """`ALTER SYSTEM SET` and `pg_reload_conf()`, if the parameter still has the value that was seen.

    ALTER SYSTEM runs in no transaction and knows no condition: between the look at the value, on the same connection
    right before, and the statement a round trip passes, in which somebody else may set the same parameter; that value
    is then overwritten. That it is the server that was seen holds for as long as the connection does.
    """

    name = SET_PARAMETER
    title = "Set parameter"
    about = About(
        system="PostgreSQL",
        targets="parameter of the whole server; never one that names programs, files or secrets, or may lose data",
        risk="high",
        inverse="the value before, or its removal from postgresql.auto.conf when ALTER SYSTEM had none",
        identity="the server's start, address, port, database, recovery state and system identifier, and the value, "
        "all on the same connection right before",
        window="one round trip between that look and ALTER SYSTEM, which knows no condition",
        command="ALTER SYSTEM SET parameter = value; SELECT pg_reload_conf()",
        verification="pg_settings has the value, or tells that a restart is pending; within 15 s",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: PostgresSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return nothing: what a role may set the server tells only of a certain parameter."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the parameter again, let the server try the value where it can, and say what follows.

        Raises:
            NotSentError: there is no such parameter, it is not changed from here, the server does not take the value,
                or another server answers.
            SourceError: the server could not be asked.
        """
        name = request.target.name
        if reason := left_alone(name):
            raise NotSentError(reason)
        wanted = _wanted(request)
        async with looking(self._source) as link:
            await check_server(link, request.target.identity)
            row = await _parameter(link, name)
            tried = await _tried(link, row, wanted)
        self._check(request, row, wanted)
        was = row["setting"]
        statement = _statement(name, wanted)
        inverse, undo = _inverse(request, row)
        return Action(
            request=request,
            before=f"{name} = {shown(name, was, row['unit'])}",
            after=f"{name} = {clean(wanted) if wanted is not None else 'what the configuration file says'}",
            risk=Risk.HIGH,
            risk_reason="it holds for the whole server",
            command=f'{await self._source.psql()} -c {shell_word(statement)} -c "SELECT pg_reload_conf()"',
            preview=(tried,),
            deadline_s=_DEADLINE_S,
            inverse=inverse,
            undo=undo,
            impact=tuple(_impact(row, wanted)),
            permission=_permission(row),
            evidence={"was": was, "context": row["context"]},
            payload=_Payload(was, statement),
        )

    def _check(self, request: Request, row: "Record", wanted: str | None) -> None:
        name = row["name"]
        if request.undoes and not self._is_ours(row, request):
            raise NotSentError(
                f"{name} is {shown(name, row['setting'], row['unit'])} now, not what was set: its state is no longer "
                "ours to take back"
            )
        if wanted is not None and _is_same(row, wanted, row["setting"]) and not row["pending_restart"]:
            raise NotSentError(f"{name} is {shown(name, row['setting'], row['unit'])} already")
        if wanted is None and row["may_see_where"] and not _is_altered(row) and not row["pending_restart"]:
            raise NotSentError(f"{name} has no value of ALTER SYSTEM's to take away")

    def _is_ours(self, row: "Record", request: Request) -> bool:
        ours = request.seen.get("value")
        return ours is None or row["pending_restart"] or _is_same(row, str(ours), row["setting"])

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the parameter still has the value it was planned from. Raises SourceError."""
        try:
            async with looking(self._source) as link:
                await check_server(link, action.request.target.identity)
                row = await _parameter(link, action.request.target.name)
        except NotSentError as error:
            return Sight.GONE, str(error)
        was = _payload(action).was
        if row["setting"] == was:
            return Sight.UNCHANGED, ""
        return Sight.CHANGED, f"{clean(was)} → {clean(row['setting'])}"

    async def execute(self, action: Action) -> Receipt:
        """Write the value, once, if it still is what it was planned from, and have the server read its files.

        Raises:
            NotSentError: it moved, the server refused it, or could not be reached at all.
            SourceError: the connection failed after the statement was sent, or only the reload failed.
        """
        import asyncpg

        payload, name = _payload(action), action.request.target.name
        async with writing(self._source) as link:
            try:
                with words.translated():
                    await check_server(link, action.request.target.identity)
                    now = await _parameter(link, name)
            except SourceError as error:
                raise NotSentError(f"nothing was sent: {error}") from error
            if now["setting"] != payload.was:
                raise NotSentError(f"{name} has moved on to {clean(now['setting'])}; nothing was changed")
            with words.translated():
                try:
                    # Of the extended protocol: whatever stands in the value, it is one statement.
                    await link.connection.fetch(payload.statement)
                except asyncpg.PostgresError as error:
                    if is_refusal(error):
                        raise NotSentError(words.sentence(error)) from error
                    raise
                await link.connection.fetch("SELECT pg_reload_conf()")
        return Receipt("ALTER SYSTEM, pg_reload_conf() returned true")

    async def look(self, sent: Sent) -> Look:
        """Look whether the value is there, or pending until a restart."""
        name, wanted = sent.request.target.name, _wanted(sent.request)
        async with looking(self._source) as link:
            try:
                await check_server(link, sent.request.target.identity)
                row = await _parameter(link, name)
                written = await _written(link, name)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
        value = shown(name, row["setting"], row["unit"])
        if wanted is not None and _is_same(row, wanted, row["setting"]):
            return Look(Phase.CONVERGED, f"{name} is {value}")
        if row["pending_restart"]:
            return Look(Phase.CONVERGED, f"written; {name} stays {value} until the server is restarted (pending)")
        if wanted is None and not row["may_see_where"] and row["setting"] == sent.evidence["was"]:
            return Look(Phase.UNKNOWN, f"{name} is {value}; our role may not see whether {_AUTO} still says so")
        if wanted is None and not _is_altered(row):
            return Look(Phase.CONVERGED, f"{name} is {value} again, by {clean(row['source'])}")
        if written is not None and wanted is not None and _is_same(row, wanted, written):
            return Look(Phase.WAITING, f"it stands in {_AUTO}, but no reload has brought it; {name} is {value}")
        if row["context"] in ("backend", "superuser-backend", "user", "superuser", "sighup"):
            # Sessions and processes read the files in their own time after the signal.
            return Look(Phase.WAITING, f"{name} is still {value}")
        return Look(Phase.ABSENT, f"{name} is {value}: never set, or set anew")


def left_alone(name: str) -> str:
    """Return why a parameter is not changed from here; empty when it may be."""
    if not _NAME.fullmatch(name):
        return "a parameter's name has small letters, digits and `_`"
    if found := next((why for pattern, why in _LEFT_ALONE if pattern.search(name)), ""):
        return f"{name} is not set from here: {found}"
    if shown(name, "x y", None) != "x y":
        return f"{name} may hold a secret: it is neither shown nor set from here"
    return ""


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by SetParameter")
    return action.payload


def _wanted(request: Request) -> str | None:
    value = request.wanted["value"]
    return None if value is None else str(value)


def _is_same(row: "Record", one: str, other: str) -> bool:
    return is_same(one, other, vartype=row["vartype"], unit=row["unit"])


def _is_altered(row: "Record") -> bool:
    return bool(row["sourcefile"] and row["sourcefile"].endswith(_AUTO))


def _statement(name: str, wanted: str | None) -> str:
    # Each part of an extension's own name is a name by itself.
    parameter = ".".join(quoted(part) for part in name.split("."))
    if wanted is None:
        return f"ALTER SYSTEM RESET {parameter}"
    value = wanted.replace("'", "''")
    escape = "E" if "\\" in value else ""
    value = value.replace("\\", "\\\\") if escape else value
    return f"ALTER SYSTEM SET {parameter} = {escape}'{value}'"


async def _parameter(link: Link, name: str) -> "Record":
    found = await link.fetch("parameter", name)
    if not found:
        raise NotSentError(f"this server has no parameter {name}, or our role may not see it (pg_read_all_settings)")
    row = found[0]
    if row["context"] == "internal":
        raise NotSentError(f"{name} cannot be set: it is fixed when the server is built or its data are made")
    if row["source"] in _NOT_SERVER_WIDE:
        raise NotSentError(
            f"{name} is {shown(name, row['setting'], row['unit'])} by the {clean(row['source'])}, which wins over "
            "ALTER SYSTEM; change it there"
        )
    return row


async def _tried(link: Link, row: "Record", wanted: str | None) -> str:
    """Return what the server says to the value when it is asked to use it for our own session alone."""
    import asyncpg

    if wanted is None:
        return "no preview: what the configuration file says shows after the reload"
    if row["context"] not in ("user", "superuser"):
        return f"no preview: only a reload or a restart tries a parameter of context {row['context']}"
    try:
        tried = await link.connection.fetchval("SELECT set_config($1, $2, false)", row["name"], wanted)
    except asyncpg.InsufficientPrivilegeError:
        return "no preview: our role may not try it for its own session"
    except asyncpg.PostgresError as error:
        raise NotSentError(words.sentence(error)) from error
    return f"the server takes it, as {clean(tried)}"


async def _written(link: Link, name: str) -> str | None:
    """Return what the files say; None when our role may not read that, or they say nothing."""
    import asyncpg

    try:
        found = await link.fetch("written_parameter", name)
    except asyncpg.InsufficientPrivilegeError:
        return None
    return found[0]["setting"] if found else None


def _inverse(request: Request, row: "Record") -> tuple[Request | None, str]:
    name = row["name"]
    ours = {"value": request.wanted["value"]}
    if row["pending_restart"]:
        return None, f"{name} was pending a restart already: what stood in {_AUTO} before is not known"
    if _is_altered(row):
        back = Request(SET_PARAMETER, request.target, seen=ours, wanted={"value": row["setting"]})
        return back, f"set it back to {shown(name, row['setting'], row['unit'])}"
    if not row["may_see_where"] and row["source"] == "configuration file":
        return None, f"our role may not see whether it stood in {_AUTO} before; ask for: GRANT pg_read_all_settings"
    back = Request(SET_PARAMETER, request.target, seen=ours, wanted={"value": None})
    return back, f"take it out of {_AUTO} again (ALTER SYSTEM RESET)"


def _permission(row: "Record") -> str:
    role = quoted(row["role"])
    if not row["may_alter"]:
        return (
            f"role {row['role']} may not: ask for GRANT ALTER SYSTEM ON PARAMETER {row['name']} TO {role} (15+), "
            "or a superuser"
        )
    if not row["may_reload"]:
        return f"role {row['role']} may not reload: ask for GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {role}"
    return ""


def _impact(row: "Record", wanted: str | None) -> list[str]:
    name, said = row["name"], [_EFFECT.get(row["context"], "the reload brings it, but not where a session has its own")]
    if row["choices"]:
        said.append(f"one of {clean(row['choices'])}")
    elif row["min_val"] is not None:
        unit = f" ({row['unit']})" if row["unit"] else ""
        said.append(f"from {row['min_val']} to {row['max_val']}{unit}")
    if row["context"] == "postmaster":
        said.append("with a value that the machine cannot bear the server does not start again")
    if name in ("log_statement", "log_min_duration_statement", "log_duration") and wanted not in (None, "none", "-1"):
        said.append("every statement it catches is a line in the server's log, with its data: disk and secrecy")
    if name == "hot_standby_feedback":
        said.append("on: the primary keeps dead rows for as long as a query here runs")
    if name == "default_transaction_read_only":
        said.append("on: writes fail unless a session sets it off")
    return said
