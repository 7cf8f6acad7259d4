"""The Redis tab: one instance at a time, its numbers above, a table of one kind of fact below."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.actions.asking import TEMPORARY_HINT, split_temporary
from tui.actions.redis.keys import pattern_of, pattern_problem
from tui.actions.redis.setting import setting_request
from tui.actions.redis.unlink import unlink_request
from tui.panes import redis_head, redis_offers, redis_rows, redis_space_rows, redis_views, tabs
from tui.panes.failing import age_segment, empty_words, failure_tone, failure_words
from tui.panes.listing import Listing
from tui.panes.neighbour_jumps import BehindClients
from tui.panes.neighbours import behind
from tui.panes.offering import Offer, Offering
from tui.panes.pane import TONES, Desk
from tui.sources.errors import SourceError
from tui.sources.reading import Reading
from tui.sources.redis import SAMPLED, RedisSource
from tui.sources.redis_cli import redis_cli
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.cell import Cell, Tone, cell_text
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
    **{name: view.empty for name, view in redis_views.VIEWS.items()},
}
_SHORT: Final = {
    "commands": "Cmds", "clients": "Clnt", "slowlog": "Slow", "keyspace": "DBs", "space": "Keys", "big": "Big",
    "queues": "Que", "latency": "Lat",
}  # fmt: skip
"""Titles of views where there is little room."""
_WIDE: Final = 130
_VALUE: Final = 24
_WIDE_VALUE: Final = 46
"""Cells for `64.0 of 64.0 MiB (100 %)`, behind its curve where it is wide: numbers that grow move nothing."""


class RedisPane(Listing, Offering, BehindClients):
    """Redis and Valkey servers."""

    TAB = tabs.REDIS

    VIEWS: ClassVar[Mapping[str, str]] = {
        "commands": "Commands",
        "clients": "Clients",
        "slowlog": "Slow log",
        "keyspace": "Keyspace",
        **{name: view.title for name, view in redis_views.VIEWS.items()},
        "state": "State",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "sample", "Read the keys: walk over them, stop, go on", show=False, id="redis.sample"),
        Binding("d", "database", "Database: walk over the next one", show=False, id="redis.database"),
        Binding("right_square_bracket", "instance(1)", "Instance: the next one", show=False, id="redis.next"),
        Binding("left_square_bracket", "instance(-1)", "Instance: the one before", show=False, id="redis.previous"),
        Binding("K", "kill_client", "Kill client", id=redis_offers.KILL_CLIENT),
        Binding("E", "set", "Edit a setting (CONFIG SET)", show=False, id=redis_offers.SET),
        Binding("D", "unlink", "Delete keys, listed and counted before (UNLINK)", show=False, id=redis_offers.UNLINK),
        Binding("F", "ask('redis.flush')", "Flush a database (FLUSHDB ASYNC)", show=False, id=redis_offers.FLUSH),
        Binding("B", "ask('redis.save')", "Background save (BGSAVE)", show=False, id=redis_offers.SAVE),
        Binding("M", "ask('redis.purge')", "Memory: purge (MEMORY PURGE)", show=False, id=redis_offers.PURGE_MEMORY),
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
        yield SegmentLine(id="redis-views", separator="")
        yield SegmentLine(id="redis-walk", separator=" · ")
        yield LiveTable(redis_rows.COMMANDS, id="redis-commands", sort="rate", reverse=True)
        yield LiveTable(redis_rows.CLIENTS, id="redis-clients", sort="memory", reverse=True)
        yield LiveTable(redis_rows.SLOWLOG, id="redis-slowlog", sort="at", reverse=True)
        yield LiveTable(redis_rows.KEYSPACE, id="redis-keyspace")
        for name, view in redis_views.VIEWS.items():
            column, reverse = view.sort or (None, False)
            yield LiveTable(view.columns, id=f"redis-{name}", sort=column, reverse=reverse)
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

    @property
    def _source(self) -> RedisSource | None:
        source = self.desk.source(self._current)
        return source if isinstance(source, RedisSource) else None

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
        if (source := self._source) is not None:
            source.look_at(self.view)
        self._draw_head()
        self.table.empty = empty_words(self._reading, _EMPTY[self.view])
        self.table.show(
            {} if snapshot is None else redis_views.rows_of(self.view, snapshot, self.desk.now(), self._judge)
        )
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
        """Return a cell's text; of a slow command or a key what it begins with: the rest holds people's data."""
        if self.view == "big" and column == "key":
            return redis_space_rows.key_words(text.encode(), masks=True)
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

    def _judge(self, metric: str, about: str) -> Tone:
        return TONES[self.desk.level(self._current, metric, about)]

    def _draw_title(self) -> None:
        reading, now = self._reading, self.desk.now()
        names = [Segment(f" {source.partition(':')[2]} ", reverse=source == self._current) for source in self._sources]
        rest = redis_head.title(reading.snapshot) if reading is not None and reading.snapshot is not None else []
        if len(names) > 1:
            names.append(Segment("([ ])", "dim"))
        if self.view not in SAMPLED and (source := self._source) is not None and source.sampler.is_running:
            names.append(Segment("a walk over the keys is under way (r)", "accent", "walking (r)"))
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
            bar.show(*redis_head.trouble(reading.snapshot))

    def _draw_views(self, snapshot: RedisSnapshot | None) -> None:
        amounts = {} if snapshot is None else redis_head.view_amounts(snapshot)
        words = redis_views.VIEWS[self.view].words(snapshot) if snapshot and self.view in redis_views.VIEWS else ""
        self.query_one("#redis-views", SegmentLine).show(
            [
                *(
                    Segment(
                        f" {text}{amounts.get(view, '')} ",
                        short=f" {_SHORT.get(view, text)} ",
                        reverse=view == self.view,
                    )
                    for view, text in self.VIEWS.items()
                ),
                Segment(words, "dim", priority=1, right=True),
            ]
        )
        walk = self.query_one("#redis-walk", SegmentLine)
        walk.display = self.view in SAMPLED and snapshot is not None and snapshot.sampling is not None
        if snapshot is not None and snapshot.sampling is not None:
            walk.show(redis_space_rows.progress_line(snapshot.sampling))

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

    def client_address(self) -> str | None:
        """Return the address of the client under the cursor."""
        snapshot = self._reading.snapshot if self._reading is not None and self.view == "clients" else None
        known = snapshot.clients or () if snapshot is not None else ()
        return next((one.addr for one in known if one.id == self.table.cursor_key), None)

    def action_instance(self, step: int) -> None:
        """Open another instance."""
        if len(self._sources) < 2:
            self.post_message(self.Told("this profile names one Redis only"))
            return
        self._current = self._sources[(self._sources.index(self._current) + step) % len(self._sources)]
        self.redraw()

    def action_sample(self) -> None:
        """Walk over the keys, stop where the walk is, or go on."""
        if self.view not in SAMPLED:
            self.view = "space"
            self.open_view()
        self.post_message(self.Told(self._walk()))
        self.redraw()

    def _walk(self) -> str:
        if (source := self._source) is None:
            return "nothing can be read here"
        if source.sampler.is_running:
            source.sampler.stop()
            return "the walk stops; r goes on"
        source.sampler.start()
        return "walking over the keys; r stops"

    def action_database(self) -> None:
        """Choose the next database with keys, and walk over it."""
        source, snapshot = self._source, self._reading.snapshot if self._reading else None
        known = sorted(int(one.db[2:]) for one in snapshot.keyspace) if snapshot else []
        if source is None or len(known) < 2:
            self.post_message(self.Told("no other database has keys"))
        elif source.sampler.is_running:
            self.post_message(self.Told("a walk is under way; r stops it"))
        else:
            source.sampler.start(next((db for db in known if db > source.sampler.db), known[0]))
            self.post_message(self.Told(f"walking over the keys of db{source.sampler.db}; r stops"))
            self.redraw()

    # Keys that change something

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the clients that are marked, or of the one under the cursor."""
        if (reading := self._reading) is None or reading.snapshot is None:
            return ()
        cursor = (self.table.cursor_key,) if self.table.cursor_key is not None else ()
        db = self._source.sampler.db if self._source else 0
        return redis_offers.offers(self._current, reading.snapshot, self.view, tuple(self.table.marked) or cursor, db)

    def action_kill_client(self) -> None:
        """Ask to close the connection of the client under the cursor, or of those that are marked."""
        self.action_ask(redis_offers.KILL_CLIENT)

    def action_ask(self, binding: str) -> None:
        """Ask for what a key stands for, where the cursor is."""
        # From now on the cursor stays with this row: what was asked about must not lie under another row's.
        pinned = self.table.cursor_key
        self.table.cursor_key = pinned
        if requests := self.offered(binding):
            self.post_message(self.Requested(requests))

    def action_unlink(self) -> None:
        """Ask which keys are to be deleted: those under the cursor, or those that match a pattern."""
        requests, reading = self.offered(redis_offers.UNLINK), self._reading
        if requests is None or reading is None or reading.snapshot is None:
            return
        if all(request.target.kind == "key" for request in requests):
            self.action_ask(redis_offers.UNLINK)
            return
        source, (request,) = self._current, requests
        key = self.table.cursor_key
        dialog = InputDialog(
            f"Delete keys of {request.target.where}",
            text="a pattern; every key that matches is listed and counted first\nnothing is sent before you confirm",
            value=pattern_of(key) if self.view == "space" and isinstance(key, str) else "",
            placeholder="session:*",
            problem=pattern_problem,
        )
        self.app.push_screen(dialog, lambda typed: self._unlink(source, int(request.target.identity["db"] or 0), typed))

    def _unlink(self, source: str, db: int, pattern: str | None) -> None:
        snapshot = self._readings[source].snapshot
        if pattern is not None and snapshot is not None:
            self.post_message(self.Requested([unlink_request(source, snapshot, db, pattern)]))

    def action_set(self) -> None:
        """Ask which setting is to have which value."""
        source = self._source
        if self.offered(redis_offers.SET) is not None and source is not None:
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
        page = redis_views.page_of(self.view, reading.snapshot, message.key, self.table.row(message.key))
        source, sampling = self._source, reading.snapshot.sampling
        if self.view == "space" and source is not None and sampling is not None:
            name = str(message.key)
            page = redis_space_rows.space_page(sampling, name, source.sampler.second(name))
        client = next((c for c in reading.snapshot.clients or () if c.id == message.key), None)
        if self.view == "clients" and client and (who := behind(client.addr, self.desk.readings())):
            page += f"\n\ncomes from {who}"
        if page:
            self.app.push_screen(TextDialog(self.VIEWS[self.view], f"{page}\n\nby hand:\n{self.by_hand()}"))

    def by_hand(self) -> str:
        """Return the redis-cli lines that show this view."""
        name = self._current.partition(":")[2]
        entry = self.desk.profile.redis.get(name)
        if entry is None:
            return ""
        asked = [("INFO", "memory"), ("INFO", "stats"), *redis_views.commands(self.view)]
        return "\n".join(redis_cli(entry, *command) for command in asked)

    def on_resize(self, event: events.Resize) -> None:
        """Use the new width for the curves."""
        if self._reading is not None:
            self.redraw()
