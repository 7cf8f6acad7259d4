"""Tables and indexes of one database: facts → rows with what is worth a look, and pages to read. Pure."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Final

from tui.panes.database_rows import Judge
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.rows import quoted
from tui.sources.postgres.tables import Index, Table
from tui.units import coarse, percent, size
from widgets.cell import Cell, Column, Row, Tone

TABLES: Final = (
    Column("name", "TABLE", min_width=16, max_width=44),
    Column("size", "SIZE", 10, "right"),
    Column("indexes", "INDEXES", 10, "right", priority=3),
    Column("live", "ROWS", 13, "right", priority=6),
    Column("dead", "DEAD", 11, "right"),
    Column("share", "DEAD %", 6, "right", priority=2),
    Column("bloat", "~BLOAT", 10, "right", priority=7),
    Column("vacuum", "VACUUMED", 8, "right"),
    Column("analyze", "ANALYZED", 8, "right", priority=8),
    Column("seq", "SEQ SCANS", 11, "right", priority=5),
    Column("idx", "IDX SCANS", 11, "right", priority=9),
    Column("note", "NOTE", min_width=18),
)
INDEXES: Final = (
    Column("name", "INDEX", min_width=18, max_width=44),
    Column("table", "TABLE", 20, priority=2),
    Column("size", "SIZE", 10, "right"),
    Column("scans", "SCANS", 13, "right"),
    Column("last", "LAST", 8, "right", priority=3),
    Column("kind", "KIND", 9, priority=1),
    Column("note", "NOTE", min_width=20),
)
_DEAD_ROWS: Final = 10_000
_DEAD_PERCENT: Final = 20.0
"""What a table's own autovacuum would long have removed with the defaults."""


def table_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[int, Row]:
    """Return the Tables view, by oid, the largest first."""
    found = snapshot.views.tables
    return {} if found is None else {one.oid: _table_row(one, found.age_s) for one in found.tables}


def _table_row(one: Table, age_s: float) -> Row:
    notes = list(_table_notes(one))
    dead_tone: Tone = "warn" if _is_dead(one) else ""
    vacuum, analyze = _ago(one.vacuumed_ago_s, age_s), _ago(one.analyzed_ago_s, age_s)
    cells = (
        one.full_name,
        size(one.table_bytes),
        size(one.index_bytes),
        f"{one.live:,}",
        Cell(f"{one.dead:,}", dead_tone),
        Cell(percent(one.dead_percent), dead_tone),
        size(one.bloat_bytes),
        vacuum,
        analyze,
        f"{one.seq_scans:,}",
        "none" if one.index_scans is None else f"{one.index_scans:,}",
        Cell(notes[0][0] if notes else "", notes[0][1] if notes else ""),
    )
    sort = (
        one.full_name,
        one.table_bytes,
        one.index_bytes,
        one.live,
        one.dead,
        one.dead_percent,
        one.bloat_bytes,
        one.vacuumed_ago_s,
        one.analyzed_ago_s,
        one.seq_scans,
        one.index_scans,
        len(notes),
    )
    return Row(cells, sort, haystack=" ".join(words for words, _ in notes))


def _ago(seconds: float | None, age_s: float) -> str:
    return "never" if seconds is None else coarse(seconds + age_s)


def _is_dead(one: Table) -> bool:
    return one.dead >= _DEAD_ROWS and one.dead_percent >= _DEAD_PERCENT


def _table_notes(one: Table) -> Iterator[tuple[str, Tone]]:
    if _is_dead(one):
        yield f"{percent(one.dead_percent)} dead: vacuum is behind, or held back (Overview: xmin horizon)", "warn"
    if one.wants_index:
        yield f"missing index? {one.rows_per_seq_scan:,.0f} rows read per sequential scan", "warn"
    if one.is_autovacuum_off:
        yield "autovacuum_enabled is off for it", "warn"
    if one.analyzed_ago_s is None and one.live:
        yield "never analyzed: the planner guesses", ""


def tables_words(snapshot: DatabaseSnapshot) -> str:
    """Return of how many tables, in which database, and how old that is."""
    found = snapshot.views.tables
    if found is None:
        return ""
    many = f"{len(found.tables)} largest of {found.total:,}" if len(found.tables) < found.total else f"{found.total}"
    return f"{many} in {snapshot.server.database}, read {_seconds(found.age_s)} ago"


def _seconds(age_s: float) -> str:
    # In steps: a number that counts up would be drawn again with every tick.
    return f"{int(age_s // 10) * 10}s" if age_s >= 10 else "<10s"


