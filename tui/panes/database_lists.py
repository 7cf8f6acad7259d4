"""The Database tab's lists: one PostgreSQL server at a time, and everything said around them."""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult

from profiles.thresholds import Rule
from tui.panes import database_pools as pools
from tui.panes import database_views
from tui.panes.database_head import connections_line, missing_words, server_line, work_line
from tui.panes.database_rows import (
    ACTIVITY,
    BLOCKING,
    STATEMENTS,
    activity_rows,
    blocking_rows,
    hidden_count,
    statement_rows,
)
from tui.panes.database_words import by_hand, find_session
from tui.panes.failing import age_segment, empty_words, faded, failure_tone, failure_words
from tui.panes.listing import Listing
from tui.panes.pane import TONES, Desk
from tui.sources.pgbouncer.facts import BouncerSnapshot
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.postgres.masking import masked
from tui.sources.reading import Reading
from widgets.cell import Tone
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

POOLS_VIEW: Final = "pools"
"""The view of the profile's PgBouncers; where it names none there is no such view."""
_SHORT: Final = {"statements": "Slow", **{name: view.short for name, view in database_views.VIEWS.items()}}
"""Titles of views where there is little room."""


def judged(rule: Rule | None, value: float | None) -> Tone:
    """Return how a rule judges one row's own value; nothing without a rule or a value."""
    if rule is None or value is None:
        return ""
    if rule.critical is not None and value >= rule.critical:
        return "critical"
    return "warn" if rule.warn is not None and value >= rule.warn else ""


