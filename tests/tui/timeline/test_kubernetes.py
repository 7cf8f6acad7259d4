"""Changes of a cluster: two snapshots in, entries out."""

from dataclasses import replace
from typing import Any

import pytest

from tui.rules import Level
from tui.sources.errors import Unreachable
from tui.sources.kubernetes.events import Autoscaler, Event
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.nodes import Node, parse_node
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.snapshot import FAMILIES, KindHealth, KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload, parse_workload
from tui.sources.reading import Reading
from tui.timeline import kubernetes
from tui.timeline.chronicle import Chronicle
from tui.timeline.entry import Entry
from tui.timeline.model import Timeline
from tui.timeline.standing import Condition

NOW = 1_800_000_000.0
"""2027-01-15 08:00:00Z."""
NEVER = float("-inf")
MADE = "2027-01-15T07:59:00Z"


def cluster(before: KubernetesSnapshot | None = None, **families: list[Any]) -> KubernetesSnapshot:
    """Return a snapshot that follows `before`: families given replace its own, and `changes` says what differs."""
    facts: dict[str, Any] = {
        name: {fact.uid: fact for fact in families[name]} if name in families else getattr(before, name, {})
        for name in FAMILIES
    }
    health = {kind.resource: KindHealth(kind.resource, is_synced=True) for kind in KINDS.values()}
    common: dict[str, Any] = {"context": "c", "server": "", "server_version": "", "user": "", "namespaces": ()}
    if before is None:
        return KubernetesSnapshot(**common, **facts, health=health, revision=1)
    changes = {}
    for name in FAMILIES:
        old, new = getattr(before, name), facts[name]
        upserted = frozenset(uid for uid, fact in new.items() if old.get(uid) is not fact)
        changes[name] = Changes(upserted, frozenset(old.keys() - new.keys()))
    return KubernetesSnapshot(**common, **facts, health=health, revision=before.revision + 1, changes=changes)


def pod(name: str = "api-1", **status: Any) -> Pod:
    owner = {"kind": "ReplicaSet", "name": "api", "uid": "rs", "controller": True}
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "ownerReferences": [owner]}
    spec = {"containers": [{"name": "app"}], "nodeName": "n1"}
    return parse_pod({"metadata": metadata, "spec": spec, "status": {"phase": "Running", **status}})


def container(restarts: int = 0, reason: str = "", ended_at: str = "", **state: Any) -> dict[str, Any]:
    ended = {"reason": reason, "exitCode": 137, "finishedAt": ended_at}
    return {
        "name": "app",
        "ready": not state,
        "restartCount": restarts,
        "state": state or {"running": {}},
        "lastState": {"terminated": ended} if reason else {},
    }


def deployment(**fields: Any) -> Workload:
    found = parse_workload(
        "Deployment",
        {
            "metadata": {"name": "api", "namespace": "shop", "uid": "api", "generation": 1, "creationTimestamp": MADE},
            "spec": {
                "replicas": 3,
                "template": {"spec": {"containers": [{"name": "app", "image": "reg.example/shop/api:1.0"}]}},
            },
            "status": {
                "replicas": 3,
                "updatedReplicas": 3,
                "readyReplicas": 3,
                "availableReplicas": 3,
                "observedGeneration": 9,
            },
        },
    )
    return replace(found, **fields)


def node(**fields: Any) -> Node:
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    return replace(
        parse_node({"metadata": {"name": "n1", "uid": "n1", "creationTimestamp": MADE}, "status": status}), **fields
    )


def event(count: int = 1, **fields: Any) -> Event:
    found = Event("e1", "shop", "Warning", "BackOff", "pod/api-1", "uid-api-1", "back-off", count, NOW - 60, NOW, "k")
    return replace(found, **fields)


def told(before: KubernetesSnapshot | None, after: KubernetesSnapshot, since: float = NEVER) -> list[tuple[str, str]]:
    return [(entry.what, entry.text) for entry in kubernetes.entries(before, after, NOW, since)]


def lasting(before: KubernetesSnapshot | None, after: KubernetesSnapshot, *standing: str) -> dict[str, Condition | str]:
    return dict(kubernetes.lasting(before, after, lambda key: key in standing))


