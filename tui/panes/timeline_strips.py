"""How dense the timeline was lately: one curve for everything, and one for each kind of system where there is room."""

from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical

from profiles.schema import KINDS, Profile
from tui.panes import timeline_rows
from tui.timeline.entry import ITSELF
from tui.timeline.model import Timeline
from tui.units import short_kind
from widgets.sparkline import Sparkline

_LABEL: Final = 7


def kinds_of(profile: Profile) -> tuple[str, ...]:
    """Return the kinds of systems that a profile names; the host and opstui itself are always there."""
    named: dict[str, Any] = {
        "service": profile.services, "kubernetes": profile.every_cluster, "database": profile.databases,
        "container": profile.docker, "unit": profile.systemd, "redis": profile.redis, "logs": profile.logs,
        "metric": profile.metrics, "pgbouncer": profile.pgbouncer,
    }  # fmt: skip
    return (*(kind for kind in KINDS if named.get(kind, True)), ITSELF.rstrip(":"))


class Strips(Vertical):
    """Curves over the last hour; they move once a minute, and when something is new."""

    DEFAULT_CSS = """
    Strips { height: auto; }
    Strips > Sparkline { margin: 0 1; max-width: 92; }
    """

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__()
        self._kinds = kinds
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out a curve for everything and one for each kind."""
        for kind in ("", *self._kinds):
            yield Sparkline(id=f"timeline-density-{kind or 'all'}", low=0)

    def show(self, timeline: Timeline, now: float, *, is_tall: bool) -> None:
        """Draw the curves, those of single kinds only where it is tall."""
        if (drawn := (timeline.revision, int(now // timeline_rows.STEP_S), is_tall)) == self._drawn:
            return
        self._drawn = drawn
        times: dict[str, list[float]] = {"": []}
        for entry in timeline.since(now - timeline_rows.STEPS * timeline_rows.STEP_S):
            times[""].append(entry.at)
            times.setdefault(entry.kind, []).append(entry.at)
        for kind, strip in zip(("", *self._kinds), self.query(Sparkline), strict=True):
            strip.display = is_tall or not kind
            if strip.display:
                values, high, words = timeline_rows.strip(times.get(kind, ()), now)
                label = (short_kind(kind) if kind else "all").ljust(_LABEL)
                strip.show(values, label=label, text=words, high=high)