def table_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return everything known of a table."""
    found = snapshot.views.tables
    one = next((one for one in found.tables if one.oid == key), None) if found else None
    if found is None or one is None:
        return None
    table = f"{quoted(one.schema)}.{quoted(one.name)}"
    grant = f"GRANT SELECT ON {table} TO {quoted(snapshot.server.role)}, or pg_read_all_data (14+)"
    facts = [
        ("schema", one.schema),
        ("size", f"{size(one.table_bytes)}, with TOAST; its indexes {size(one.index_bytes)}"),
        ("", "both are relpages, as of the last vacuum or analyze"),
        ("rows", f"{one.live:,} live, {one.dead:,} dead ({percent(one.dead_percent)}), both estimates"),
        ("", f"{one.modified:,} modified since the last analyze"),
        ("bloat", _bloat(one, grant)),
        ("vacuum", f"by hand {_past(one.vacuum_ago_s, found.age_s)}, auto {_past(one.autovacuum_ago_s, found.age_s)}"),
        (
            "analyze",
            f"by hand {_past(one.analyze_ago_s, found.age_s)}, auto {_past(one.autoanalyze_ago_s, found.age_s)}",
        ),
        ("seq scans", f"{one.seq_scans:,}, which read {one.rows_per_seq_scan:,.0f} rows each"),
        ("index scans", "it has no index" if one.index_scans is None else f"{one.index_scans:,}"),
    ]
    notes = [f"- {words}" for words, _ in _table_notes(one)]
    candidate = (
        [
            "",
            "Which column an index would help: Slow queries, and EXPLAIN of what reads this table.",
            "Reading a whole table is right for reports and small tables.",
        ]
        if one.wants_index
        else []
    )
    lines = [f"{label:<14} {value}" for label, value in facts]
    return f"Table {one.full_name}", "\n".join([*lines, *(["", *notes] if notes else []), *candidate])


def _past(seconds: float | None, age_s: float) -> str:
    return "never" if seconds is None else f"{coarse(seconds + age_s)} ago"


def _bloat(one: Table, grant: str) -> str:
    if one.bloat_bytes is not None:
        whole = 100.0 * one.bloat_bytes / one.table_bytes if one.table_bytes else 0.0
        return f"about {size(one.bloat_bytes)} ({percent(whole)}): an estimate; pgstattuple measures it"
    return "not estimated below 1,000 pages" if one.may_select else f"not visible; ask for: {grant}"


def index_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[int, Row]:
    """Return the Indexes view, by oid: those worth a look first, then the largest."""
    found = snapshot.views.indexes
    return {} if found is None else {one.oid: _index_row(one, found.age_s) for one in found.indexes}


def _index_row(one: Index, age_s: float) -> Row:
    notes = list(_index_notes(one))
    last = "–" if one.scanned_ago_s is None else coarse(one.scanned_ago_s + age_s)
    cells = (
        one.name,
        one.full_table,
        size(one.bytes),
        f"{one.scans:,}",
        last,
        _kind(one),
        Cell("; ".join(words for words, _ in notes), notes[0][1] if notes else ""),
    )
    sort = (one.name, one.full_table, one.bytes, one.scans, one.scanned_ago_s, _kind(one), len(notes))
    return Row(cells, sort, haystack=one.definition)


def _kind(one: Index) -> str:
    kinds = {"primary": one.is_primary, "exclusion": one.is_exclusion, "unique": one.is_unique}
    return next((kind for kind, holds in kinds.items() if holds), "")


def _index_notes(one: Index) -> Iterator[tuple[str, Tone]]:
    if not one.is_valid:
        yield "INVALID: being built, or a CONCURRENTLY failed", "critical"
    if one.alike:
        yield f"duplicate of {', '.join(one.alike)}", "warn"
    if one.is_unused:
        since = f" in {coarse(one.counted_s)}" if one.counted_s is not None else ""
        yield f"unused{since}", "warn"


def indexes_words(snapshot: DatabaseSnapshot) -> str:
    """Return how many indexes, in which database, and how old that is."""
    found = snapshot.views.indexes
    if found is None:
        return ""
    many = f"{len(found.indexes)} of {found.total:,}" if len(found.indexes) < found.total else f"{found.total}"
    return f"{many} in {snapshot.server.database}, read {_seconds(found.age_s)} ago"


def index_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return everything known of an index."""
    found = snapshot.views.indexes
    one = next((one for one in found.indexes if one.oid == key), None) if found else None
    if found is None or one is None:
        return None
    counted = f"in the {coarse(one.counted_s)} since the statistics were reset" if one.counted_s is not None else ""
    facts = [
        ("table", one.full_table),
        ("size", f"{size(one.bytes)} (relpages, as of the last vacuum or analyze)"),
        ("scans", f"{one.scans:,} {counted or 'since the statistics began'}"),
        ("last scan", _past(one.scanned_ago_s, found.age_s) if one.scanned_ago_s is not None else "not known"),
        ("kind", _kind(one) or "plain"),
        ("valid", "yes" if one.is_valid else "NO"),
        ("same as", ", ".join(one.alike) or "none"),
    ]
    lines = [f"{label:<14} {value}" for label, value in facts]
    caution = (
        [
            "",
            "Before it is dropped: scans on standbys are counted there, not here, and a report may run once a quarter.",
            f"  DROP INDEX CONCURRENTLY {quoted(one.schema)}.{quoted(one.name)};",
        ]
        if one.is_unused or one.alike
        else []
    )
    return f"Index {one.name}", "\n".join([*lines, *caution, "", f"{one.definition};"])
