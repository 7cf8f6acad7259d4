"""A report in, exposition format out."""

import dataclasses
import re

from tests.tui.check.reports import HOSTILE, REPORT
from tui.check.prometheus import prometheus_text

LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)\{{({LABEL}(?:,{LABEL})*)\}} (NaN|[+-]Inf|-?[0-9.e+-]+)")


def test_every_line_is_one_of_the_format_and_a_family_stands_together() -> None:
    written = prometheus_text(dataclasses.replace(REPORT, checks=(*REPORT.checks, HOSTILE)))
    assert written.endswith("\n")
    family, seen = "", set[str]()
    for line in written.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in seen
            seen.add(family)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {family} gauge"
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            assert found[1] == family


def test_value_and_level_are_told_and_what_was_skipped_is_not() -> None:
    lines = prometheus_text(REPORT).splitlines()
    of_all = 'profile="prod",environment="prod"'
    disk = f'{of_all},kind="rule",check="host.disk_percent",system="host:",object="/var"'
    cache = f'{of_all},kind="probe",check="redis.answers",system="redis:cache",object=""'
    assert f"opstui_check_value{{{disk}}} 87.5" in lines
    assert f"opstui_check_level{{{disk}}} 1" in lines
    assert f"opstui_check_level{{{cache}}} 3" in lines
    assert f"opstui_check_verdict{{{of_all}}} 2" in lines
    assert not any(cache in line for line in lines if line.startswith(("opstui_check_value", "opstui_check_age")))
    assert "certificate_days" not in "\n".join(lines)


def test_quotes_backslashes_and_line_ends_are_escaped() -> None:
    written = prometheus_text(dataclasses.replace(REPORT, checks=(HOSTILE,)))
    assert 'object="a\\"b\\\\c\\nd<e>&' in written


def test_numbers_that_are_none_have_their_own_words_and_a_series_one_sample() -> None:
    odd = [dataclasses.replace(HOSTILE, value=value, object=str(value)) for value in (float("inf"), float("nan"))]
    written = prometheus_text(dataclasses.replace(REPORT, checks=(*odd, *odd)))
    assert len(re.findall(r"^opstui_check_value.* \+Inf$", written, re.MULTILINE)) == 1
    assert len(re.findall(r"^opstui_check_value.* NaN$", written, re.MULTILINE)) == 1
