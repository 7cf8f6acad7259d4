"""Changes of pods: restarts with how the container had ended, failures, evictions."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.timeline.entry import Entry, identity
from tui.timeline.kubernetes_turn import NEW_S, is_new

_SOURCE: Final = "kubernetes:"


def entries(old: Pod | None, pod: Pod, snapshot: KubernetesSnapshot, now: float) -> Iterator[Entry]:
    """Yield what became of a pod since `old`; None: it has just come.

    `snapshot` is the cluster as it is, `now` Unix time.
    """
    if old is None:
        yield from restart(pod, snapshot, now, now - NEW_S)
    elif pod.restarts > old.restarts:
        yield _restart(pod, snapshot, min(pod.restarted_at or now, now), pod.restarts - old.restarts)
    health = old.health if old is not None else Health.WAITING if is_new(pod.created_at, now) else pod.health
    if pod.health is Health.FAILING and health is not Health.FAILING:
        text = f"{pod.path}: {pod.status}"
        yield _entry(pod, snapshot, "failing", text, Level.CRITICAL, now, (pod.restarts, pod.status))
    elif pod.health is Health.LEFT_OVER and health is not Health.LEFT_OVER:
        is_evicted = pod.status == "Evicted"
        text = f"{pod.path} was evicted from {pod.node}" if is_evicted else f"{pod.path} failed: {pod.status}"
        yield _entry(pod, snapshot, "evicted" if is_evicted else "failed", text, Level.WARN, now, (pod.status,))


def restart(pod: Pod, snapshot: KubernetesSnapshot, now: float, since: float) -> Iterator[Entry]:
    """Yield the newest restart of a pod that was not seen before, if it was after `since`."""
    # Of the restarts before it nobody knows when they were.
    if pod.restarts and pod.restarted_at is not None and pod.restarted_at > since:
        yield _restart(pod, snapshot, min(pod.restarted_at, now), 1)


def _restart(pod: Pod, snapshot: KubernetesSnapshot, at: float, count: int) -> Entry:
    ended = f", its container had ended: {pod.last_end}" if pod.last_end else ""
    times = f"restarted, now {pod.restarts} times" if pod.restarts > 1 else "restarted"
    return _entry(pod, snapshot, "restart", f"{pod.path} {times}{ended}", Level.WARN, at, (pod.restarts,), count)


def _entry(
    pod: Pod,
    snapshot: KubernetesSnapshot,
    what: str,
    text: str,
    level: Level,
    at: float,
    occurrence: tuple[object, ...],
    count: int = 1,
) -> Entry:
    return Entry(
        id=identity(pod.uid, what, *occurrence),
        at=at,
        source=_SOURCE,
        what=what,
        text=text,
        level=level,
        object=f"pod/{pod.path}",
        fold=f"{what} {pod.owner.uid if pod.owner is not None else pod.uid}",
        count=count,
    )
