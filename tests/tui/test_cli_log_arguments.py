"""Logs named on the command line."""

from pathlib import Path

import pytest

from profiles.loader import Loaded
from profiles.schema import Profile
from tui.cli.log_arguments import MOST, with_logs


def logs_of(*named: str, is_piped: bool = False, profile: Profile | None = None) -> dict[str, str | None]:
    loaded = None if profile is None else Loaded(profile, ())
    found = with_logs(loaded, named, is_piped=is_piped).profile
    return {name: entry.file for name, entry in found.logs.items()}


def test_a_file_is_a_log_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "api.log").touch()
    assert logs_of(str(tmp_path / "api.log")) == {"api": str(tmp_path / "api.log")}


def test_a_name_with_signs_of_patterns_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1]*.log").touch()
    assert list(logs_of(str(tmp_path / "a[1]*.log")).values()) == [f"{tmp_path}/a[[]1][*].log"]


def test_a_folder_is_every_file_in_it_and_a_pattern_stays_one(tmp_path: Path) -> None:
    assert list(logs_of(str(tmp_path), f"{tmp_path}/*.log").values()) == [f"{tmp_path}/*", f"{tmp_path}/*.log"]


def test_equal_names_stay_apart_and_those_of_the_profile_stay(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "api.log").touch()
    profile = Profile.model_validate({"name": "x", "logs": {"api": "/var/log/api.log"}})
    found = logs_of(f"{tmp_path}/a/api.log", f"{tmp_path}/b/api.log", profile=profile)
    assert list(found) == ["api", "api-2", "api-3"]
    assert found["api"] == "/var/log/api.log"


def test_a_relative_path_is_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert logs_of("not-there-yet.log") == {"not-there-yet": f"{tmp_path}/not-there-yet.log"}


def test_what_is_piped_is_a_log_once_whoever_names_it(tmp_path: Path) -> None:
    profile = Profile.model_validate({"name": "x", "logs": {"kubectl": "/dev/stdin"}})
    assert logs_of(is_piped=True) == {"stdin": "/dev/stdin"}
    assert logs_of("-", is_piped=True) == {"stdin": "/dev/stdin"}
    assert logs_of(is_piped=True, profile=profile) == {"kubectl": "/dev/stdin"}


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing is piped"):
        logs_of("-")
    with pytest.raises(ValueError, match="no such file, and no folder"):
        logs_of(str(tmp_path / "no" / "x.log"))
    with pytest.raises(ValueError, match="quoted pattern"):
        logs_of(*(f"{tmp_path}/{number}" for number in range(MOST + 1)))


def test_names_from_outside_become_names_of_logs(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31m ü.log").touch()
    assert list(logs_of(str(tmp_path / "\x1b[31m ü.log"))) == ["31m"]
