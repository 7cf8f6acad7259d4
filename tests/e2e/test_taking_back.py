"""Undo, temporary changes and several targets, by the keys a person would press; each proved by asking the system."""

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.e2e.cluster import ask
from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0


def deployment(sandbox: BlockingSandbox, name: str, namespace: str = "shop") -> Any:
    return ask(sandbox.endpoints["kubeconfig"], f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")


def select(screen: Terminal, name: str) -> None:
    """Put the cursor of the Workloads view on a Deployment."""
    screen.press("2")
    screen.wait("Workloads")
    screen.press("tab")
    screen.wait(r"UP-TO-DATE")
    screen.press("/")
    screen.press(name)
    screen.press("enter")
    screen.wait(rf"(?m)^> .*{name}")


def redis(sandbox: BlockingSandbox, *command: str) -> Any:
    """Ask Valkey as somebody else would."""

    async def ask_it() -> Any:
        client: Any = Redis(
            unix_socket_path=sandbox.endpoints["redis"].removeprefix("unix://").partition("?")[0], decode_responses=True
        )
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()

    return asyncio.run(ask_it())


def test_a_temporary_change_outlives_its_opstui_and_is_taken_back_by_another(
    open_opstui: Open, sandbox: BlockingSandbox
) -> None:
    before = deployment(sandbox, "gateway")["spec"]["replicas"]
    first = open_opstui(size=(150, 45))
    first.wait("1 Services")
    select(first, "gateway")
    first.press("C")
    first.wait("temporary, opstui reminds you")
    first.press(f"{before + 1} for 1s", "enter")
    first.wait(r"Temporary +counted on the status line")
    first.confirm("gateway")
    first.wait("CONVERGED", BUSY_MACHINE_S)
    first.wait(r"1 temporary, 1 OVERDUE \(U\)")
    assert deployment(sandbox, "gateway")["spec"]["replicas"] == before + 1
    first.process.send_signal(signal.SIGKILL)
    first.wait_end()

    second = open_opstui(size=(150, 45))
    second.wait(r"1 temporary, 1 OVERDUE", BUSY_MACHINE_S)
    second.wait("✓.* k8s", BUSY_MACHINE_S)
    third = open_opstui(size=(150, 45))
    third.wait(r"1 temporary, 1 OVERDUE", BUSY_MACHINE_S)
    second.press("U")
    second.wait(r"(?m)> scale gateway +OVERDUE")
    second.press("enter")
    second.wait(r"> take it back +scale back to")
    second.press("enter")
    second.wait(r"Undo: Scale deployment shop/gateway\?")
    second.confirm("gateway")
    second.wait("Undo: Scale.*CONVERGED", BUSY_MACHINE_S)
    assert deployment(sandbox, "gateway")["spec"]["replicas"] == before
    second.wait(lambda text: "temporary" not in text.splitlines()[0])
    third.wait(lambda text: "temporary" not in text.splitlines()[0])


def test_undo_is_refused_when_the_state_is_no_longer_ours(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    screen = open_opstui(size=(150, 45))
    screen.wait("✓.* redis", BUSY_MACHINE_S)
    before = redis(sandbox, "CONFIG", "GET", "slowlog-max-len")["slowlog-max-len"]
    try:
        screen.press("4")
        screen.wait("Valkey")
        screen.press("E")
        screen.wait("type to narrow")
        screen.press("slowlog-max", "enter")
        screen.wait("slowlog-max-len of cache")
        screen.press(*["backspace"] * len(before), "321", "enter")
        screen.confirm("slowlog-max-len")
        screen.wait("CONVERGED", BUSY_MACHINE_S)
        assert redis(sandbox, "CONFIG", "GET", "slowlog-max-len")["slowlog-max-len"] == "321"
        redis(sandbox, "CONFIG", "SET", "slowlog-max-len", "77")
        screen.press("U")
        screen.wait(r"> config-set slowlog-max-len")
        screen.press("enter")
        screen.wait("NOT SENT.*no longer ours to take back", BUSY_MACHINE_S)
        assert redis(sandbox, "CONFIG", "GET", "slowlog-max-len")["slowlog-max-len"] == "77"
    finally:
        redis(sandbox, "CONFIG", "SET", "slowlog-max-len", before)


def test_several_marked_deployments_are_restarted_one_after_the_other(
    open_opstui: Open, sandbox: BlockingSandbox
) -> None:
    names = ("frontend", "gateway")
    before = [deployment(sandbox, name)["metadata"]["generation"] for name in names]
    screen = open_opstui(size=(150, 45))
    screen.wait("1 Services")
    for name in names:
        select(screen, name) if name == names[0] else filter_for(screen, name)
        screen.press(" ")
    filter_for(screen, "search")
    screen.press("R")
    text = screen.wait(r"Restart: 2 of 2 targets\?")
    assert all(f"deployment shop/{name}" in text for name in names), "those a filter hides are listed too"
    assert "uid " in text
    screen.wait("tab: next field")
    screen.press("3", "enter")
    screen.wait("Refused")
    screen.press("backspace")
    screen.confirm("2")
    screen.wait("What became of each", 90)
    screen.wait(lambda text: all(re.search(rf"CONVERGED +Restart deployment shop/{name}", text) for name in names))
    after = [deployment(sandbox, name)["metadata"]["generation"] for name in names]
    assert after == [generation + 1 for generation in before]


def filter_for(screen: Terminal, name: str) -> None:
    screen.press("/", *["backspace"] * 12, name, "enter")
    screen.wait(rf"(?m)^> .*{name}")


def test_a_pod_is_deleted_and_its_owner_makes_another(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    screen = open_opstui(size=(150, 45))
    screen.wait("1 Services")
    screen.press("2")
    screen.wait("Workloads")
    screen.press("/", "frontend-", "enter")
    text = screen.wait(r"(?m)^> .*frontend-")
    name = next(word for word in text.split() if word.startswith("frontend-"))
    uid = ask(sandbox.endpoints["kubeconfig"], f"/api/v1/namespaces/shop/pods/{name}")["metadata"]["uid"]
    screen.press("D")
    screen.wait("grace period")
    screen.press("enter")
    screen.wait(rf"Delete pod shop/{name}\?")
    screen.wait("y: do it")
    screen.press("y")
    screen.wait("CONVERGED.*ready", BUSY_MACHINE_S)
    items = ask(sandbox.endpoints["kubeconfig"], "/api/v1/namespaces/shop/pods?labelSelector=app=frontend")["items"]
    assert uid not in [item["metadata"]["uid"] for item in items]
    assert len(items) == deployment(sandbox, "frontend")["spec"]["replicas"]


def test_a_rollout_is_undone_to_a_chosen_revision_and_that_is_taken_back(
    open_opstui: Open, sandbox: BlockingSandbox
) -> None:
    def image() -> str:
        return str(deployment(sandbox, "api")["spec"]["template"]["spec"]["containers"][0]["image"])

    before = image()
    screen = open_opstui(size=(150, 45))
    screen.wait("1 Services")
    select(screen, "api")
    screen.press("down")
    screen.wait(r"(?m)^> Deployment +shop +api ")
    screen.press("B")
    screen.wait(r"> revision \d+", BUSY_MACHINE_S)
    screen.press("enter")
    screen.wait(r"Undo rollout of deployment shop/api\?", BUSY_MACHINE_S)
    screen.wait(r"Preview +~ spec\.template\.spec\.containers\[.*image: ")
    screen.confirm("api")
    screen.wait("CONVERGED", BUSY_MACHINE_S)
    assert image() != before
    screen.press("U")
    screen.wait(r"> undo-rollout api")
    screen.press("enter")
    screen.wait(r"Undo: Undo rollout of deployment shop/api\?", BUSY_MACHINE_S)
    screen.confirm("api")
    screen.wait("Undo: Undo rollout.*CONVERGED", BUSY_MACHINE_S)
    assert image() == before


def test_a_redis_client_is_killed_by_id_and_address(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    def ids() -> set[str]:
        listed: str = redis(sandbox, "CLIENT", "LIST")
        clients = [dict(field.partition("=")[::2] for field in line.split()) for line in listed.splitlines()]
        return {client["id"] for client in clients if client["name"] == "worker-emails"}

    screen = open_opstui(size=(150, 45))
    screen.wait("✓.* redis", BUSY_MACHINE_S)
    screen.press("4")
    screen.wait("Valkey")
    screen.press("tab")
    screen.wait("NAME")
    screen.press("/", "worker-emails", "enter")
    text = screen.wait(r"(?m)^ *> +\d+ +worker-em")
    (client,) = [line.split()[1] for line in text.splitlines() if line.lstrip().startswith(">")]
    assert client in ids()
    screen.press("K")
    screen.wait(r"Kill client cache/\d+\?")
    screen.confirm(client)
    screen.wait("Kill client.*CONVERGED", BUSY_MACHINE_S)
    assert client not in ids()


def test_what_was_done_is_on_record_unbroken(open_opstui: Open, sandbox: BlockingSandbox, tmp_path: Path) -> None:
    screen = open_opstui(size=(150, 45))
    screen.wait("1 Services")
    select(screen, "search")
    screen.press("R")
    screen.wait("tab: next field")
    screen.press("esc")
    screen.wait("CANCELLED")
    (file,) = (tmp_path / "state").rglob("staging-e2e.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    assert entries[-1]["what"] == "cancelled"
    assert all(len(entry["prev"]) in (0, 64) for entry in entries)
