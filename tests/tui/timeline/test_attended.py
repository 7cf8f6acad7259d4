"""Lines of the journal and alerts in, what holds of them out."""

from datetime import UTC, datetime
from typing import Any

from tui.rules import Alert, Level
from tui.timeline.attended import ACK_S, GAP_S, Attended, line_of
from tui.timeline.record import entry

ALERT = Alert("database:orders", "blocked", "", Level.WARN, 3.0, 1.0, 900.0)
AT = 1_800_000_000.0


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def line(what: str, at: float = AT, alert: Alert = ALERT, **more: Any) -> dict[str, Any]:
    return {"at": moment(at), "what": what, "user": "ann", "host": "bastion", "pid": 7, **line_of(alert, **more)}


def attended(*lines: dict[str, Any], since: float = 0.0) -> Attended:
    found = Attended("bastion", since)
    found.take(lines)
    return found


def test_an_acknowledgement_holds_until_it_is_taken_back_or_the_alert_ends() -> None:
    ack = line("ack", note="on it")
    said = attended(ack).said(ALERT, AT + 60)
    assert said is not None
    assert said.words() == "acknowledged by ann: on it"
    assert attended(ack, line("unsilence", AT + 5)).said(ALERT, AT + 60) is None
    assert attended(ack).said(ALERT, AT + ACK_S) is None, "not for ever, should nobody have seen the end"


def test_a_silence_holds_until_its_time() -> None:
    found = attended(line("silence", until=moment(AT + 3600), note="failover"))
    said = found.said(ALERT, AT + 3599)
    assert said is not None
    assert said.words().startswith("silenced until 01-15 09:00Z by ann: failover")
    assert found.said(ALERT, AT + 3600) is None


def test_a_silence_whose_end_cannot_be_read_holds_not_at_all() -> None:
    unreadable: list[Any] = [None, "soon", 7, {}]
    for until in unreadable:
        assert attended(line("silence", until=until)).said(ALERT, AT + 1) is None


def test_what_gets_worse_is_another_matter() -> None:
    worse = Alert("database:orders", "blocked", "", Level.CRITICAL, 12.0, 10.0, 900.0)
    assert attended(line("ack")).said(worse, AT + 1) is None
    assert attended(line("ack", alert=worse)).said(ALERT, AT + 1) is not None


def test_what_is_said_of_a_host_is_said_of_one_machine() -> None:
    disk = Alert("host:", "disk_percent", "/", Level.WARN, 90.0, 85.0, 900.0)
    assert attended(line("ack", alert=disk)).said(disk, AT + 1) is not None
    assert attended({**line("ack", alert=disk), "host": "other"}).said(disk, AT + 1) is None
    assert attended({**line("ack"), "host": "other"}).said(ALERT, AT + 1) is not None


def test_after_a_time_in_which_nobody_watched_an_alert_is_another_one() -> None:
    before = [line("opened", AT - 9), line("ack"), line("closed", AT + 9)]
    assert attended(*before, line("opened", AT + 9 + GAP_S)).said(ALERT, AT + 100) is not None
    assert attended(*before, line("opened", AT + 10 + GAP_S)).said(ALERT, AT + 100) is None
    colleague = {**line("opened", AT - 5), "pid": 8}
    assert attended(colleague, *before, line("opened", AT + 999)).said(ALERT, AT + 1000) is not None


def test_what_was_said_in_an_earlier_sandbox_counts_for_nothing() -> None:
    assert attended(line("ack"), since=AT + 1).said(ALERT, AT + 2) is None


def test_each_word_is_a_row_of_the_timeline_under_its_system() -> None:
    texts = []
    for told in (
        line("ack", note="on\x1b[2J it"), line("silence", until=moment(AT), note=""),
        line("unsilence", reason="the alert ended"),
    ):  # fmt: skip
        row = entry(told)
        assert row is not None
        assert (row.source, row.by) == ("database:orders", "ann")
        texts.append(row.text)
    assert texts == [
        "acknowledged: blocked; on␛[2J it",
        "silenced until 2027-01-15T08:00:00.000Z: blocked",
        "no longer acknowledged or silenced: blocked; the alert ended",
    ]
