"""One measured figure beside its budget, and the table of all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured."""

    what: str
    measured: str
    budget: str = ""
    met: bool | None = None
    """None: there is no budget for it, it only helps to read the others."""


def figure(what: str, value: float, unit: str, at_most: float | None = None, *, digits: int = 1) -> Figure:
    """Return a figure that must not be greater than `at_most`."""
    measured = f"{value:,.{digits}f} {unit}"
    if at_most is None:
        return Figure(what, measured)
    return Figure(what, measured, f"≤ {at_most:g} {unit}", value <= at_most)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def table(figures: Iterable[Figure]) -> str:
    """Return a Markdown table."""
    rows = ["| what | measured | budget | |", "|---|---|---|---|"]
    for one in figures:
        verdict = {True: "met", False: "**not met**", None: ""}[one.met]
        rows.append(f"| {one.what} | {one.measured} | {one.budget} | {verdict} |")
    return "\n".join(rows)
