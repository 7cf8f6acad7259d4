"""`opstui walk` in a subprocess: what there is, what is wrong, a run that nobody attends, its report."""

import json
from pathlib import Path

import pytest

from tests.tui.test_cli import opstui, own_profile

CHECKLIST = """\
title: Disk round
every: 1d
sections:
  - title: Disks
    steps:
      - check: There is a script that says yes
        script: fine
      - check: There is one that says what it finds
        script: finds
      - ask: Did you look?
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def team(home: Path, code: int = 0, checklist: str = CHECKLIST) -> Path:
    path = own_profile(
        home,
        "shop",
        f"environment: staging\nchecklists: [round.yaml]\nrunbooks: []\n"
        f"scripts: {{fine: {{command: ['true']}}, finds: {{command: [sh, -c, 'echo 3 are old; exit {code}'], "
        f"warn_codes: [4]}}}}\n",
    )
    walk = path.with_name("round.yaml")
    walk.write_text(checklist)
    walk.chmod(0o600)
    return walk


@pytest.mark.parametrize(("code", "status", "word"), [(0, 0, "PASSED"), (4, 1, "WARNING"), (2, 2, "FAILED")])
def test_a_run_that_nobody_attends_ends_with_its_verdict(home: Path, code: int, status: int, word: str) -> None:
    team(home, code)
    answer = opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    assert answer.returncode == status, answer.stderr
    assert f"Disk round: {word}" in answer.stdout
    assert "finds exit code" in answer.stdout
    assert "3 are old" in answer.stdout
    assert "left to a person: 1 of 3 steps" in answer.stdout
    report = Path(answer.stderr.strip().partition("report: ")[2])
    assert report.read_text().startswith(f"# Disk round: {word.lower()}\n")
    assert report.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_told_ends_with_3(home: Path) -> None:
    team(home, checklist=CHECKLIST.replace("script: finds", "rollout: [shop/deployment/api]"))
    answer = opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    assert (answer.returncode, "the profile names no such system" in answer.stdout) == (3, True)


def test_the_list_says_what_is_due_and_how_the_last_run_went(home: Path) -> None:
    team(home, 4)
    assert opstui(home, "walk", "list", "--profile", "shop").stdout == (
        "round  checklist  Disk round  OVERDUE, never walked\n"
    )
    opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    answer = opstui(home, "walk", "list", "--profile", "shop")
    assert "ago WARNING by " in answer.stdout
    assert "OVERDUE" not in answer.stdout


def test_the_report_tells_what_changed_since_the_run_before(home: Path) -> None:
    team(home, 0)
    opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    team(home, 2)
    opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    answer = opstui(home, "walk", "report", "round", "--profile", "shop")
    assert answer.returncode == 0
    assert "There is one that says what it finds: passed → **failed**" in answer.stdout
    assert "## The last 2 runs" in answer.stdout
    assert "automatic: nobody attended" in answer.stdout


def test_every_mistake_is_told_at_once_with_line_and_remedy(home: Path) -> None:
    walk = team(home, checklist=CHECKLIST.replace("script: fine", "skript: yes").replace("ask:", "aks:"))
    answer = opstui(home, "walk", "validate", "--profile", "shop")
    assert (answer.returncode, answer.stdout) == (3, "")
    assert [line.removeprefix(f"{walk}:") for line in answer.stderr.splitlines()] == [
        "7:9: sections.1.steps.1.skript: unknown key; did you mean script?",
        "10:9: sections.1.steps.3: must have one of check, wait, look, ask, act, remember, note, call, tell, branch; "
        "did you mean ask?",
    ]


def test_the_shipped_ones_are_right_for_a_profile_of_one_line(home: Path) -> None:
    own_profile(home, "small", "environment: staging\n")
    answer = opstui(home, "walk", "validate", "--profile", "small")
    assert (answer.returncode, answer.stdout) == (0, "17 ok\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "dayly", "--auto"], "did you mean daily?"),
        (["run", "emergency-restart", "--auto"], "step that needs nobody"),
        (["run", "daily"], "walking needs a terminal"),
        (["run", "daily", "--auto", "--scenario", "calm"], "--scenario is for the sandbox"),
        (["run", "daily", "--auto", "--watch", "soon"], "a duration is a number with a unit"),
        (["report", "daily"], "nothing was walked"),
        (["validate", "monhtly"], "did you mean monthly?"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_remedy(home: Path, arguments: list[str], words: str) -> None:
    own_profile(home, "small", "environment: staging\n")
    answer = opstui(home, "walk", arguments[0], "--profile", "small", *arguments[1:])
    assert answer.returncode in (2, 3)
    assert words in answer.stderr


def test_the_format_is_told_to_editors(home: Path) -> None:
    schema = json.loads(opstui(home, "walk", "schema").stdout)
    assert schema["title"] == "opstui checklist or runbook"
    assert schema["properties"]["every"]["description"].startswith("How often it is due")


def test_the_journal_shows_every_step(home: Path) -> None:
    team(home, 4)
    opstui(home, "walk", "run", "round", "--profile", "shop", "--auto", "--watch", "0s")
    lines = opstui(home, "audit", "show", "--profile", "shop").stdout.splitlines()
    assert [line.partition("  walk  ")[2] for line in lines] == [
        "Disk round begun",
        "round: There is a script that says yes: PASSED",
        "round: There is one that says what it finds: WARNING",
        "Disk round ended: WARNING",
    ]
