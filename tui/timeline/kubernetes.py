"""Changes in a cluster, told from what the watches brought: its cost goes with the changes, not with the cluster."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.kubernetes.demand import WORKLOADS
from tui.sources.kubernetes.events import Autoscaler, Event
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.timeline import kubernetes_pods, kubernetes_workloads
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.kubernetes_turn import is_new, turns
from tui.timeline.kubernetes_workloads import Stands
from tui.timeline.standing import Condition

SOURCE: Final = "kubernetes:"
TOLD_OF: Final = ("pods", *WORKLOADS, "jobs", "cronjobs", "nodes", "events", "horizontalpodautoscalers")
"""The kinds whose changes are told, by their plural names in URLs."""
Lasting = tuple[str, Condition | str]
"""The key of a condition, and the condition; in its place, when it is not so, what is said where it was, or nothing."""


def entries(before: KubernetesSnapshot | None, after: KubernetesSnapshot, now: float, since: float) -> Iterator[Entry]:
    """Yield what changed between two snapshots; of a first one, what it says itself to be from after `since`."""
    turn = turns(before, after)
    for event, old_event in turn.events.touched():
        yield from _event(old_event, event, after, now, since)
    if before is None:
        for pod in after.pods.values():
            yield from kubernetes_pods.restart(pod, after, now, since)
        return
    for pod, old_pod in turn.pods.touched():
        yield from kubernetes_pods.entries(old_pod, pod, after, now)
    for workload, old_workload in turn.workloads.touched():
        yield from kubernetes_workloads.entries(old_workload, workload, now)
    for workload in turn.workloads.gone():
        yield from kubernetes_workloads.removal(workload, now)
    for node, old_node in turn.nodes.touched():
        yield from _node(old_node, node, now)
    for node in turn.nodes.gone():
        text = f"node {node.name} is gone"
        yield Entry(identity(node.uid, "gone"), now, SOURCE, "node", text, Level.WARN, f"node/{node.name}")
    for scaler, old_scaler in turn.autoscalers.touched():
        yield from _autoscaler(old_scaler, scaler, now)


def lasting(before: KubernetesSnapshot | None, after: KubernetesSnapshot, stands: Stands) -> Iterator[Lasting]:
    """Yield what lasts of everything that changed between two snapshots; of a first one, of everything."""
    turn = turns(before, after)
    for workload, old in turn.workloads.touched():
        yield from kubernetes_workloads.lasting(old, workload, stands)
    for workload in turn.workloads.gone():
        yield from ((key, f"{workload.path} is gone") for key in kubernetes_workloads.keys(workload))
    for node, _ in turn.nodes.touched():
        yield _node_lasting(node)
    for node in turn.nodes.gone():
        yield f"node {node.uid}", f"node {node.name} is gone"
    yield from _watches(after)


def _event(old: Event | None, event: Event, snapshot: KubernetesSnapshot, now: float, since: float) -> Iterator[Entry]:
    at = min(event.last_at or now, now)
    if event.type != "Warning" or at <= since or (old is not None and event.count <= old.count):
        return
    count = event.count - old.count if old is not None else 1
    yield Entry(
        id=identity(event.uid, event.count),
        at=at,
        source=SOURCE,
        what="event",
        text=sentence(f"{event.reason} {event.object}: {event.message}"),
        level=Level.WARN,
        object=_event_object(event),
        fold=f"{event.namespace} {event.reason} {_family(event, snapshot)}",
        count=count,
    )


def _event_object(event: Event) -> str:
    kind, _, name = event.object.rpartition("/")
    return f"{kind}/{name}" if kind == "node" else f"{kind}/{event.namespace}/{name}"


def _family(event: Event, snapshot: KubernetesSnapshot) -> str:
    """Return what the events of one workload's pods have in common."""
    pod = snapshot.pods.get(event.object_uid)
    return pod.owner.uid if pod is not None and pod.owner is not None else event.object


def _node(old: Node | None, node: Node, now: float) -> Iterator[Entry]:
    about = f"node/{node.name}"
    if old is None:
        if is_new(node.created_at, now):
            yield Entry(identity(node.uid, "new"), now, SOURCE, "node", f"node {node.name} joined", Level.OK, about)
        return
    was, is_cordoned = ("SchedulingDisabled" in each.status for each in (old, node))
    if was != is_cordoned:
        text = f"node {node.name} is {'cordoned' if is_cordoned else 'open for pods again'}"
        yield Entry(identity(node.uid, text, int(now // 60)), now, SOURCE, "node", text, Level.OK, about)
    if old.version != node.version:
        text = f"node {node.name}: kubelet {old.version} → {node.version}"
        yield Entry(identity(node.uid, text), now, SOURCE, "node", text, Level.OK, about)


def _node_lasting(node: Node) -> Lasting:
    key, about = f"node {node.uid}", f"node/{node.name}"
    if not node.is_ready:
        text = f"node {node.name} is {', '.join((node.status.split(',')[0], *node.pressures))}"
        return key, Condition(key, "node", text, f"node {node.name} is Ready again", Level.CRITICAL, about)
    if node.pressures:
        what = ", ".join(node.pressures)
        over = f"node {node.name} has no {what} any more"
        return key, Condition(key, "node", f"node {node.name} has {what}", over, Level.WARN, about)
    return key, ""


def _watches(snapshot: KubernetesSnapshot) -> Iterator[Lasting]:
    for resource, health in snapshot.health.items():
        key, error = f"watch {resource}", health.error
        if error is None or not health.is_down:
            yield key, ""
        else:
            text, over = f"{resource} cannot be seen: {error.message}", f"{resource} can be seen again"
            yield key, Condition(key, "no data", text, over, Level.WARN, since=health.since)


def _autoscaler(old: Autoscaler | None, scaler: Autoscaler, now: float) -> Iterator[Entry]:
    if old is None:
        return
    target = f"{scaler.namespace}/{scaler.target_kind.lower()}/{scaler.target_name}"
    told = []
    if old.desired_replicas != scaler.desired_replicas:
        told.append(f"wants {scaler.desired_replicas} replicas, {old.desired_replicas} before")
    before, after = ((each.min_replicas, each.max_replicas) for each in (old, scaler))
    if before != after:
        told.append(f"{before[0]} to {before[1]} replicas → {after[0]} to {after[1]}")
    for words in told:
        about = f"{scaler.target_kind.lower()}/{scaler.namespace}/{scaler.target_name}"
        yield Entry(
            id=identity(scaler.uid, words, int(now // 60)),
            at=now,
            source=SOURCE,
            what="autoscale",
            text=sentence(f"autoscaler {scaler.name} of {target}: {words}"),
            object=about,
            fold=f"autoscaler {scaler.uid}",
        )
