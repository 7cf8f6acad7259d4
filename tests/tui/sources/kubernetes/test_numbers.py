"""What rules may watch of a cluster of which something cannot be seen."""

from dataclasses import replace

from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.kubernetes.snapshot import KindHealth, KubernetesSnapshot

WHOLE = KubernetesSnapshot(
    context="c", server="s", server_version="v1.32", user="u", namespaces=(), pods={}, workloads={}, replica_sets={},
    nodes={}, events={}, autoscalers={},
    health={kind.resource: KindHealth(kind.resource, is_synced=True) for kind in KINDS.values()},
)  # fmt: skip


def unseen(resource: str, error: SourceError | None) -> KubernetesSnapshot:
    health = KindHealth(resource, is_synced=error is not None, error=error)
    return replace(WHOLE, health={**WHOLE.health, resource: health})


def absent(snapshot: KubernetesSnapshot) -> set[str]:
    return {number.metric for number in snapshot.numbers() if number.is_absent}


def told(snapshot: KubernetesSnapshot) -> set[str]:
    return {number.metric for number in snapshot.numbers()}


def test_a_cluster_that_is_seen_whole_has_every_count() -> None:
    assert absent(WHOLE) == set()
    assert {"pods_failing", "workloads_unavailable", "nodes_not_ready"} <= told(WHOLE)


def test_no_failing_pod_is_no_all_clear_where_pods_cannot_be_seen() -> None:
    for error in (Unreachable("gone"), Denied("forbidden"), None):
        assert {"pods_failing", "crash_loops"} <= absent(unseen("pods", error))


def test_what_is_only_kept_from_before_counts_for_nothing() -> None:
    pod = parse_pod(
        {"metadata": {"uid": "u", "name": "p"}, "status": {"phase": "Pending", "reason": "CrashLoopBackOff"}}
    )
    seen = replace(WHOLE, pods={"u": pod})
    assert {"pods_failing", "pod_restarts"} <= told(seen) - absent(seen)
    kept = replace(seen, health={**WHOLE.health, "pods": KindHealth("pods", is_synced=False, kept_from=1.0)})
    assert "pods_failing" in absent(kept)
    assert "pod_restarts" not in told(kept)


def test_what_this_account_may_not_see_at_all_is_not_missed() -> None:
    assert "nodes_not_ready" not in told(unseen("nodes", Denied("forbidden")))
    assert "nodes_not_ready" in absent(unseen("nodes", Unreachable("gone")))
    assert "workloads_unavailable" in absent(unseen("daemonsets", Unreachable("gone")))
