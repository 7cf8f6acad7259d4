"""Containers and units in the Services tab: readings in, rows, pages and requests out; then the tab itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from textual.app import App, ComposeResult

from profiles.schema import Profile
from tests.tui.docker_engine import NAMES, recorded
from tui.actions.docker.verbs import RESTART as RESTART_CONTAINER
from tui.panes import containers_rows, units_rows
from tui.panes.pane import Desk, Pane
from tui.panes.services import ServicesPane
from tui.panes.services_board import RESTART, START, STOP
from tui.rules import Level
from tui.sources.docker import parse
from tui.sources.docker.connection import Version
from tui.sources.docker.facts import DockerSnapshot
from tui.sources.errors import Denied
from tui.sources.reading import Reading
from tui.sources.systemd import SystemdSnapshot, Unit
from widgets.cell import Row, cell_text
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

NOW = 1_795_703_340.0
ENGINE = "container:local"
CONTAINERS = {one.id: one for one in (parse.container(recorded(f"inspect-{name}")) for name in NAMES)}
SNAPSHOT = DockerSnapshot(Version("Engine", "20.10.24", "1.41"), CONTAINERS, missing=("queue",))
UNIT = Unit(
    "nginx.service", "A web server", "loaded", "active", "running", "notify", "success", 0, False, 12, "ab12", 0,
    NOW - 90, NOW - 90, 5_000_000, None, None,
)  # fmt: skip
FAILED = Unit(
    "queue.service", "", "loaded", "failed", "failed", "simple", "exit-code", 3, False, 0, "cd34", 5, None, NOW - 10,
    None, None, None, recent_restarts=5,
)  # fmt: skip


def read(source: str, snapshot: Any, **more: Any) -> dict[str, Reading[Any]]:
    return {source: Reading(source, 2.0, snapshot, taken_at=NOW, **more)}


def calm(*_: str) -> Level:
    return Level.OK


def cells(rows: Mapping[Any, Row], name: str) -> list[str]:
    return next([cell_text(cell) for cell in row.cells] for row in rows.values() if cell_text(row.cells[0]) == name)


def key(name: str) -> tuple[str, str]:
    return ENGINE, next(one.id for one in CONTAINERS.values() if one.name == name)


def test_rows_tell_state_health_restarts_and_what_is_missing() -> None:
    rows = containers_rows.rows(read(ENGINE, SNAPSHOT), calm, NOW)
    assert cells(rows, "api")[1:3] == ["running", "unhealthy"]
    assert cells(rows, "api")[7] == "shop/api"
    assert cells(rows, "hog")[1] == "exited (137), OOM"
    assert cells(rows, "crash")[1] == "restarting (3)"
    assert cells(rows, "queue")[1] == "missing"


def test_the_worst_sort_highest() -> None:
    rows = containers_rows.rows(read(ENGINE, SNAPSHOT), calm, NOW)
    ranked = sorted(rows.values(), key=lambda row: int(str(row.sort[1])) if row.sort else 0, reverse=True)
    assert [cell_text(row.cells[0]) for row in ranked][:4] == ["queue", "crash", "api", "hog"]
    assert containers_rows.troubled(read(ENGINE, SNAPSHOT)) == 3


def test_a_page_has_mounts_and_failed_checks_and_no_value_of_the_environment() -> None:
    page = containers_rows.page(read(ENGINE, SNAPSHOT), key("api"), NOW)
    assert "volume named → /var/lib/x" in page
    assert "exit code 1" in page
    assert "PASSWORD" in page
    assert "must-not-be-kept" not in page


def test_a_request_names_the_full_id_and_the_run_that_was_seen() -> None:
    restart, stop, start = containers_rows.offers(read(ENGINE, SNAPSHOT), [key("api")])
    (request,) = restart.requests
    assert (request.verb, request.target.identity["id"]) == (RESTART_CONTAINER, key("api")[1])
    assert request.seen["started_at"] == CONTAINERS[key("api")[1]].started_at
    assert stop.requests
    assert start.reason == "api runs already"


def test_what_is_not_there_or_does_not_run_says_so() -> None:
    offers = containers_rows.offers(read(ENGINE, SNAPSHOT), [(ENGINE, "queue")])
    assert all(offer.reason for offer in offers)
    assert containers_rows.offers(read(ENGINE, SNAPSHOT), [key("job")])[1].reason == "job does not run"
    assert containers_rows.offers(read(ENGINE, SNAPSHOT), [])[0].reason == "no row under the cursor"


def test_by_hand_names_the_engine_s_own_socket() -> None:
    profile = Profile.model_validate({"name": "t", "docker": {"local": "/run/user/1/docker.sock"}})
    line = containers_rows.by_hand(profile, read(ENGINE, SNAPSHOT), key("api"))
    assert line.startswith("docker -H unix:///run/user/1/docker.sock inspect --format '{{json .State}}' ")


def test_units_say_how_they_ended_and_failed_ones_sort_highest() -> None:
    readings = read("unit:", SystemdSnapshot({UNIT.name: UNIT, FAILED.name: FAILED}))
    rows = units_rows.rows(readings, calm, NOW)
    assert cells(rows, "queue.service")[1:4] == ["failed (exit-code)", "exit code 3", "5"]
    assert cells(rows, "nginx.service")[1] == "active (running)"
    assert units_rows.troubled(readings) == 1
    assert "journalctl -u queue.service" in units_rows.page(readings, "queue.service", NOW)
    restart, stop, start = units_rows.offers(readings, ["queue.service"])
    assert (restart.requests[0].target.name, stop.reason) == ("queue.service", "queue.service does not run")
    assert start.requests


class PaneApp(App[None]):
    """The tab alone, on a profile with an engine and units."""

    def __init__(self, **sections: Any) -> None:
        super().__init__()
        self.asked: list[Any] = []
        given = sections or {"docker": {"local": {}}, "systemd": ["nginx", "queue"]}
        profile = Profile.model_validate({"name": "t", "environment": "dev", **given})
        desk = Desk(profile, lambda: NOW, calm, lambda request: None)
        self.pane = ServicesPane(desk, id="pane")

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.asked += message.requests


async def test_without_http_services_containers_come_first_and_units_are_one_key_away() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(read(ENGINE, SNAPSHOT)[ENGINE])
        app.pane.show(read("unit:", SystemdSnapshot({FAILED.name: FAILED}))["unit:"])
        await pilot.pause(0.3)
        assert app.pane.query_one("#services-views", SegmentLine).text.split("  ")[0].strip() == "Containers 3 bad"
        assert app.pane.table.visible_keys[0] == (ENGINE, "queue")
        await pilot.press("tab")
        await pilot.pause(0.3)
        assert app.pane.table.visible_keys == ("queue.service",)


async def test_restart_asks_for_the_row_under_the_cursor_and_enter_opens_its_page() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(read(ENGINE, SNAPSHOT)[ENGINE])
        app.pane.table.seek(key("api"))
        await pilot.pause(0.3)
        await pilot.press("R")
        await pilot.pause()
        assert [request.target.name for request in app.asked] == ["api"]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        assert any("unhealthy" in line.text for line in app.screen.query_one(LogView).visible_lines())


async def test_a_denied_socket_says_what_helps_and_old_rows_stay() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        error = Denied("/var/run/docker.sock: permission denied", "join the group")
        app.pane.show(read(ENGINE, SNAPSHOT, error=error, failing_since=NOW)[ENGINE])
        await pilot.pause(0.3)
        assert "join the group" in app.pane.query_one(NoticeBar).text
        assert app.pane.table.row_count == 7
        assert app.pane.table.stale


async def test_a_row_of_the_timeline_leads_to_its_container_or_unit() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(read(ENGINE, SNAPSHOT)[ENGINE])
        app.pane.show(read("unit:", SystemdSnapshot({FAILED.name: FAILED}))["unit:"])
        await pilot.pause(0.2)
        assert app.pane.reveal("unit:", "queue.service", NOW)
        assert app.pane.view == "units"
        assert app.pane.reveal(ENGINE, "tty", NOW)
        await pilot.pause(0.3)
        assert app.pane.table.cursor_key == key("tty")
        assert not app.pane.reveal(ENGINE, "gone", NOW)


async def test_with_http_services_alone_nothing_is_added() -> None:
    app = PaneApp(services={"api": "http://api/health"})
    async with app.run_test(size=(80, 24)):
        assert list(app.pane.views) == ["table", "failures"]
        assert len(app.pane.query(LiveTable)) == 2
        assert app.pane.offers() == ()
        assert app.pane.check_action("change", ()) is False


@pytest.mark.parametrize("binding", [RESTART, STOP, START])
async def test_of_an_http_service_nothing_is_changed_and_the_key_says_where(binding: str) -> None:
    app = PaneApp(services={"api": "http://api/health"}, docker={"local": {}})
    async with app.run_test(size=(80, 24)):
        offers = {offer.binding: offer.reason for offer in app.pane.offers()}
        assert "their own views" in offers[binding]
