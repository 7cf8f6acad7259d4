"""Lines of the journal in, rows out."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.journal import Journal
from tui.journal.chain import Verdict
from tui.rules import Level
from tui.timeline.entry import Entry
from tui.timeline.journal_rows import JournalRows
from tui.timeline.model import PINNED, Timeline
from tui.timeline.record import ACTION_LINES
from tui.timeline.report import Incident, markdown
from tui.timeline.written import written

INTENT: dict[str, Any] = {
    "at": "2027-01-15T08:00:00.000Z",
    "what": "intent",
    "action": "a1",
    "verb": "scale",
    "source": "kubernetes:",
    "kind": "Deployment",
    "name": "api",
    "where": "shop",
    "identity": {"uid": "u1"},
    "before": "3 replicas",
    "after": "5 replicas",
    "command": "kubectl scale deployment/api --replicas=5",
    "user": "root",
    "sudo_user": "ann",
    "host": "bastion",
    "pid": 7,
}


def taken(*lines: dict[str, Any]) -> Timeline:
    timeline = Timeline()
    rows = JournalRows(timeline)
    for line in lines:
        rows.take([line])
    return timeline


def row(*lines: dict[str, Any]) -> Entry:
    (found,) = taken(*lines).rows()
    return found


def outcome(ending: str, detail: str = "", what: str = "outcome") -> dict[str, Any]:
    return {**INTENT, "at": "2027-01-15T08:00:30.000Z", "what": what, "ending": ending, "detail": detail}


def test_all_lines_of_one_action_are_one_row_that_goes_on() -> None:
    accepted = {**INTENT, "what": "accepted", "detail": "scaled"}
    begun = row(INTENT)
    assert (begun.stage, begun.by, begun.object) == ("under way", "ann (as root)", "deployment/shop/api")
    done = row(INTENT, accepted, outcome("converged", "5 of 5 ready"))
    assert (done.id, done.at, done.stage, done.level) == (begun.id, begun.at, "converged", Level.OK)
    assert done.text == "CONVERGED: scale Deployment shop/api; 5 of 5 ready (3 replicas → 5 replicas)"


@pytest.mark.parametrize(
    ("ending", "level"),
    [
        ("converged", Level.OK),
        ("cancelled", Level.OK),
        ("refused", Level.WARN),
        ("not sent", Level.WARN),
        ("not converged", Level.CRITICAL),
        ("unknown", Level.CRITICAL),
    ],
)
def test_an_ending_is_as_loud_as_it_is_bad(ending: str, level: Level) -> None:
    assert (row(INTENT, outcome(ending)).stage, row(INTENT, outcome(ending)).level) == (ending, level)


def test_what_regressed_after_it_had_converged_is_no_longer_green() -> None:
    found = row(INTENT, outcome("converged"), outcome("regressed", "3 of 5 ready", "regressed"))
    assert (found.stage, found.level) == ("regressed", Level.CRITICAL)


def test_an_unknown_outcome_that_was_found_out_is_told_as_what_it_is() -> None:
    found = row(INTENT, outcome("unknown"), outcome("converged", "it had happened", "resolved"))
    assert (found.stage, found.level) == ("converged", Level.OK)


def test_deciding_to_keep_a_change_leaves_its_ending_and_what_it_changed() -> None:
    resolved = {**outcome("converged", "read again", "resolved"), "before": "", "after": ""}
    kept = {"at": "2027-01-15T09:00:00Z", "what": "kept", "action": "a1"}
    found = row(INTENT, resolved, kept)
    assert (found.stage, found.text) == (
        "converged",
        "CONVERGED: scale Deployment shop/api; read again (3 replicas → 5 replicas)",
    )


def test_what_was_refused_before_it_had_an_id_is_a_row_of_its_own() -> None:
    refused = {key: value for key, value in outcome("refused", "read-only", "refused").items() if key != "action"}
    later = {**refused, "at": "2027-01-15T08:01:00.000Z"}
    assert len(taken(refused, later)) == 2


def test_a_backend_is_called_as_the_observer_calls_it() -> None:
    line = {
        **INTENT,
        "verb": "terminate-backend",
        "source": "database:shop",
        "kind": "backend",
        "name": "812",
        "identity": {"pid": 812, "backend_start": "2027-01-15T07:00:00+00:00"},
    }
    assert row(line).object == "backend/812/2027-01-15T07:00:00+00:00"


def test_everything_on_record_is_kept_with_the_row() -> None:
    timeline = taken(INTENT, outcome("converged"))
    (found,) = timeline.rows()
    assert [line["what"] for line in timeline.record(found.id)] == ["intent", "outcome"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"what": "note", "text": "rolled back", "about": "Pods: shop api"}, "rolled back (Pods: shop api)"),
        ({"what": "snapshot", "title": "Database", "text": "a\nb\nc"}, "snapshot of Database, 3 lines"),
        ({"what": "opened", "version": "1.2"}, "opstui 1.2 opened on bastion"),
        ({"what": "armed", "until": "2027-01-15T08:10:00.000Z"}, "writing was armed until 08:10:00Z"),
        ({"what": "armed", "for_s": 600.0}, "writing was armed for 10m"),
        ({"what": "armed"}, "writing was armed"),
        ({"what": "disarmed"}, "writing was disarmed"),
        (
            {"what": "walk", "event": "begun", "title": "Daily", "subject": "service:api"},
            "Daily begun, about service:api",
        ),
        (
            {"what": "walk", "event": "ended", "title": "Daily", "whole": True, "verdict": "failed"},
            "Daily ended: FAILED",
        ),
        ({"what": "walk", "event": "ended", "title": "Daily", "verdict": "passed"}, "Daily ended early: PASSED"),
    ],
)
def test_what_people_say_and_opstui_does_is_told(line: dict[str, Any], text: str) -> None:
    found = row({"at": "2027-01-15T08:00:00Z", "host": "bastion", "user": "ann", **line})
    assert (found.text, found.by, found.source) == (text, "ann", "opstui:")


def test_pins_are_shared_and_taken_back() -> None:
    seen = Entry("e1", 1_800_000_000.0, "redis:cache", "link", "the link is down", Level.CRITICAL, "server")
    pin = {"at": "2027-01-15T08:00:00Z", "what": "pin", "user": "ann", "entry": "e1", "seen": written(seen)}
    timeline = taken(pin)
    assert list(timeline.rows(PINNED)) == [seen]
    assert timeline.pins["e1"].by == "ann"
    assert not taken(pin, {"what": "unpin", "entry": "e1"}).pins


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"what": 7},
        {"what": "pin", "entry": None, "seen": {"at": "x"}},
        {"what": "pin", "entry": "e", "seen": {"id": "e", "source": "s", "at": float("inf")}},
        {"what": "unpin"},
        {"what": "intent", "at": "yesterday", "identity": "none"},
        {"what": "note", "text": None},
    ],
)
def test_a_line_that_is_not_as_it_should_be_ends_nothing(line: dict[str, Any]) -> None:
    list(taken(line).rows())


_KEYS = ("at", "action", "entry", "seen", "text", "ending", "identity", "user", "source", "kind", "about", "until")
_WHATS = (*sorted(ACTION_LINES), "pin", "unpin", "note", "snapshot", "opened", "armed", "anything")
_VALUES = st.none() | st.booleans() | st.floats() | st.text() | st.just("9999-12-31T23:59:59-23:59")


@given(st.lists(st.dictionaries(st.sampled_from(_KEYS), _VALUES | st.dictionaries(st.text(), _VALUES))), st.data())
def test_whatever_stands_in_a_journal_ends_nothing(lines: list[dict[str, Any]], data: st.DataObject) -> None:
    timeline = taken(*({**line, "what": data.draw(st.sampled_from(_WHATS))} for line in lines))
    for row in timeline.rows():
        assert row.text.isprintable() or not row.text.isascii()
        assert 0 <= row.at < 253_402_300_800
    markdown(Incident("p", "prod", 0.0, 1e9, "w", "v", timeline, Verdict()))


def test_what_a_line_holds_is_cleaned() -> None:
    found = row({"what": "note", "text": "\x1b]0;x\x07 \u202e[/red]", "at": "2027-01-15T08:00:00Z", "user": "a\x1b"})
    assert found.text.isprintable()
    assert found.by.isprintable()


async def test_what_the_journal_writes_can_be_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    await journal.append("note", {"text": "hello", "about": "Services"})
    (found,) = taken(*journal.entries()).rows()
    assert found.text == "hello (Services)"
    assert found.at > 1_700_000_000


def test_another_system_than_the_pinned_one_is_a_loud_row_of_that_system_and_nobody_s_doing() -> None:
    line = {"what": "identity", "source": "redis:cache", "text": "not as pinned", "is_mismatch": True, "user": "root"}
    found = row({"at": "2027-01-15T08:00:00.000Z", **line})
    assert (found.source, found.level, found.by) == ("redis:cache", Level.CRITICAL, "")
    over = row({"at": "2027-01-15T08:00:00.000Z", **line, "is_mismatch": False})
    assert over.level is Level.OK
