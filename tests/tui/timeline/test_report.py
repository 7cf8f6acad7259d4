"""The incident report: Markdown that survives whatever stands in it, told to a reader of Markdown."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from profiles.schema import Profile
from tests.tui.timeline.test_journal_rows import INTENT, outcome
from tui.journal import Journal
from tui.journal.chain import Verdict
from tui.rules import Level
from tui.sources.text import clean
from tui.timeline.entry import Entry
from tui.timeline.gathering import gathered
from tui.timeline.journal_rows import JournalRows
from tui.timeline.markdown import escaped, fenced, table
from tui.timeline.model import Timeline
from tui.timeline.report import Incident, markdown, relative
from tui.timeline.store import Store
from tui.timeline.written import written

NOW = 1_800_000_030.0
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = "|`a`|\\`b ``` *x* _y_ <b>&amp; [l](http://x) ![i](j) ~~s~~ # h $m$\n- item\n\n> q\t\x1b[31m"


def flat(tokens: Sequence[Token]) -> str:
    """Return the text a reader would see of inline tokens; anything but text is a failure."""
    assert all(token.type in ("text", "text_special") for token in tokens), tokens
    return "".join(token.content for token in tokens)


def cells(text: str) -> list[list[str]]:
    """Return the cells of the only table in a text, as a reader sees them."""
    rows: list[list[str]] = []
    for token in READER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(flat(token.children or ()))
    return rows


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
@example([[HOSTILE, "\\|"], ["a\\", "`"]])
def test_a_table_has_the_cells_that_were_put_in(rows: list[list[str]]) -> None:
    expected = [[clean(cell.strip()).strip() for cell in row] for row in rows]
    assert cells(table(["x", "y"], rows)) == [["x", "y"], *expected]


@given(st.text())
@example(HOSTILE)
def test_a_text_in_a_line_is_text_alone(text: str) -> None:
    tokens = READER.parse(f"- said {escaped(text)}")
    (inline,) = [token for token in tokens if token.type == "inline"]
    assert flat(inline.children or ()).strip() == f"said {clean(text.strip())}".strip()


@given(st.text())
@example("```\n````\n~~~\n    x")
def test_a_block_holds_its_lines_and_ends_where_it_should(text: str) -> None:
    tokens = READER.parse(f"before\n\n{fenced(text)}\n\nafter")
    assert [token.type for token in tokens if token.level == 0] == [
        "paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close",
    ]  # fmt: skip


def incident(timeline: Timeline | None = None, **more: Any) -> Incident:
    fields: dict[str, Any] = {
        "profile": "prod",
        "environment": "prod",
        "since": NOW - 5400,
        "until": NOW,
        "who": "ann on bastion",
        "versions": "opstui 1.2",
        "timeline": timeline or Timeline(),
        "verdict": Verdict(entries=9, head="ab12"),
    }
    return Incident(**{**fields, **more})


def lines_of(*lines: dict[str, Any]) -> Timeline:
    timeline = Timeline()
    JournalRows(timeline).take(lines)
    return timeline


def test_the_head_says_what_it_is_about_and_how_far_the_journal_can_be_trusted() -> None:
    text = markdown(incident())
    for words in (
        "# Incident report: prod",
        "**Period**: 2027-01-15 06:30:30Z to 2027-01-15 08:00:30Z (1h30m), all times UTC",
        "**Written by**: ann on bastion",
        "**Journal**: 9 entries, chain unbroken, head `ab12`",
        "Nothing changed that opstui saw",
        "Nothing was pinned.",
        "Nothing was changed, and nothing was asked for.",
    ):
        assert words in text
    assert "SANDBOX" not in text
    broken = Verdict(entries=9, broken=["line 7 does not follow line 6"])
    assert "chain BROKEN, line 7 does not follow line 6" in markdown(incident(verdict=broken))


def test_an_exercise_can_not_be_taken_for_production() -> None:
    assert "**SANDBOX**" in markdown(incident(environment="sandbox"))


def test_only_the_period_is_told() -> None:
    timeline = Timeline()
    timeline.add([Entry(name, NOW + at, "redis:cache", "link", name) for name, at in (("old", -9000), ("new", -60))])
    text = markdown(incident(timeline))
    assert "| new |" in text
    assert "old" not in text


def test_rows_are_told_with_level_repetition_and_times_from_t0() -> None:
    timeline = Timeline()
    row = Entry("a", NOW - 60, "database:shop", "locks", "7 wait", Level.CRITICAL, fold="f", count=3, last_at=NOW - 30)
    timeline.add([row])
    assert "| -30s | pg shop | locks | CRITICAL | 7 wait (×3, last 2027-01-15 08:00:00Z) |" in markdown(
        incident(timeline, t0=NOW - 30)
    )


def test_an_action_is_told_with_its_command_its_result_and_who() -> None:
    reason = {**INTENT, "risk": "high", "confirmed": "type", "reason": "load"}
    text = markdown(incident(lines_of(reason, outcome("converged", "5 of 5 ready"))))
    assert "### 2027-01-15 08:00:00Z scale Deployment shop/api: CONVERGED" in text
    for words in ("- By: ann (as root)", "- Before: 3 replicas", "- Confirmed by: type", "- Reason: load"):
        assert words in text
    assert "- 2027-01-15 08:00:30Z: outcome: 5 of 5 ready" in text
    assert "```text\nkubectl scale deployment/api --replicas=5\n```" in text


def test_notes_snapshots_and_pins_are_told() -> None:
    seen = Entry("e1", NOW - 90, "redis:cache", "link", "the link is down", Level.CRITICAL)
    common = {"at": "2027-01-15T07:59:00Z", "user": "ann"}
    timeline = lines_of(
        {**common, "what": "note", "text": "rolled back"},
        {**common, "what": "snapshot", "title": "Database", "about": "Database: 812", "text": "a | b\n``` c"},
        {**common, "what": "pin", "entry": "e1", "seen": written(seen)},
    )
    text = markdown(incident(timeline))
    assert "- 2027-01-15 07:59:00Z ann: rolled back" in text
    assert "````text\na | b\n``` c\n````" in text
    assert "- 2027-01-15 07:59:00Z redis cache: the link is down (pinned by ann)" in text


def test_what_looks_like_a_secret_is_hidden_wherever_it_stands() -> None:
    secret = "password=hunter2"
    timeline = lines_of(
        {**INTENT, "command": f"psql '{secret}'", "reason": secret},
        outcome("unknown", secret),
        {"at": "2027-01-15T07:59:00Z", "what": "note", "text": secret},
        {"at": "2027-01-15T07:59:00Z", "what": "snapshot", "title": "t", "text": secret},
    )
    timeline.add([Entry("a", NOW - 60, "logs:app", "errors", secret)])
    text = markdown(incident(timeline, panes=[("Logs", secret)]))
    assert "hunter2" not in text
    assert "SANDBOX" not in text


@given(st.text(), st.text(), st.text())
@example(HOSTILE, HOSTILE, HOSTILE)
def test_the_report_keeps_its_shape_whatever_stands_in_it(text: str, name: str, shown: str) -> None:
    lines = [
        {**INTENT, "name": name, "before": text, "command": shown},
        {"at": "2027-01-15T07:59:00Z", "what": "note", "text": text, "user": name},
        {"at": "2027-01-15T07:59:00Z", "what": "snapshot", "title": name, "text": shown},
    ]
    timeline = lines_of(*lines)
    timeline.add([Entry("a", NOW - 60, f"redis:{name}", "link", text, by=name)])
    found = markdown(incident(timeline, panes=[(name, shown)], who=name, profile=name))
    tokens = READER.parse(found)
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings == ["h1", "h2", "h2", "h3", "h2", "h2", "h3", "h2", "h2", "h3"]
    assert sum(token.type == "tr_open" for token in tokens) == 5
    assert sum(token.type == "fence" for token in tokens) == (3 if shown else 2)
    assert not any(token.type in ("html_block", "html_inline", "hr") for token in tokens)


@pytest.mark.parametrize(("at", "words"), [(0.0, "0s"), (192.4, "+3m12s"), (-41.0, "-41s"), (0.3, "0s")])
def test_a_time_from_t0_has_a_sign(at: float, words: str) -> None:
    assert relative(NOW + at, NOW) == words


async def test_a_report_is_gathered_from_the_files_of_a_profile(tmp_path: Path) -> None:
    profile = Profile.model_validate({"name": "shop", "environment": "staging"})
    journal = Journal(tmp_path, profile.name, profile.environment)
    await journal.append("note", {"text": "it began with the release", "about": ""})
    now = time.time()
    Store(journal).write([Entry("a", now - 10, "redis:cache", "link", "the link is down")])
    found = markdown(gathered(journal, profile, now - 60, now + 60))
    assert "it began with the release" in found
    assert "the link is down" in found
    assert "chain unbroken" in found
    assert "**Missing**" not in found


def test_a_file_that_cannot_be_read_is_missed_in_words(tmp_path: Path) -> None:
    profile = Profile.model_validate({"name": "shop", "environment": "staging"})
    journal = Journal(tmp_path, profile.name, profile.environment)
    Store(journal).path.mkdir(parents=True)
    assert "**Missing**: what opstui saw by itself" in markdown(gathered(journal, profile, NOW - 60, NOW))
