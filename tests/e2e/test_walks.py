"""Checklists walked by the keys a person would press, paused, resumed by another; and by cron, with its exit codes."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import opstui
from tests.e2e.walking import BUSY_MACHINE_S, open_walk, take, taken
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]


def test_the_daily_checklist_is_attended_to_its_end_paused_resumed_and_its_report_read(
    open_opstui: Open, tmp_path: Path
) -> None:
    first = open_opstui(size=(80, 24))
    first.wait("8 Check")
    open_walk(first, "Daily operational")
    for _ in range(5):
        take(first)
    first.press("n")
    first.wait("it goes on record with the step")
    first.press("asked the shop team", "enter")
    first.wait("note: asked the shop team")
    take(first)
    first.press("esc")
    first.wait("is paused")
    first.wait(r"> PAUSED")
    first.press("q")
    first.wait_end()

    second = open_opstui(size=(140, 40))
    second.wait("8 Check")
    second.press("8")
    second.wait(r"> PAUSED +Daily", BUSY_MACHINE_S)
    second.press("enter")
    second.wait("go on with it +paused, 6 steps taken")
    second.press("enter")
    shown = second.wait("6 of 24 taken")
    while taken(shown) < 24:
        shown = take(second)
    second.wait("every step was taken", BUSY_MACHINE_S)
    second.press("enter")
    second.wait(r"Report: Daily operational checklist", BUSY_MACHINE_S)
    second.press("esc")
    second.wait("the report is", BUSY_MACHINE_S)
    (report,) = (tmp_path / "state" / "opstui" / "reports" / "staging").glob("*.md")
    text = report.read_text()
    assert "asked the shop team" in text
    assert "not taken" not in text
    assert text.count("\n### ") == 24
    second.press("esc")
    second.wait(r"(?m)^> .*Daily operational checklist +. (warning|failed)")


def test_what_needs_somebody_is_skipped_and_overridden_with_a_note_only(open_opstui: Open) -> None:
    screen = open_opstui(size=(120, 36))
    screen.wait("8 Check")
    open_walk(screen, "Quick diagnostic")
    screen.press("s")
    screen.wait("skipped: why")
    screen.press("enter")
    screen.wait("type something")
    screen.press("known since Monday", "enter")
    screen.wait("1 of 13 taken")
    screen.wait("PASSED by the evidence", BUSY_MACHINE_S)
    screen.press("o")
    screen.wait("How did it go")
    screen.press("failed", "enter")
    screen.wait("failed: why")
    screen.press("it swaps", "enter")
    screen.wait("2 of 13 taken")
    screen.press("h")
    screen.wait("failed against the evidence by .*; it swaps")
    screen.press("z")
    screen.wait("End the walk before its end")
    screen.press("esc")


def walk_by_cron(staging: Path, state: Path) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [*opstui("walk", "run", "daily", "--profile", str(staging), "--auto", "--watch", "2s")],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "failed", "status"),
    [
        ("calm", set(), 1),
        ("lock-pileup", {"Nobody waits for a lock"}, 2),
        ("failing-service", {"Every service is healthy"}, 2),
        ("error-burst", {"Every service is healthy"}, 2),
    ],
)
def test_cron_gets_the_exit_code_of_what_is_wrong(
    staging: Path, sandbox: BlockingSandbox, tmp_path: Path, scenario: str, failed: set[str], status: int
) -> None:
    # The sandbox's search is degraded on a calm day too.
    sandbox.scenario(scenario)
    told = set[str]()
    answer = walk_by_cron(staging, tmp_path / "state")
    for _ in range(10):
        told = set(re.findall(r"(?m)^✗ failed +(.*)$", answer.stdout))
        if told >= failed and answer.returncode == status:
            break
        answer = walk_by_cron(staging, tmp_path / "state")  # the trouble had not shown yet
    assert answer.returncode == status, answer.stdout + answer.stderr
    assert told >= failed
    assert bool(told) == bool(failed)
    assert f"Daily operational checklist: {'FAILED' if failed else 'WARNING'}" in answer.stdout
