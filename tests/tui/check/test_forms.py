"""A report in, its text and its documented JSON out."""

import dataclasses
import json
import re
from pathlib import Path

from tests.tui.check.reports import HOSTILE, REPORT
from tui.check.checks import Report
from tui.check.forms import json_text, text
from tui.walkthroughs.run import Mark

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "check.md"


def test_the_json_form_is_the_documented_one() -> None:
    found = re.search(r"```json\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == json_text(REPORT)


def test_json_is_pure_ascii_and_has_no_numbers_that_json_has_not() -> None:
    odd = dataclasses.replace(HOSTILE, value=float("nan"))
    written = json_text(Report("p", "dev", 0.0, 0.0, (odd,)))
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written)["checks"][0]["value"] is None


def test_text_has_a_line_for_each_with_the_worst_first_and_a_sum() -> None:
    assert text(REPORT).splitlines() == [
        "CRITICAL  database:orders  blocked            12     <1s  warn 1, critical 10",
        "UNKNOWN   redis:cache      answers                        connection refused",
        "WARNING   host             disk_percent /var  88 %   <1s  warn 85, critical 95",
        "OK        database:orders  answers            16 ms  <1s",
        "SKIPPED   service:api      certificate_days          <1s  not reported: nothing to judge",
        "prod (prod): CRITICAL; 1 critical, 1 unknown, 1 warning, 1 ok, 1 skipped; 1.3 s",
    ]


def test_the_verdict_is_the_worst_and_nothing_judged_is_unknown() -> None:
    def code(*marks: Mark) -> int:
        checks = tuple(dataclasses.replace(HOSTILE, mark=mark) for mark in marks)
        return Report("p", "dev", 0.0, 0.0, checks).exit_code

    assert code(Mark.PASSED, Mark.SKIPPED) == 0
    assert code(Mark.PASSED, Mark.WARNING) == 1
    assert code(Mark.UNKNOWN, Mark.FAILED) == 2
    assert code(Mark.UNKNOWN, Mark.WARNING) == 3
    assert code(Mark.SKIPPED) == code() == 3
