"""The Services tab: readings in, rows and pages out; then the tab itself."""

from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from profiles.schema import Profile
from profiles.systems import Service
from profiles.values import Command
from tui.panes import services_rows
from tui.panes.pane import Desk, Pane
from tui.panes.services import ServicesPane
from tui.rules import Level
from tui.sources.errors import Denied
from tui.sources.health import Component, State
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.reading import Reading
from widgets.cell import Row, cell_text
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

NOW = 1_795_335_084.0
API = ServiceSnapshot(
    name="api",
    url="http://api/health",
    state=State.OK,
    reason="",
    since=NOW - 600,
    status_code=200,
    status="UP",
    latency_ms=12.0,
    p95_ms=30.0,
    slow_ms=200.0,
    latencies_ms=(10.0, 30.0, None, 12.0),
    components=(Component("db", State.OK, "UP", (("pool", "3"),)), Component("redis", State.OK, "UP")),
    body='{\n  "status": "UP"\n}',
    workload="shop/deployment/api",
)
BROKEN = replace(
    API,
    name="search",
    state=State.DEGRADED,
    reason="index degraded",
    components=(Component("queries", State.OK, "healthy"), Component("index", State.DEGRADED, "degraded")),
)


def reading(snapshot: ServiceSnapshot, **more: Any) -> Reading[ServiceSnapshot]:
    return Reading(f"service:{snapshot.name}", 2.0, snapshot, taken_at=NOW, **more)


def cells(row: Row) -> dict[str, str]:
    return {column.key: cell_text(cell) for column, cell in zip(services_rows.COLUMNS, row.cells, strict=True)}


def row(snapshot: ServiceSnapshot, level: Level = Level.OK, **more: Any) -> Row:
    return services_rows.service_row(snapshot.name, reading(snapshot, **more), level, NOW)


def test_a_row_tells_state_latency_components_and_workload() -> None:
    shown = cells(row(API))
    assert shown == {
        "name": "api",
        "state": "ok",
        "latency": "12 ms",
        "p50": "–",
        "p95": "30 ms",
        "errors": "",
        "trend": shown["trend"],
        "components": "db, redis",
        "workload": "shop/deployment/api",
        "since": "10m",
        "age": "<3s",
    }
    assert shown["trend"].strip()


def test_what_is_not_ok_is_named_first() -> None:
    assert services_rows.components_text(BROKEN) == "index degraded, 1 ok"


def test_a_service_that_is_down_says_why_where_its_components_were() -> None:
    down = replace(API, state=State.DOWN, reason="connection refused", components=(), latency_ms=None)
    assert cells(row(down))["components"] == "connection refused"
    assert cells(row(down))["latency"] == "–"


def test_a_slow_service_says_so_in_words() -> None:
    assert cells(row(replace(API, latency_ms=250.0)))["state"] == "ok, slow"


def test_a_certificate_near_its_end_is_named() -> None:
    assert "certificate 12 d" in services_rows.components_text(replace(API, certificate_days=12.2))


def test_the_worst_state_sorts_highest() -> None:
    states = [API, replace(API, latency_ms=900.0), BROKEN, replace(API, state=State.DOWN)]
    keys = [row(state).sort for state in states]
    order = [key[1] for key in keys if key is not None]
    assert order == sorted(order, key=lambda value: value if isinstance(value, int) else 0)
    assert len(set(order)) == 4


def test_a_page_holds_every_components_details_and_the_body() -> None:
    page = services_rows.page(BROKEN, Service(url="http://api/health"))
    assert "because      index degraded" in page
    assert page.index("index: degraded") < page.index("queries: healthy")
    assert "BODY" in page
    assert "curl -sS -i --max-time 5 http://api/health" in page


def test_by_hand_names_secrets_by_reference_only() -> None:
    entry = Service(
        url="https://h/health?api_key=abc",
        ca_file="/etc/my ca.pem",
        headers={"Authorization": "env:TOKEN", "X-File": "file:/run/t", "X-Cmd": Command(command=["pass", "a b"])},
    )
    assert services_rows.curl(entry) == (
        "curl -sS -i --max-time 5 --cacert '/etc/my ca.pem' -H \"Authorization: $TOKEN\" "
        "-H \"X-File: $(cat /run/t)\" -H \"X-Cmd: $(pass 'a b')\" 'https://h/health?api_key=•••'"
    )
    assert services_rows.curl(Service(url="env:API_URL")).endswith('"$API_URL"')


class PaneApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        services = {"api": Service(url="http://api/health"), "search": Service(url="http://search/health")}
        self.told: list[str] = []
        self.now = NOW
        desk = Desk(Profile(name="x", services=services), lambda: self.now, lambda *_: Level.OK, lambda _: None)
        self.pane = ServicesPane(desk, id="services")

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus_first()

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    @property
    def names(self) -> list[object]:
        return list(self.pane.query_one(LiveTable).visible_keys)


@pytest.mark.parametrize("size", [(80, 24), (250, 60)])
async def test_every_service_has_a_row_before_the_first_answer(size: tuple[int, int]) -> None:
    app = PaneApp()
    async with app.run_test(size=size):
        assert app.pane.query_one(LiveTable).row_count == 2


async def test_the_worst_is_first_until_the_person_wants_names() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.pane.show(reading(API))
        app.pane.show(reading(BROKEN))
        await pilot.pause(0.3)
        assert app.names == ["search", "api"]
        await pilot.press("o")
        assert app.names == ["api", "search"]
        assert app.pane.query_one("#services-title", SegmentLine).text.startswith("2 services  1 ok  1 degraded")


async def test_a_source_that_cannot_be_read_keeps_its_row_and_says_why() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.pane.show(reading(API))
        error = Denied("env:TOKEN: the variable TOKEN is not set", "set it")
        app.pane.show(reading(API, error=error, failing_since=NOW - 41))
        await pilot.pause()
        assert app.pane.query_one(LiveTable).row_count == 2
        notice = app.pane.query_one(NoticeBar).text
        assert "service:api: env:TOKEN: the variable TOKEN is not set since" in notice
        assert "try: set it" in notice


async def test_enter_opens_the_page_and_text_from_outside_is_never_markup() -> None:
    hostile = replace(API, reason="[/red]", components=(Component("[/red]", State.DOWN, "[b]"),), state=State.DEGRADED)
    app = PaneApp()
    async with app.run_test() as pilot:
        app.pane.show(reading(hostile))
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        shown = [line.text for line in app.screen.query_one(LogView).visible_lines()]
        assert "because      [/red]" in shown
        assert "  [/red]: [b]" in shown


async def test_a_filter_finds_a_component() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.pane.show(reading(API))
        app.pane.show(reading(BROKEN))
        await pilot.press("slash", *"index", "enter")
        await pilot.pause(0.3)
        assert app.names == ["search"]
        await pilot.press("escape")
        await pilot.pause(0.3)
        assert len(app.names) == 2


async def test_stale_rows_are_marked_by_the_clock_alone() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        for snapshot in (API, BROKEN):
            app.pane.show(reading(snapshot))
        app.now += 60
        app.pane.tick()
        await pilot.pause(0.3)
        assert app.pane.query_one(LiveTable).stale
        assert "1m" in app.pane.query_one(NoticeBar).text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.2, "1 ms"),
        (9.4, "9 ms"),
        (87.6, "88 ms"),
        (123.4, "120 ms"),
        (996.0, "1.0 s"),
        (1240, "1.2 s"),
        (31e3, "31 s"),
    ],
)
def test_milliseconds_have_two_digits(value: float, shown: str) -> None:
    assert services_rows.millis(value) == shown


async def test_a_service_that_an_entry_is_about_gets_the_cursor_whatever_the_filter() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"search", "enter")
        await pilot.pause(0.1)
        assert app.pane.reveal("service:api", "api", NOW)
        await pilot.pause(0.1)
        assert app.pane.query_one(LiveTable).cursor_key == "api"
        assert len(app.names) == 2
        assert not app.pane.reveal("service:gone", "gone", NOW)
        assert app.pane.subject() == "Services: api …"


async def test_the_tab_as_text_holds_titles_and_rows() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(reading(BROKEN))
        await pilot.pause(0.3)
        text = app.pane.as_text()
        assert "index degraded, 1 ok" in text
        assert text.splitlines()[2].split()[:2] == ["NAME", "STATE"]