# Pods


def test_a_restart_says_how_its_container_had_ended_and_when() -> None:
    before = cluster(pods=[pod(containerStatuses=[container()])])
    killed = pod(containerStatuses=[container(1, "OOMKilled", "2027-01-15T08:00:00Z")])
    (entry,) = kubernetes.entries(before, cluster(before, pods=[killed]), NOW, NEVER)
    assert (entry.what, entry.text) == ("restart", "shop/api-1 restarted, its container had ended: OOMKilled")
    assert entry.at == NOW
    assert (entry.object, entry.level) == ("pod/shop/api-1", Level.WARN)


def test_restarts_of_one_workloads_pods_have_the_same_fold() -> None:
    names = ("api-1", "api-2")
    before = cluster(pods=[pod(name, containerStatuses=[container()]) for name in names])
    after = cluster(before, pods=[pod(name, containerStatuses=[container(2, "Error")]) for name in names])
    entries = list(kubernetes.entries(before, after, NOW, NEVER))
    assert len({entry.fold for entry in entries}) == 1
    assert len({entry.id for entry in entries}) == 2
    assert entries[0].count == 2


def test_a_pod_that_begins_to_fail_or_is_evicted_is_told_once() -> None:
    waiting: Any = {"waiting": {"reason": "CrashLoopBackOff"}}
    before = cluster(pods=[pod(containerStatuses=[container()])])
    after = cluster(before, pods=[pod(containerStatuses=[container(**waiting)])])
    assert told(before, after) == [("failing", "shop/api-1: CrashLoopBackOff")]
    again = cluster(after, pods=[pod(containerStatuses=[container(**waiting)], podIP="10.0.0.1")])
    assert told(after, again) == []
    evicted = cluster(after, pods=[pod(phase="Failed", reason="Evicted")])
    assert told(after, evicted) == [("evicted", "shop/api-1 was evicted from n1")]


# Workloads


def test_a_new_image_is_told_without_registry_and_with_both_tags() -> None:
    before = cluster(workloads=[deployment()])
    after = cluster(before, workloads=[deployment(images=("reg.example/shop/api:1.1",), generation=2)])
    assert told(before, after) == [("image", "Deployment shop/api: image api 1.0 → 1.1")]


@pytest.mark.parametrize(
    ("fields", "what", "text"),
    [
        ({"desired": 5}, "scale", "Deployment shop/api: replicas 3 → 5"),
        ({"paused": True}, "paused", "Deployment shop/api: paused"),
        ({}, "spec", "Deployment shop/api: its spec was changed"),
    ],
)
def test_a_change_of_the_spec_is_told_by_what_it_is(fields: dict[str, Any], what: str, text: str) -> None:
    before = cluster(workloads=[deployment()])
    assert told(before, cluster(before, workloads=[deployment(generation=2, **fields)])) == [(what, text)]


def test_a_change_of_the_status_alone_is_no_entry() -> None:
    before = cluster(workloads=[deployment()])
    assert told(before, cluster(before, workloads=[deployment(ready=2, available=2)])) == []


def test_workloads_come_and_go() -> None:
    empty = cluster()
    made = cluster(empty, workloads=[deployment()])
    assert told(empty, made) == [("new", "Deployment shop/api was created")]
    assert told(made, cluster(made, workloads=[])) == [("deleted", "Deployment shop/api was deleted")]


def test_a_rollout_begins_with_a_revision_lasts_until_all_are_available_and_says_so() -> None:
    before = cluster(workloads=[deployment(revision=6)])
    begun = cluster(before, workloads=[deployment(revision=7, current=4, updated=1)])
    condition = lasting(before, begun)["rollout api"]
    assert isinstance(condition, Condition)
    assert condition.text == "Deployment shop/api rolls out revision 7"
    slow = cluster(begun, workloads=[deployment(revision=7, available=2, ready=2)])
    assert isinstance(lasting(begun, slow, "rollout api")["rollout api"], Condition)
    done = cluster(slow, workloads=[deployment(revision=7)])
    assert lasting(slow, done, "rollout api")["rollout api"] == "Deployment shop/api: rollout finished, 3/3 ready"


