"""Incidents walked to their end by runbook: from the alert that offers it to the report, each proved by the server."""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.e2e.cluster import ask
from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tests.e2e.walking import BUSY_MACHINE_S, offered, take, tick, walk_to_the_end
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

WORKLOADS = {"payments": "payments/deployment/payments", "orders": "shop/deployment/orders"}


@pytest.fixture
def incident(staging: Path, sandbox: BlockingSandbox, open_opstui: Open, tmp_path: Path) -> Callable[[str], Terminal]:
    """Return what begins a scenario and opens opstui on it, knowing what runs the services."""
    profile = json.loads(staging.read_text())
    for name, workload in WORKLOADS.items():
        profile["services"][name]["workload"] = workload
    # What this machine's load does to answer times is no part of any incident.
    profile["rules"]["service.latency_ratio"] = None
    staging.write_text(json.dumps(profile))

    def begin(scenario: str) -> Terminal:
        screen = open_opstui(size=(150, 45))
        screen.wait("✓.* k8s pg", BUSY_MACHINE_S)  # whoever comes later finds no connection left where a pool is full
        sandbox.scenario(scenario)
        return screen

    return begin


def query(sandbox: BlockingSandbox, sql: str) -> Any:
    """Ask PostgreSQL as its administrator would."""

    async def ask_it() -> Any:
        connection = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask_it())


@contextlib.contextmanager
def every_place_taken(sandbox: BlockingSandbox) -> Iterator[None]:
    """Take every place that PostgreSQL's ordinary clients have, at once when one is free."""
    ends = threading.Event()

    async def take_them() -> None:
        held = []
        while not ends.is_set():
            try:
                held.append(await asyncpg.connect(sandbox.endpoints["postgres_app"]))
            except asyncpg.TooManyConnectionsError:
                await asyncio.sleep(0.02)
        for one in held:
            one.terminate()

    thread = threading.Thread(target=lambda: asyncio.run(take_them()))
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def get(sandbox: BlockingSandbox, path: str) -> Any:
    return ask(sandbox.endpoints["kubeconfig"], path)


def image(sandbox: BlockingSandbox, name: str) -> str:
    found = get(sandbox, f"/apis/apps/v1/namespaces/shop/deployments/{name}")
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def pods(sandbox: BlockingSandbox, namespace: str, app: str) -> set[str]:
    items = get(sandbox, f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{app}")["items"]
    return {pod["metadata"]["uid"] for pod in items}


def is_cleared(screen: Terminal, alert: str, tmp_path: Path) -> None:
    """Wait until no alert of that name is up, and see that the report says how it ended."""
    screen.press("esc")
    shown = alert
    while re.search(alert, shown):
        screen.press("a")
        shown = screen.wait("esc, q close", BUSY_MACHINE_S)
        screen.press("esc")
        screen.wait(lambda text: "esc, q close" not in text)
    (report,) = (tmp_path / "state" / "opstui" / "reports" / "staging").glob("*.md")
    text = report.read_text()
    assert re.match(r"# .*: passed\n", text), text[:300]
    assert "CONVERGED" in text


def test_lock_contention(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    screen = incident("lock-pileup")
    offered(screen, "database:shop blocked", "Lock contention")
    assert query(sandbox, waiting) >= 11
    walk_to_the_end(screen, {"What does the root do": "statement", "Is another root left": "yes"})
    assert query(sandbox, waiting) == 0
    assert query(sandbox, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'batch-import'") == 0
    is_cleared(screen, "database.*blocked", tmp_path)


def test_slow_queries(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sales-report' AND state = 'active'"
    screen = incident("slow-queries")
    offered(screen, "database:shop active_s", "Slow queries")
    assert query(sandbox, running) >= 2
    walk_to_the_end(screen, {"Has it ended": "it came back"}, {"Cancel": "sales-report", "Terminate": "sales-report"})
    assert query(sandbox, running) == 0
    is_cleared(screen, "active_s", tmp_path)


def test_a_bad_release(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    good = image(sandbox, "orders")
    screen = incident("bad-rollout")
    offered(screen, "logs:services errors_per_s", "Bad deploy")
    assert image(sandbox, "orders") != good
    walk_to_the_end(screen, {}, {"Roll back": good.rpartition(":")[2]})
    assert image(sandbox, "orders") == good
    is_cleared(screen, "errors_per_s", tmp_path)


def test_a_memory_leak(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    good = image(sandbox, "search")
    screen = incident("oom")
    offered(screen, "kubernetes pods_failing", "Memory leak")
    assert image(sandbox, "search") != good
    walk_to_the_end(screen, {"Since when": "since a release"}, {"Roll the release back": good.rpartition(":")[2]})
    assert image(sandbox, "search") == good
    is_cleared(screen, "pods_failing", tmp_path)


def test_failing_health_checks(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    before = pods(sandbox, "payments", "payments")
    screen = incident("failing-service")
    offered(screen, "service:payments state", "Failed health checks")
    walk_to_the_end(screen, {"Which is it": "the process is stuck"})
    assert not before & pods(sandbox, "payments", "payments")
    is_cleared(screen, "service:payments", tmp_path)


def test_an_exhausted_pool(incident: Callable[[str], Terminal], sandbox: BlockingSandbox, tmp_path: Path) -> None:
    leaked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reporting-worker'"
    screen = incident("pool-exhaustion")
    while query(sandbox, leaked) < 50:
        tick(screen)
    with every_place_taken(sandbox):
        # The worst case: opstui has lost its own place, and finds none to look from.
        query(sandbox, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'opstui%'")
        screen.wait("pg✗", BUSY_MACHINE_S)
        offered(screen, "database:shop connections_percent", "Connection pool exhausted")
    walk_to_the_end(screen, {"Who holds them": "idle sessions of one"}, {"Restart the leaking": "reporting-worker"})
    assert query(sandbox, leaked) < 10
    is_cleared(screen, "connections_percent", tmp_path)


def test_an_emergency_restart_is_stopped_in_the_middle_and_ended_by_another(
    open_opstui: Open, sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    before = get(sandbox, path)["spec"]["replicas"]
    first = open_opstui(size=(150, 45))
    first.wait("8 Check")
    first.press("8")
    first.wait("Emergency restart", BUSY_MACHINE_S)
    first.wait("✓.* k8s", BUSY_MACHINE_S)
    first.press("/")
    first.press("emergency")
    first.press("enter")
    first.wait(r"(?m)^> .*Emergency restart")
    first.press("enter")
    first.wait("which workload")
    first.press("deployment/gateway")
    first.wait(r"> shop/deployment/gateway")
    first.press("enter")
    first.wait("0 of")
    for _ in range(4):  # announced, remembered, looked, down
        take(first)
    assert get(sandbox, path)["spec"]["replicas"] == 0
    first.process.kill()
    first.wait_end()

    second = open_opstui(size=(150, 45))
    second.wait("8 Check")
    second.press("8")
    second.wait("Emergency restart", BUSY_MACHINE_S)
    second.wait("✓.* k8s", BUSY_MACHINE_S)
    second.press("/")
    second.press("emergency")
    second.press("enter")
    second.wait(r"(?m)^> GOES ON +Emergency restart")
    second.press("enter")
    second.wait("go on with it .*under way, 4 steps taken")
    second.press("enter")
    second.wait("4 of")
    walk_to_the_end(second, {})
    assert get(sandbox, path)["spec"]["replicas"] == before
