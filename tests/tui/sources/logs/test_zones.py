"""Times without a zone are of the zone that the profile says, in what is followed and in what was before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from profiles.logs import LogSource
from tui.sources.logs import LogsSource
from tui.sources.logs.line import LogLine
from tui.sources.logs.parse import LineParser

THEN = datetime(2026, 11, 22, 8, 11, 24, tzinfo=UTC).timestamp()


async def lines_of(source: LogsSource) -> list[LogLine]:
    found: list[LogLine] = []
    while not (found and source.has_caught_up):
        found += (await source.read()).lines
    return found


async def test_a_file_is_read_in_its_zone_forwards_and_backwards(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("2026-11-22 17:11:24 INFO x\n" * 300)
    source = LogsSource("app", LogSource(file=str(log), zone="Asia/Tokyo"))
    assert {line.at for line in await lines_of(source)} == {THEN}
    past = source.past()
    assert past is not None
    assert {line.at for block in past.lines(None) for line in block} == {THEN}
    await source.close()


async def test_a_command_and_a_packed_file_are_read_in_their_zone(tmp_path: Path) -> None:
    import gzip

    packed = tmp_path / "old.log.gz"
    packed.write_bytes(gzip.compress(b"Nov 22 17:11:24 host app: x\n2026-11-22 17:11:24 INFO x\n"))
    by_packed = LogsSource("old", LogSource(file=str(packed), zone="Asia/Tokyo"))
    batch = await by_packed.read()
    while not batch.lines:
        batch = await by_packed.read()
    assert [line.at for line in batch.lines] == [THEN, THEN]
    by_command = LogsSource("cmd", LogSource(command=["echo", "2026-11-22 17:11:24 INFO x"], zone="Asia/Tokyo"))
    batch = await by_command.read()
    while not batch.lines:
        batch = await by_command.read()
    assert batch.lines[0].at == THEN
    await by_packed.close()
    await by_command.close()


def test_syslog_is_of_the_zone_too() -> None:
    (line,) = [LineParser("a", "b", UTC).parse("Nov 22 08:11:24 host app: x", THEN + 5)]
    assert line.at == THEN


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"file": "/x.log", "zone": "Europe/Atlantis"}, "there is no time zone Europe/Atlantis"),
        ({"pods": "app=x", "namespace": "shop", "zone": "UTC"}, "zone is for files and commands"),
    ],
)
def test_a_zone_that_cannot_be_is_refused(entry: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LogSource.model_validate(entry)
