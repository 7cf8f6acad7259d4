"""A report as JUnit XML, for CI servers."""

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring  # only written here, never read

from tui.check.checks import WORDS, Check, Report
from tui.check.forms import moment
from tui.walkthroughs.run import Mark

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold in any form."""
_TAGS: Final = {Mark.FAILED: "failure", Mark.WARNING: "failure", Mark.UNKNOWN: "error", Mark.SKIPPED: "skipped"}


def junit_text(report: Report) -> str:
    """Return one suite: a warning is a failure of type `warning`, what is unknown an error.

    Pure ASCII (everything else as character references), so that it is what its declaration says in every locale.
    """
    tags = [_TAGS.get(check.mark) for check in report.checks]
    counts = {
        "tests": str(len(tags)), "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")), "time": f"{report.took_s:.3f}",
    }  # fmt: skip
    root = Element("testsuites", {"name": "opstui check", **counts})
    suite = SubElement(root, "testsuite", {
        "name": _xml(report.profile), **counts, "skipped": str(tags.count("skipped")),
        "timestamp": moment(report.at).removesuffix("Z"), "hostname": _xml(report.environment),
    })  # fmt: skip
    for check in report.checks:
        _case(suite, check)
    written: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _case(suite: Element, check: Check) -> None:
    name = _xml(f"{check.name} {check.object}".rstrip())
    case = SubElement(suite, "testcase", {"classname": _xml(check.system.rstrip(":")), "name": name, "time": "0"})
    message = _xml("; ".join(filter(None, (check.shown, check.threshold, check.detail))))
    if (tag := _TAGS.get(check.mark)) == "skipped":
        SubElement(case, tag, {"message": message})
    elif tag is not None:
        SubElement(case, tag, {"message": message, "type": WORDS[check.mark]}).text = message
    elif message:
        SubElement(case, "system-out").text = message


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
