"""A shell in a pod in place of the screen, and the screen in place of the shell again: on a real terminal."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Open
from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import Terminal, opstui
from tui.sandbox.cluster.resources import PODS

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0


def enter(screen: Terminal, pod: str) -> None:
    """Open a shell in a pod's only container."""
    screen.wait("1 Services")
    screen.press("2")
    screen.wait("Workloads", BUSY_MACHINE_S)
    screen.press("/", pod, "enter")
    screen.wait(rf"(?m)^> .*{pod}", BUSY_MACHINE_S)
    screen.press("T")
    screen.wait(rf"Open shell of pod shop/{pod}\?", BUSY_MACHINE_S)
    screen.confirm(pod)
    screen.wait(rf"sh in shop/{pod}/app; ctrl\+\] leaves it", BUSY_MACHINE_S)
    screen.wait(r"/ \$ *$", BUSY_MACHINE_S)


def on_record(folder: Path) -> list[dict[str, Any]]:
    (file,) = (folder / "state").rglob("staging-e2e.jsonl")
    return [entry for line in file.read_text().splitlines() if "verb" in (entry := json.loads(line))]


def test_a_shell_has_the_whole_terminal_and_the_screen_comes_back(open_opstui: Open, tmp_path: Path) -> None:
    screen = open_opstui(size=(110, 32))
    enter(screen, "queue-0")
    screen.press("stty size", "enter")
    screen.wait("32 110")
    screen.resize(90, 28)
    screen.wait(lambda text: screen.press("stty size", "enter") or "28 90" in text, BUSY_MACHINE_S)  # type: ignore[func-returns-value]  # typed again until it has arrived
    screen.press("exit 4", "enter")
    screen.forget()
    screen.wait("ended with exit status 4", BUSY_MACHINE_S)
    screen.wait("1 Services")
    screen.press("1")
    screen.wait("LATENCY")
    entries = on_record(tmp_path)
    assert [entry["what"] for entry in entries] == ["intent", "accepted", "outcome"]
    assert "stty" not in json.dumps(entries)


def test_a_killed_pod_gives_the_screen_back(cluster: OwnCluster, tmp_path: Path) -> None:
    config: list[Path] = []
    cluster.do(lambda inner: config.append(inner.write_kubeconfig(tmp_path / "kubeconfig")))
    profile = tmp_path / "own.yaml"
    profile.write_text(
        json.dumps({"name": "own", "environment": "staging", "kubernetes": {"kubeconfig": str(config[0])}})
    )
    profile.chmod(0o600)
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with Terminal(opstui("--profile", str(profile)), size=(100, 30), env=env) as screen:
        enter(screen, "queue-1")
        cluster.do(lambda inner: inner.store.remove(PODS, "shop", "queue-1"))
        screen.wait("ended with exit status 137", BUSY_MACHINE_S)
        screen.press("esc")
        enter(screen, "queue-2")
        cluster.reconnect()
        screen.wait("may go on", BUSY_MACHINE_S)
        screen.wait("1 Services")


@pytest.mark.parametrize("how", ["SIGTERM", "hang up"])
def test_whoever_ends_opstui_ends_the_shell_and_finds_a_usable_terminal(open_opstui: Open, how: str) -> None:
    screen = open_opstui(size=(100, 30))
    enter(screen, "queue-0")
    if how == "SIGTERM":
        screen.process.send_signal(signal.SIGTERM)
        assert screen.wait_end() == 128 + signal.SIGTERM
        assert screen.modes_after == screen.modes_before
    else:
        screen.hang_up()
        assert screen.wait_end() == 128 + signal.SIGHUP
