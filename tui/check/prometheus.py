"""A report in Prometheus' text format 0.0.4, for node_exporter's textfile collector or a push gateway."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tui.check.checks import Check, Report
from tui.walkthroughs.run import EXIT_CODES, Mark

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus_text(report: Report) -> str:
    """Return value, level and age of every check that was not skipped, and the verdict of all."""
    judged = [check for check in report.checks if check.mark is not Mark.SKIPPED]
    of_all = {"profile": report.profile, "environment": report.environment}
    labelled = [(_labels(check, of_all), check) for check in judged]
    lines = [
        *_family(
            "opstui_check_value", "What was judged, in the unit that the name of the check ends with.",
            ((labels, check.value) for labels, check in labelled if check.value is not None),
        ),
        *_family(
            "opstui_check_level", "0 ok, 1 warning, 2 critical, 3 unknown.",
            ((labels, EXIT_CODES[check.mark]) for labels, check in labelled),
        ),
        *_family(
            "opstui_check_age_seconds", "How long ago the system was last known good.",
            ((labels, round(check.age_s, 3)) for labels, check in labelled if check.age_s is not None),
        ),
        *_family("opstui_check_verdict", "The worst of all: 0 ok, 1 warning, 2 critical, 3 unknown.",
                 [(of_all, report.exit_code)]),
        *_family("opstui_check_duration_seconds", "From the first question to the verdict.",
                 [(of_all, round(report.took_s, 3))]),
        *_family("opstui_check_timestamp_seconds", "When it was judged, in Unix time.",
                 [(of_all, round(report.at, 3))]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _labels(check: Check, of_all: Mapping[str, str]) -> dict[str, str]:
    return {**of_all, "kind": check.kind, "check": check.name, "system": check.system, "object": check.object}


def _family(name: str, meaning: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    seen: set[str] = set()
    for labels, value in samples:
        written = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        if written not in seen:  # a series may have one sample only
            seen.add(written)
            yield f"{name}{{{written}}} {_number(value)}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
