"""What people type when a change needs a value: numbers, durations, and that it is meant for a while only. Pure."""

from collections.abc import Callable
from typing import Final

from profiles.values import seconds

_MOST_REPLICAS: Final = 1000
"""More than that is taken for a slip of the finger."""
_FOR: Final = " for "
TEMPORARY_HINT: Final = "`… for 30m`: temporary, opstui reminds you to take it back"


def split_temporary(typed: str) -> tuple[str, float | None]:
    """Return what was typed without ` for 30m` at its end, and the seconds meant; None when it is for good."""
    value, separator, duration = typed.rpartition(_FOR)
    found = seconds_or_none(duration) if separator else None
    return (typed.strip(), None) if found is None else (value.strip(), found)


def seconds_or_none(written: str) -> float | None:
    """Return a duration with its unit (`30s`, `10m`, `1h`, `1d`) in seconds; None for anything else."""
    try:
        return seconds(written)
    except ValueError:
        return None


def temporary(problem: Callable[[str], str]) -> Callable[[str], str]:
    """Let a value be followed by ` for 30m`; `problem` says what is wrong with the value alone."""
    return lambda typed: problem(split_temporary(typed)[0])


def replicas_problem(typed: str) -> str:
    """Return what is wrong with a number of replicas; empty when nothing is."""
    if not (typed.isascii() and typed.isdecimal()):
        return "a whole number, 0 or more"
    digits = typed.lstrip("0")
    is_sane = len(digits) < 9 and int(digits or "0") <= _MOST_REPLICAS
    return "" if is_sane else f"at most {_MOST_REPLICAS}: more looks like a slip"


def grace_problem(typed: str) -> str:
    """Return what is wrong with a grace period in seconds; nothing at all is the pod's own."""
    if not typed.strip() or (typed.isascii() and typed.isdecimal() and len(typed) < 6):
        return ""
    return "whole seconds; empty for the pod's own grace period, 0 for by force"


def matching_problem(typed: str, states: tuple[str, ...]) -> str:
    """Return what is wrong with `idle > 1h`; empty when nothing is."""
    state, _, duration = (part.strip() for part in typed.partition(">"))
    if state not in states:
        return f"one of {', '.join(states)}, then > and a duration: idle > 1h"
    found = seconds_or_none(duration)
    if found is None:
        return "a duration behind the >: 30s, 10m, 1h, 1d"
    return "" if found >= 1 else "at least 1s"


def matching(typed: str) -> tuple[str, float]:
    """Return state and seconds of what `matching_problem` finds nothing wrong with."""
    state, _, duration = (part.strip() for part in typed.partition(">"))
    return state, seconds(duration)
