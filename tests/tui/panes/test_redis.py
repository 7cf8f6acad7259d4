"""The Redis tab in an app of its own, with readings a test made."""

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from tui.actions.action import Request
from tui.panes.pane import Desk, Pane
from tui.panes.redis import RedisPane
from tui.panes.redis_head import trouble
from tui.rules import Level
from tui.sources import redis_info, redis_lists
from tui.sources.errors import Unreachable
from tui.sources.reading import Reading
from tui.sources.redis_facts import Memory, Rates, SlowEntry
from tui.sources.redis_info import Counted
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

NOW = 1_700_000_000.0
PROFILE = Profile.model_validate(
    {
        "name": "t",
        "environment": "dev",
        "redis": {"cache": {"url": "redis://cache", "password": "env:CACHE_PW"}, "queue": "redis://queue"},
    }
)
CLIENTS = b"id=7 addr=h:1 name=web flags=N cmd=get\nid=9 addr=h:2 name=\x1b]0;x\x07[/red] flags=N cmd=set\n"


def snapshot() -> RedisSnapshot:
    counted = Counted({"redis_version": "7.2.4", "run_id": "a", "cmdstat_get": "calls=1,usec=2"}, 0)
    return RedisSnapshot(
        address="cache:6379",
        server=redis_info.server(counted.info),
        memory=Memory(used_bytes=2**20, max_bytes=2**21, policy="allkeys-lru"),
        rates=Rates(),
        counts=redis_info.counts({}),
        persistence=redis_info.persistence({}),
        replication=redis_info.replication({}),
        keyspace=(),
        commands=redis_info.commands(None, counted),
        errors=(),
        clients=redis_lists.clients(CLIENTS),
        clients_read_at=NOW,
        slowlog=(SlowEntry(3, NOW, 15000, 'EVAL "while true" [/red]', "h:1", "web"),),
        slowlog_slower_than_us=10000,
        latency=(),
        doctor="",
        refusals=(),
        round_trip_ms=0.4,
    )


def reading(name: str = "cache", **fields: object) -> Reading[RedisSnapshot]:
    return dataclasses.replace(Reading(f"redis:{name}", 2.0, snapshot(), NOW, 0.01), **fields)  # type: ignore[arg-type]


class PaneApp(App[None]):
    CSS = "RedisPane { height: 1fr; }"
    told: ClassVar[list[str]] = []

    def __init__(self, level: Callable[[str, str, str], Level] = lambda *_: Level.OK) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._desk = Desk(PROFILE, lambda: NOW, level, lambda _: None)

    def compose(self) -> ComposeResult:
        yield RedisPane(self._desk, id="pane")

    @property
    def pane(self) -> RedisPane:
        return self.query_one(RedisPane)

    def table(self, view: str) -> LiveTable:
        return self.query_one(f"#redis-{view}", LiveTable)

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.requests.extend(message.requests)


async def shown(pilot: Pilot[None], *readings: Reading[RedisSnapshot]) -> PaneApp:
    app = pilot.app
    assert isinstance(app, PaneApp)
    app.pane.focus_first()
    for each in readings:
        app.pane.show(each)
    await pilot.pause()
    return app


async def test_old_rows_stay_and_the_notice_says_why() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        error = Unreachable("no answer within 2 s", "look at its process")
        app = await shown(pilot, reading(), reading(error=error, failing_since=NOW - 41, taken_at=NOW - 43))
        assert app.table("commands").row_count == 1
        assert app.table("commands").stale
        notice = app.query_one(NoticeBar).text
        assert "no answer within 2 s since 22:12:39Z, rows are 43s old" in notice
        assert "look at its process" in notice


async def test_a_good_answer_takes_the_notice_away() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(error=Unreachable("refused"), failing_since=NOW, snapshot=None), reading())
        assert app.query_one(NoticeBar).text == ""
        assert not app.table("commands").stale


