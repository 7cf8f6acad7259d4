"""`opstui audit` and `opstui actions`: the journal and the verbs on plain standard output."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.tui.actions.scripted import Bench
from tui.actions.catalogue import promises
from tui.actions.perform import Ask, Consent
from tui.cli.audit_page import csv_text, line
from tui.cli.commands import opstui
from tui.journal import Journal

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    profile = tmp_path / "t.yaml"
    profile.write_text("name: t\nenvironment: dev\n")
    profile.chmod(0o600)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(opstui, [*arguments, "--profile", str(profile)])

    return invoke


@pytest.fixture
async def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setenv("SUDO_USER", "anna")
    bench = Bench(tmp_path / "state/opstui/journal", consent=Consent(Ask.NAME_AND_REASON, "it blocks the till"))
    await bench.run()
    await bench.journal.append("note", {"text": "called the shop"})
    return bench.journal


def test_the_journal_is_shown_with_who_what_why_and_how_it_ended(run: Run, journal: Journal) -> None:
    result = run("audit", "show")
    assert result.exit_code == 0
    assert "(sudo by anna)" in result.output
    assert "intent  cancel-query backend shop/4711 on database:orders" in result.output
    assert "confirmed by type+reason, because: it blocks the till" in result.output
    assert "by hand: psql …" in result.output
    assert "CONVERGED: gone" in result.output
    assert "note  called the shop" in result.output


def test_only_what_is_asked_for_is_shown(run: Run, journal: Journal) -> None:
    assert run("audit", "show", "--since", "10m").output.count("\n") > 5
    assert run("audit", "show", "--since", "0s").output == ""
    wrong = run("audit", "show", "--since", "yesterday")
    assert wrong.exit_code == 2
    assert "neither a duration (90s" in wrong.output


def test_every_field_is_exported(run: Run, journal: Journal) -> None:
    exported = [json.loads(text) for text in run("audit", "export").output.splitlines()]
    assert exported == list(journal.entries())
    rows = list(csv.DictReader(io.StringIO(run("audit", "export", "--format", "csv").output)))
    assert [row["what"] for row in rows] == ["intent", "accepted", "outcome", "note"]
    assert rows[0]["reason"] == "it blocks the till"


def test_an_untouched_journal_is_verified_and_a_touched_one_ends_with_1(run: Run, journal: Journal) -> None:
    result = run("audit", "verify")
    assert result.exit_code == 0
    assert "4 entries" in result.output
    assert "unbroken" in result.output
    journal.path.write_text(journal.path.read_text().replace("it blocks the till", "for fun"))
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "BROKEN: line 2 does not follow line 1" in result.output


def test_no_journal_is_no_error(run: Run) -> None:
    assert (run("audit", "show").exit_code, run("audit", "show").output) == (0, "")
    assert "no entries" in run("audit", "verify").output


def test_a_journal_that_cannot_be_read_is_named(run: Run, journal: Journal) -> None:
    journal.path.unlink()
    journal.path.mkdir()
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "t.jsonl" in result.output


def test_hostile_text_is_shown_as_text_and_is_no_command_to_a_spreadsheet() -> None:
    entry = {"at": "2026-11-25T10:00:00Z", "what": "note", "user": "x\x1b]0;x\x07", "text": "[/red]\x1b[2J"}
    assert "\x1b" not in line(entry)
    assert "[/red]" in line(entry)
    text = csv_text([{"what": "intent", "reason": "=cmd|' /C calc'!A0", "detail": "a\nb\x1b"}])
    assert "'=cmd|" in text
    assert "\x1b" not in text


def test_every_verb_promises_something_in_every_respect() -> None:
    output = CliRunner().invoke(opstui, ["actions"]).output
    markdown = CliRunner().invoke(opstui, ["actions", "--markdown"]).output
    for name, about in promises():
        assert f"\n{name}\n" in f"\n{output}"
        assert f"| `{name}` |" in markdown
        for promise in (about.system, about.targets, about.risk, about.inverse, about.identity, about.window,
                        about.command, about.verification):  # fmt: skip
            assert promise
            assert promise in output