def test_pods_that_are_missing_without_a_new_template_are_no_rollout() -> None:
    before = cluster(workloads=[deployment()])
    after = cluster(before, workloads=[deployment(available=1, ready=1)])
    assert isinstance(lasting(before, after)["rollout api"], str)


def test_a_rollout_that_stands_still_is_told_in_the_controllers_words() -> None:
    before = cluster(workloads=[deployment()])
    after = cluster(before, workloads=[deployment(problem="ProgressDeadlineExceeded: timed out")])
    condition = lasting(before, after)["stuck api"]
    assert isinstance(condition, Condition)
    assert (condition.what, condition.level) == ("stuck", Level.CRITICAL)
    assert "ProgressDeadlineExceeded: timed out" in condition.text


def test_a_failed_job_is_told_and_a_completed_one_is_not() -> None:
    job = replace(deployment(), kind="Job", uid="job", name="migrate", status="Running")
    before = cluster(workloads=[job])
    failed = cluster(before, workloads=[replace(job, status="Failed", problem="BackoffLimitExceeded: x")])
    assert told(before, failed) == [("failed", "Job shop/migrate failed: BackoffLimitExceeded: x")]
    assert told(before, cluster(before, workloads=[replace(job, status="Complete")])) == []


# Nodes, autoscalers, events, watches


def test_a_node_that_is_not_ready_lasts_and_is_ready_again() -> None:
    before = cluster(nodes=[node()])
    after = cluster(before, nodes=[node(status="NotReady", pressures=("DiskPressure",))])
    condition = lasting(before, after)["node n1"]
    assert isinstance(condition, Condition)
    assert (condition.text, condition.level) == ("node n1 is NotReady, DiskPressure", Level.CRITICAL)
    assert condition.over == "node n1 is Ready again"


def test_cordoning_joining_and_leaving_are_told() -> None:
    before = cluster(nodes=[node()])
    cordoned = cluster(before, nodes=[node(status="Ready,SchedulingDisabled")])
    assert told(before, cordoned) == [("node", "node n1 is cordoned")]
    assert told(cluster(), cluster(cluster(), nodes=[node()])) == [("node", "node n1 joined")]
    assert told(before, cluster(before, nodes=[])) == [("node", "node n1 is gone")]


def test_an_autoscaler_that_changes_its_mind_is_told() -> None:
    scaler = Autoscaler("hpa", "shop", "api", "Deployment", "api", 2, 6, 3, 3)
    before = cluster(autoscalers=[scaler])
    after = cluster(before, autoscalers=[replace(scaler, desired_replicas=6)])
    (entry,) = kubernetes.entries(before, after, NOW, NEVER)
    assert entry.text == "autoscaler api of shop/deployment/api: wants 6 replicas, 3 before"
    assert entry.object == "deployment/shop/api"


def test_warnings_are_told_when_new_and_when_repeated_and_normal_events_never() -> None:
    before = cluster(pods=[pod()])
    first = cluster(before, events=[event(), event(uid="e2", type="Normal")])
    assert told(before, first) == [("event", "BackOff pod/api-1: back-off")]
    repeated = cluster(first, events=[event(4), event(uid="e2", type="Normal", count=9)])
    (entry,) = kubernetes.entries(first, repeated, NOW, NEVER)
    assert (entry.count, entry.object) == (3, "pod/shop/api-1")
    assert entry.fold == "shop BackOff rs"


def test_a_watch_that_fails_lasts() -> None:
    before = cluster()
    health = {**before.health, "nodes": KindHealth("nodes", True, Unreachable("forbidden"), NOW - 5)}
    condition = lasting(before, replace(cluster(before), health=health))["watch nodes"]
    assert isinstance(condition, Condition)
    assert (condition.text, condition.since) == ("nodes cannot be seen: forbidden", NOW - 5)


# Which changes


