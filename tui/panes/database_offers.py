"""What can be changed of a server's sessions: sessions → requests, or why not. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Final

from tui.actions.asking import matching, matching_problem
from tui.actions.postgres import terminate
from tui.actions.postgres.cancel import CANCEL, cancel_request
from tui.actions.postgres.terminate import STATES, TERMINATE, matching_requests, terminate_request
from tui.panes.database_words import cannot_end
from tui.panes.offering import Offer
from tui.sources.postgres.facts import DatabaseSnapshot

CANCEL_QUERY: Final = "database.cancel"
TERMINATE_BACKEND: Final = "database.terminate"
TERMINATE_MATCHING: Final = "database.terminate_matching"
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
    if view not in _OF_SESSIONS:
        return (*(Offer(binding, reason=_NO_SESSION) for binding in _MAKERS), group)
    return (*(_of_sessions(binding, source, snapshot, keys) for binding in _MAKERS), group)


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
