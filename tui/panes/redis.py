"""The Redis tab: one instance at a time, its numbers above, a table of one kind of fact below."""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.actions.asking import TEMPORARY_HINT, split_temporary
from tui.actions.redis.setting import setting_request
from tui.panes import redis_detail, redis_offers, redis_rows, tabs
from tui.panes.failing import age_segment, empty_words, failure_tone, failure_words
from tui.panes.listing import Listing
from tui.panes.offering import Offer, Offering
from tui.panes.pane import TONES, Desk
from tui.sources.errors import SourceError
from tui.sources.reading import Reading
from tui.sources.redis import RedisSource
from tui.sources.redis_cli import redis_cli
from tui.sources.redis_facts import RedisSnapshot
from tui.units import coarse, rate, span
from widgets.cell import Cell, Row, Tone, cell_text
from widgets.dialogs import ChooseDialog, InputDialog, TextDialog
from widgets.filter_bar import FilterBar
from widgets.key_value import Facts
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

_EMPTY: Final[Mapping[str, str]] = {
    "commands": "no commands seen",
    "clients": "no clients",
    "slowlog": "the slow log is empty",
    "keyspace": "no keys in any database",
    "state": "nothing known",
}
_NEARLY_FULL: Final = 95.0
"""Per cent of maxmemory from which on keys are evicted at any moment."""
_WIDE: Final = 130
_VALUE: Final = 24
_WIDE_VALUE: Final = 46
"""Cells for `64.0 of 64.0 MiB (100 %)`, behind its curve where it is wide: numbers that grow move nothing."""


