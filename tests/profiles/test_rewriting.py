"""A profile's own file, replaced as a whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from profiles.places import SHIPPED
from profiles.rewriting import CannotWriteError, ProfileFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    found = tmp_path / "own" / "prod.yaml"
    found.write_text("name: prod\n")
    found.chmod(0o640)
    return found


def leftovers(path: Path) -> list[str]:
    return [found.name for found in path.parent.iterdir() if found.name != path.name]


def test_mode_and_owner_stay_and_nothing_is_left_behind(path: Path) -> None:
    before = path.stat()
    written = ProfileFile.at(path).write("name: other\n")
    after = path.stat()
    assert path.read_text() == written.text == "name: other\n"
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, before.st_uid, before.st_gid)
    assert leftovers(path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_a_colleague_s_file_to_the_colleague(path: Path) -> None:
    os.chown(path, 65534, 65534)
    ProfileFile.at(path).write("name: other\n")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_link_stays_and_what_it_leads_to_is_written(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "prod.yaml").symlink_to(path)
    ProfileFile.at(folder / "prod.yaml").write("name: other\n")
    assert (folder / "prod.yaml").is_symlink()
    assert path.read_text() == "name: other\n"
    assert os.listdir(folder) == ["prod.yaml"]


def test_a_byte_order_mark_stays(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfname: prod\n")
    file = ProfileFile.at(path)
    assert file.text == "name: prod\n"
    file.write("name: other\n")
    assert path.read_bytes() == b"\xef\xbb\xbfname: other\n"


def test_what_somebody_has_saved_meanwhile_is_kept(path: Path) -> None:
    file = ProfileFile.at(path)
    path.write_text("name: a colleague's\n")
    with pytest.raises(CannotWriteError, match="was changed meanwhile; start again"):
        file.write("name: other\n")
    assert path.read_text() == "name: a colleague's\n"
    assert leftovers(path) == []


def test_a_file_that_is_gone_meanwhile_is_not_made_again(path: Path) -> None:
    file = ProfileFile.at(path)
    path.unlink()
    with pytest.raises(CannotWriteError, match="No such file"):
        file.write("name: other\n")
    assert not path.exists()


def test_a_read_only_file_is_left_alone_with_the_remedy(path: Path) -> None:
    path.chmod(0o440)
    with pytest.raises(CannotWriteError, match=f"read-only; chmod u\\+w {path}"):
        ProfileFile.at(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_folder_that_may_not_be_written_is_named(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(CannotWriteError, match="may not write to the folder"):
            ProfileFile.at(path)
    finally:
        path.parent.chmod(0o700)


def test_a_second_name_of_the_file_would_keep_the_old_content(path: Path) -> None:
    os.link(path, path.with_name("other.yaml"))
    with pytest.raises(CannotWriteError, match="hard link"):
        ProfileFile.at(path)


def test_what_comes_with_opstui_is_never_written() -> None:
    with pytest.raises(CannotWriteError, match="comes with opstui; opstui profile new NAME"):
        ProfileFile.at(SHIPPED / "local.yaml")
