"""By a key from a client to the pod with its address, and from a pod to its clients: in both systems, both ways."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tests.tui.panes import test_database, test_redis
from tests.tui.panes.test_neighbours import _pod, _readings
from tests.tui.panes.test_pods import NOW, reading, snapshot
from tui.panes.database import DatabasePane
from tui.panes.neighbour_jumps import clients_from, pods_behind
from tui.panes.pane import Desk, Pane
from tui.panes.pods import PodsPane
from tui.panes.redis import RedisPane
from tui.rules import Level
from tui.sources.reading import Reading
from widgets.dialogs import ChooseDialog
from widgets.live_table import LiveTable


class _App(App[None]):
    """One tab beside readings of every system."""

    def __init__(self, make: Callable[[Desk], Pane], profile: Profile, readings: tuple[Reading[Any], ...]) -> None:
        super().__init__()
        desk = Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None, readings=lambda: readings)
        self.pane = make(desk)
        self.jumped: list[tuple[str, str]] = []
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_pane_jumped(self, message: Pane.Jumped) -> None:
        self.jumped.append((message.source, message.about))

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


def test_a_client_leads_to_running_pods_and_a_pod_to_what_is_connected() -> None:
    pod = _pod()
    (found,) = pods_behind(f"{pod.ip}:4711", _readings(pod.ip))
    assert (found.source, found.about) == ("kubernetes:", f"pod/{pod.path}")
    ended = replace(snapshot(), pods={pod.uid: replace(pod, phase="Succeeded")})
    assert pods_behind(pod.ip, [reading(ended)]) == [], "its address may be another's by now"
    assert pods_behind("local", _readings(pod.ip)) == []
    assert [one.about for one in clients_from(pod.ip, _readings(pod.ip))] == ["backend/7/", "backend/8/", "client/5"]
    assert clients_from("", _readings(pod.ip)) == []


async def test_i_on_a_pod_leads_to_its_clients_in_both_systems() -> None:
    pod = _pod()
    profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="zoo"))
    app = _App(lambda desk: PodsPane(desk, id="pods"), profile, _readings(pod.ip))
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(reading(snapshot()))
        app.pane.focus_first()
        table = app.query_one("#pods-pods", LiveTable)
        await until(pilot, lambda: pod.uid in table.visible_keys)
        table.cursor_key = pod.uid
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.jumped)
        assert app.jumped == [("redis:cache", "client/5")]
        lonely = next(p for p in snapshot().pods.values() if not p.ip)
        table.cursor_key = lonely.uid
        await pilot.press("i")
        await until(pilot, lambda: app.told)
        assert app.told[-1] == "nothing that is seen is connected from its address: none yet"


async def test_w_on_a_session_leads_to_its_pod() -> None:
    pod = _pod()
    sessions = tuple(replace(one, client=f"{pod.ip}:4711") for one in test_database.PILEUP.sessions)
    found = replace(test_database.PILEUP, sessions=sessions)
    app = _App(lambda desk: DatabasePane(desk, id="pane"), test_database.PROFILE, (reading(snapshot()),))
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(Reading("database:shop", 2.0, found, NOW - 1))
        app.pane.focus_first()
        await until(pilot, lambda: app.query_one("#database-activity", LiveTable).visible_count)
        await pilot.press("w")
        await until(pilot, lambda: app.jumped)
        assert app.jumped == [("kubernetes:", f"pod/{pod.path}")]


async def test_w_on_a_client_of_redis_leads_to_its_pod() -> None:
    pod = _pod()
    clients = tuple(replace(one, addr=f"{pod.ip}:9") for one in test_redis.snapshot().clients or ())
    found = replace(test_redis.snapshot(), clients=clients)
    app = _App(lambda desk: RedisPane(desk, id="pane"), test_redis.PROFILE, (reading(snapshot()),))
    async with app.run_test(size=(100, 30)) as pilot:
        app.pane.show(Reading("redis:cache", 2.0, found, NOW - 1))
        app.pane.focus_first()
        await pilot.press("w")
        await until(pilot, lambda: app.told)
        assert "put the cursor on a client" in app.told[-1]
        await pilot.press("tab")
        pane = app.query_one(RedisPane)
        await until(pilot, lambda: pane.view == "clients" and pane.table.visible_count)
        await pilot.press("w")
        await until(pilot, lambda: app.jumped)
        assert app.jumped == [("kubernetes:", f"pod/{pod.path}")]