def test_the_first_snapshot_tells_only_what_is_recent_by_its_own_time() -> None:
    restarted = pod(containerStatuses=[container(3, "Error", "2027-01-15T07:59:00Z")])
    first = cluster(pods=[restarted], workloads=[deployment(paused=True)], nodes=[node()], events=[event()])
    assert told(None, first, since=NOW - 100) == [
        ("event", "BackOff pod/api-1: back-off"),
        ("restart", "shop/api-1 restarted, now 3 times, its container had ended: Error (exit code 137)"),
    ]
    assert told(None, first, since=NOW) == []


def test_where_a_snapshot_was_missed_nothing_is() -> None:
    before = cluster(workloads=[deployment()], nodes=[node()])
    later = cluster(before, workloads=[deployment(desired=5, generation=2)], nodes=[])
    nothing = {name: Changes() for name in FAMILIES}
    for missed in (replace(later, revision=9, changes=nothing), replace(later, changes=None)):
        assert told(before, missed) == [
            ("scale", "Deployment shop/api: replicas 3 → 5"),
            ("node", "node n1 is gone"),
        ]


def test_the_cost_goes_with_the_changes() -> None:
    looked_at = 0

    class Counting(dict[str, Pod]):
        def get(self, key: str, default: Any = None) -> Any:
            nonlocal looked_at
            looked_at += 1
            return super().get(key, default)

        def __iter__(self) -> Any:
            raise AssertionError("every pod was looked at")

        values = items = keys = __iter__

    facts = {f"uid-{n}": pod(str(n)) for n in range(1000)}
    before = replace(cluster(), pods=Counting(facts))
    changes = {**{name: Changes() for name in FAMILIES}, "pods": Changes(frozenset({"uid-7"}), frozenset({"uid-8"}))}
    after = replace(before, pods=Counting(facts), revision=2, changes=changes)
    list(kubernetes.entries(before, after, NOW, NEVER))
    list(kubernetes.lasting(before, after, lambda key: False))
    assert looked_at < 10


def test_two_opstui_call_the_same_change_the_same() -> None:
    before = cluster(workloads=[deployment()], pods=[pod(containerStatuses=[container()])])
    changed = cluster(
        before,
        workloads=[deployment(desired=5, generation=2)],
        pods=[pod(containerStatuses=[container(1, "Error", "2027-01-15T07:59:00Z")])],
        events=[event()],
    )

    def ids(now: float) -> list[str]:
        found: list[Entry] = list(kubernetes.entries(before, changed, now, NEVER))
        return [entry.id for entry in found]

    assert ids(NOW) == ids(NOW + 7)


def test_what_only_comes_into_sight_late_is_no_news() -> None:
    old = NOW - 86_400
    empty = cluster()
    crashing = pod(
        containerStatuses=[container(9, "Error", "2027-01-14T08:00:00Z", waiting={"reason": "CrashLoopBackOff"})]
    )
    late = cluster(
        empty, workloads=[deployment(created_at=old)], nodes=[node(created_at=old)], pods=[crashing],
        autoscalers=[Autoscaler("hpa", "shop", "api", "Deployment", "api", 2, 6, 3, 3)],
    )  # fmt: skip
    assert told(empty, late) == []


def test_a_pod_that_is_made_and_fails_at_once_is_told() -> None:
    failing = pod(containerStatuses=[container(waiting={"reason": "ImagePullBackOff"})])
    after = cluster(cluster(), pods=[replace(failing, created_at=NOW - 5)])
    assert told(cluster(), after) == [("failing", "shop/api-1: ImagePullBackOff")]


def test_an_entry_belongs_to_the_cluster_that_was_read() -> None:
    timeline = Timeline()
    chronicle = Chronicle(timeline)
    before = cluster(pods=[pod()])
    after = cluster(before, pods=[pod(containerStatuses=[container(1, "OOMKilled", MADE)])])
    for source in ("kubernetes:eu", "kubernetes:us"):
        chronicle.take(Reading(source, 0.25, before, NOW), (), NOW)
    chronicle.take(Reading("kubernetes:us", 0.25, after, NOW + 1), (), NOW + 1)
    assert {entry.source for entry in timeline.rows()} == {"kubernetes:us"}
