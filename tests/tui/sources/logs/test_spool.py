"""Lines on disk: private, capped, readable again, and honest when the disk is not."""

import errno
import gc
import os
import stat
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.sources.logs import spool as spooling
from tui.sources.logs.spool import Blocks, Columns, Spool, SpoolFile

MIB = 1024 * 1024


def columns(start: int, count: int, width: int = 20) -> Columns:
    held = [f"{number} {'é' * width}" for number in range(start, start + count)]
    return Columns(array("d", map(float, range(start, start + count))), array("I", [start % 7] * count), held)


def put(spool: Spool, start: int, count: int, width: int = 20) -> None:
    new = columns(start, count, width)
    spool.put(new, sum(map(len, new.held)))


def eventually(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def written(spool: Spool) -> None:
    eventually(lambda: spool.waiting_lines == 0, "it is not written")


def texts(blocks: Blocks, start: int, stop: int) -> list[str]:
    return [text.split()[0] for part in blocks.parts(start, stop) for text in part.held]


def open_spools() -> list[str]:
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue
    return [link for link in links if "opstui-spool-" in link]


def test_lines_come_back_as_they_went_in_before_they_are_written_and_after(tmp_path: Path) -> None:
    spool = Spool(MIB, str(tmp_path))
    for start in range(0, 300, 100):
        put(spool, start, 100)
    for _ in range(2):
        assert len(spool) == 300
        assert texts(spool, 0, 300) == [str(number) for number in range(300)]
        assert texts(spool, 95, 205) == [str(number) for number in range(95, 205)]
        (part,) = spool.parts(110, 112)
        assert (list(part.at), list(part.kinds)) == ([110.0, 111.0], [2, 2])
        written(spool)
    spool.close()


def test_the_file_is_for_nobody_else_and_has_lost_its_name_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, int]] = []
    unlink = os.unlink

    def look(path: str, *rest: Any) -> None:
        modes = [stat.S_IMODE(os.stat(place).st_mode) for place in (path, os.path.dirname(path))]
        seen.append((*modes, os.stat(path).st_size))  # type: ignore[arg-type]
        unlink(path, *rest)

    monkeypatch.setattr(os, "unlink", look)
    spool = Spool(MIB, str(tmp_path))
    put(spool, 0, 100)
    written(spool)
    assert seen == [(0o600, 0o700, 0)]
    assert list(tmp_path.iterdir()) == []
    assert all(link.endswith(" (deleted)") for link in open_spools())
    spool.close()
    gc.collect()
    assert open_spools() == []


def test_the_oldest_files_lines_must_go_when_the_cap_is_reached(tmp_path: Path) -> None:
    spool = Spool(2 * MIB, str(tmp_path))
    count = 0
    while spool.disk_bytes <= 2 * MIB:
        put(spool, count, 1_000, 100)
        count += 1_000
        written(spool)
    surplus = spool.surplus()
    assert 0 < surplus < count, "one file's lines, not all"
    spool.drop(surplus)
    assert spool.disk_bytes <= 2 * MIB
    assert spool.surplus() == 0
    assert texts(spool, 0, 1) == [str(surplus)]
    spool.close()


def test_a_copy_reads_on_what_the_spool_has_let_go(tmp_path: Path) -> None:
    spool = Spool(MIB, str(tmp_path))
    put(spool, 0, 500)
    put(spool, 500, 500)
    written(spool)
    copied = spool.copy()
    spool.drop(750)
    assert texts(spool, 0, 2) == ["750", "751"]
    assert texts(copied, 0, 1000) == [str(number) for number in range(1000)]
    spool.close()
    assert texts(copied, 499, 501) == ["499", "500"]


class Full:
    """A disk with room for so many bytes; files that are closed give theirs back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self.lives: dict[int, int] = {}
        append, forget = SpoolFile.append, SpoolFile.__del__

        def limited(file: SpoolFile, content: bytes) -> int:
            if sum(self.lives.values()) + len(content) > self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            offset = append(file, content)
            self.lives[id(file)] = file.size
            return offset

        def freed(file: SpoolFile) -> None:
            self.lives.pop(id(file), None)
            forget(file)

        monkeypatch.setattr(SpoolFile, "append", limited)
        monkeypatch.setattr(SpoolFile, "__del__", freed)
        monkeypatch.setattr(spooling, "_RETRY_S", 0.01)


def test_a_full_disk_makes_the_oldest_go_earlier_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_SMALLEST_FILE", 50_000)
    Full(monkeypatch, room=300_000)
    spool, dropped = Spool(MIB, str(tmp_path)), 0
    for start in range(0, 20_000, 500):
        put(spool, start, 500)

        def settled() -> bool:
            nonlocal dropped
            if surplus := spool.surplus():
                spool.drop(surplus)
                dropped += surplus
            return spool.waiting_lines == 0

        eventually(settled, "lines wait for ever")
    assert spool.takes
    assert spool.problem == "older lines on disk: No space left on device; the oldest go earlier"
    assert dropped + len(spool) == 20_000
    assert len(spool) > 2_000
    assert texts(spool, 0, len(spool)) == [str(number) for number in range(dropped, 20_000)]
    spool.close()


def test_without_any_room_nothing_more_is_taken_and_what_waits_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(monkeypatch, room=0)
    spool = Spool(MIB, str(tmp_path))
    put(spool, 0, 100)
    eventually(lambda: not spool.takes, "it does not give up")
    assert spool.problem == "older lines are not kept on disk: No space left on device"
    assert texts(spool, 0, 100) == [str(number) for number in range(100)]
    assert (spool.waiting_lines, spool.surplus()) == (100, 0)
    spool.close()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    spool = Spool(MIB, str(tmp_path / "no"))
    put(spool, 0, 10)
    eventually(lambda: not spool.takes, "it does not give up")
    assert spool.problem == "older lines are not kept on disk: No such file or directory"
    spool.close()


def test_lines_that_cannot_be_read_again_say_so_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(MIB, str(tmp_path))
    put(spool, 0, 3)
    written(spool)

    def broken(file: SpoolFile, offset: int, size: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(SpoolFile, "read", broken)
    (part,) = spool.parts(0, 3)
    assert part.held == ["opstui: this line was on disk and cannot be read again: Input/output error"] * 3
    spool.close()


def test_a_spool_of_nothing_takes_nothing() -> None:
    assert not Spool(0).takes
