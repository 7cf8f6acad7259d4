"""`opstui report` in a subprocess: no screen, files in, Markdown out."""

import time
from pathlib import Path

import pytest

from tests.tui.test_cli import opstui, own_profile
from tui.journal import Journal
from tui.timeline.entry import Entry
from tui.timeline.store import Store


@pytest.fixture
def home(tmp_path: Path) -> Path:
    own_profile(tmp_path, "shop", "environment: staging\n")
    return tmp_path


@pytest.fixture
def journal(home: Path) -> Journal:
    return Journal(home / ".local" / "state" / "opstui" / "journal", "shop", "staging")


async def test_what_is_on_record_and_what_was_seen_is_told(home: Path, journal: Journal) -> None:
    await journal.append("note", {"text": "it began with the release", "about": ""})
    Store(journal).write([Entry("a", time.time() - 60, "redis:cache", "link", "the link is down")])
    answer = opstui(home, "report", "--profile", "shop", "--since", "90m")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("# Incident report: shop\n")
    assert "it began with the release" in answer.stdout
    assert "the link is down" in answer.stdout
    assert "chain unbroken" in answer.stdout


async def test_the_profile_may_stand_before_the_command_or_in_the_environment(home: Path) -> None:
    for answer in (
        opstui(home, "--profile", "shop", "report"),
        opstui(home, "report", env={"OPSTUI_PROFILE": "shop"}),
    ):
        assert (answer.returncode, "# Incident report: shop" in answer.stdout) == (0, True)


def test_a_file_is_written_for_its_owner_alone(home: Path) -> None:
    answer = opstui(home, "report", "--profile", "shop", "-o", "incident.md")
    assert (answer.returncode, answer.stdout) == (0, "")
    path = home / "incident.md"
    assert path.read_text().startswith("# Incident report: shop")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which profile?"),
        (["--profile", "shp"], "did you mean shop?"),
        (["--profile", "shop", "--since", "yesterday"], "neither a duration"),
        (["--profile", "shop", "--since", "2999-01-01T00:00Z"], "in the future"),
    ],
)
def test_a_wrong_use_ends_with_2(home: Path, arguments: list[str], words: str) -> None:
    answer = opstui(home, "report", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert words in answer.stderr


def test_a_journal_that_cannot_be_read_ends_with_1(home: Path, journal: Journal) -> None:
    journal.path.mkdir(parents=True)
    answer = opstui(home, "report", "--profile", "shop")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "the journal cannot be read" in answer.stderr


def test_what_was_seen_and_cannot_be_read_is_missed_and_said(home: Path, journal: Journal) -> None:
    Store(journal).path.mkdir(parents=True)
    answer = opstui(home, "report", "--profile", "shop")
    assert answer.returncode == 0
    assert "missing in the report" in answer.stderr
    assert "**Missing**" in answer.stdout
