"""What can be changed of pods and workloads: facts → requests, or why not. Pure."""

from collections.abc import Callable, Sequence
from typing import Final

from tui.actions.action import Request
from tui.actions.kubernetes.pause import PAUSABLE, pause_request
from tui.actions.kubernetes.pods import delete_request
from tui.actions.kubernetes.restart import RESTARTABLE, restart_request
from tui.actions.kubernetes.scale import SCALABLE, scale_request
from tui.actions.kubernetes.undo import UNDO, UNDOABLE
from tui.panes.offering import Offer
from tui.panes.pods_events import Fold
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload

RESTART: Final = "pods.restart"
SCALE: Final = "pods.scale"
ROLL_BACK: Final = "pods.roll_back"
HOLD: Final = "pods.hold"
DELETE: Final = "pods.delete"

Fact = Pod | Workload | Node | Fold


def offers(facts: Sequence[Fact], snapshot: KubernetesSnapshot) -> tuple[Offer, ...]:
    """Return every change by its key, for the facts that are marked or under the cursor."""
    return (
        _of_workloads(RESTART, facts, snapshot, RESTARTABLE, restart_request),
        _of_workloads(SCALE, facts, snapshot, SCALABLE, lambda workload: scale_request(workload, workload.desired)),
        _of_workloads(ROLL_BACK, facts, snapshot, UNDOABLE, _undo, most=1),
        _of_workloads(HOLD, facts, snapshot, PAUSABLE, pause_request, most=1),
        _of_pods(facts),
    )


def workloads_of(facts: Sequence[Fact], snapshot: KubernetesSnapshot) -> tuple[Workload, ...]:
    """Return the workloads among the facts, and those that the pods among them belong to, each once."""
    found = [snapshot.workload_of(fact) if isinstance(fact, Pod) else fact for fact in facts]
    return tuple({one.uid: one for one in found if isinstance(one, Workload)}.values())


def _undo(workload: Workload) -> Request:
    # Which revision is chosen after the key; the guard and our rights do not depend on it.
    return Request(UNDO, restart_request(workload).target)


def _of_workloads(
    binding: str,
    facts: Sequence[Fact],
    snapshot: KubernetesSnapshot,
    kinds: Sequence[str],
    request: Callable[[Workload], Request],
    *,
    most: int | None = None,
) -> Offer:
    found = workloads_of(facts, snapshot)
    if not found:
        return Offer(binding, reason=_no_workload(facts))
    if most is not None and len(found) > most:
        return Offer(binding, reason="one workload at a time here: unmark them with space, then choose one")
    if unfit := next((one for one in found if one.kind not in kinds), None):
        return Offer(binding, reason=f"not for a {unfit.kind}: only for {', '.join(kinds)}")
    return Offer(binding, tuple(request(one) for one in found))


def _of_pods(facts: Sequence[Fact]) -> Offer:
    pods = [fact for fact in facts if isinstance(fact, Pod)]
    if not pods or len(pods) < len(facts):
        return Offer(DELETE, reason="only pods are deleted from here: open a workload's with enter")
    return Offer(DELETE, tuple(delete_request(pod) for pod in pods))


def _no_workload(facts: Sequence[Fact]) -> str:
    fact = facts[0] if facts else None
    if not isinstance(fact, Pod):
        return "choose a pod or a workload"
    if fact.owner is None:
        return f"{fact.name} belongs to no workload: nothing would make it again"
    return f"{fact.owner.kind} {fact.owner.name} is not seen: it cannot be changed from here"
