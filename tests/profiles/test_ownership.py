import grp
import os
import pwd
from pathlib import Path

import pytest

from profiles import ownership
from profiles.loader import load
from profiles.ownership import read_own
from profiles.problems import Problem, ProfileError
from tests.profiles.conftest import Write

TEXT = "environment: dev\n"


@pytest.fixture(autouse=True)
def no_private_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a group of their own; here a group counts as having others in it."""
    monkeypatch.setattr(ownership, "_only_owner_writes", lambda found: not found.st_mode & 0o022)


def refused(path: Path) -> str:
    problem = read_own(path)
    assert isinstance(problem, Problem)
    return str(problem)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_profile_that_others_can_write_is_refused_with_the_remedy(write: Write, mode: int) -> None:
    path = write("mine", TEXT)
    path.chmod(mode)
    assert refused(path) == f"{path}: others can write the file; chmod go-w {path}"


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_above_it_that_others_can_write_is_refused(write: Write, mode: int) -> None:
    path = write("mine", TEXT)
    path.parents[1].chmod(mode)
    assert f"chmod go-w {path.parents[1]}" in refused(path)


def test_a_file_of_somebody_else_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("mine", TEXT)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        assert "the file belongs to uid 12345, neither to you nor to root" in refused(path)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert "neither to you nor to root" in refused(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(write: Write) -> None:
    path = write("mine", TEXT)
    os.chown(path.parents[2], 12345, 12345)
    assert "the folder" in refused(path)
    assert "neither to you nor to root" in refused(path)


def test_a_file_directly_in_a_sticky_folder_is_refused_and_one_below_it_is_not(tmp_path: Path) -> None:
    sticky = Path("/tmp")
    if not sticky.stat().st_mode & 0o1000 or sticky.stat().st_uid != 0:
        pytest.skip("/tmp is not root's sticky folder here")
    path = sticky / f"opstui-test-{os.getpid()}.yaml"
    try:
        path.write_text(TEXT)
        path.chmod(0o600)
        assert "everyone can write to /tmp" in refused(path)
        folder = sticky / f"opstui-test-{os.getpid()}"
        folder.mkdir(mode=0o700)
        (folder / "mine.yaml").write_text(TEXT)
        (folder / "mine.yaml").chmod(0o600)
        assert read_own(folder / "mine.yaml") == TEXT
        (folder / "mine.yaml").unlink()
        folder.rmdir()
    finally:
        path.unlink()


def test_a_link_is_judged_by_where_it_leads(write: Write, tmp_path: Path) -> None:
    real = write("real", TEXT)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    assert read_own(link) == TEXT
    real.chmod(0o666)
    assert "others can write" in refused(link)


def test_an_inherited_file_is_judged_too_and_its_child_says_where(write: Write) -> None:
    write("base", TEXT).chmod(0o666)
    child = write("child", "name: child\nextends: base\n")
    with pytest.raises(ProfileError) as wrong:
        load("child")
    assert str(wrong.value).startswith(f"{child}:2:1: extends: ")
    assert "others can write the file" in str(wrong.value)


def test_pipes_folders_loops_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert "not a regular file" in refused(tmp_path / "pipe.yaml")
    assert "folder.yaml: " in refused(tmp_path / "folder.yaml")
    assert "loop.yaml: " in refused(tmp_path / "loop.yaml")
    assert "no such file" in refused(tmp_path / "missing.yaml")


def test_a_shipped_profile_may_be_as_open_as_the_program_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, shipped = tmp_path / "ownership.py", tmp_path / "demo.yaml"
    program.write_text("")
    shipped.write_text(TEXT)
    monkeypatch.setattr(ownership, "_PROGRAM", program)
    for mode, accepted in ((0o644, True), (0o664, False), (0o646, False)):
        program.chmod(0o644)
        shipped.chmod(mode)
        assert (read_own(shipped) == TEXT) is accepted
        program.chmod(mode)
        assert read_own(shipped) == TEXT


def test_a_group_without_other_members_may_write(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    path = write("mine", TEXT)
    found = path.stat()

    def judged(mode: int, members: list[str], primary: list[int]) -> bool:
        owner = type("User", (), {"pw_name": "me", "pw_uid": found.st_uid, "pw_gid": found.st_gid})
        others = [type("User", (), {"pw_name": "o", "pw_uid": uid, "pw_gid": found.st_gid}) for uid in primary]
        monkeypatch.setattr(grp, "getgrgid", lambda gid: type("Group", (), {"gr_mem": members}))
        monkeypatch.setattr(pwd, "getpwuid", lambda uid: owner)
        monkeypatch.setattr(pwd, "getpwall", lambda: [owner, *others])
        path.chmod(mode)
        return ownership._only_owner_writes(path.stat())

    assert judged(0o664, [], [])
    assert judged(0o664, ["me", "root"], [])
    assert not judged(0o664, ["me", "you"], [])
    assert not judged(0o664, [], [found.st_uid + 77])
    assert not judged(0o666, [], [])
