"""What a role may not see on a server, or what is not there, with the grant or the step that would help. Pure."""

from collections.abc import Mapping, Sequence

from tui.sources.postgres.facts import Server, Session
from tui.sources.postgres.rows import quoted
from tui.sources.postgres.view_facts import ViewFacts


def missing(
    server: Server, sessions: Sequence[Session], views: ViewFacts, off: Mapping[str, tuple[float, str]]
) -> dict[str, str]:
    """Return what is not shown → why; `off` holds the queries that switched themselves off, with their reasons."""
    found = {name.replace("_", " "): reason for name, (_, reason) in off.items() if name != "system"}
    role = quoted(server.role)
    hidden = sum(1 for session in sessions if not session.is_visible)
    if hidden:
        found["sessions"] = (
            f"{hidden} of {len(sessions)} sessions show only user, database and application; "
            f"ask for: GRANT pg_monitor TO {role}"
        )
    if views.replication.is_veiled:
        found["replication"] = f"others' states and positions; ask for: GRANT pg_monitor TO {role}"
    if views.settings is not None and not views.settings.may_read_all:
        found["settings"] = f"those only superusers may see; ask for: GRANT pg_read_all_settings TO {role}"
    if any(not one.phase for one in views.progress or ()):
        found["progress"] = f"phases of others' sessions; ask for: GRANT pg_monitor TO {role}"
    if not server.may_signal and not server.is_superuser:
        found["signals"] = f"can end only sessions of role {server.role}; ask for: GRANT pg_signal_backend TO {role}"
    if server.statements_version is None:
        found["statements"] = (
            f"pg_stat_statements is not created in database {server.database}; there: "
            "CREATE EXTENSION pg_stat_statements (needs shared_preload_libraries)"
        )
    return found
