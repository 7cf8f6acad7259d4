"""The Services tab: HTTP services, what else they are asked, containers and systemd units, each in its own view."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import services_rows, tabs
from tui.panes.failing import age_segment, failure_tone, failure_words, oldest
from tui.panes.offering import Offer, Offering
from tui.panes.pane import Desk
from tui.panes.services_asking import Asking, has_writing_probes
from tui.panes.services_board import RESTART, SEND, START, STOP, boards_of
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.reading import Reading
from widgets.cell import Row, cell_text
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

if TYPE_CHECKING:
    from tui.panes.services_board import Board

_TABLE: Final = "table"
_SERVICE: Final = "service"
_HTTP_ONLY: Final = "opstui changes nothing of an HTTP service; containers and units are in their own views (tab)"


class ServicesPane(Asking, Offering):
    """HTTP services by their health documents, containers by their engine, units by systemd."""

    TAB = tabs.SERVICES
    VIEWS: ClassVar[Mapping[str, str]] = {
        _TABLE: "Services",
        "probes": "Probes",
        "credentials": "Credentials",
        "failures": "Failures",
        "stats": "Stats",
        "containers": "Containers",
        "units": "Units",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "worst_first", "Worst first", id="services.worst_first"),
        Binding("y", "copy_url", "Copy the URL", show=False, id="services.copy_url"),
        Binding("E", "change('services.send')", "Execute a probe that writes", show=False, id=SEND),
        Binding("R", "change('services.restart')", "Restart: container or unit", id=RESTART),
        Binding("T", "change('services.stop')", "sTop: container or unit", show=False, id=STOP),
        Binding("B", "change('services.start')", "Bring up: start a container or unit", show=False, id=START),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        self._profile, self._boards = desk.profile, boards_of(desk.profile)
        super().__init__(desk, id=id)
        self._of_boards: dict[str, dict[str, Reading[Any]]] = {board.kind: {} for board in self._boards.values()}
        """Readings by kind and source."""
        self._readings: dict[str, Reading[ServiceSnapshot]] = {}
        self._rows: dict[str, Row] = {}
        self._aged: dict[str, tuple[object, ...]] = {}
        """What the clock alone changes in each row, as it was drawn."""

    def compose(self) -> ComposeResult:
        """Lay out notice, title, table and filter."""
        yield NoticeBar()
        yield SegmentLine(id="services-title", separator="  ")
        if len(self.views) > 1:
            yield SegmentLine(id="services-views", separator=" ")
        if _TABLE in self.views:
            empty = "no services in this profile"
            yield LiveTable(services_rows.COLUMNS, id="services-table", empty=empty, sort="state", reverse=True)
        for view, board in self._boards.items():
            waiting = "waiting for the first answer"
            column, is_reverse = board.sort
            yield LiveTable(board.columns, id=f"services-{view}", empty=waiting, sort=column, reverse=is_reverse)
        yield FilterBar()

    def on_mount(self) -> None:
        """Show a row for each service before the first answer."""
        self._rows = {name: self._row(name) for name in self.desk.profile.services}
        if _TABLE in self.views:
            self.table_of(_TABLE).show(self._rows)
        self.open_view()
        if not self._rows and not self._boards:
            text = (
                "this profile names no services; add: services: {NAME: https://HOST/health}, docker: {local: {}}, "
                "or systemd: [UNIT]"
            )
            self.query_one(NoticeBar).show(text, "dim")

    @property
    def views(self) -> Mapping[str, str]:
        """The views that the profile has something for; the HTTP services where it has nothing at all."""
        has_http = bool(self._profile.services) or not self._boards
        return {
            name: title for name, title in self.VIEWS.items() if name in self._boards or (name == _TABLE and has_http)
        }

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Draw one service's row, or the view of an engine or of systemd if it is open."""
        if reading.kind in self._of_boards:
            self._of_boards[reading.kind][reading.source] = reading
            if self.view in self._boards and self._boards[self.view].kind == reading.kind:
                self._draw_board(self._boards[self.view])
        if reading.kind != _SERVICE:
            self._draw_frame()
            return
        name = reading.source.partition(":")[2]
        self._readings[name] = reading
        self._rows[name] = self._row(name)
        if _TABLE in self.views:
            self.table_of(_TABLE).apply({name: self._rows[name]})
        self._draw_frame()

    def draw(self) -> None:
        """Draw every service again whose row reads differently, or the other view that is open."""
        if self.view in self._boards:
            self._draw_board(self._boards[self.view])
            self._draw_frame()
            return
        self._rows.update(changed := {name: row for name in self._rows if (row := self._row(name)) != self._rows[name]})
        self.table.apply(changed)
        self._draw_frame()

    def tick(self) -> None:
        """Draw what depends on the clock, where it reads differently."""
        if self.view in self._boards:
            self.draw()
            return
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
        self._draw_views()
        board = self._boards.get(self.view)
        shown: Mapping[str, Reading[Any]] = self._of_boards[board.kind] if board else self._readings
        now, readings = self.desk.now(), list(shown.values())
        if not readings:
            self.query_one("#services-title", SegmentLine).show([])
            return
        seen = age_segment(oldest(readings), now)
        told = board.title(shown) if board else services_rows.title(readings)
        self.query_one("#services-title", SegmentLine).show([*told, seen])
        failing = [reading for reading in readings if failure_words(reading, now)]
        bar = self.query_one(NoticeBar)
        if failing:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            first, *rest = failure_words(failing[0], now).split("\n")
            bar.show("\n".join([first + more, *rest]), failure_tone(failing[0]))
        elif board and (notes := board.notes(shown)):
            bar.show(notes, "warn")
        else:
            bar.clear()
        self.table.stale = len(failing) == len(readings)

    def _draw_board(self, board: "Board") -> None:
        for name in self._of_boards[board.kind]:
            board.look(self.desk.source(name))
        readings = self._of_boards[board.kind]
        is_read = any(reading.snapshot is not None for reading in readings.values())
        self.table.empty = board.empty if is_read else "nothing could be read yet" if readings else "waiting"
        self.table.show(board.rows(readings, self.desk.level, self.desk.now()))

    def _draw_views(self) -> None:
        if len(self.views) == 1:
            return
        told = []
        for view, words in self.views.items():
            board = self._boards.get(view)
            bad = (
                board.troubled(self._of_boards[board.kind])
                if board
                else services_rows.troubled(self._readings.values())
            )
            text = f" {words} {bad} bad " if bad else f" {words} "
            told.append(Segment(text, "critical" if bad else "", reverse=view == self.view))
        self.query_one("#services-views", SegmentLine).show(told)

    def open_view(self) -> None:
        """Show the open view's table, and what stands above it."""
        super().open_view()
        self._draw_frame()

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Put the cursor on a service, a container or a unit."""
        kind = source.partition(":")[0]
        of_kind = [name for name, board in self._boards.items() if board.kind == kind != _SERVICE]
        view = of_kind[0] if of_kind else _TABLE
        if board := self._boards.get(view):
            key = board.key_of(self._of_boards[kind], source, about)
            if key is None:
                return False
            self._turn_to(view)
            self.table.seek(key)
            return True
        if about not in self._rows:
            return False
        self._turn_to(_TABLE)
        self.table.seek(about)
        return True

    def _turn_to(self, view: str) -> None:
        self.view = view
        self.open_view()
        self.unfilter()
        self.redraw()

    # Keys

    @property
    def current(self) -> str | None:
        """The HTTP service that the row under the cursor is about; None of any other row."""
        key, board = self.table.cursor_key, self._boards.get(self.view)
        if board is not None:
            return str(key[0]) if board.kind == _SERVICE and isinstance(key, tuple) else None
        return key if isinstance(key, str) else None

    @property
    def probe(self) -> tuple[str, str] | None:
        """Service and name of the probe under the cursor; None where no probe is."""
        key = self.table.cursor_key
        return (str(key[0]), str(key[1])) if self.view == "probes" and isinstance(key, tuple) else None

    @property
    def snapshots(self) -> dict[str, ServiceSnapshot]:
        """The newest snapshot of each service that was read."""
        return {name: one.snapshot for name, one in self._readings.items() if one.snapshot is not None}

    def action_worst_first(self) -> None:
        """Sort by state, the worst first, or by name."""
        if self.view in self._boards:
            super().action_worst_first()
            return
        table = self.table
        if table.sort_column == "state":
            table.sort_by("name")
            self.post_message(self.Told("sorted by name"))
        else:
            table.sort_by("state", reverse=True)
            self.post_message(self.Told("the worst first"))

    def action_copy_url(self) -> None:
        """Copy the URL of the service under the cursor."""
        if self.current is None and self.view in self._boards:
            self.post_message(self.Told("a row here has no URL; c copies it, b shows the commands"))
            return
        reading = self._readings.get(self.current or "")
        if reading is None or reading.snapshot is None:
            self.post_message(self.Told("no URL to copy yet"))
        else:
            self.copy(reading.snapshot.url)

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show a row in full."""
        message.stop()
        if board := self._boards.get(self.view):
            self._open_page(board, message.key)
            return
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

    def _open_page(self, board: "Board", key: Hashable) -> None:
        page = board.page(self._of_boards[board.kind], key, self.desk.now())
        if not page:
            self.post_message(self.Told("nothing more is known of it: it is not there", "warn"))
            return
        row = self.table.row(key)
        name = cell_text(row.cells[0]) if row is not None else ""
        title = f"{self.views[self.view].removesuffix('s')} {name}"
        self.app.push_screen(TextDialog(title, page, stem=f"{board.kind}-{name}"))

    # Keys that change something

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that change something where there is nothing of that kind."""
        has_hosts = any(board.kind != _SERVICE for board in self._boards.values())
        can_send = has_writing_probes(self.desk.profile)
        if action == "change" and not (can_send if parameters == (SEND,) else has_hosts):
            return False
        if action == "offers" and not (has_hosts or can_send):
            return False
        return super().check_action(action, parameters)

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the rows that are marked, or of the one under the cursor."""
        board = self._boards.get(self.view)
        if board is None or board.kind == _SERVICE:
            has_hosts = any(other.kind != _SERVICE for other in self._boards.values())
            hosts = tuple(Offer(key, reason=_HTTP_ONLY) for key in (RESTART, STOP, START)) if has_hosts else ()
            return (*self.send_offers(), *hosts)
        cursor = (self.table.cursor_key,) if self.table.cursor_key is not None else ()
        return board.offers(self._of_boards[board.kind], tuple(self.table.marked) or cursor)

    def action_change(self, binding: str) -> None:
        """Ask to change the row under the cursor, or those that are marked: restart, stop, start, send."""
        # From now on the cursor stays with this row: what was asked about must not lie under another one.
        self.table.cursor_key = self.table.cursor_key
        if requests := self.offered(binding):
            self.post_message(self.Requested(requests))

    def by_hand(self) -> str:
        """Return the command for the row under the cursor; for all of them when there is none."""
        if board := self._boards.get(self.view):
            return board.by_hand(self.desk.profile, self._of_boards[board.kind], self.table.cursor_key)
        entries = self.desk.profile.services
        if (name := self.current) in entries:
            return services_rows.curl(entries[name])
        return "\n".join(services_rows.curl(entry) for entry in entries.values())
