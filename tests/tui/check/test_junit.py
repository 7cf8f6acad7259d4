"""A report in, JUnit XML that a parser takes out."""

import dataclasses
from xml.etree.ElementTree import Element, fromstring

from tests.tui.check.reports import HOSTILE, REPORT
from tui.check.junit import junit_text


def parsed(written: str) -> Element:
    return fromstring(written.encode("ascii"))  # noqa: S314 -- our own text; expat refuses all that XML does not allow


def test_counts_are_what_the_cases_say() -> None:
    root = parsed(junit_text(REPORT))
    (suite,) = root
    cases = list(suite)
    assert [root.tag, suite.tag, *{case.tag for case in cases}] == ["testsuites", "testsuite", "testcase"]
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
    assert suite.attrib["tests"] == str(len(cases)) == "5"
    assert suite.attrib["timestamp"] == "2026-02-01T00:00:00"


def test_each_verdict_has_its_element() -> None:
    cases = {case.attrib["name"]: case for case in parsed(junit_text(REPORT)).iter("testcase")}
    critical = cases["database.blocked"].find("failure")
    warning = cases["host.disk_percent /var"].find("failure")
    unknown = cases["redis.answers"].find("error")
    skipped = cases["service.certificate_days"].find("skipped")
    assert critical is not None
    assert (critical.attrib["type"], critical.text) == ("critical", "12; warn 1, critical 10")
    assert warning is not None
    assert warning.attrib["type"] == "warning"
    assert unknown is not None
    assert unknown.attrib == {"message": "connection refused", "type": "unknown"}
    assert skipped is not None
    assert cases["database.answers"].attrib["classname"] == "database:orders"


def test_what_xml_cannot_hold_and_markup_from_outside_do_no_harm() -> None:
    written = junit_text(dataclasses.replace(REPORT, checks=(HOSTILE,)))
    (case,) = parsed(written).iter("testcase")
    assert case.attrib["name"] == 'kubernetes.pod_restarts a"b\\c\nd<e>&\ufffd\ufffd[31m\ufffd'
    failure = case.find("failure")
    assert failure is not None
    assert failure.text == "3; ]]> \ufffd ü"
