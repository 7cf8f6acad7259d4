"""Packed logs that are named themselves."""

import asyncio
import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from profiles.logs import LogSource
from tui.sources.errors import Denied
from tui.sources.logs import LogBatch, LogLine, LogsSource

CONTENT = b"".join(b"2026-11-26T10:00:00Z INFO line %d\n" % number for number in range(50_000))


async def to_the_end(path: Path) -> tuple[list[LogLine], LogBatch]:
    source, seen = LogsSource("old", LogSource(file=str(path))), list[LogLine]()
    try:
        async with asyncio.timeout(30):
            while True:
                batch = await source.read()
                seen += batch.lines
                if batch.ended or batch.problems:
                    return seen, batch
    finally:
        await source.close()


@pytest.mark.parametrize(("name", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
async def test_it_is_read_whole_and_once(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"app.log.3.{name}"
    path.write_bytes(pack(CONTENT))
    seen, batch = await to_the_end(path)
    assert [line.raw[-10:].split()[-1] for line in seen] == [str(number) for number in range(50_000)]
    assert (batch.received, batch.dropped, batch.problems) == (50_000, 0, ())
    assert batch.lines_per_s == 0.0, "what is old has no rate"
    assert seen[0].origin == f"app.log.3.{name}"


async def test_one_that_breaks_off_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(CONTENT)[:-2000])
    seen, batch = await to_the_end(path)
    assert 1_000 < len(seen) < 50_000
    assert batch.problems[0].startswith("app.log.gz: Compressed file ended")


async def test_one_that_is_no_packed_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(b"plain text\n")
    _, batch = await to_the_end(path)
    assert batch.problems[0].startswith("app.log.gz: Not a gzipped file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_one_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.touch(0o000)
    with pytest.raises(Denied):
        await to_the_end(path)


async def test_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    _, batch = await to_the_end(tmp_path / "app.log.gz")
    assert batch.problems == ("app.log.gz: No such file or directory",)
