"""The Services tab: every HTTP service of the profile, the worst first."""

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import services_rows, tabs
from tui.panes.failing import age_segment, failure_tone, failure_words, oldest
from tui.panes.listing import Listing
from tui.panes.pane import Desk
from tui.sources.http import ServiceSnapshot
from tui.sources.reading import Reading
from widgets.cell import Row
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine


class ServicesPane(Listing):
    """HTTP services by their health documents."""

    TAB = tabs.SERVICES
    VIEWS: ClassVar[Mapping[str, str]] = {"table": "Services"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "worst_first", "Worst first", id="services.worst_first"),
        Binding("y", "copy_url", "Copy the URL", show=False, id="services.copy_url"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._readings: dict[str, Reading[ServiceSnapshot]] = {}
        self._rows: dict[str, Row] = {}
        self._aged: dict[str, tuple[object, ...]] = {}
        """What the clock alone changes in each row, as it was drawn."""

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
        self.table.show(self._rows)
        if not self._rows:
            text = "this profile names no services; add: services: {NAME: https://HOST/health}"
            self.query_one(NoticeBar).show(text, "dim")

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Draw one service's row."""
        name = reading.source.partition(":")[2]
        self._readings[name] = reading
        self._rows[name] = self._row(name)
        self.table.apply({name: self._rows[name]})
        self._draw_frame()

    def draw(self) -> None:
        """Draw every service again whose row reads differently."""
        self._rows.update(changed := {name: row for name in self._rows if (row := self._row(name)) != self._rows[name]})
        self.table.apply(changed)
        self._draw_frame()

    def tick(self) -> None:
        """Draw what depends on the clock, where it reads differently."""
        now = self.desk.now()
        aged = [name for name in self._rows if services_rows.aged(self._readings.get(name), now) != self._aged[name]]
        if changed := {name: row for name in aged if (row := self._row(name)) != self._rows[name]}:
            self._rows.update(changed)
            self.table.apply(changed)
        self._draw_frame()

    def _row(self, name: str) -> Row:
        level, reading, now = (
            self.desk.level(f"service:{name}", "latency_ms", ""),
            self._readings.get(name),
            self.desk.now(),
        )
        self._aged[name] = services_rows.aged(reading, now)
        return services_rows.service_row(name, reading, level, now)

    def _draw_frame(self) -> None:
        now, readings = self.desk.now(), list(self._readings.values())
        if not readings:
            return
        seen = age_segment(oldest(readings), now)
        self.query_one("#services-title", SegmentLine).show([*services_rows.title(readings), seen])
        failing = [reading for reading in readings if failure_words(reading, now)]
        bar = self.query_one(NoticeBar)
        if failing:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            first, *rest = failure_words(failing[0], now).split("\n")
            bar.show("\n".join([first + more, *rest]), failure_tone(failing[0]))
        else:
            bar.clear()
        self.table.stale = len(failing) == len(readings)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Put the cursor on a service."""
        if about not in self._rows:
            return False
        self.unfilter()
        self.table.seek(about)
        return True

    # Keys

    @property
    def _current(self) -> str | None:
        key = self.table.cursor_key
        return key if isinstance(key, str) else None

    def action_worst_first(self) -> None:
        """Sort by state, the worst first, or by name."""
        table = self.table
        if table.sort_column == "state":
            table.sort_by("name")
            self.post_message(self.Told("sorted by name"))
        else:
            table.sort_by("state", reverse=True)
            self.post_message(self.Told("the worst first"))

    def action_copy_url(self) -> None:
        """Copy the URL of the service under the cursor."""
        reading = self._readings.get(self._current or "")
        if reading is None or reading.snapshot is None:
            self.post_message(self.Told("no URL to copy yet"))
        else:
            self.copy(reading.snapshot.url)

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