class DatabaseLists(Listing):
    """Activity, blocking tree, slow queries, and the views that are read only while they are open."""

    VIEWS: ClassVar[Mapping[str, str]] = {
        "activity": "Activity",
        "blocking": "Blocking",
        "statements": "Slow queries",
        **{name: view.title for name, view in database_views.VIEWS.items()},
        POOLS_VIEW: "Pools",
    }

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._bouncers: dict[str, Reading[BouncerSnapshot]] = {}
        self._names = [f"database:{name}" for name in desk.profile.databases]
        self._chosen = 0
        self._readings: dict[str, Reading[DatabaseSnapshot]] = {}
        self._with_idle = False
        self._drawn_aged: tuple[object, ...] = ()

    @property
    def views(self) -> Mapping[str, str]:
        """The views; that of the pools only where the profile names a PgBouncer."""
        return {view: title for view, title in self.VIEWS.items() if view != POOLS_VIEW or self.desk.profile.pgbouncer}

    def compose(self) -> ComposeResult:
        """Lay out the notice, three lines of facts, the strip of views, the lists and the filter."""
        yield NoticeBar(id="database-notice")
        yield SegmentLine(id="database-server", separator=" · ")
        yield SegmentLine(id="database-connections", separator=" · ")
        yield SegmentLine(id="database-work", separator=" · ")
        yield NoticeBar(id="database-missing")
        yield SegmentLine(id="database-views", separator="")
        yield LiveTable(ACTIVITY, id="database-activity")
        yield LiveTable(BLOCKING, id="database-blocking", tree=True)
        yield LiveTable(STATEMENTS, id="database-statements")
        for name, view in database_views.VIEWS.items():
            yield LiveTable(view.columns, id=f"database-{name}")
        if POOLS_VIEW in self.views:
            yield LiveTable(pools.POOLS, id=f"database-{POOLS_VIEW}")
        yield FilterBar()

    def on_mount(self) -> None:
        """Show the first view, with or without readings."""
        self.open_view()
        self.redraw()

    # What is shown

    def show(self, reading: Reading[Any]) -> None:
        """Draw a reading of one of the profile's databases or PgBouncers."""
        if reading.kind == "pgbouncer":
            self._bouncers[reading.source] = reading
            if self.is_mounted and self.view == POOLS_VIEW:
                self.draw()
            return
        self._readings[reading.source] = reading
        if self.is_mounted and reading.source == self._source:
            self.draw()

    def tick(self) -> None:
        """Draw ages and staleness again, when they read differently."""
        if self._aged() != self._drawn_aged:
            self._draw_facts()

    def by_hand(self) -> str:
        """Return the psql command and the SQL behind this view."""
        if self.view == POOLS_VIEW:
            return pools.by_hand(self._bouncers.values())
        snapshot = self._snapshot
        return by_hand(snapshot, self.view) if snapshot else ""

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Choose a database, open a view and filter its rows."""
        if source in self._names:
            self._chosen = self._names.index(source)
        elif source.startswith("pgbouncer:") and not view:
            view = POOLS_VIEW
        super().open_at(view, filter_text, source)

    @property
    def _source(self) -> str:
        """The chosen database's source; empty when the profile names none."""
        return self._names[self._chosen] if self._names else ""

    @property
    def _reading(self) -> Reading[DatabaseSnapshot] | None:
        return self._readings.get(self._source)

    @property
    def _snapshot(self) -> DatabaseSnapshot | None:
        return self._reading.snapshot if self._reading else None

    def _tone(self, metric: str) -> Tone:
        return TONES[self.desk.level(self._source, metric, "")]

    def _judge(self, metric: str, value: float | None) -> Tone:
        rule = self.desk.profile.thresholds.get(f"database.{metric}")
        if rule is not None and rule.only and self._source.partition(":")[2] not in rule.only:
            return ""
        return judged(rule, value)

    def _judge_pool(self, metric: str, value: float | None) -> Tone:
        return judged(self.desk.profile.thresholds.get(f"pgbouncer.{metric}"), value)

    def draw(self) -> None:
        """Draw the chosen database in the open view."""
        snapshot = self._snapshot
        if isinstance(source := self.desk.source(self._source), PostgresSource):
            source.look_at(self.view)
        table = self.table
        table.empty = self._empty_words(snapshot)
        if self.view == POOLS_VIEW:
            table.show(pools.pool_rows(self._bouncers.values(), self._judge_pool, self.desk.now()))
        elif snapshot is None:
            table.show({})
        elif self.view == "activity":
            table.show(activity_rows(snapshot, self._judge, with_idle=self._with_idle))
        elif self.view == "blocking":
            table.show(blocking_rows(snapshot, self._judge))
        elif self.view in database_views.VIEWS:
            table.show(database_views.VIEWS[self.view].rows(snapshot, self._judge))
        else:
            top = snapshot.statements.top if snapshot.statements else ()
            table.show(statement_rows(top, with_own=self._with_idle))
        self._draw_facts()

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Open a database, and there the session an entry is about: in the tree when it is part of one."""
        if source.startswith("pgbouncer:") and POOLS_VIEW in self.views:
            self.unfilter()
            self.open_at(POOLS_VIEW, "", "")
            self.table.seek((source, *about.partition("/")[::2]))
            return True
        if source not in self._names:
            return False
        kind, _, name = about.partition("/")
        snapshot = found.snapshot if (found := self._readings.get(source)) else None
        session = find_session(snapshot, name) if kind == "backend" and snapshot else None
        if kind == "backend" and session is None:
            return False
        self._chosen = self._names.index(source)
        if snapshot is not None and session is not None:
            is_in_tree = any(place.pid == session.pid for place in snapshot.tree)
            self.view = "blocking" if is_in_tree else "activity"
            self._with_idle = self._with_idle or (not is_in_tree and not session.is_active)
        self.unfilter()
        self.open_view()
        self.redraw()
        if session is not None:
            self.table.seek(session.key)
        return True

    def masked_cell(self, column: str, text: str) -> str:
        """Return a cell's text; of a statement its shape alone: its literals are people's data."""
        return masked(text) if column == "query" else text

    def _aged(self) -> tuple[object, ...]:
        """Return all that the clock alone changes."""
        now, reading = self.desk.now(), self._reading
        if reading is None:
            return ()
        return reading.is_stale(now), failure_words(reading, now), age_segment(reading, now)

    def _draw_facts(self) -> None:
        self._drawn_aged = self._aged()
        now, reading, snapshot = self.desk.now(), self._reading, self._snapshot
        is_of_database = self.view != POOLS_VIEW
        self.table.stale = is_of_database and reading is not None and snapshot is not None and reading.is_stale(now)
        words = failure_words(reading, now) if reading else ""
        self.query_one("#database-notice", NoticeBar).show(words, failure_tone(reading) if reading else "")
        place = f"{self._chosen + 1}/{len(self._names)} ([ ])" if len(self._names) > 1 else ""
        self._line("server", server_line(reading, place, now) if reading else [])
        connections = connections_line(snapshot.connections, self._tone) if snapshot else []
        self._line("connections", faded(connections, reading, now))
        self._line("work", faded(work_line(snapshot, self._tone) if snapshot else [], reading, now))
        self.query_one("#database-missing", NoticeBar).show(self._missing_words(snapshot) if snapshot else "", "warn")
        self._line("views", self._view_segments(snapshot))

    def _missing_words(self, snapshot: DatabaseSnapshot) -> str:
        own = database_views.missing_words(self.view, snapshot) if self.view in database_views.VIEWS else ""
        # A view without rows says it in their place.
        return "; ".join(filter(None, (missing_words(snapshot), own if self.table.row_count else "")))

    def _line(self, name: str, segments: list[Segment]) -> None:
        self.query_one(f"#database-{name}", SegmentLine).show(segments)

    def _view_segments(self, snapshot: DatabaseSnapshot | None) -> list[Segment]:
        segments = []
        for view, title in self.views.items():
            waiting = snapshot.waiting if snapshot and view == "blocking" else 0
            label = f" {title}{f' {waiting}' if waiting else ''} "
            short = f" {_SHORT.get(view, title)}{f' {waiting}' if waiting else ''} "
            segments.append(Segment(label, "warn" if waiting else "", short, reverse=view == self.view))
        return [*segments, Segment(self._view_words(snapshot), "dim", priority=1, right=True)]

    def _view_words(self, snapshot: DatabaseSnapshot | None) -> str:
        if self.view == POOLS_VIEW:
            return pools.pool_words(self._bouncers.values())
        if snapshot is None:
            return ""
        if self.view in database_views.VIEWS:
            return database_views.VIEWS[self.view].words(snapshot)
        if self.view == "activity":
            hidden = hidden_count(snapshot)
            return "i hides the idle" if self._with_idle else f"{hidden} idle hidden (i)" if hidden else ""
        if self.view == "statements" and (statements := snapshot.statements):
            evicted = f", {statements.evicted} evicted: raise pg_stat_statements.max" if statements.evicted else ""
            return f"last {statements.window_s:.0f} s{evicted}"
        return ""

    def _empty_words(self, snapshot: DatabaseSnapshot | None) -> str:
        if self.view == POOLS_VIEW:
            return pools.EMPTY if self._bouncers else "waiting for the first answer"
        if not self._names:
            return "this profile names no database; add one under databases:"
        if snapshot is not None and not self._was_read(snapshot):
            # Not the words for old rows: of this view there never were any.
            is_failing = self._reading is not None and self._reading.error is not None
            return "it had not been read when the server last answered" if is_failing else "read with the next tick"
        return empty_words(self._reading, self._nothing_words(snapshot) if snapshot else "")

    def _was_read(self, snapshot: DatabaseSnapshot) -> bool:
        return self.view not in database_views.VIEWS or database_views.VIEWS[self.view].is_read(snapshot)

    def _nothing_words(self, snapshot: DatabaseSnapshot) -> str:
        if self.view == "blocking":
            return "nobody waits for a lock"
        if self.view in database_views.VIEWS:
            return database_views.nothing_words(self.view, snapshot)
        if self.view == "activity":
            return "no session is doing anything; i shows the idle ones"
        if snapshot.statements is None:
            return snapshot.missing.get("statements", "pg_stat_statements cannot be read")
        return "no statement has ended since the first sample" if snapshot.statements.window_s else "sampling"

    @staticmethod
    def _session(snapshot: DatabaseSnapshot, key: Hashable) -> Session | None:
        return next((session for session in snapshot.sessions if session.key == key), None)
