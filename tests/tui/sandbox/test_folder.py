"""The private folder and the sweeping of abandoned ones."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tui.sandbox import folder
from tui.sandbox.binaries import Identity
from tui.sandbox.folder import PREFIX, make_folder, sweep

MYSELF = Identity(os.geteuid(), os.getegid())


@pytest.fixture(autouse=True)
def _own_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folder, "SHORT_PARENT", tmp_path)


def abandoned(parent: Path, name: str = "x") -> Path:
    path = parent / f"{PREFIX}{name}"
    path.mkdir()
    (path / "supervisor.lock").touch()
    return path


@pytest.fixture
def sleeper() -> Iterator[psutil.Popen]:
    process = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_the_folder_is_private_and_goes_when_closed() -> None:
    made = make_folder(MYSELF)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    made.close()
    assert not made.path.exists()


def test_a_folder_for_temporary_files_that_is_too_long_for_sockets_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    made = make_folder(MYSELF)
    assert made.path.parent == tmp_path
    made.close()


def test_a_folder_for_temporary_files_that_the_servers_cannot_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o600)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    assert folder._parent(MYSELF) == tmp_path


def test_a_living_supervisors_folder_stays() -> None:
    made = make_folder(MYSELF)
    assert sweep(MYSELF) == []
    made.close()


def test_an_abandoned_folder_goes(tmp_path: Path) -> None:
    path = abandoned(tmp_path)
    assert sweep(MYSELF) == [path]
    assert not path.exists()


def test_a_folder_without_a_lock_goes_only_when_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / f"{PREFIX}x"
    path.mkdir()
    assert sweep(MYSELF) == []
    os.utime(path, (time.time() - 3600, time.time() - 3600))
    assert sweep(MYSELF) == [path]


def test_a_link_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "supervisor.lock").touch()
    (tmp_path / f"{PREFIX}x").symlink_to(tmp_path / "precious")
    assert sweep(MYSELF) == []
    assert (tmp_path / "precious").exists()


def test_a_process_whose_pid_was_reused_is_not_killed(tmp_path: Path, sleeper: psutil.Popen) -> None:
    path = abandoned(tmp_path)
    entry = {"name": "postgres", "pid": sleeper.pid, "created": sleeper.create_time() - 3600}
    (path / "servers.json").write_text(json.dumps([entry]))
    assert sweep(MYSELF) == [path]
    assert sleeper.is_running()


def test_a_process_that_does_not_name_the_folder_is_not_killed(tmp_path: Path, sleeper: psutil.Popen) -> None:
    path = abandoned(tmp_path)
    entry = {"name": "postgres", "pid": sleeper.pid, "created": sleeper.create_time()}
    (path / "servers.json").write_text(json.dumps([entry]))
    assert sweep(MYSELF) == [path]
    assert sleeper.is_running()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"pid": "x"}]', '[{"pid": -1, "created": 0}]', "\x00"])
def test_a_damaged_list_of_servers_does_not_keep_the_folder(tmp_path: Path, text: str) -> None:
    path = abandoned(tmp_path)
    (path / "servers.json").write_text(text)
    assert sweep(MYSELF) == [path]
