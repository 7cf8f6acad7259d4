"""The Services tab: every HTTP service of the profile, the worst first."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import services_rows
from tui.panes.failing import failure_words
from tui.panes.pane import Desk, Pane
from tui.panes.units import age
from tui.sources.http import ServiceSnapshot
from tui.sources.reading import Reading
from widgets.cell import Row, cell_text
from widgets.clipboard import copy
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine


class ServicesPane(Pane):
    """HTTP services by their health documents."""

    TITLE = "Services"
    KINDS = ("service",)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="services.filter"),
        Binding("escape,ctrl+g", "unfilter", "Clear the filter", show=False, id="services.unfilter"),
        Binding("o", "worst_first", "Worst first", id="services.worst_first"),
        Binding("c", "copy", "Copy the row", show=False, id="services.copy"),
        Binding("y", "copy_url", "Copy the URL", show=False, id="services.copy_url"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._readings: dict[str, Reading[ServiceSnapshot]] = {}
        self._rows: dict[str, Row] = {}

    def compose(self) -> ComposeResult:
        """Lay out notice, title, table and filter."""
        yield NoticeBar()
        yield SegmentLine(id="services-title", separator="  ")
        yield LiveTable(
            services_rows.COLUMNS, id="services-table", empty="no services in this profile", sort="state", reverse=True
        )
        yield FilterBar()

    def on_mount(self) -> None:
        """Show a row for each service before the first answer."""
        self._rows = {name: self._row(name) for name in self.desk.profile.services}
        self.query_one(LiveTable).show(self._rows)
        if not self._rows:
            text = "this profile names no services; add: services: {NAME: https://HOST/health}"
            self.query_one(NoticeBar).show(text, "dim")

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Draw one service's row."""
        name = reading.source.partition(":")[2]
        self._readings[name] = reading
        self._rows[name] = self._row(name)
        self.query_one(LiveTable).apply({name: self._rows[name]})
        self._draw_frame()

    def tick(self) -> None:
        """Draw what depends on the clock."""
        changed = {name: row for name in self._rows if (row := self._row(name)) != self._rows[name]}
        if changed:
            self._rows.update(changed)
            self.query_one(LiveTable).apply(changed)
        self._draw_frame()

    def _row(self, name: str) -> Row:
        level = self.desk.level(f"service:{name}", "latency_ms", "")
        return services_rows.service_row(name, self._readings.get(name), level, self.desk.now())

    def _draw_frame(self) -> None:
        now, readings = self.desk.now(), list(self._readings.values())
        if not readings:
            return
        read = [reading for reading in readings if reading.taken_at is not None]
        oldest = min(read, key=lambda reading: reading.taken_at or 0.0, default=readings[0])
        segments = services_rows.title(readings)
        seen = Segment(age(oldest.age_s(now), oldest.interval_s), "dim", priority=1, right=True)
        self.query_one("#services-title", SegmentLine).show([*segments, seen])
        failing = [reading for reading in readings if failure_words(reading, now)]
        bar = self.query_one(NoticeBar)
        if failing:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            first, *rest = failure_words(failing[0], now).split("\n")
            bar.show("\n".join([first + more, *rest]), "critical" if failing[0].error else "warn")
        else:
            bar.clear()
        self.query_one(LiveTable).stale = len(failing) == len(readings)

    # Keys

    @property
    def _current(self) -> str | None:
        key = self.query_one(LiveTable).cursor_key
        return key if isinstance(key, str) else None

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_unfilter(self) -> None:
        """Show all rows again."""
        self.query_one(FilterBar).action_close()

    def action_worst_first(self) -> None:
        """Sort by state, the worst first, or by name."""
        table = self.query_one(LiveTable)
        if table.sort_column == "state":
            table.sort_by("name")
            self.post_message(self.Told("sorted by name"))
        else:
            table.sort_by("state", reverse=True)
            self.post_message(self.Told("the worst first"))

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        if (name := self._current) is None:
            self.post_message(self.Told("no row to copy"))
        else:
            self._copy("  ".join(text for cell in self._rows[name].cells if (text := cell_text(cell).strip())))

    def action_copy_url(self) -> None:
        """Copy the URL of the service under the cursor."""
        reading = self._readings.get(self._current or "")
        if reading is None or reading.snapshot is None:
            self.post_message(self.Told("no URL to copy yet"))
        else:
            self._copy(reading.snapshot.url)

    def _copy(self, text: str) -> None:
        async def copy_and_tell() -> None:
            self.post_message(self.Told(await copy(self.app, text)))

        self.run_worker(copy_and_tell())

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the table."""
        message.stop()
        table = self.query_one(LiveTable)
        table.filter_text = message.text
        message.bar.error = table.filter_error

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the table."""
        message.stop()
        self.focus_first()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show a service in full."""
        message.stop()
        name = str(message.key)
        reading = self._readings.get(name)
        if reading is None or reading.snapshot is None:
            why = str(reading.error) if reading is not None and reading.error is not None else "no answer yet"
            self.post_message(self.Told(f"{name}: {why}", "warn"))
            return
        page = services_rows.page(reading.snapshot, self.desk.profile.services.get(name))
        if words := failure_words(reading, self.desk.now()):
            page = f"{words}\n\n{page}"
        self.app.push_screen(TextDialog(f"Service {name}", page, stem=f"service-{name}"))

    def by_hand(self) -> str:
        """Return the curl line for the service under the cursor; for all of them when there is none."""
        entries = self.desk.profile.services
        if (name := self._current) in entries:
            return services_rows.curl(entries[name])
        return "\n".join(services_rows.curl(entry) for entry in entries.values())

    def focus_first(self) -> None:
        """Put the keyboard into the table."""
        self.screen.set_focus(self.query_one(LiveTable))
