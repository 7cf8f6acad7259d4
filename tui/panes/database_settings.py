"""Settings that were changed or wait for a restart: facts → rows, and a page of each. Pure."""

from collections.abc import Hashable, Mapping
from typing import Final

from tui.panes.database_rows import Judge
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.settings import Setting
from widgets.cell import Cell, Column, Row

SETTINGS: Final = (
    Column("name", "SETTING", min_width=20, max_width=40),
    Column("value", "VALUE", min_width=12, max_width=40),
    Column("default", "DEFAULT", 14, priority=2),
    Column("source", "SOURCE", 18, priority=1),
    Column("takes", "TAKES", 9, priority=3),
    Column("note", "NOTE", 16),
)
_TAKES: Final = {"postmaster": "restart", "sighup": "reload", "backend": "reconnect", "superuser-backend": "reconnect"}


def settings_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[str, Row]:
    """Return the Settings view, by name: what waits for a restart first."""
    found = snapshot.views.settings
    return {} if found is None else {one.name: _row(one) for one in found.settings}


def _row(one: Setting) -> Row:
    pending = Cell("PENDING RESTART", "warn") if one.is_pending else Cell("")
    cells = (one.name, one.value or "''", one.default or "''", one.source, _TAKES.get(one.context, ""), pending)
    return Row(cells, haystack=f"{one.category} {one.about}")


def settings_words(snapshot: DatabaseSnapshot) -> str:
    """Return how many wait for a restart."""
    found = snapshot.views.settings
    pending = sum(one.is_pending for one in found.settings) if found else 0
    return f"{pending} pending restart" if pending else ""


def settings_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return everything known of a setting."""
    found = snapshot.views.settings
    one = next((one for one in found.settings if one.name == key), None) if found else None
    if one is None:
        return None
    takes = _TAKES.get(one.context, "nothing: SET works at once")
    facts = [
        ("value", one.value or "''"),
        ("default", one.default or "''"),
        ("set in", f"{one.source}{f', {one.place}' if one.place else ''}"),
        ("a change takes", f"{takes} (context {one.context})"),
        ("pending", "YES: the file holds another value, which a restart brings" if one.is_pending else "no"),
        ("category", one.category),
    ]
    return one.name, "\n".join([*(f"{label:<15} {value}" for label, value in facts), "", one.about])