async def test_tab_walks_through_the_views_and_the_keys_stay_in_the_table() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        for view in (*list(RedisPane.VIEWS)[1:], "commands"):
            await pilot.press("tab")
            await pilot.pause()
            assert app.table(view).display
            assert app.focused is app.table(view)
        await pilot.press("shift+tab")
        await pilot.pause()
        assert app.table("state").row_count > 5


async def test_enter_opens_the_whole_slow_command_as_plain_text() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        await pilot.press("tab", "tab")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, TextDialog)


async def test_capital_k_asks_for_the_client_under_the_cursor_with_its_identity() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        await pilot.press("K")
        await pilot.pause()
        assert app.requests == []
        assert app.told[-1] == "choose a client: see Clients (tab)"
        await pilot.press("tab", "K")
        await pilot.pause()
        (request,) = app.requests
        client = (snapshot().clients or ())[0]
        assert (request.verb, request.target.identity["id"]) == ("kill-client", client.id)
        assert request.target.identity["addr"] == client.addr
        assert request.target.identity["run_id"] == snapshot().server.run_id


async def test_a_filter_hides_rows_and_escape_brings_them_back() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        await pilot.press("tab")
        await pilot.pause()
        await pilot.press("slash")
        await pilot.pause()
        await pilot.press("w", "e", "b", "enter")
        await pilot.pause(0.1)
        assert app.table("clients").filter_text == "web"
        await pilot.press("escape")
        await pilot.pause()
        assert app.table("clients").filter_text == ""


async def test_the_instance_is_chosen_by_brackets_and_keeps_its_own_reading() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading(), reading("queue", snapshot=None, error=Unreachable("refused")))
        assert app.query_one(NoticeBar).text == ""
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "redis:queue: refused" in app.query_one(NoticeBar).text
        assert app.table("commands").row_count == 0
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert app.table("commands").row_count == 1


async def test_by_hand_names_the_variable_and_never_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_PW", "hunter2")
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        assert 'REDISCLI_AUTH="${CACHE_PW}" redis-cli -h cache -p 6379 INFO memory' in app.pane.by_hand()
        assert "hunter2" not in app.pane.by_hand()


@pytest.mark.parametrize("size", [(80, 24), (250, 60), (20, 6)])
async def test_the_tab_fits_every_screen(size: tuple[int, int]) -> None:
    async with PaneApp().run_test(size=size) as pilot:
        app = await shown(pilot, reading())
        assert app.query_one("#redis-title", SegmentLine).text.strip().startswith("cache")


@pytest.mark.parametrize(
    ("used", "policy", "told"),
    [
        (94, "allkeys-lru", ""),
        (95, "allkeys-lru", "memory is full: keys are evicted (allkeys-lru)"),
        (95, "noeviction", "memory is full: writes will be refused"),
        (100, "noeviction", "OOM: memory is full and the policy is noeviction"),
    ],
)
def test_full_memory_is_said_with_what_follows_from_it(used: int, policy: str, told: str) -> None:
    full = dataclasses.replace(snapshot(), memory=Memory(used_bytes=used, max_bytes=100, policy=policy))
    assert trouble(full)[0].startswith(told)
    assert bool(trouble(full)[0]) == bool(told)


@pytest.mark.parametrize(
    ("about", "view", "key"),
    [("client/9", "clients", 9), ("slow/3", "slowlog", 3), ("server", "commands", "get")],
)
async def test_what_an_entry_is_about_is_shown_in_its_view(about: str, view: str, key: object) -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        assert app.pane.reveal("redis:cache", about, NOW)
        await pilot.pause()
        assert app.table(view).display
        assert app.table(view).cursor_key == key


@pytest.mark.parametrize("about", ["client/70", "slow/4"])
async def test_what_is_gone_is_not_shown(about: str) -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        assert not app.pane.reveal("redis:cache", about, NOW)
        assert not app.pane.reveal("redis:other", "server", NOW)
        assert app.table("commands").display


async def test_as_text_a_slow_command_is_its_name_alone() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        await pilot.press("tab", "tab")
        await pilot.pause()
        text = app.pane.as_text()
        assert "EVAL" in text
        assert "while true" not in text
        assert "memory: 1.0 of 2.0 MiB (50 %)" in text
