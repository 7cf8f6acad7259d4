"""Engines, units, logs of containers and scripts in a profile: what is understood, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from profiles.hosts import is_pattern
from profiles.sandbox_wall import wall_problems
from profiles.schema import Profile
from profiles.yaml_text import parse


def profile(**sections: Any) -> Profile:
    return Profile.model_validate({"name": "t", **sections})


def test_one_word_is_an_engine() -> None:
    assert profile(docker={"local": {}}).docker["local"].socket == "/var/run/docker.sock"
    assert profile(docker={"local": "/run/podman.sock"}).docker["local"].socket == "/run/podman.sock"


@pytest.mark.parametrize("name", ["nginx", "postgresql@15-main", "web-*", "backup.timer", "dev-sda1.device", "a\\x2db"])
def test_units_are_names_or_patterns(name: str) -> None:
    assert profile(systemd=[name]).systemd == [name]


@pytest.mark.parametrize("name", ["-H", "--host=evil", "a b", "", "x;y", "a\nb", "/etc/passwd"])
def test_what_could_be_an_option_or_is_no_unit_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        profile(systemd=[name])


def test_logs_of_containers_need_an_engine_of_the_profile() -> None:
    log = {"web": {"docker": "web-*"}}
    assert profile(docker={"local": {}}, logs=log).logs["web"].docker == "web-*"
    with pytest.raises(ValidationError, match="need an engine"):
        profile(logs=log)
    with pytest.raises(ValidationError, match="docker has no engine far"):
        profile(docker={"local": {}}, logs={"web": {"docker": "web", "engine": "far"}})
    with pytest.raises(ValidationError, match="exactly one of file, pods, workload, pod, docker and command"):
        profile(docker={"local": {}}, logs={"web": {"docker": "web", "file": "/a"}})


def test_a_script_is_of_high_risk_unless_the_profile_says_otherwise() -> None:
    script = profile(scripts={"flush": {"command": ["flush"]}}).scripts["flush"]
    assert (script.risk, script.changes) == ("high", False)


@pytest.mark.parametrize("section", ["docker: {local: {}}", "systemd: [nginx]", "logs: {web: {docker: web}}"])
def test_the_sandbox_reaches_no_engine_and_no_systemd_of_this_machine(section: str, tmp_path: Any) -> None:
    tree, _ = parse(f"environment: sandbox\n{section}\n", tmp_path / "p.yaml")
    assert tree is not None
    assert wall_problems(tree)


def test_a_pattern_has_a_sign_of_one() -> None:
    assert [is_pattern(name) for name in ("web", "web-*", "w?b", "w[ab]")] == [False, True, True, True]