class RedisPane(Listing, Offering):
    """Redis and Valkey servers."""

    TAB = tabs.REDIS

    VIEWS: ClassVar[Mapping[str, str]] = {
        "commands": "Commands",
        "clients": "Clients",
        "slowlog": "Slow log",
        "keyspace": "Keyspace",
        "state": "State",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "instance(1)", "Instance: the next one", show=False, id="redis.next"),
        Binding("left_square_bracket", "instance(-1)", "Instance: the one before", show=False, id="redis.previous"),
        Binding("K", "kill_client", "Kill client", id=redis_offers.KILL_CLIENT),
        Binding("E", "set", "Edit a setting (CONFIG SET)", show=False, id=redis_offers.SET),
    ]

    DEFAULT_CSS = """
    RedisPane > Facts { margin: 0 1; }
    """

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._readings: dict[str, Reading[RedisSnapshot]] = {}
        self._sources = [f"redis:{name}" for name in desk.profile.redis]
        self._current = self._sources[0] if self._sources else ""

    def compose(self) -> ComposeResult:
        """Lay out notice, title, numbers, view strip and the tables, of which one is open."""
        yield NoticeBar()
        yield SegmentLine(id="redis-title", separator="  ")
        yield Facts()
        yield SegmentLine(id="redis-views", separator=" ")
        yield LiveTable(redis_rows.COMMANDS, id="redis-commands", sort="rate", reverse=True)
        yield LiveTable(redis_rows.CLIENTS, id="redis-clients", sort="memory", reverse=True)
        yield LiveTable(redis_rows.SLOWLOG, id="redis-slowlog", sort="at", reverse=True)
        yield LiveTable(redis_rows.KEYSPACE, id="redis-keyspace")
        yield LiveTable(redis_rows.STATE, id="redis-state")
        yield FilterBar()

    def on_mount(self) -> None:
        """Open the first view."""
        self.open_view()
        if not self._sources:
            self.query_one(NoticeBar).show("this profile names no Redis; add: redis: {NAME: redis://HOST:6379}", "dim")

    @property
    def _reading(self) -> Reading[RedisSnapshot] | None:
        return self._readings.get(self._current)

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Draw a reading if it is of the instance that is open."""
        self._readings[reading.source] = reading
        if reading.source not in self._sources:
            self._sources.append(reading.source)
            self._current = self._current or reading.source
        if reading.source == self._current:
            self.draw()

    def tick(self) -> None:
        """Draw ages and staleness."""
        self._draw_title()
        self._draw_notice()

    def draw(self) -> None:
        """Draw the open instance in the open view."""
        self.tick()
        snapshot = self._reading.snapshot if self._reading else None
        self._draw_head()
        self.table.empty = empty_words(self._reading, _EMPTY[self.view])
        self.table.show({} if snapshot is None else rows_of(self.view, snapshot, self.desk.now()))
        self._draw_views(snapshot)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Open an instance, and there a client or an entry of the slow log."""
        kind, _, name = about.partition("/")
        snapshot = found.snapshot if (found := self._readings.get(source)) else None
        view = {"client": "clients", "slow": "slowlog"}.get(kind, self.view)
        ids = {"client": snapshot and snapshot.clients, "slow": snapshot and snapshot.slowlog}.get(kind)
        if source not in self._sources or (name and name not in (str(one.id) for one in ids or ())):
            return False
        self._current, self.view = source, view
        self.unfilter()
        self.open_view()
        self.redraw()
        if name:
            self.table.seek(int(name))
        return True

    def masked_cell(self, column: str, text: str) -> str:
        """Return a cell's text; of a slow command its name alone: its arguments hold people's data."""
        return text.partition(" ")[0] if self.view == "slowlog" and column == "command" else text

    def _draw_head(self) -> None:
        reading, facts = self._reading, self.query_one(Facts)
        if reading is None or reading.snapshot is None:
            facts.show(())
            return
        now = self.desk.now()
        is_wide = self.size.width >= _WIDE
        pairs = redis_rows.head(reading.snapshot, self._tone, now, is_wide=is_wide)
        if self.table.stale:
            pairs = [(label, Cell(cell_text(value), "dim")) for label, value in pairs]
        facts.show(pairs, value_width=_WIDE_VALUE if is_wide else _VALUE)

    def _tone(self, metric: str) -> Tone:
        return TONES[self.desk.level(self._current, metric, "")]

    def _draw_title(self) -> None:
        reading, now = self._reading, self.desk.now()
        names = [Segment(f" {source.partition(':')[2]} ", reverse=source == self._current) for source in self._sources]
        rest = title(reading.snapshot) if reading is not None and reading.snapshot is not None else []
        if len(names) > 1:
            names.append(Segment("([ ])", "dim"))
        self.query_one("#redis-title", SegmentLine).show([*names, *rest, age_segment(reading, now)])

    def _draw_notice(self) -> None:
        reading, bar = self._reading, self.query_one(NoticeBar)
        if reading is None:
            return
        now = self.desk.now()
        is_stale = reading.snapshot is not None and reading.is_stale(now)
        if is_stale != self.table.stale:
            self.table.stale = is_stale
            self._draw_head()
        if words := failure_words(reading, now):
            bar.show(words, failure_tone(reading))
        elif reading.snapshot is not None:
            bar.show(*trouble(reading.snapshot))

    def _draw_views(self, snapshot: RedisSnapshot | None) -> None:
        amounts = {} if snapshot is None else view_amounts(snapshot)
        self.query_one("#redis-views", SegmentLine).show(
            [
                Segment(f" {text}{amounts.get(view, '')} ", reverse=view == self.view)
                for view, text in self.VIEWS.items()
            ]
        )

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Choose an instance, open a view and filter its rows."""
        if source in self._sources:
            self._current = source
        super().open_at(view, filter_text, source)

    # Keys

    def open_view(self) -> None:
        """Show the open view's table."""
        super().open_view()
        self._draw_views(self._reading.snapshot if self._reading else None)

    def action_instance(self, step: int) -> None:
        """Open another instance."""
        if len(self._sources) < 2:
            self.post_message(self.Told("this profile names one Redis only"))
            return
        self._current = self._sources[(self._sources.index(self._current) + step) % len(self._sources)]
        self.redraw()

    # Keys that change something

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the clients that are marked, or of the one under the cursor."""
        if (reading := self._reading) is None or reading.snapshot is None:
            return ()
        cursor = (self.table.cursor_key,) if self.table.cursor_key is not None else ()
        return redis_offers.offers(self._current, reading.snapshot, self.view, tuple(self.table.marked) or cursor)

    def action_kill_client(self) -> None:
        """Ask to close the connection of the client under the cursor, or of those that are marked."""
        # From now on the cursor stays with this client: what was asked about must not lie under another row's.
        pinned = self.table.cursor_key
        self.table.cursor_key = pinned
        if requests := self.offered(redis_offers.KILL_CLIENT):
            self.post_message(self.Requested(requests))

    def action_set(self) -> None:
        """Ask which setting is to have which value."""
        source = self.desk.source(self._current)
        if self.offered(redis_offers.SET) is not None and isinstance(source, RedisSource):
            self.begin(self._set(source))

    async def _set(self, source: RedisSource) -> None:
        name = source.name.partition(":")[2]
        try:
            settings = await self.patiently(source.settings(), f"the settings of {name}")
        except SourceError as error:
            self.post_message(self.Told(f"the settings of {name} cannot be read: {error}", "warn"))
            return
        choices = redis_offers.setting_choices(settings)
        parameter = await self.app.push_screen_wait(ChooseDialog(f"Set what of {name}? Until it restarts", choices))
        if parameter is None:
            return
        was = settings[parameter]
        has = f"it is {was!r}; nothing is sent before you confirm\n{TEMPORARY_HINT}"
        dialog = InputDialog(f"{parameter} of {name}", text=has, value=was)
        typed = await self.app.push_screen_wait(dialog)
        snapshot = self._readings[source.name].snapshot
        if typed is not None and snapshot is not None:
            value, for_s = split_temporary(typed)
            request = setting_request(source.name, snapshot, parameter, was, value, for_s)
            self.post_message(self.Requested([request]))

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show a row in full."""
        message.stop()
        if (reading := self._reading) is None or reading.snapshot is None:
            return
        if page := page_of(self.view, reading.snapshot, message.key, self.table.row(message.key)):
            self.app.push_screen(TextDialog(self.VIEWS[self.view], f"{page}\n\nby hand:\n{self.by_hand()}"))

    def by_hand(self) -> str:
        """Return the redis-cli lines that show this view."""
        name = self._current.partition(":")[2]
        entry = self.desk.profile.redis.get(name)
        if entry is None:
            return ""
        asked = [("INFO", "memory"), ("INFO", "stats"), *redis_detail.VIEW_COMMANDS[self.view]]
        return "\n".join(redis_cli(entry, *command) for command in asked)

    def on_resize(self, event: events.Resize) -> None:
        """Use the new width for the curves."""
        if self._reading is not None:
            self.redraw()


