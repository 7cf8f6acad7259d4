"""What a check is, and what all of them say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.walkthroughs.run import EXIT_CODES, WORST_FIRST, Mark, worst

WORDS: Final[Mapping[Mark, str]] = {
    Mark.PASSED: "ok",
    Mark.WARNING: "warning",
    Mark.FAILED: "critical",
    Mark.UNKNOWN: "unknown",
    Mark.SKIPPED: "skipped",
}
"""What each verdict is called in every format."""
PROBE: Final = "probe"
RULE: Final = "rule"
REQUIRED: Final = "required"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: a rule on one number of one system, or whether a system answers at all (a probe)."""

    kind: str
    """`probe`, `rule` or `required`."""
    name: str
    """The rule's name, `database.blocked`; of a probe `database.answers`; `required.replicas`."""
    system: str
    """Name of the source: `database:orders`, `kubernetes:`."""
    mark: Mark
    object: str = ""
    """What in the system it is about; empty for the system as a whole."""
    value: float | None = None
    """What was judged, in the unit that the name ends with; of a probe seconds. None when there is no number."""
    shown: str = ""
    """`value` for the eye: `87 %`; empty when there is none."""
    warn: float | None = None
    critical: float | None = None
    threshold: str = ""
    """What it was held against, in words; empty when nothing was."""
    for_s: float = 0.0
    """Seconds for which it must hold before it is an alert."""
    age_s: float | None = None
    """Seconds since the system was last known good; None when it never was."""
    detail: str = ""
    """Why it is not well, or was not judged, in the system's words."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was judged, in the order of the profile."""

    profile: str
    environment: str
    at: float
    """`time.time()` when it was judged."""
    took_s: float
    """Seconds from the first question to the verdict."""
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Mark:
        """The worst of all: critical, unknown, warning, ok; what was skipped does not count, nothing is unknown."""
        found = worst([check.mark for check in self.checks])
        return Mark.UNKNOWN if found is Mark.SKIPPED else found

    @property
    def exit_code(self) -> int:
        """0 ok, 1 warning, 2 critical, 3 unknown."""
        return EXIT_CODES[self.verdict]

    def counts(self) -> dict[str, int]:
        """Return how many checks there are of every verdict, worst first, also of those that none has."""
        return {WORDS[mark]: sum(check.mark is mark for check in self.checks) for mark in WORST_FIRST if mark in WORDS}


def worst_first(checks: Sequence[Check]) -> list[Check]:
    """Return checks with the worst first, otherwise in the same order."""
    return sorted(checks, key=lambda check: WORST_FIRST.index(check.mark))
