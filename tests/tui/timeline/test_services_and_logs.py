"""Changes of services and logs: snapshots in, entries and conditions out."""

from dataclasses import replace
from typing import Any

import pytest

from tui.rules import Level
from tui.sources.health import Component, State
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.logs.line import LogBatch, LogLine, Severity, line_kind
from tui.sources.masking import HIDDEN, without_secrets
from tui.timeline import logs, services

NOW = 1_800_000_000.0
API = ServiceSnapshot(
    "api", "http://api/health", State.OK, "", NOW, 200, "UP", 12.0, 30.0, 200.0, (), version="1.4", components=()
)


def test_another_version_is_told_and_a_silence_about_it_is_not() -> None:
    def told(before: str | None, after: str | None) -> list[str]:
        found = services.entries("service:api", replace(API, version=before), replace(API, version=after), NOW)
        return [entry.text for entry in found]

    assert told("1.4", "1.5") == ["api: version 1.4 → 1.5"]
    assert told("1.4", None) == told(None, "1.4") == told("1.4", "1.4") == []
    assert list(services.entries("service:api", None, API, NOW)) == []


def test_a_state_and_the_parts_that_are_not_well_last() -> None:
    down = Component("db", State.DOWN, "OUT", (("error", "refused"),))
    broken = replace(API, state=State.DOWN, reason="HTTP 503", components=(down, Component("redis", State.OK, "UP")))
    assert [(c.what, c.text, c.level) for c in services.conditions(broken)] == [
        ("state", "api is DOWN: HTTP 503", Level.CRITICAL),
        ("component", "api: db is OUT: refused", Level.CRITICAL),
    ]
    assert list(services.conditions(API)) == []


def batch(
    errors: int, *, at: float = NOW, dropped: int = 0, text: str = "payment failed", rate: float = 1.0
) -> LogBatch:
    error = line_kind("app", "app.log", Severity.ERROR, False, 0)
    trace = line_kind("app", "app.log", Severity.ERROR, True, 0)
    fine = line_kind("app", "app.log", Severity.INFO, False, 0)
    lines = [LogLine(at, fine, "all is well"), *[LogLine(at, error, f"{text} {n}") for n in range(errors)]]
    lines.append(LogLine(at, trace, "  at Payment.java:7"))
    return LogBatch("app", tuple(lines), 0, dropped, 0, 1.0, rate if errors else 0.0, (), ())


def test_errors_become_a_burst_told_by_their_number_and_the_first_of_them() -> None:
    bursts = logs.Bursts()
    assert bursts.take(batch(3), NOW) is None
    found = bursts.take(batch(4), NOW + 1)
    assert found is not None
    assert found.text == "7 errors in 10 s; the first of app.log: payment failed 0"
    assert (found.level, found.since, found.object) == (Level.WARN, NOW, "app")


def test_a_burst_is_over_after_a_quiet_window_and_says_how_many_there_were() -> None:
    bursts = logs.Bursts()
    bursts.take(batch(6), NOW)
    last = bursts.take(batch(6), NOW + 11)
    assert last is not None
    assert last.over == "the errors are over, 12 in all"
    bursts.take(batch(0), NOW + 22)
    assert bursts.take(batch(0), NOW + 33) is None


def test_what_is_usual_is_no_burst() -> None:
    bursts = logs.Bursts()
    for step in range(100):
        bursts.take(batch(4), NOW + 10.5 * step)
    assert bursts.take(batch(8), NOW + 1100) is None
    assert bursts.take(batch(30), NOW + 1111) is not None


def test_what_was_in_the_log_before_opstui_looked_is_no_burst() -> None:
    assert logs.Bursts().take(batch(200, rate=0.0), NOW) is None


def test_lines_that_were_let_go_are_counted() -> None:
    (entry,) = logs.entries("logs:app", batch(0, dropped=100), batch(0, dropped=220), NOW)
    assert (entry.text, entry.count) == ("120 lines came too fast and were let go", 120)
    assert list(logs.entries("logs:app", batch(0, dropped=220), batch(0, dropped=220), NOW)) == []


def test_an_example_holds_no_secret() -> None:
    found = logs.Bursts().take(batch(9, text="login failed password=hunter2 for ann@example.com"), NOW)
    assert found is not None
    assert "hunter2" not in found.text
    assert "ann@example.com" not in found.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token=abc123 next=1", f"token={HIDDEN} next=1"),
        ('{"password": "a b", "x": 1}', f'{{"password": {HIDDEN}, "x": 1}}'),
        ("Authorization: Bearer eyJhbGci.x.y", f"Authorization: {HIDDEN}"),
        ("sent Bearer abcdefghijkl", f"sent Bearer {HIDDEN}"),
        ("redis://user:pa55@cache:6379/0", f"redis://user:{HIDDEN}@cache:6379/0"),
        ("DB_PASSWORD='x y' ok", f"DB_PASSWORD={HIDDEN} ok"),
        ("jwt eyJhbGciOiJI.eyJzdWIi.sig", f"jwt {HIDDEN}"),
        ("mail to ann.lee+x@shop.example.com.", f"mail to {HIDDEN}."),
        ("kubectl -n shop get pods, 3 of 4 ready", "kubectl -n shop get pods, 3 of 4 ready"),
        ("image api@sha256:abc, monkey=1", "image api@sha256:abc, monkey=1"),
    ],
)
def test_what_calls_itself_a_secret_or_looks_like_one_is_hidden(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


def test_hiding_twice_is_hiding_once() -> None:
    once: Any = without_secrets("password: hunter2; Bearer abcdefghijk ann@x.org")
    assert without_secrets(once) == once


def test_a_gap_is_told_where_it_is() -> None:
    gap = LogLine(NOW, line_kind("app", "a.log", Severity.WARN, False, 0), "opstui: gap in a.log: it was truncated")
    before = batch(0)
    (entry,) = logs.entries("logs:app", before, replace(before, lines=(*before.lines, gap), gaps=1), NOW + 5)
    assert (entry.at, entry.what, entry.text) == (NOW, "gap", "gap in a.log: it was truncated")
    assert list(logs.entries("logs:app", replace(before, gaps=1), replace(before, lines=(gap,), gaps=1), NOW)) == []
