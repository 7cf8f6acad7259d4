"""The timeline in the real program: what it tells during a trouble, what people add, and that it goes on."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import ROOT, Terminal, opstui
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.scenarios.lock_pileup import ACTIVE_ROOT, IDLE_ROOT

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 60.0


def timeline(screen: Terminal) -> Terminal:
    """Open the tab and wait for its first row."""
    screen.wait(r"✓ svc k8s|6✓", BUSY_MACHINE_S)
    screen.press("7")
    screen.wait(r"opstui +opened", BUSY_MACHINE_S)
    return screen


@pytest.fixture
def screen(open_opstui: Open, sandbox: BlockingSandbox) -> Terminal:
    return timeline(open_opstui(size=(180, 60)))


def test_a_lock_pile_up_is_told_with_its_roots_and_leads_to_them(screen: Terminal, sandbox: BlockingSandbox) -> None:
    sandbox.scenario("lock-pileup")
    screen.wait(rf"! +pg shop +locks +\d+ sessions? waits? for {IDLE_ROOT} \(pid \d+, idle in tra", BUSY_MACHINE_S)
    screen.wait(rf"locks +\d+ sessions? waits? for {ACTIVE_ROOT}", BUSY_MACHINE_S)
    screen.wait(r"alert +database\.blocked = \d+ \(threshold", BUSY_MACHINE_S)
    screen.press("/", f"for {IDLE_ROOT}", "enter")
    screen.wait(rf"(?m)^> .*{IDLE_ROOT}", BUSY_MACHINE_S)
    screen.press("enter")
    screen.wait("WAITS FOR", BUSY_MACHINE_S)
    screen.wait(rf"(?m)^> ?\d+ .*{IDLE_ROOT}", BUSY_MACHINE_S)
    sandbox.scenario("calm")
    screen.press("7")
    screen.wait(rf"nobody waits for {IDLE_ROOT} .* any more, after \d+s", BUSY_MACHINE_S)
    screen.press("enter")
    screen.wait(r"backend/\d+/\S+ is gone: Database has it no longer", BUSY_MACHINE_S)
    screen.wait("TIME UTC")


def test_a_crash_loop_is_told_from_the_release_to_the_restarts(screen: Terminal, sandbox: BlockingSandbox) -> None:
    # What an image was before can be told only once all Deployments are known, which come behind the first rows.
    screen.press("2")
    screen.wait(r"Workloads [1-9]", BUSY_MACHINE_S)
    screen.press("7")
    sandbox.scenario("crash-loop")
    screen.wait(r"image +Deployment shop/api: image api \S+ → \S+", BUSY_MACHINE_S)
    screen.wait(r"rollout +Deployment shop/api rolls out revision \d+", BUSY_MACHINE_S)
    screen.wait(r"!! +k8s +failing +.*shop/api-", BUSY_MACHINE_S)
    screen.wait(r"! +k8s +restart +.*shop/api-\S+ restarted.*ended: Error \(exit code 1\)", BUSY_MACHINE_S)
    screen.wait(r"! +k8s +event +.*BackOff pod/api-", BUSY_MACHINE_S)
    sandbox.scenario("calm")
    screen.wait(r"rollout finished, \d+/\d+ ready, after", BUSY_MACHINE_S)


def test_a_full_redis_is_told_with_its_evictions(screen: Terminal, sandbox: BlockingSandbox) -> None:
    sandbox.scenario("redis-full")
    screen.wait(r"redis cache +alert +redis\.memory_percent = \d+ %", BUSY_MACHINE_S)
    screen.wait(r"! +redis cache +evictions +keys are evicted", BUSY_MACHINE_S)
    sandbox.scenario("calm")
    screen.wait(r"evictions +no key is evicted any more, after", 2 * BUSY_MACHINE_S)


def test_an_error_burst_is_told_by_services_and_logs(screen: Terminal, sandbox: BlockingSandbox) -> None:
    sandbox.scenario("error-burst")
    screen.wait(r"!! +svc payments +state +payments is DOWN", BUSY_MACHINE_S)
    screen.wait(r"svc payments +component +payments: provider is DOWN", BUSY_MACHINE_S)
    screen.wait(r"! +logs services +errors +\d+ errors in 10 s; the first of \S+: \S+", BUSY_MACHINE_S)
    screen.press("/", "payments is DOWN", "enter")
    screen.wait(r"(?m)^> .*payments is DOWN", BUSY_MACHINE_S)
    screen.press("enter")
    screen.wait(r"(?m)^> payments ", BUSY_MACHINE_S)
    sandbox.scenario("calm")
    screen.press("7", "ctrl+g")
    screen.wait(r"payments is ok again, after", BUSY_MACHINE_S)


def test_a_system_that_hangs_is_told_with_how_long(screen: Terminal, sandbox: BlockingSandbox) -> None:
    with sandbox.frozen("redis"):
        screen.wait(r"!! +redis cache +no data +redis:cache cannot be read: no answer", BUSY_MACHINE_S)
    screen.wait(r"redis:cache can be read again, after \d+s", BUSY_MACHINE_S)


def test_notes_pins_and_t0_stay_and_are_in_the_report(
    open_opstui: Open, staging: Path, tmp_path: Path, sandbox: BlockingSandbox
) -> None:
    screen = timeline(open_opstui(size=(80, 24)))
    screen.press("N")
    screen.wait("what you see, think or do")
    screen.press("it began | with `the` release", "enter")
    screen.wait("note +\\S+: it began", BUSY_MACHINE_S)
    screen.press("0")
    screen.wait(r"(?s)t0 \d\d:\d\d:\d\dZ.*FROM t0")
    screen.press("0")
    screen.wait(lambda text: "FROM t0" not in text)
    screen.press(" ")
    screen.wait(r"(?m)^>\*.*note", BUSY_MACHINE_S)
    screen.press("1")
    screen.wait("gateway +ok", BUSY_MACHINE_S)
    screen.press("P")
    screen.wait("a snapshot of Services is in the timeline", BUSY_MACHINE_S)
    screen.press("q")
    assert screen.wait_end(BUSY_MACHINE_S) == 0

    again = timeline(open_opstui(size=(80, 24)))
    again.wait(r"(?m)^.\*.*note +\S+: it began", BUSY_MACHINE_S)
    again.wait(r"snapshot +\S+: snapshot of Services")
    again.wait(r"opstui +closed")
    again.press("/", "opened", "enter")
    again.wait(lambda text: len(re.findall(r"opstui +opened", text)) == 2)

    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        opstui("report", "--profile", str(staging), "--since", "10m"),
        capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60, check=True,
    ).stdout  # fmt: skip
    assert re.search(r"## Pinned\n\n- .*it began &#124; with \\`the\\` release", told)
    assert re.search(r"## Notes\n\n- .*it began &#124; with", told)
    assert re.search(r"### \S+ \S+ by \S+: Services.*\n\n```text\n(.*\n)+?gateway +ok", told)
    assert "chain unbroken" in told


def test_what_one_opstui_pins_another_shows_and_when_the_first_ends_the_second_writes_on(
    open_opstui: Open, tmp_path: Path, sandbox: BlockingSandbox
) -> None:
    first = timeline(open_opstui(size=(140, 40)))
    second = timeline(open_opstui(size=(140, 40)))
    sandbox.set_component("orders", "handover", "DOWN")
    try:
        for screen in (first, second):
            screen.wait("component +orders: handover is DOWN", BUSY_MACHINE_S)
        first.press("/", "orders: handover", "enter")
        first.wait(r"(?m)^> .*handover is DOWN", BUSY_MACHINE_S)
        first.press(" ")
        second.wait(r"(?m)^.\*.*handover is DOWN", BUSY_MACHINE_S)
        first.press("q")
        assert first.wait_end(BUSY_MACHINE_S) == 0
    finally:
        sandbox.set_component("orders", "handover", "")
    second.wait("orders: handover is ok again", BUSY_MACHINE_S)
    second.press("q")
    assert second.wait_end(BUSY_MACHINE_S) == 0
    (file,) = (tmp_path / "state").rglob("staging-e2e.timeline.jsonl")
    texts = [json.loads(line)["text"] for line in file.read_text().splitlines()]
    told = [text for text in texts if text.startswith("orders: handover")]
    assert [text.partition(", after")[0] for text in told] == [
        "orders: handover is DOWN",
        "orders: handover is ok again",
    ]
