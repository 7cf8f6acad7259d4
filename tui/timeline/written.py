"""Entries as JSON, for the file of what was seen and for pins; and back, whatever stands there."""

from collections.abc import Mapping
from typing import Any

from tui.journal.journal import END_OF_TIME
from tui.rules import Level
from tui.sources.text import clean
from tui.timeline.entry import Entry

_WORDS = ("id", "source", "what", "text", "object", "by", "stage", "fold")


def written(entry: Entry) -> dict[str, Any]:
    """Return an entry as an object of JSON; what is empty is left out."""
    words = {key: value for key in _WORDS if (value := getattr(entry, key))}
    more: dict[str, Any] = {"level": entry.level.name} if entry.level else {}
    if entry.count > 1:
        more |= {"count": entry.count, "last_at": entry.last_at}
    return {"at": entry.at, **words, **more}


def read(found: object) -> Entry | None:
    """Return the entry that an object of JSON tells; None when it is none. A file is outside: text is cleaned."""
    if not isinstance(found, Mapping):
        return None
    at, last_at = _time(found.get("at")), _time(found.get("last_at", 0.0))
    id_, source, what, text, about, by, stage, fold = (
        clean(value) if isinstance(value := found.get(key, ""), str) else "" for key in _WORDS
    )
    if at is None or not id_ or not source:
        return None
    level, count = found.get("level"), found.get("count", 1)
    return Entry(
        id=id_,
        at=at,
        source=source,
        what=what,
        text=text,
        level=Level[level] if isinstance(level, str) and level in Level.__members__ else Level.OK,
        object=about,
        by=by,
        stage=stage,
        fold=fold,
        count=count if isinstance(count, int) and count > 0 else 1,
        last_at=last_at or 0.0,
    )


def _time(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < END_OF_TIME else None
