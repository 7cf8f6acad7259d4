"""`opstui check` of an engine and of systemd: every rule of the defaults judged, what is silent unknown."""

from pathlib import Path

import pytest

from profiles.loader import load
from tests.tui.docker_engine import Engine
from tests.tui.fake_systemctl import FakeSystemctl
from tests.tui.sources.test_systemd import SHOWN
from tui.check.checks import Report
from tui.check.looking import INTERVAL_S, Answers, look
from tui.check.selection import selected
from tui.cli.headless import watching
from tui.journal import Journal
from tui.systems import systems_of
from tui.walkthroughs.run import Mark


async def looked(folder: Path, *only: str) -> Report:
    path = folder / "host.yaml"
    path.write_text(
        f"environment: dev\ndocker: {{local: {folder / 's'}}}\nsystemd: [nginx]\n"
        "rules: {container.memory_percent: {warn: 90}}\n"
    )
    path.chmod(0o600)
    profile = load(str(path)).profile
    systems = systems_of(profile)
    selection = selected(profile, [source.name for source in systems.sources], only)
    answers = Answers(selection)
    async with watching(
        profile, Journal(folder, "host", "dev"), systems=systems, names=sorted(selection.sources),
        interval_s=INTERVAL_S, heard=answers.take,
    ) as site:  # fmt: skip
        return await look(site, selection, answers, timeout_s=20.0)


async def test_containers_are_judged_by_name(tmp_path: Path) -> None:
    async with Engine().at(tmp_path / "s"):
        report = await looked(tmp_path, "container")
    marks = {(check.name, check.object): check.mark for check in report.checks}
    assert marks["container.answers", ""] is Mark.PASSED
    assert marks["container.down", "crash"] is Mark.FAILED
    assert marks["container.down", "web"] is Mark.PASSED
    assert marks["container.unhealthy", "api"] is Mark.FAILED
    assert marks["container.oom_killed", "hog"] is Mark.WARNING
    assert marks["container.memory_percent", "api"] is Mark.PASSED, "measured, because a rule judges it"
    assert report.exit_code == 2


async def test_an_engine_that_is_away_is_unknown_and_never_well(tmp_path: Path) -> None:
    report = await looked(tmp_path, "container")
    assert {check.mark for check in report.checks} == {Mark.UNKNOWN}
    assert "no such socket" in report.checks[0].detail
    assert report.exit_code == 3


async def test_units_are_judged_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeSystemctl(tmp_path / "bin", monkeypatch).set(shown=SHOWN)
    report = await looked(tmp_path, "unit")
    marks = {(check.name, check.object): check.mark for check in report.checks}
    assert marks["unit.failed", "big.service"] is Mark.FAILED
    assert marks["unit.failed", "nginx.service"] is Mark.PASSED
    assert marks["unit.inactive", "backup.service"] is Mark.PASSED
    assert report.exit_code == 2
