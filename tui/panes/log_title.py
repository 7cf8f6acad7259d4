"""The lines above the logs: counts, rates, what is hidden, dropped or missing, and the filters one upon the other."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Final

from tui.panes.failing import age_segment, oldest
from tui.panes.log_filter_page import state_of
from tui.panes.log_lines import moment, short_moment
from tui.sources.logs.line import LogBatch, Severity
from tui.sources.logs.stack import Stack
from tui.sources.reading import Reading
from tui.units import rate, span
from widgets.log_view import LogView
from widgets.segment_line import Segment

LEVEL_WORDS: Final = {Severity.INFO: "info and above", Severity.WARN: "warn and above", Severity.ERROR: "errors only"}


def title(
    view: LogView,
    stack: Stack,
    batches: Sequence[LogBatch],
    sources: int,
    zone: str,
    older: str,
    on_disk: int = 0,
    *,
    of: tzinfo | None = UTC,
) -> list[Segment]:
    """Return the counts: following or how far behind, rates, what is hidden, what was dropped and why.

    While the screen stands still, the cursor's line has its whole time there, in the zone `of` (None: this machine's).
    """
    told = []
    if view.paused:
        told.append(Segment(f" PAUSED {view.behind:,} behind ", "warn", reverse=True))
    else:
        told.append(Segment("following", "ok"))
    told.append(Segment(zone, "dim", priority=2))
    if view.paused and (line := view.cursor_line) is not None:
        told.append(Segment(f"at {moment(line.at, of)}", "", f"at {short_moment(line.at, of)}", 1))
    told.append(Segment(older, "accent"))
    errors = sum(batch.errors_per_s for batch in batches)
    told.append(Segment(f"{rate(sum(batch.lines_per_s for batch in batches))} lines/s"))
    told.append(Segment(f"errors {rate(errors)}/s", "critical" if errors else "", priority=1))
    if view.untested:
        told.append(Segment(f"looking through {view.untested:,} older", "accent"))
    elif hidden := view.line_count - view.visible_count:
        told.append(Segment(f"{view.visible_count:,} shown, {hidden:,} hidden by filters", "warn",
                            f"{view.visible_count:,} shown, {hidden:,} hidden"))  # fmt: skip
    if view.joins is not None:
        told.append(Segment(f"folded to {view.rows:,}", "accent", priority=2))
    if stack.minimum is not Severity.NONE:
        told.append(Segment(LEVEL_WORDS[stack.minimum], "accent", priority=1))
    if stack.hidden:
        told.append(Segment(f"{sources - len(stack.hidden)} of {sources} sources", "accent", priority=2))
    if dropped := sum(batch.dropped for batch in batches):
        told.append(Segment(f"{dropped:,} dropped: too fast", "critical"))
    if gaps := sum(batch.gaps for batch in batches):
        told.append(Segment(f"{gaps:,} {'gap' if gaps == 1 else 'gaps'}", "critical"))
    told += [
        Segment(f"{batch.name} {batch.ended}", "accent", f"{batch.name} ended", 1) for batch in batches if batch.ended
    ]
    if view.marks:
        told.append(Segment(f"{view.marks:,} marked", "accent", priority=3))
    disk = f", {on_disk:,} of them on disk" if on_disk else ""
    told.append(Segment(f"{view.line_count:,} held{disk}", "dim", f"{view.line_count:,} held", 3))
    if view.dropped:
        told.append(Segment(f"{view.dropped:,} older let go", "dim", priority=4))
    return told


def age(batches: Sequence[LogBatch], readings: Iterable[Reading[LogBatch]], now: float) -> Segment:
    """Return how old what is shown is: a log whose system does not answer looks like one in which nothing happens."""
    away = [batch.away_since for batch in batches if batch.away_since is not None]
    if away:
        return Segment(f"OLD {span(now - min(away))}", "warn", right=True)
    found = oldest(readings)
    return age_segment(found, now, max(found.interval_s, 2.0) if found else None)


def stacked(stack: Stack, *, is_unfiltered: bool, zone: tzinfo | None = UTC) -> list[Segment]:
    """Return the filters one upon the other: what each shows or hides, and whether it is at work.

    What a time meant when it was typed stands behind it, in the zone that is shown now (None: this machine's).
    """
    told = [Segment("unfiltered for now (u)", "warn", reverse=True)] if is_unfiltered else []
    for number, one in enumerate(stack.filters):
        state, tone = state_of(one)
        words = f"{'-' if one.excludes else '+'} {one.typed}"
        suffix = "" if state == "on" else f" ({state})"
        if one.query.moments:
            suffix = f" ({', '.join(short_moment(at, zone) for at in one.query.moments)}){suffix}"
        told.append(Segment(words + suffix, tone if state != "on" else "accent", words[:16] + suffix, number + 1))
    return told
