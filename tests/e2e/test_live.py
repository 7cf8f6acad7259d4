"""What changes in a backing system appears in its tab, in the real program in a real terminal."""

import asyncio
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import redis

from tests.e2e.cluster import ask
from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0


@pytest.fixture
def value() -> str:
    return f"u{secrets.token_hex(4)}"


@pytest.fixture
def screen(open_opstui: Open) -> Iterator[Terminal]:
    terminal = open_opstui(size=(160, 45))
    terminal.wait("1 Services")
    yield terminal
    terminal.press("q")
    assert terminal.wait_end() == 0


def test_every_tab_shows_data(screen: Terminal) -> None:
    screen.wait(r"gateway +ok")
    for key, what in {
        "2": r"shop +api-\S+ +1/1 +Running",
        "3": r"accepting · PostgreSQL \d+",
        "4": r"Valkey 9.*master",
        "5": r"following +UTC +\d+ lines/s",
        "6": r"cpu +\d+ %",
    }.items():
        screen.press(key)
        screen.wait(what)


def test_a_health_component_appears(screen: Terminal, sandbox: BlockingSandbox, value: str) -> None:
    screen.wait(r"orders +[^\s…]", BUSY_MACHINE_S)
    sandbox.set_component("orders", value, "DOWN")
    try:
        screen.wait(f"orders.*{value}", BUSY_MACHINE_S)
    finally:
        sandbox.set_component("orders", value, "")


def test_a_pod_appears(screen: Terminal, sandbox: BlockingSandbox, value: str) -> None:
    screen.press("2")
    screen.wait(r"shop +api-")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": value, "namespace": "shop"},
        "spec": {"containers": [{"name": "main", "image": "registry.example/probe:1"}]},
    }
    ask(sandbox.endpoints["kubeconfig"], "/api/v1/namespaces/shop/pods", create=pod)
    screen.press("/")
    screen.press(value)
    screen.wait(rf"shop +{value} ", BUSY_MACHINE_S)
    screen.press("enter")


def test_a_session_appears(screen: Terminal, sandbox: BlockingSandbox, value: str) -> None:
    screen.press("3")
    screen.wait("accepting")

    async def sleep_in_the_database() -> None:
        connection = await asyncpg.connect(
            sandbox.endpoints["postgres_app"], server_settings={"application_name": value}
        )
        query = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        try:
            await asyncio.to_thread(screen.wait, f"{value}.*active", BUSY_MACHINE_S)
        finally:
            query.cancel()
            await asyncio.gather(query, return_exceptions=True)
            connection.terminate()

    asyncio.run(sleep_in_the_database())


def test_a_key_changes_what_redis_shows(screen: Terminal, sandbox: BlockingSandbox, value: str) -> None:
    screen.press("4")
    screen.wait("Valkey")
    with redis.Redis.from_url(sandbox.endpoints["redis"]) as client:
        client.client_setname(value)
        screen.press("\t")
        screen.wait(value, BUSY_MACHINE_S)


def test_a_log_line_appears(screen: Terminal, sandbox: BlockingSandbox, value: str) -> None:
    screen.press("5")
    screen.wait("following")
    with (Path(sandbox.endpoints["logs"]) / "search.log").open("a") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S},000 INFO [searcher-1] {value}\n")
    screen.wait(value, BUSY_MACHINE_S)
