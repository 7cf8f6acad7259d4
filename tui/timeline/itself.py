"""Changes of opstui's own sight: a system that does not answer, and answers again."""

from typing import Any, Final

from tui.rules import Level
from tui.sources.reading import Reading
from tui.timeline.entry import sentence
from tui.timeline.standing import Condition

SILENCE: Final = "silence"


def silence(reading: Reading[Any]) -> Condition | None:
    """Return that a system does not answer; None when it does, or need not be there and never was."""
    error = reading.error
    if error is None or reading.is_absent:
        return None
    name = reading.source.rstrip(":")
    return Condition(
        SILENCE, "no data", sentence(f"{name} cannot be read: {error.message}"), f"{name} can be read again",
        Level.CRITICAL, since=reading.failing_since,
    )  # fmt: skip
