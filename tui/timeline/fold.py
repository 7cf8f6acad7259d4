"""What is alike and near in time is one row."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tui.timeline.entry import Entry

WITHIN_S: Final = 60.0
"""How long after the newest repetition another one still belongs to the row."""
LONGEST_S: Final = 300.0
"""What one row covers at most, so that a trouble that goes on is seen to go on."""

FoldKey = tuple[str, str, str, str, int]


def fold_key(entry: Entry) -> FoldKey | None:
    """Return what entries of one row have in common; None for one that is never folded."""
    return (entry.source, entry.what, entry.fold, entry.stage, entry.level) if entry.fold else None


def belongs(row: Entry, entry: Entry) -> bool:
    """Tell whether an entry is a repetition of a row with the same key."""
    since = entry.at - row.at
    return 0 <= since <= LONGEST_S and entry.at - row.newest_at <= WITHIN_S


def repeated(row: Entry, entry: Entry) -> Entry:
    """Return a row that another entry was folded into: the newest words, all counted."""
    return replace(
        row,
        text=entry.text,
        object=entry.object,
        count=row.count + entry.count,
        last_at=max(row.newest_at, entry.newest_at),
    )


def folded(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries, oldest first, with their repetitions folded into one; an id that comes again is its newest."""
    rows: dict[str, Entry] = {}
    newest: dict[FoldKey, str] = {}
    for entry in entries:
        key = fold_key(entry)
        row = rows.get(newest.get(key, "")) if key is not None else None
        if entry.id not in rows and row is not None and belongs(row, entry):
            rows[row.id] = repeated(row, entry)
            continue
        rows[entry.id] = entry
        if key is not None:
            newest[key] = entry.id
    return list(rows.values())
