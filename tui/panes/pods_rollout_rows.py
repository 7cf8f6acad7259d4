"""Rows of a rollout: each revision, and under it the pods it has, with what keeps them; lines above them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.panes.pods_rows import HELD_BACK, POD_TONES
from tui.sources.kubernetes.ages import age, age_since
from tui.sources.kubernetes.events import Event
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.revisions import Revision, is_of
from tui.sources.kubernetes.rollouts import Rollout, Stage, StatusCondition
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import Cell, Column, Row, Tone
from widgets.segment_line import Segment

_WIDE: Final = 120
_TONES: Final[Mapping[Stage, Tone]] = {
    Stage.DONE: "ok",
    Stage.MOVING: "accent",
    Stage.PAUSED: "warn",
    Stage.STUCK: "critical",
    Stage.FALLEN: "critical",
    Stage.BY_HAND: "warn",
}
_HINT: Final = "d: what it changed · space two, d: what differs · B: back to it"
_ECHOES: Final = ("Error: ", "Back-off ")
"""How the kubelet's warnings begin that only repeat a container's state."""
_SHORT_HINT: Final = "d: diff · B: back to it"
_SOON_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Known:
    """A workload's rollout and its revisions, the newest first, as they were read together."""

    rollout: Rollout
    revisions: tuple[Revision, ...]


def columns(width: int) -> tuple[Column, ...]:
    """Return the columns for a screen of this width."""
    is_wide = width >= _WIDE
    return (
        Column("what", "REVISION, ITS PODS", min_width=28, max_width=63, keeps_end=True),
        Column("ready", "READY", 6),
        Column("status", "STATUS", 26 if is_wide else 16),
        Column("age", "AGE", 6, "right"),
        Column("more", "IMAGES, WHY", min_width=16),
    )


def pods_of(workload: Workload, known: Known, snapshot: KubernetesSnapshot) -> list[Pod]:
    """Return the pods of a workload, whichever revision they are of."""
    owners = {workload.uid, *(one.uid for one in known.revisions)}
    return [pod for pod in snapshot.pods.values() if pod.owner is not None and pod.owner.uid in owners]


def rows(
    workload: Workload, known: Known, snapshot: KubernetesSnapshot, now: float, passes: Callable[[Pod], bool]
) -> dict[str, Row]:
    """Return a row for each revision, and after it those of its pods that pass, by uid."""
    pods = pods_of(workload, known, snapshot)
    warnings = _warnings(snapshot.events.values(), {pod.uid for pod in pods if pod.health is not Health.FINE})
    found: dict[str, Row] = {}
    for revision in known.revisions:
        own = sorted((pod for pod in pods if is_of(pod, revision, workload.uid)), key=lambda pod: pod.name)
        found[revision.uid] = _revision_row(revision, own, known.rollout, now)
        found |= {pod.uid: _pod_row(pod, warnings.get(pod.uid), now) for pod in own if passes(pod)}
        pods = [pod for pod in pods if pod not in own]
    # Of a revision that is gone (revisionHistoryLimit), or that was not read yet.
    found |= {pod.uid: _pod_row(pod, warnings.get(pod.uid), now) for pod in pods if passes(pod)}
    return found


def _warnings(events: Iterable[Event], uids: set[str]) -> dict[str, Event]:
    """Return the newest warning about each of these objects, of those that say more than STATUS does."""
    newest: dict[str, Event] = {}
    for event in events if uids else ():
        if event.type == "Normal" or event.object_uid not in uids:
            continue
        known = newest.get(event.object_uid)
        if known is None or _worth(known) <= _worth(event):
            newest[event.object_uid] = event
    return newest


def _worth(event: Event) -> tuple[bool, float]:
    return not event.message.startswith(_ECHOES), event.last_at or 0.0


def _revision_row(revision: Revision, pods: Sequence[Pod], rollout: Rollout, now: float) -> Row:
    status: str | Cell = "" if not pods else Cell("old, still there", "warn")
    if revision.is_current:
        status = Cell(str(rollout.stage), _TONES[rollout.stage])
    elif rollout.stage is Stage.DONE and pods:
        status = Cell("ends", "dim")
    ready = sum(pod.health is Health.FINE for pod in pods)
    name = f"{revision.number}  {'now' if revision.is_current else ''}".rstrip()
    more = " · ".join(filter(None, (", ".join(map(_short, revision.images)), revision.change_cause)))
    cells = (
        name,
        Cell(f"{ready}/{len(pods)}" if pods else "", "warn" if ready < len(pods) else ""),
        status,
        age_since(revision.created_at, now),
        more,
    )
    return Row(cells, tone="" if revision.is_current or pods else "dim", haystack=revision.name)


