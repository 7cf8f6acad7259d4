"""What a backend is and does, in words, and what speaks against ending it. Pure."""

from typing import Final

from tui.actions.action import Risk
from tui.sources.postgres.facts import OWN_APPLICATION
from tui.sources.postgres.row import Row, one_line

_LEFT_ALONE: Final = {
    "autovacuum launcher": "it belongs to the server",
    "logical replication launcher": "it belongs to the server",
    "parallel worker": "it works for another session; act on its leader",
}
_AT_A_HIGH_RISK: Final = {
    "walsender": "replication: it feeds a replica or a change stream, which breaks off",
    "logical replication worker": "replication: a subscription stands still; the server starts it again",
    "logical replication apply worker": "replication: a subscription stands still; the server starts it again",
    "logical replication tablesync worker": "replication: a table's first copy begins anew",
}
_AUTOVACUUM: Final = "autovacuum worker"


def describe(backend: Row) -> str:
    """Return state and its duration: `active 12 s`, `idle in transaction 5 s`."""
    state = backend["state"] or "in no state our role may see"
    seconds = backend["query_s"] if state == "active" else backend["state_s"]
    return state if seconds is None else f"{state} {max(seconds, 0):.0f} s"


def where_words(backend: Row) -> str:
    """Return the state and what it waits for: `active 12 s, wait_event Lock/tuple`."""
    if backend["wait_event_type"] is None:
        return describe(backend)
    return f"{describe(backend)}, wait_event {backend['wait_event_type']}/{one_line(backend['wait_event'] or '?')}"


def left_alone(backend: Row) -> str:
    """Return why a backend is not ended from here at all; empty for what may be: sessions, replication, autovacuum."""
    kind = backend["backend_type"]
    if kind in ("client backend", _AUTOVACUUM) or kind in _AT_A_HIGH_RISK:
        return ""
    why = _LEFT_ALONE.get(kind, "it belongs to the server or to an extension")
    return f"backend {backend['pid']} is not a client's session but: {one_line(kind or 'unknown')}; {why}"


def risk_of(usual: Risk, backend: Row) -> tuple[Risk, str]:
    """Return the risk of ending what this backend does, and why it is more than usual."""
    kind, application = backend["backend_type"], backend["application"] or ""
    if kind in _AT_A_HIGH_RISK:
        return Risk.HIGH, _AT_A_HIGH_RISK[kind]
    if kind == _AUTOVACUUM and backend["is_wraparound"]:
        return Risk.HIGH, "autovacuum to prevent wraparound: without it the server stops accepting writes"
    if kind == _AUTOVACUUM:
        return Risk.MEDIUM, "autovacuum starts it again, and yields by itself to a session that needs the lock"
    if application.startswith(OWN_APPLICATION):
        return Risk.HIGH, "this session belongs to an opstui, yours or a colleague's"
    if backend["is_superusers"]:
        return (
            Risk.HIGH,
            f"the session's role {one_line(backend['role'])} is a superuser: perhaps an administrator at work",
        )
    if "bouncer" in application.lower():
        return Risk.HIGH, "a pooler's session: it belongs to whichever client has it now"
    return usual, ""


def role_words(answering: Row, backend: Row) -> str:
    """Return why our role may not signal this backend, with the grant that would help; empty when it may."""
    if answering["is_superuser"]:
        return ""
    role = one_line(answering["role"])
    if backend["role"] is None:
        if answering["may_signal_autovacuum"] and backend["backend_type"] == _AUTOVACUUM:
            return ""
        return f"only a superuser may end what belongs to no role; opstui is connected as {role}"
    if backend["is_superusers"]:
        return f"only a superuser may end a superuser's session; opstui is connected as {role}"
    if backend["is_own_roles"] or answering["may_signal"]:
        return ""
    return f"role {role} may end only its own sessions; ask for: GRANT pg_signal_backend TO {role}"
