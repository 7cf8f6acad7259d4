"""Changes by the keys a person would press, each proved by asking the system itself."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.e2e.cluster import ask
from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.scenarios.lock_pileup import ACTIVE_ROOT, IDLE_ROOT

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0


@pytest.fixture
def screen(open_opstui: Open) -> Terminal:
    terminal = open_opstui(size=(150, 45))
    terminal.wait("1 Services")
    return terminal


def select_deployment(screen: Terminal, name: str) -> None:
    """Put the cursor of the Workloads view on a Deployment."""
    screen.press("2")
    screen.wait("Workloads")
    screen.press("tab")
    screen.wait(r"UP-TO-DATE")
    screen.press("/")
    screen.press(name)
    screen.press("enter")
    screen.wait(rf"(?m)^> .*{name}")


def journal(tmp_path: Path) -> list[dict[str, Any]]:
    """Return what was put on record about changes."""
    (file,) = (tmp_path / "state").rglob("staging-e2e.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [entry for entry in entries if "verb" in entry]


def get(sandbox: BlockingSandbox, path: str) -> Any:
    """Ask the cluster as somebody else would."""
    return ask(sandbox.endpoints["kubeconfig"], path)


def query(sandbox: BlockingSandbox, sql: str) -> Any:
    """Ask PostgreSQL as somebody else would."""

    async def ask() -> Any:
        connection = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def test_a_restart_is_refused_for_a_wrong_name_and_converges_for_the_right_one(
    screen: Terminal, sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    before = get(sandbox, path)["metadata"]["generation"]
    select_deployment(screen, "gateway")
    screen.press("R")
    screen.wait(r"Restart .*gateway\?")
    screen.wait("tab: next field")
    screen.press("gatway", "enter")
    screen.wait("Refused")
    assert get(sandbox, path)["metadata"]["generation"] == before
    screen.press(*["backspace"] * 6)
    screen.confirm("gateway")
    screen.wait("CONVERGED", BUSY_MACHINE_S)
    after = get(sandbox, path)
    assert after["metadata"]["generation"] == before + 1
    assert after["status"]["updatedReplicas"] == after["spec"]["replicas"]
    whats = [entry["what"] for entry in journal(tmp_path)]
    assert whats == ["intent", "accepted", "outcome"]


def test_scaling_shows_in_the_cluster_and_cancelling_changes_nothing(
    screen: Terminal, sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    before = get(sandbox, path)["spec"]["replicas"]
    select_deployment(screen, "gateway")
    screen.press("C")
    screen.wait("(?i)replicas")
    screen.press("backspace", "backspace", str(before + 1), "enter")
    screen.wait(r"Scale .*gateway\?")
    screen.wait("tab: next field")
    screen.press("esc")
    screen.wait("CANCELLED")
    assert get(sandbox, path)["spec"]["replicas"] == before
    assert [entry["what"] for entry in journal(tmp_path)] == ["cancelled"]


def test_cancel_where_it_helps_terminate_where_it_does_not_and_nobody_waits_any_more(
    screen: Terminal, sandbox: BlockingSandbox
) -> None:
    sandbox.scenario("lock-pileup")
    screen.press("3")
    screen.wait("accepting")
    screen.press("tab")
    screen.wait(IDLE_ROOT, BUSY_MACHINE_S)
    screen.wait(ACTIVE_ROOT, BUSY_MACHINE_S)
    assert query(sandbox, WAITERS) >= 11

    choose_session(screen, ACTIVE_ROOT)
    screen.press("C")
    screen.wait(r"(?i)cancel query .*\?")
    screen.wait("y: do it")
    screen.press("y")
    screen.wait("CONVERGED", BUSY_MACHINE_S)

    choose_session(screen, IDLE_ROOT)
    screen.press("C")
    screen.wait("(?i)idle in transaction.*terminate")
    screen.press("T")
    screen.wait(r"(?i)terminate backend .*\?")
    text = screen.wait("tab: next field")
    (pid,) = re.findall(r"go on: (\d+)", text)
    screen.confirm(pid)
    screen.wait("(?s)Terminate backend.*CONVERGED", BUSY_MACHINE_S)
    assert query(sandbox, WAITERS) == 0


def choose_session(screen: Terminal, application: str) -> None:
    """Filter the sessions for one application and put the cursor on it."""
    screen.press("/")
    screen.press(application)
    screen.press("enter")
    screen.wait(rf"(?m)^ ?> .*{application}")


def test_read_only_refuses_and_says_why(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments/gateway"
    before = get(sandbox, path)["metadata"]["generation"]
    screen = open_opstui("--read-only", size=(150, 45))
    screen.wait("READ-ONLY")
    select_deployment(screen, "gateway")
    screen.press("R")
    screen.wait("started read-only")
    screen.press("W")
    screen.wait("without --read-only")
    assert get(sandbox, path)["metadata"]["generation"] == before
