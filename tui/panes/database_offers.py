"""What can be changed of a server: its sessions, tables, indexes, parameters → requests, or why not. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Final

from tui.actions.asking import matching, matching_problem, split_temporary
from tui.actions.postgres import terminate
from tui.actions.postgres.cancel import CANCEL, cancel_request
from tui.actions.postgres.index import index_request
from tui.actions.postgres.index_statement import IndexStatement
from tui.actions.postgres.parameter import DEFAULT, left_alone, parameter_request
from tui.actions.postgres.statements_enable import enable_request
from tui.actions.postgres.statements_reset import reset_request
from tui.actions.postgres.terminate import STATES, TERMINATE, matching_requests, terminate_request
from tui.actions.postgres.vacuum import vacuum_request
from tui.panes.database_words import cannot_end
from tui.panes.offering import Offer
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.rows import quoted
from tui.sources.postgres.settings import Parameter
from widgets.choose_dialog import Choice

CANCEL_QUERY: Final = "database.cancel"
TERMINATE_BACKEND: Final = "database.terminate"
TERMINATE_MATCHING: Final = "database.terminate_matching"
VACUUM_TABLE: Final = "database.vacuum"
BUILD_INDEX: Final = "database.index"
SET_PARAMETER: Final = "database.set"
RESET_STATEMENTS: Final = "database.reset_statements"
ENABLE_STATEMENTS: Final = "database.enable_statements"
_MAKERS: Final = {CANCEL_QUERY: (CANCEL, cancel_request), TERMINATE_BACKEND: (TERMINATE, terminate_request)}
_NO_SESSION: Final = "a row here is not a session; see Activity (tab)"
_OF_SESSIONS: Final = ("activity", "blocking", "progress")
"""Views whose rows are sessions."""


def offers(source: str, snapshot: DatabaseSnapshot, view: str, keys: Sequence[Hashable]) -> tuple[Offer, ...]:
    """Return every change by its key, for the sessions that are marked or under the cursor."""
    somebody = next((one for one in snapshot.sessions if one.backend_type == "client backend" and not one.is_own), None)
    # Which of them are meant is chosen after the key; the guard is asked about one of them before it.
    group = Offer(TERMINATE_MATCHING, reason="no client's session to end")
    if somebody is not None:
        sample = replace(terminate_request(source, snapshot.server, somebody), verb=terminate.TERMINATE_MATCHING)
        group = Offer(TERMINATE_MATCHING, (sample,))
    more = (group, _vacuum(source, snapshot, view, keys), *_of_server(source, snapshot))
    if view not in _OF_SESSIONS:
        return (*(Offer(binding, reason=_NO_SESSION) for binding in _MAKERS), *more)
    return (*(_of_sessions(binding, source, snapshot, keys) for binding in _MAKERS), *more)


def _vacuum(source: str, snapshot: DatabaseSnapshot, view: str, keys: Sequence[Hashable]) -> Offer:
    if view != "tables" or snapshot.views.tables is None:
        return Offer(VACUUM_TABLE, reason="choose a table: see Tables (tab)")
    known = {table.oid: table for table in snapshot.views.tables.tables}
    chosen = [known[key] for key in keys if isinstance(key, int) and key in known]
    if not chosen:
        return Offer(VACUUM_TABLE, reason="no table under the cursor")
    requests = (vacuum_request(source, snapshot.server, one.schema, one.name, one.oid) for one in chosen)
    return Offer(VACUUM_TABLE, tuple(requests))


def _of_server(source: str, snapshot: DatabaseSnapshot) -> tuple[Offer, ...]:
    # Which statement, which parameter is asked for after the key; the guard does not depend on it.
    server = snapshot.server
    index = index_request(source, server, IndexStatement("", "create", "schema", "table", "index"))
    has_statements = server.statements_version is not None
    reset = Offer(RESET_STATEMENTS, (reset_request(source, server),))
    enable = Offer(ENABLE_STATEMENTS, (enable_request(source, server),))
    if not has_statements:
        why = f"pg_stat_statements is not in database {server.database}; O creates it"
        reset = Offer(RESET_STATEMENTS, reason=why)
    elif "statements" not in snapshot.missing:
        enable = Offer(ENABLE_STATEMENTS, reason="pg_stat_statements is there and counts already")
    return (
        Offer(BUILD_INDEX, (index,)),
        Offer(SET_PARAMETER, (parameter_request(source, server, "work_mem", ""),)),
        reset,
        enable,
    )


def index_template(snapshot: DatabaseSnapshot, view: str, key: Hashable) -> str:
    """Return a statement to begin with: about the table or index under the cursor, where there is one."""
    tables, indexes = snapshot.views.tables, snapshot.views.indexes
    if view == "indexes" and indexes is not None:
        index = next((one for one in indexes.indexes if one.oid == key), None)
        if index is not None:
            return f"REINDEX INDEX CONCURRENTLY {quoted(index.schema)}.{quoted(index.name)}"
    if view == "tables" and tables is not None:
        table = next((one for one in tables.tables if one.oid == key), None)
        if table is not None:
            return f"CREATE INDEX CONCURRENTLY … ON {quoted(table.schema)}.{quoted(table.name)} (…)"
    return "CREATE INDEX CONCURRENTLY … ON ….… (…)"


def parameter_choices(found: Sequence[Parameter]) -> list[Choice]:
    """Return the parameters that can be set from here, with the values they have."""
    return [Choice(one.name, one.name, one.value or "''") for one in found if not left_alone(one.name)]


def parameter_problem(typed: str) -> str:
    """Return what is wrong with a value; empty when the server may decide."""
    return "" if split_temporary(typed)[0] else f"a value; {DEFAULT} takes it out of ALTER SYSTEM's file"


def _of_sessions(binding: str, source: str, snapshot: DatabaseSnapshot, keys: Sequence[Hashable]) -> Offer:
    verb, request = _MAKERS[binding]
    if not keys:
        return Offer(binding, reason="no session under the cursor")
    requests = []
    for key in keys:
        session = next((one for one in snapshot.sessions if one.key == key), None)
        if (why := cannot_end(verb, snapshot, session, pid_of(key))) or session is None:
            return Offer(binding, reason=why)
        requests.append(request(source, snapshot.server, session))
    return Offer(binding, tuple(requests))


def pid_of(key: Hashable) -> int | None:
    """Return the pid of a row's key; 0 for a prepared transaction, None for no row."""
    return key[0] if isinstance(key, tuple) else None


def matching_words(snapshot: DatabaseSnapshot, source: str, typed: str) -> str:
    """Return what is wrong with `idle > 1h`, or that nobody matches it; empty when somebody does."""
    if problem := matching_problem(typed, STATES):
        return problem
    found = matching_requests(source, snapshot.server, snapshot.sessions, *matching(typed))
    return "" if found else "no client's session matches that now"
