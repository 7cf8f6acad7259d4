"""What can be changed of pods and workloads: facts → requests, or why not. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tui.actions.action import Request
from tui.actions.kubernetes.cordon import cordon_request
from tui.actions.kubernetes.cronjob import CRON_JOBS, run_request, suspend_request
from tui.actions.kubernetes.drain import drain_request
from tui.actions.kubernetes.environment import SET_ENV as SET_ENV_VERB
from tui.actions.kubernetes.evict import evict_request
from tui.actions.kubernetes.image import SET_IMAGE as SET_IMAGE_VERB
from tui.actions.kubernetes.marks import ANNOTATE as ANNOTATE_VERB
from tui.actions.kubernetes.marks import LABEL as LABEL_VERB
from tui.actions.kubernetes.marks import mark_request
from tui.actions.kubernetes.pause import PAUSABLE, pause_request
from tui.actions.kubernetes.pods import delete_request
from tui.actions.kubernetes.resources import SET_RESOURCES as SET_RESOURCES_VERB
from tui.actions.kubernetes.restart import RESTARTABLE, restart_request
from tui.actions.kubernetes.scale import SCALABLE, scale_request
from tui.actions.kubernetes.template import TEMPLATED, template_request
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
SET_IMAGE: Final = "pods.set_image"
SET_ENV: Final = "pods.set_env"
SET_RESOURCES: Final = "pods.set_resources"
EVICT: Final = "pods.evict"
CORDON: Final = "pods.cordon"
DRAIN: Final = "pods.drain"
RUN_JOB: Final = "pods.run_job"
LABEL: Final = "pods.label"
ANNOTATE: Final = "pods.annotate"
BUNDLE: Final = "pods.bundle"

Fact = Pod | Workload | Node | Fold

_LISTED: Final = "x lists what can be done with what is"
"""Keys are for pods, workloads and nodes; a certificate or a policy has its changes on the list only."""


def offers(facts: Sequence[Fact], snapshot: KubernetesSnapshot) -> tuple[Offer, ...]:
    """Return every change by its key, for the facts that are marked or under the cursor."""
    return (
        _of_workloads(RESTART, facts, snapshot, RESTARTABLE, restart_request),
        _of_workloads(SCALE, facts, snapshot, SCALABLE, lambda workload: scale_request(workload, workload.desired)),
        _of_workloads(ROLL_BACK, facts, snapshot, UNDOABLE, _undo, most=1),
        _of_workloads(HOLD, facts, snapshot, (*PAUSABLE, *CRON_JOBS), _hold, most=1),
        _of_pods(DELETE, facts, delete_request, "only pods are deleted from here: open a workload's with enter"),
        _of_pods(EVICT, facts, evict_request, "only pods are evicted: a node is drained, or open a workload's pods"),
        _of_workloads(SET_IMAGE, facts, snapshot, TEMPLATED, _template(SET_IMAGE_VERB), most=1),
        _of_workloads(SET_ENV, facts, snapshot, TEMPLATED, _template(SET_ENV_VERB), most=1),
        _of_workloads(RUN_JOB, facts, snapshot, CRON_JOBS, run_request, most=1),
        _of_nodes(CORDON, facts, cordon_request),
        _of_nodes(DRAIN, facts, drain_request),
        replace(
            _of_workloads(SET_RESOURCES, facts, snapshot, TEMPLATED, _template(SET_RESOURCES_VERB), most=1),
            title="Set requests and limits",
        ),
        _of_objects(LABEL, facts, LABEL_VERB, "Label"),
        _of_objects(ANNOTATE, facts, ANNOTATE_VERB, "Annotate"),
        _bundle(facts, snapshot),
    )


def _bundle(facts: Sequence[Fact], snapshot: KubernetesSnapshot) -> Offer:
    is_one = len(workloads_of(facts, snapshot)) == 1
    reason = "" if is_one else "one workload at a time: put the cursor on it, or on one of its pods"
    return Offer(BUNDLE, reason=reason, title="Write all about the workload to a file: describe, YAML, logs, events")


def _hold(workload: Workload) -> Request:
    return suspend_request(workload) if workload.kind in CRON_JOBS else pause_request(workload)


def _template(verb: str) -> Callable[[Workload], Request]:
    # What is to be set is asked for after the key; the guard and our rights do not depend on it.
    return lambda workload: template_request(verb, workload, {})


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


def _of_pods(binding: str, facts: Sequence[Fact], request: Callable[[Pod], Request], reason: str) -> Offer:
    pods = [fact for fact in facts if isinstance(fact, Pod)]
    if not facts:
        return Offer(binding, reason=f"no pod is under the cursor; {_LISTED}")
    if not pods or len(pods) < len(facts):
        return Offer(binding, reason=reason)
    return Offer(binding, tuple(request(pod) for pod in pods))


def _of_nodes(binding: str, facts: Sequence[Fact], request: Callable[[Node], Request]) -> Offer:
    nodes = [fact for fact in facts if isinstance(fact, Node)]
    if not nodes or len(nodes) < len(facts):
        return Offer(binding, reason="only for nodes: choose one in the view Nodes (tab)")
    requests = tuple(request(node) for node in nodes)
    if len({one.verb for one in requests}) > 1:
        return Offer(binding, reason="some of them are cordoned and some are not: mark only the ones or the others")
    return Offer(binding, requests)


def markable(facts: Sequence[Fact]) -> list[Pod | Workload | Node]:
    """Return the facts that can have a label set from here; none where one of them cannot."""
    found = [fact for fact in facts if not isinstance(fact, Fold)]
    return found if len(found) == len(facts) else []


def _of_objects(binding: str, facts: Sequence[Fact], verb: str, title: str) -> Offer:
    found = markable(facts)
    if not found:
        return Offer(binding, reason="choose a pod, a workload or a node", title=title)
    return Offer(binding, tuple(mark_request(verb, fact, "") for fact in found), title=title)


def _no_workload(facts: Sequence[Fact]) -> str:
    fact = facts[0] if facts else None
    if fact is None:
        return f"no pod or workload is under the cursor; {_LISTED}"
    if not isinstance(fact, Pod):
        return "choose a pod or a workload"
    if fact.owner is None:
        return f"{fact.name} belongs to no workload: nothing would make it again"
    return f"{fact.owner.kind} {fact.owner.name} is not seen: it cannot be changed from here"
