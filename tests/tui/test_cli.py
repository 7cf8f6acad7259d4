"""The real program in a subprocess, without a terminal: what it prints and how it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def opstui(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        **(env or {}),
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, cwd=home, timeout=30, check=False,
    )  # fmt: skip


def own_profile(home: Path, name: str, text: str) -> Path:
    folder = home / ".config" / "opstui" / "profiles"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_version_is_that_of_the_package(home: Path) -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    answer = opstui(home, "--version")
    assert (answer.stdout, answer.returncode) == (f"opstui {project['version']}\n", 0)


def test_a_wrong_profile_tells_everything_at_once_and_ends_with_2(home: Path) -> None:
    path = own_profile(
        home, "prod", "enviroment: prod\ndatabases: {o: {}}\nservices: {api: {url: 'http://x', slow_ms: fast}}\n"
    )
    answer = opstui(home, "--profile", "prod")
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.splitlines() == [
        f"{path}:1:1: enviroment: unknown key; did you mean environment?",
        f"{path}:2:13: databases.o: needs dsn; `service=NAME`, `postgresql://user@host/db`, `host=… dbname=…`, "
        "`env:NAME` or `file:PATH`",
        f"{path}:3:35: services.api.slow_ms: must be a number; latency from which the service counts as slow",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["which profile?", "demo", "local"]),
        (["--profile", "dmeo"], ["did you mean demo?"]),
        (["--profile", "local"], ["needs a terminal", "standard input"]),
        (["--profile", "local", "--scenario", "calm"], ["--scenario is for the sandbox", "local is dev"]),
        (["--profile", "demo", "--scenario", "lock-pilup"], ["did you mean lock-pileup?"]),
        (["--profile", "local", "--refresh", "0"], ["seconds between 0.2 and 3600"]),
        (["--profile", "local", "--refresh", "nan"], ["seconds between 0.2 and 3600"]),
        (["--profil", "local"], ["--profile"]),
        (["profile", "shw", "local"], ["show"]),
        (["--reset-terminal"], ["no terminal to reset"]),
    ],
)
def test_what_cannot_run_says_why_and_ends_with_2(home: Path, arguments: list[str], words: list[str]) -> None:
    answer = opstui(home, *arguments)
    assert answer.returncode == 2
    assert all(word in answer.stderr for word in words)
    assert "Traceback" not in answer.stderr
    assert "\x1b" not in answer.stdout + answer.stderr
    assert not (home / ".local").exists(), "nothing is written before everything is checked"


def test_the_variable_names_the_profile_when_the_option_does_not(home: Path) -> None:
    answer = opstui(home, env={"OPSTUI_PROFILE": "dmeo"})
    assert (answer.returncode, "did you mean demo?" in answer.stderr) == (2, True)
    assert "which profile?" in opstui(home, env={"OPSTUI_PROFILE": ""}).stderr


def test_the_list_shows_own_and_shipped_profiles_and_how_many_problems(home: Path) -> None:
    own_profile(home, "prod", "nme: x\nrefesh: 1\n")
    own_profile(home, "staging", "environment: staging\n")
    answer = opstui(home, "profile", "list")
    assert [line.split()[:2] for line in answer.stdout.splitlines()] == [
        ["demo", "sandbox"],
        ["local", "dev"],
        ["prod", "2"],
        ["staging", "staging"],
    ]


def test_show_prints_a_profile_with_all_it_inherits_and_no_secret(home: Path) -> None:
    own_profile(home, "p", "redis: {c: {url: 'redis://h', password: env:PW}}\nrules: {database.blocked: {warn: 2}}\n")
    answer = opstui(home, "profile", "show", "p", env={"PW": "hunter2"})
    shown = yaml.safe_load(answer.stdout)
    assert shown["redis"]["c"] == {"url": "redis://h", "password": "env:PW"}
    assert shown["rules"]["database.blocked"] == {"warn": 2, "critical": 10}
    assert "defaults.yaml" in answer.stdout
    assert "hunter2" not in answer.stdout
    (home / "again.yaml").write_text(answer.stdout)
    (home / "again.yaml").chmod(0o600)
    assert opstui(home, "profile", "validate", "./again.yaml").returncode == 0


def test_show_of_a_wrong_profile_tells_the_problems(home: Path) -> None:
    own_profile(home, "bad", "refesh: 1\n")
    answer = opstui(home, "profile", "show", "bad")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "did you mean refresh?" in answer.stderr


def test_validate_checks_the_named_or_all_and_ends_with_2_when_one_is_wrong(home: Path) -> None:
    assert opstui(home, "profile", "validate").stdout.splitlines() == ["demo: ok", "local: ok"]
    own_profile(home, "bad", "refesh: 1\n")
    answer = opstui(home, "profile", "validate", "local", "bad")
    assert answer.returncode == 2
    assert answer.stdout == "local: ok\n"
    assert "did you mean refresh?" in answer.stderr


def test_schema_prints_json_schema(home: Path) -> None:
    schema = json.loads(opstui(home, "profile", "schema").stdout)
    assert set(schema["properties"]) >= {"name", "environment", "kubernetes", "databases"}


def test_new_writes_a_valid_private_profile_and_never_over_another(home: Path) -> None:
    answer = opstui(home, "profile", "new", "shop")
    path = home / ".config" / "opstui" / "profiles" / "shop.yaml"
    assert answer.stdout.startswith(f"{path}\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert opstui(home, "profile", "validate", "shop").stdout == "shop: ok\n"
    assert (path.parent / "profile.schema.json").exists()
    path.write_text("mine: true\n")
    again = opstui(home, "profile", "new", "shop")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert path.read_text() == "mine: true\n"
    assert opstui(home, "profile", "new", "../shop").returncode == 2


def test_info_says_where_everything_is(home: Path) -> None:
    answer = opstui(home, "info", env={"XDG_STATE_HOME": str(home / "state")})
    for path in (home / "state/opstui/opstui.log", home / "state/opstui/journal", home / ".config/opstui/profiles"):
        assert str(path) in answer.stdout
    assert not (home / "state").exists()


def test_a_foreign_package_of_the_same_name_is_named(home: Path) -> None:
    foreign = home / "project" / "widgets"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("raise RuntimeError('never import me')\n")
    answer = opstui(home, "--version", env={"PYTHONPATH": f"{foreign.parent}{os.pathsep}{ROOT}"})
    assert answer.returncode == 1
    assert f"another package named 'widgets' is first on sys.path ({foreign / '__init__.py'})" in answer.stderr


def test_a_missing_library_is_named(home: Path) -> None:
    # An import that fails as it does in a clone that was never installed.
    (home / "click.py").write_text("raise ModuleNotFoundError(\"No module named 'click'\", name='click')\n")
    answer = opstui(home, "info", env={"PYTHONPATH": f"{home}{os.pathsep}{ROOT}"})
    assert answer.returncode == 1
    assert answer.stderr.startswith("opstui: its library 'click' is not installed")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_code_for_the_shell(home: Path, shell: str) -> None:
    answer = opstui(home, "completion", shell)
    assert answer.returncode == 0
    assert f"_OPSTUI_COMPLETE={shell}_complete" in answer.stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("opstui --profile d", {"demo"}),
        ("opstui profile show ", {"demo", "local", "mine"}),
        ("opstui --scenario lock", {"lock-pileup"}),
        ("opstui profile v", {"validate"}),
    ],
)
def test_tab_completes_profiles_scenarios_and_commands(home: Path, words: str, offered: set[str]) -> None:
    own_profile(home, "mine", "environment: dev\n")
    completing = {
        "_OPSTUI_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    answer = opstui(home, env=completing)
    assert {line.partition(",")[2] for line in answer.stdout.splitlines()} == offered
