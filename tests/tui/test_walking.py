"""What walks need of the screen: alerts with their runbooks, contacts, hooks and symptoms in the palette."""

from pathlib import Path
from typing import Any

import pytest

from profiles.people import Contact
from profiles.schema import Profile
from tests.tui.walkthroughs.fakes import guide_of, site_of, walk_of
from tui.app import OpsApp
from tui.journal import Journal
from tui.rules import Absence, Alert, Level, Silent, Trouble
from tui.walking import Walking, contact_lines, keep, kept_path, runbook_choices
from tui.walkthroughs.loading import Walkthrough
from tui.walkthroughs.run import Run
from tui.walkthroughs.site import Subject
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import InputDialog


def alert(source: str, metric: str) -> Alert:
    return Alert(source, metric, "", Level.CRITICAL, 11.0, 10.0, 940.0)


async def test_everything_stands_with_each_runbook_that_is_for_it_or_with_none(tmp_path: Path) -> None:
    walk = walk_of({"note": "x"}, kind="runbook", title="Locks", alerts=["database.blocked", "database.no_data"])
    troubles: list[Trouble] = [
        Silent("database:gone", "refused", 940.0),
        Silent("kubernetes:", "refused", 940.0),
        alert("database:o", "blocked"),
        alert("host:", "cpu_percent"),
        Absence("database:p", "blocked", "", 940.0),
    ]
    async with site_of(tmp_path) as site:
        found = list(runbook_choices(guide_of(site, walk), troubles, 1000.0))
    assert [(choice.key, choice.label, choice.note) for choice in found] == [
        ("0 t", "NO DATA database:gone", "for 1m → Locks"),
        ("1 ", "NO DATA kubernetes", "for 1m; no runbook"),
        ("2 t", "CRITICAL database:o blocked 11", "for 1m → Locks"),
        ("3 ", "CRITICAL host cpu_percent 11 %", "for 1m; no runbook"),
        ("4 t", "NO DATA database:p blocked", "for 1m → Locks"),
    ]


@pytest.mark.parametrize(
    ("about", "subject", "told"),
    [
        ("us:shop/deployment/api", Subject("workload", "shop/deployment/api", "us"), ""),
        ("shop/deployment/api", None, "is in no cluster of the profile that could be told: there are eu:…, us:…"),
        ("gone:shop/deployment/api", None, "is in no cluster of the profile that could be told"),
    ],
)
async def test_the_command_line_names_the_cluster_of_a_workload_and_none_is_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str, subject: Subject | None, told: str
) -> None:
    begun: list[Subject | None] = []
    said: list[str] = []

    async def begin(_: Walking, walk: Walkthrough, subject: Subject | None, source: str = "") -> None:
        begun.append(subject)

    monkeypatch.setattr(Walking, "_begin", begin)
    nobody: Any = None
    async with site_of(tmp_path, clusters={"eu": "c-eu", "us": "c-us"}) as site:
        walking = Walking(
            nobody, site.profile, site.pollers, site.rules, site.journal, nobody,
            lambda words, _: said.append(words), nobody, nobody, site.numbers,
        )  # fmt: skip
        walking.guide = guide_of(site, walk_of({"note": "x"}, kind="runbook", about="workload"))
        await walking.begin_named("t", about)
    assert begun == [subject]
    assert told in "".join(said)
    assert bool(said) == bool(told)


def test_contacts_stand_in_the_order_in_which_they_are_called() -> None:
    contacts = {
        "on-call": Contact(who="the rota", phone="+1-555-0100", when="first"),
        "boss": Contact(who="the manager", chat="#boss"),
    }
    assert contact_lines(contacts).splitlines() == [
        "on-call: the rota (first)",
        "    phone  +1-555-0100",
        "boss: the manager",
        "    chat   #boss",
    ]
    assert "add: contacts" in contact_lines({})


@pytest.mark.parametrize(("is_shared", "mode", "folder"), [(False, 0o600, 0o700), (True, 0o660, 0o2770)])
def test_a_report_is_its_owners_or_the_teams(tmp_path: Path, is_shared: bool, mode: int, folder: int) -> None:
    run = Run("0123456789abcdef", "daily", "Daily", "checklist", "", "", 1_800_000_000.0, "ann", is_automatic=False)
    profile = Profile.model_validate({"name": "t", "environment": "staging", "state_dir": str(tmp_path)})
    path = kept_path(run, profile)
    assert path.relative_to(tmp_path).as_posix() == "reports/staging/t-daily-2027-01-15T080000Z-012345.md"
    keep("# Daily\n", path, is_shared=is_shared)
    assert path.read_text() == "# Daily\n"
    assert path.stat().st_mode & 0o7777 == mode
    assert path.parent.stat().st_mode & 0o7777 == folder


async def test_a_hook_is_asked_for_in_the_palette_and_confirmed_as_any_change(tmp_path: Path) -> None:
    told = tmp_path / "told"
    profile = Profile.model_validate(
        {
            "name": "t",
            "environment": "staging",
            "hooks": {"page": {"title": "Page the rota", "command": ["tee", str(told)]}},
        }
    )
    app = OpsApp(profile, journal=Journal(tmp_path, "t", "staging"), log_file="")
    async with app.run_test(size=(120, 30)) as pilot:

        async def until(condition: Any) -> None:
            for _ in range(1000):
                if condition():
                    return
                await pilot.pause(0.02)
            raise AssertionError(str(app.screen))

        await until(lambda: app._verbs)
        begin = next(begin for title, _, begin in app.walking.commands() if title == "Tell others: Page the rota")
        begin()
        await until(lambda: isinstance(app.screen, InputDialog))
        await pilot.press(*"orders is down", "enter")
        await until(lambda: isinstance(app.screen, ConfirmDialog))
        assert not told.exists()
