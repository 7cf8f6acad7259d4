"""What the files held before the lines that are shown: said, put where it belongs, and counted truly."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from profiles.schema import Profile
from tests.tui.panes.logs_app import LogsApp, until
from tui.panes import logs as logs_module
from tui.panes.log_tally_page import TallyPage
from tui.panes.logs import LogsPane
from tui.panes.pane import Desk
from tui.rules import Level
from tui.sources.logs import LogsSource, Severity
from tui.sources.logs.stack import Stack, new_filter
from tui.sources.reading import Reading

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "SETTLE_S", 0.05)


def stamped(second: int, text: str) -> str:
    return f"{datetime.fromtimestamp(NOW - 50_000 + second, UTC):%Y-%m-%dT%H:%M:%SZ} {text} {second}"


class FilesApp(LogsApp):
    """The tab beside real files that were long there."""

    def __init__(self, **files: Path) -> None:
        profile = Profile.model_validate({"name": "x", "logs": {name: str(path) for name, path in files.items()}})
        self.sources = {f"logs:{name}": LogsSource(name, entry) for name, entry in profile.logs.items()}
        desk = Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None, source=self.sources.get)
        super().__init__(LogsPane(desk, id="logs"))

    async def begin(self, pilot: Pilot[None], lines: int) -> None:
        for name, source in self.sources.items():
            while not source.has_caught_up:
                self.pane.show(Reading(name, 0.1, await source.read(), taken_at=NOW))
            self.pane.show(Reading(name, 0.1, await source.read(), taken_at=NOW))
        await until(pilot, lambda: self.view.line_count == lines)

    async def end(self) -> None:
        for source in self.sources.values():
            await source.close()


def two_files(folder: Path) -> tuple[Path, Path, list[str]]:
    """Return one that is written every second, and one every minute; and all their lines by time."""
    busy, calm = folder / "busy.log", folder / "calm.log"
    of_busy = [stamped(second, "INFO busy") for second in range(30_000, 31_000)]
    of_calm = [stamped(minute * 60, "INFO calm") for minute in range(300, 517)]
    busy.write_text("".join(f"{line}\n" for line in of_busy))
    calm.write_text("".join(f"{line}\n" for line in of_calm))
    return busy, calm, sorted([*of_busy, *of_calm], key=lambda line: line[:20])


async def test_what_is_read_back_of_several_files_stands_in_order_of_time(tmp_path: Path) -> None:
    busy, calm, texts = two_files(tmp_path)
    async with (app := FilesApp(busy=busy, calm=calm)).run_test(size=(120, 30)) as pilot:
        await app.begin(pilot, 400)
        await pilot.press("g", "m", "less_than_sign")
        await until(pilot, lambda: bool(app.told))
        assert app.told == ["817 older lines: that is all the files hold"]
        assert [raw[:20] for raw in app.raws] == [text[:20] for text in texts]
        assert sorted(app.raws) == sorted(texts)
        assert [line.raw for line in app.view.marked_lines()] == [stamped(317 * 60, "INFO calm")]
        await pilot.press("less_than_sign")
        await until(pilot, lambda: len(app.told) == 2)
        assert sorted(app.raws) == sorted(texts)
        assert [raw[:20] for raw in app.raws] == [text[:20] for text in texts]
        await app.end()


async def test_small_files_are_read_whole_once_somebody_looks(tmp_path: Path) -> None:
    busy, calm, texts = two_files(tmp_path)
    async with (app := FilesApp(busy=busy, calm=calm)).run_test(size=(120, 30)) as pilot:
        await app.begin(pilot, 400)
        assert app.view.line_count == 400
        app.pane.tick()
        await until(pilot, lambda: app.view.line_count == len(texts))
        assert [raw[:20] for raw in app.raws] == [text[:20] for text in texts]
        await until(pilot, lambda: "older" not in app.words("title"))
        assert not app.told
        await app.end()


async def test_files_that_are_not_small_say_what_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "_SMALL_BYTES", 10)
    log = tmp_path / "app.log"
    log.write_text("".join(f"{stamped(n, 'ERROR' if n < 10 else 'INFO')}\n" for n in range(1_000)))
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"2026-11-01T00:00:00Z ERROR old\n"))
    async with (app := FilesApp(app=log)).run_test(size=(120, 30)) as pilot:
        await app.begin(pilot, 200)
        app.pane.tick()
        assert "24 KB older: <" in app.words("title")
        await pilot.press("v", "v", "v")
        assert app.raws == []
        await until(pilot, lambda: "< searches 24 KB older in the files" in app.view.hint)
        await pilot.press("less_than_sign")
        await until(pilot, lambda: bool(app.told) and "11 older lines: that is all the files hold" in app.told)
        assert len(app.raws) == 11
        assert "older" not in app.words("title")
        await pilot.press("v")
        app.pane.tick()
        assert "older lines only in part: <" in app.words("title")
        await pilot.press("i", "enter")
        await until(pilot, lambda: isinstance(app.screen, TallyPage))
        counts = app.screen.query_one("#counts", Static)
        await until(pilot, lambda: "older lines only in part: <" in str(counts.content))
        await app.end()


def test_filters_are_within_others_where_they_have_all_of_them_on() -> None:
    errors = Stack(minimum=Severity.ERROR)
    login = new_filter("login", NOW)
    assert errors.with_filter(login).is_within(errors)
    assert not errors.is_within(errors.with_filter(login))
    assert not Stack().is_within(Stack(hidden=frozenset({"app"})))
    assert not errors.with_filter(login).toggled(0).is_within(errors.with_filter(login))