def rows_of(view: str, snapshot: RedisSnapshot, now: float) -> Mapping[Any, Row]:
    """Return the rows of a view by their identity: command, client id, entry id, database."""
    if view == "commands":
        return redis_rows.command_rows(snapshot.commands)
    if view == "clients":
        return redis_rows.client_rows(snapshot.clients or ())
    if view == "slowlog":
        return redis_rows.slow_rows(snapshot.slowlog or ())
    if view == "keyspace":
        return redis_rows.keyspace_rows(snapshot.keyspace)
    return redis_rows.state_rows(snapshot, now)


def page_of(view: str, snapshot: RedisSnapshot, key: Hashable, row: Row | None) -> str:
    """Return a row's page; empty when it is gone."""
    if view == "commands":
        return next((redis_detail.command_page(c) for c in snapshot.commands if c.name == key), "")
    if view == "clients":
        return next((redis_detail.client_page(c) for c in snapshot.clients or () if c.id == key), "")
    if view == "slowlog":
        return next((redis_detail.slow_page(e) for e in snapshot.slowlog or () if e.id == key), "")
    if row is None:
        return ""
    texts = [cell if isinstance(cell, str) else cell.text for cell in row.cells]
    if view == "keyspace":
        titles = [column.title for column in redis_rows.KEYSPACE]
        return "\n".join(f"{label.lower():<16} {text}" for label, text in zip(titles, texts, strict=True))
    return redis_detail.state_page(snapshot, texts[0], f"{texts[1]}\n{texts[2]}")


def title(snapshot: RedisSnapshot) -> list[Segment]:
    """Return who answers: product, role, uptime, address."""
    server, replication = snapshot.server, snapshot.replication
    if not server.version:
        return [Segment("INFO is refused", "warn"), Segment(snapshot.address, "dim", priority=2)]
    role = {"slave": f"replica of {replication.master}"}.get(replication.role, replication.role)
    mode = f" {server.mode}" if server.mode not in ("", "standalone") else ""
    return [
        Segment(f"{server.product} {server.version}{mode}"),
        Segment(role, "accent" if replication.role == "slave" else ""),
        Segment(f"up {coarse(server.uptime_s)}", priority=1),
        Segment(snapshot.address, "dim", priority=2),
    ]


def view_amounts(snapshot: RedisSnapshot) -> Mapping[str, str]:
    """Return what stands behind a view's name: how many rows wait there, or that it is refused."""
    clients = "refused" if snapshot.clients is None else str(len(snapshot.clients))
    slow = "refused" if snapshot.slowlog is None else str(len(snapshot.slowlog))
    keys = sum(database.keys for database in snapshot.keyspace)
    return {"clients": f" {clients}", "slowlog": f" {slow}", "keyspace": f" {keys:,}"}


def trouble(snapshot: RedisSnapshot) -> tuple[str, Tone]:
    """Return what an answering server is in trouble with, worst first; empty when nothing is."""
    persistence, replication, memory = snapshot.persistence, snapshot.replication, snapshot.memory
    if persistence.is_loading:
        done = f" {persistence.loaded_percent:.0f} %" if persistence.loaded_percent is not None else ""
        eta = f", about {span(persistence.loading_eta_s)} left" if persistence.loading_eta_s is not None else ""
        return f"LOADING: the dataset is read into memory{done}{eta}; data commands are refused until then", "critical"
    if memory.refuses_writes:
        return (
            "OOM: memory is full and the policy is noeviction: writes are refused; raise maxmemory or free keys",
            "critical",
        )
    if replication.role == "slave" and replication.link_status == "down":
        down = f" for {span(replication.link_down_s)}" if replication.link_down_s is not None else ""
        return f"MASTERDOWN: the link to {replication.master} is down{down}; data here is old", "critical"
    if snapshot.rates.rejected_per_s:
        return f"{rate(snapshot.rates.rejected_per_s)} connections/s are rejected: maxclients is reached", "critical"
    if (memory.percent or 0.0) >= _NEARLY_FULL:
        then = "writes will be refused" if memory.policy == "noeviction" else f"keys are evicted ({memory.policy})"
        return f"memory is full: {then}; what grew? see Clients, Slow log, redis-cli --bigkeys", "warn"
    if persistence.last_save_status == "err":
        return "the last save failed: see the server's log (disk full? no memory to fork?)", "warn"
    if snapshot.refusals:
        told = [f"{refusal.command} ({refusal.reason})" for refusal in snapshot.refusals]
        return f"not seen: {', '.join(told)}", "dim"
    return "", ""
