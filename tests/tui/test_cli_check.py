"""`opstui check` in a subprocess: its formats, its exit status, and that it leaves no trace."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.test_cli import opstui, own_profile

CALM = (
    "environment: staging\nrules: {host.memory_percent: {warn: 200, critical: 300}, host.load_per_cpu: null, "
    "host.cpu_percent: null, host.disk_percent: null, host.inodes_percent: null}\n"
)
"""Only the host is watched, and is well however busy the machine is."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def files(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_a_healthy_system_ends_with_0_and_nothing_is_written(home: Path) -> None:
    own_profile(home, "shop", CALM)
    before = files(home)
    answer = opstui(home, "check", "--profile", "shop")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [["OK", "host", "answers"], ["OK", "host", "memory_percent"]]
    assert lines[-1].startswith("shop (staging): OK; 2 ok; ")
    assert files(home) == before


def test_a_warning_ends_with_1_and_an_alarm_with_2(home: Path) -> None:
    own_profile(home, "warns", "environment: staging\nrules: {host.memory_percent: {warn: 0, critical: 200}}\n")
    own_profile(home, "alarms", "environment: staging\nrules: {host.memory_percent: {warn: 0, critical: 0}}\n")
    for name, status in (("warns", 1), ("alarms", 2)):
        assert opstui(home, "check", "--profile", name, "--only", "host.memory_percent").returncode == status


def test_a_system_that_does_not_answer_is_unknown_in_its_own_words_and_ends_with_3(home: Path, refusing: int) -> None:
    own_profile(home, "shop", f"{CALM}redis: {{cache: 'redis://127.0.0.1:{refusing}'}}\n")
    answer = opstui(home, "check", "--profile", "shop", "--format", "json")
    report = json.loads(answer.stdout)
    assert (answer.returncode, report["exit_code"], report["verdict"]) == (3, 3, "unknown")
    (probe,) = (check for check in report["checks"] if check["name"] == "redis.answers")
    assert (probe["verdict"], "nothing listens" in probe["detail"]) == ("unknown", True)


def test_an_optional_system_that_is_not_there_changes_nothing(home: Path, refusing: int) -> None:
    own_profile(home, "shop", f"{CALM}redis: {{cache: {{url: 'redis://127.0.0.1:{refusing}', optional: true}}}}\n")
    assert opstui(home, "check", "--profile", "shop").returncode == 0


def test_a_service_that_does_not_answer_is_down_and_that_is_critical(home: Path, refusing: int) -> None:
    own_profile(home, "shop", f"{CALM}services: {{api: 'http://127.0.0.1:{refusing}/'}}\n")
    answer = opstui(home, "check", "--profile", "shop", "--only", "service")
    assert answer.returncode == 2
    assert "state             DOWN" in answer.stdout
    assert answer.stdout.splitlines()[1].startswith("UNKNOWN   service:api  answers")


@pytest.mark.parametrize(("form", "begins"), [("junit", "<?xml"), ("prometheus", "# HELP "), ("json", "{")])
def test_nothing_but_the_form_is_on_standard_output_in_any_locale(home: Path, form: str, begins: str) -> None:
    own_profile(home, "shop", CALM)
    env = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    answer = opstui(home, "check", "--profile", "shop", "--format", form, env=env)
    assert (answer.returncode, answer.stderr, answer.stdout.startswith(begins)) == (0, "", True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "shop", "--only", "hots"], "did you mean host?"),
        (["--profile", "shop", "--only", "database"], "the profile has no database to judge"),
        (["--profile", "shop", "--format", "xml"], "is not one of"),
        (["--profile", "shop", "--timeout", "soon"], "a duration is a number with a unit"),
        (["--profile", "shop", "--frobnicate"], "No such option"),
        (["--profile", "shop", "--scenario", "calm"], "--scenario is for the sandbox"),
        (["--profile", "wrong"], "did you mean environment?"),
        (["--profile", "nowhere"], "nowhere"),
        ([], "which profile?"),
    ],
)
def test_what_is_wrong_with_profile_or_arguments_is_said_and_ends_with_3(
    home: Path, arguments: list[str], words: str
) -> None:
    own_profile(home, "shop", CALM)
    own_profile(home, "wrong", "enviroment: prod\n")
    answer = opstui(home, "check", *arguments)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert words in answer.stderr


def test_the_help_ends_with_0(home: Path) -> None:
    assert "3 unknown" in opstui(home, "check", "--help").stdout
