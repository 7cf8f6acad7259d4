"""An address joins what two systems say of one client, both ways."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tests.tui.panes.test_pods import NOW, reading, snapshot
from tui.panes.neighbours import behind, clients_at, host_of
from tui.panes.pane import Desk
from tui.panes.pods import PodsPane
from tui.rules import Level
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.reading import Reading
from tui.sources.redis_facts import Client
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.dialogs import TextDialog


def _of(kind: type[Any], **known: Any) -> Any:
    """Return facts of which only these fields are looked at."""
    made = object.__new__(kind)
    for name, value in known.items():
        object.__setattr__(made, name, value)
    return made


def _session(pid: int, client: str, **more: Any) -> Session:
    return Session(pid, None, "client backend", "shop", "app", "orders", client, "active", None, None, "", **more)


def _readings(ip: str) -> tuple[Reading[Any], ...]:
    sessions = (
        _session(7, f"{ip}:4711", transaction_s=41.0, blockers=(3,)),
        _session(8, f"[::ffff:{ip}]:4712"),
        _session(9, "local"),
        _session(10, "10.9.9.9:1"),
    )
    client = _of(Client, id=5, addr=f"{ip}:9", name="worker", lib="", cmd="blpop", idle_s=3)
    return (
        reading(snapshot()),
        Reading("database:orders", 2.0, _of(DatabaseSnapshot, sessions=sessions)),
        Reading("redis:cache", 2.0, _of(RedisSnapshot, clients=(client,))),
        Reading("redis:other", 2.0, _of(RedisSnapshot, clients=None)),
        Reading("redis:gone", 2.0),
    )


def _pod() -> Any:
    addresses = [pod.ip for pod in snapshot().pods.values()]
    return next(
        pod for pod in snapshot().pods.values()
        if pod.phase == "Running" and pod.ip and addresses.count(pod.ip) == 1 and snapshot().workload_of(pod)
        and pod.ip not in {node.ip for node in snapshot().nodes.values()}
    )  # fmt: skip


@pytest.mark.parametrize(("address", "host"), [
    ("10.1.2.3:5432", "10.1.2.3"), ("10.1.2.3", "10.1.2.3"), ("[fd00::1]:5432", "fd00::1"), ("fd00::1", "fd00::1"),
    ("::ffff:10.1.2.3", "10.1.2.3"), ("local", ""), ("/tmp/redis.sock:0", ""), ("", ""), ("•••", ""), ("a:b:c", ""),
])  # fmt: skip
def test_an_address_is_taken_out_of_what_a_server_writes(address: str, host: str) -> None:
    assert host_of(address) == host


def test_a_client_is_the_pod_with_its_address() -> None:
    pod = _pod()
    above = snapshot().workload_of(pod)
    assert above is not None
    said = behind(f"{pod.ip}:4711", _readings(pod.ip))
    assert said.startswith(f"pod {pod.path} of {above.kind}/{above.name}")
    assert behind("192.0.2.1:1", _readings(pod.ip)) == ""
    assert behind("local", _readings(pod.ip)) == ""


def test_an_address_of_a_node_or_of_two_pods_is_nobodys_alone() -> None:
    node = next(iter(snapshot().nodes.values()))
    assert behind(node.ip, [reading(snapshot())]).startswith(f"node {node.name}: one of")
    pod = _pod()
    twin = replace(pod, uid="twin", name="twin")
    twice = replace(snapshot(), pods={**snapshot().pods, "twin": twin})
    assert behind(pod.ip, [reading(twice)]).startswith("one of the pods ")
    ended = replace(snapshot(), pods={pod.uid: replace(pod, phase="Succeeded")}, nodes={})
    assert behind(pod.ip, [reading(ended)]) == "", "its address may be another's by now"


def test_the_clients_of_a_pod_are_found_in_every_system() -> None:
    pod = _pod()
    assert clients_at(pod.ip, _readings(pod.ip)) == [
        "database orders: 2 sessions",
        "  pid 7  app@shop orders  active, in a transaction for 41 s, waits behind 3",
        "  pid 8  app@shop orders  active",
        "redis cache: 1 clients",
        "  id 5  worker  blpop, idle for 3 s",
    ]
    assert clients_at("", _readings(pod.ip)) == []


async def test_a_pods_page_ends_with_what_is_connected_from_it() -> None:
    pod = _pod()

    class Held(App[None]):
        def compose(self) -> ComposeResult:
            profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="zoo"))
            yield PodsPane(
                Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None, readings=lambda: _readings(pod.ip)),
                id="pods",
            )

    async with (app := Held()).run_test(size=(120, 40)) as pilot:
        pane = app.query_one(PodsPane)
        pane.show(reading(snapshot()))
        pane.focus_first()
        async with asyncio.timeout(30):
            while pane.table.row(pod.uid) is None or pod.uid not in pane.table.visible_keys:
                await pilot.pause(0.01)
        pane.table.cursor_key = pod.uid
        await pilot.press("d")
        async with asyncio.timeout(30):
            while not isinstance(app.screen, TextDialog):
                await pilot.pause(0.01)
        assert "Connected from its address\n  database orders: 2 sessions" in app.screen._text
