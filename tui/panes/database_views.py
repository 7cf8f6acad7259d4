"""The views of the Database tab that are read only while they are open: what each shows, says and asks. Pure."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.panes import database_overview as overview
from tui.panes import database_progress as progress
from tui.panes import database_replication as replication
from tui.panes import database_settings as settings
from tui.panes import database_tables as tables
from tui.panes.database_rows import Judge
from tui.sources.postgres.facts import DatabaseSnapshot
from widgets.cell import Column, Row


@dataclass(frozen=True, slots=True)
class View:
    """One view."""

    title: str
    short: str
    """The title where there is little room."""
    columns: tuple[Column, ...]
    rows: Callable[[DatabaseSnapshot, Judge], Mapping[Any, Row]]
    page: Callable[[DatabaseSnapshot, Hashable], tuple[str, str] | None]
    """Title and text of what a row stands for; None where the row says it all."""
    is_read: Callable[[DatabaseSnapshot], bool]
    """Whether the newest tick had what it shows."""
    empty: Callable[[DatabaseSnapshot], str]
    """What is said where no rows are, once it was read."""
    queries: tuple[str, ...]
    """Names of the queries behind it; each may be missing with a reason."""
    words: Callable[[DatabaseSnapshot], str] = lambda snapshot: ""
    """What stands at the right of the strip of views."""


VIEWS: Final[Mapping[str, View]] = {
    "overview": View(
        "Overview",
        "Overview",
        overview.OVERVIEW,
        overview.overview_rows,
        overview.overview_page,
        lambda snapshot: snapshot.views.overview is not None,
        lambda snapshot: "",
        ("counters", "overview", "horizon", "wraparound"),
    ),
    "tables": View(
        "Tables",
        "Tables",
        tables.TABLES,
        tables.table_rows,
        tables.table_page,
        lambda snapshot: snapshot.views.tables is not None,
        lambda snapshot: f"database {snapshot.server.database} has no table",
        ("tables", "bloat"),
        tables.tables_words,
    ),
    "indexes": View(
        "Indexes",
        "Indexes",
        tables.INDEXES,
        tables.index_rows,
        tables.index_page,
        lambda snapshot: snapshot.views.indexes is not None,
        lambda snapshot: f"database {snapshot.server.database} has no index",
        ("indexes",),
        tables.indexes_words,
    ),
    "replication": View(
        "Replication",
        "Repl",
        replication.REPLICATION,
        replication.replication_rows,
        replication.replication_page,
        lambda snapshot: True,
        replication.nothing_words,
        ("replication", "slots", "standby", "conflicts"),
    ),
    "progress": View(
        "Progress",
        "Prog",
        progress.PROGRESS,
        progress.progress_rows,
        progress.progress_page,
        lambda snapshot: snapshot.views.progress is not None,
        lambda snapshot: "no vacuum, analyze, CREATE INDEX, CLUSTER, COPY or base backup is under way",
        ("progress",),
    ),
    "settings": View(
        "Settings",
        "Sett",
        settings.SETTINGS,
        settings.settings_rows,
        settings.settings_page,
        lambda snapshot: snapshot.views.settings is not None,
        lambda snapshot: "every setting is what the server would choose itself",
        ("settings",),
        settings.settings_words,
    ),
}
"""By name, in the order of the strip."""


def nothing_words(view: str, snapshot: DatabaseSnapshot) -> str:
    """Return what a view says that was read and has no rows."""
    return missing_words(view, snapshot) or VIEWS[view].empty(snapshot)


def missing_words(view: str, snapshot: DatabaseSnapshot) -> str:
    """Return what this view cannot show and why."""
    names = {name.replace("_", " ") for name in VIEWS[view].queries}
    return "; ".join(f"{name} not shown: {reason}" for name, reason in snapshot.missing.items() if name in names)


QUERIES: Final = frozenset(name.replace("_", " ") for view in VIEWS.values() for name in view.queries) - {"counters"}
"""What only matters in its own view when it is missing, by its words."""
