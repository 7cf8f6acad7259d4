"""Systems that hang, stop, refuse and come back, under the real program."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Open
from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import Terminal, opstui
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.cluster.resources import PODS

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 40.0


def ages(screen: Terminal) -> None:
    """Check that the visible tab's notice counts on."""
    old = re.compile(r"rows are (\d+)s old")
    first = old.search(screen.wait(old.pattern, BUSY_MACHINE_S))
    assert first is not None
    screen.wait(lambda text: (now := old.search(text)) is not None and int(now[1]) > int(first[1]), BUSY_MACHINE_S)


def others_are_live(screen: Terminal) -> None:
    """Check that another tab answers to its key at once and counts on."""
    screen.press("4")
    text = screen.wait(r"Valkey", BUSY_MACHINE_S)
    screen.press("tab")
    screen.wait(lambda now: "NAME" in now and now != text, BUSY_MACHINE_S)
    screen.press("6")
    text = screen.wait(r"cpu +\d+ %", BUSY_MACHINE_S)
    screen.wait(lambda now: rows(now) != rows(text), BUSY_MACHINE_S)


def rows(text: str) -> list[str]:
    """Return the screen without the status line and its clock."""
    return text.splitlines()[1:]


def test_a_hung_postgresql_costs_its_own_tab_a_notice(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    screen = open_opstui()
    screen.press("3")
    screen.wait("accepting", BUSY_MACHINE_S)
    with sandbox.frozen("postgres"):
        screen.wait(r"database:shop: no answer .*since \d\d:\d\d:\d\dZ", BUSY_MACHINE_S)
        screen.wait(r"pg✗ \d+s")
        screen.wait("try: ")
        screen.wait(r"OLD")
        ages(screen)
        others_are_live(screen)
        screen.press("3")
        screen.wait("not answering", BUSY_MACHINE_S)
    screen.wait(lambda text: " accepting" in text and "no answer" not in text, BUSY_MACHINE_S)
    screen.wait("✓.* pg", BUSY_MACHINE_S)
    sandbox.restart("postgres")
    screen.wait(lambda text: " accepting" in text and "OLD" not in text, BUSY_MACHINE_S)


def test_a_hung_redis_and_a_stopped_one_recover_by_themselves(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    screen = open_opstui()
    screen.press("4")
    screen.wait(r"(?s)COMMAND .*^> ", BUSY_MACHINE_S)
    with sandbox.frozen("redis"):
        screen.wait(r"redis:cache: no answer .*since \d\d:\d\d:\d\dZ", BUSY_MACHINE_S)
        screen.wait(r"redis✗ \d+s")
        screen.wait(r"(?s)COMMAND .*^> ")
        ages(screen)
        screen.press("3")
        screen.wait("accepting", BUSY_MACHINE_S)
        screen.press("4")
        screen.wait("redis:cache: no answer", BUSY_MACHINE_S)
    screen.wait(lambda text: "redis:cache: " not in text, BUSY_MACHINE_S)
    screen.wait("✓.* redis", BUSY_MACHINE_S)
    with sandbox.stopped("redis"):
        screen.wait("redis:cache: .*(closed|nobody listens)", BUSY_MACHINE_S)
    screen.wait(lambda text: "redis:cache: " not in text, BUSY_MACHINE_S)


def test_services_that_cannot_be_reached_are_named(open_opstui: Open, staging: Path) -> None:
    profile = json.loads(staging.read_text())
    profile["services"]["gateway"] = {"url": "http://127.0.0.1:9/health"}
    staging.write_text(json.dumps(profile))
    screen = open_opstui()
    screen.wait(r"api +ok", BUSY_MACHINE_S)
    screen.wait(r"gateway +(?!ok)\S+.*refused", BUSY_MACHINE_S)
    screen.wait(r"svc✗ 1/6|▲ 1 critical", BUSY_MACHINE_S)


def test_a_failing_api_server_is_quoted_and_watched_again(cluster: OwnCluster, tmp_path: Path) -> None:
    cluster.do(lambda it: it.write_kubeconfig(tmp_path / "kubeconfig"))
    profile = tmp_path / "cluster.yaml"
    kubernetes = {"kubeconfig": str(tmp_path / "kubeconfig"), "namespaces": ["shop"]}
    profile.write_text(json.dumps({"name": "cluster", "environment": "staging", "kubernetes": kubernetes}))
    profile.chmod(0o600)
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with Terminal(opstui("--profile", str(profile)), size=(140, 45), env=env) as screen:
        screen.press("2")
        screen.wait(r"^> migrate-118", BUSY_MACHINE_S)
        for number, (fault, words) in enumerate(
            {
                "401": "credentials refused: Unauthorized",
                "cut": "connection was cut",
            }.items()
        ):
            cluster.do(lambda it, fault=fault: it.misbehave(fault))  # type: ignore[misc]  # bound now, not later
            seen = len(screen.raw)
            cluster.reconnect()
            screen.wait(rf"(?s)kubernetes: .*{words}.*since \d\d:\d\d:\d\dZ", BUSY_MACHINE_S)
            screen.wait(r"k8s✗")
            screen.wait(r"^. migrate-118")
            assert re.search(rb"\x1b\[2;[\d;]*m[^\x1b]*migrate-118", screen.raw[seen:]), "old rows are dim"
            name = f"after-{number}"
            cluster.do(lambda it, name=name: it.store.insert(PODS, pod(name)))  # type: ignore[misc]
            cluster.do(lambda it: it.clear())
            screen.wait(rf"^. {name} ", BUSY_MACHINE_S)
            screen.wait(lambda text: "k8s✗" not in text and "partial" not in text, BUSY_MACHINE_S)


def pod(name: str) -> dict[str, Any]:
    """Return a pod that has failed, so that it is among the first rows."""
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "app", "image": "registry.example/probe:1"}]},
        "status": {"phase": "Failed", "reason": "Probe"},
    }