def _short(image: str) -> str:
    """Return an image without its registry and folder: what differs between revisions stands at the end."""
    return image.rpartition("/")[2]


def _pod_row(pod: Pod, warning: Event | None, now: float) -> Row:
    tone = POD_TONES[pod.health]
    words = [HELD_BACK if pod.is_held_back else "", f"{pod.restarts} restarts" if pod.restarts else "", pod.last_end]
    if warning is not None and pod.health is not Health.ENDED:
        words = [f"{warning.reason}: {warning.message}", *words]
    cells = (
        f"   {pod.name}",
        Cell(f"{pod.ready}/{pod.containers}", tone if pod.ready < pod.containers else ""),
        Cell(pod.status, tone),
        age_since(pod.created_at, now),
        " · ".join(filter(None, (*words, pod.node))),
    )
    return Row(cells, tone="dim" if pod.health is Health.ENDED else "")


def why(pod: Pod, snapshot: KubernetesSnapshot) -> list[Segment]:
    """Return what keeps a pod, for the line above the rows; nothing of one that is well."""
    if pod.health is Health.FINE or (warning := _warnings(snapshot.events.values(), {pod.uid}).get(pod.uid)) is None:
        return []
    return [Segment(warning.message, "critical" if pod.health is Health.FAILING else "warn")]


def head(rollout: Rollout, pods: Iterable[Pod], now: float) -> tuple[list[Segment], ...]:
    """Return the three lines above the rows; `pods` are the workload's, `now` is by the server's clock."""
    failing = sorted((pod for pod in pods if pod.health is Health.FAILING), key=lambda pod: pod.name)
    said = [
        Segment(str(rollout.stage).upper(), _TONES[rollout.stage], reverse=rollout.stage is Stage.STUCK),
        Segment(rollout.words, short=rollout.words.partition("rollout to finish: ")[2]),
    ]
    counts = [
        Segment(f"{rollout.updated} of {rollout.desired} updated"),
        Segment(f"{rollout.ready} ready"),
        Segment(f"{rollout.available} available"),
        Segment(f"{rollout.unavailable} unavailable", "warn" if rollout.unavailable else ""),
        Segment(f"{rollout.old} old" if rollout.old else "", "warn"),
        Segment(f"{len(failing)} failing" if failing else "", "critical"),
        Segment(rollout.strategy, "dim", priority=2, right=True, short=rollout.strategy.partition(", ")[2]),
    ]
    return said, counts, list(_conditions(rollout, failing, now))


def _conditions(rollout: Rollout, failing: Sequence[Pod], now: float) -> Iterator[Segment]:
    if rollout.stage is Stage.PAUSED:
        yield Segment("paused: a change of its template waits until H resumes it", "warn")
        return
    if rollout.kind != "Deployment" and rollout.stage is Stage.MOVING:
        # Neither has a deadline: nobody but the reader will call it stuck.
        yield Segment(f"a {rollout.kind} waits without a deadline" + (f" for {failing[0].name}" if failing else ""))
    for one in sorted(rollout.conditions, key=lambda one: one.type != "ReplicaFailure"):
        is_bad = one.reason == "ProgressDeadlineExceeded" or one.type == "ReplicaFailure"
        if one.type == "Progressing" and not is_bad and rollout.gives_up_at is not None:
            left_s = rollout.gives_up_at - now
            when = f"in {age(left_s)} unless something moves" if left_s > 0 else "any moment"
            yield Segment(f"gives up {when}", "warn" if left_s < _SOON_S else "")
        short = "" if is_bad else f"{one.type} {one.status}, {one.reason}"
        yield Segment(_words(one, now), "critical" if is_bad else "dim", short=short)
    yield Segment(_HINT, "dim", short=_SHORT_HINT, priority=1, right=True)


def _words(condition: StatusCondition, now: float) -> str:
    since = f" {age_since(condition.updated_at, now)} ago" if condition.updated_at is not None else ""
    said = f": {condition.message}" if condition.message else ""
    return f"{condition.type} {condition.status}, {condition.reason}{since}{said}"
