"""A report as text for the eye, and as JSON for programs."""

import json
import math
from datetime import UTC, datetime
from typing import Any, Final

from tui.check.checks import WORDS, Check, Report, worst_first
from tui.units import span

VERSION: Final = 1
"""Of the JSON form. Fields are added without a new one; a field that goes, or means something else, takes one."""


def text(report: Report) -> str:
    """Return a line for each check, the worst first, and one that sums them up."""
    rows = [_cells(check) for check in worst_first(report.checks)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip()
        for row in rows
    ]
    told = ", ".join(f"{count} {word}" for word, count in report.counts().items() if count) or "nothing was judged"
    head = f"{report.profile} ({report.environment}): {WORDS[report.verdict].upper()}"
    return "\n".join([*lines, f"{head}; {told}; {report.took_s:.1f} s"]) + "\n"


def _cells(check: Check) -> tuple[str, ...]:
    name = check.name.partition(".")[2]
    age = "" if check.age_s is None else "<1s" if check.age_s < 1 else span(check.age_s)
    about = f"{name} {check.object}".rstrip()
    return WORDS[check.mark].upper(), check.system.rstrip(":"), about, check.shown, age, _why(check)


def _why(check: Check) -> str:
    return "; ".join(filter(None, (check.threshold, check.detail)))


def json_text(report: Report) -> str:
    """Return the documented JSON form; pure ASCII, so that no locale can break it."""
    document = {
        "version": VERSION,
        "profile": report.profile,
        "environment": report.environment,
        "at": moment(report.at),
        "took_s": round(report.took_s, 3),
        "verdict": WORDS[report.verdict],
        "exit_code": report.exit_code,
        "counts": report.counts(),
        "checks": [_fields(check) for check in report.checks],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _fields(check: Check) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "name": check.name,
        "system": check.system,
        "object": check.object,
        "verdict": WORDS[check.mark],
        "value": _finite(check.value),
        "shown": check.shown,
        "warn": _finite(check.warn),
        "critical": _finite(check.critical),
        "threshold": check.threshold,
        "for_s": check.for_s,
        "age_s": None if check.age_s is None else round(check.age_s, 3),
        "detail": check.detail,
    }


def _finite(value: float | None) -> float | None:
    """Return what JSON has a form for."""
    return value if value is not None and math.isfinite(value) else None


def moment(at: float) -> str:
    """Return a `time.time()` as `2026-01-31T23:59:59Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
