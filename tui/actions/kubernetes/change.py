"""What all changes of a workload have in common: who stands around it, and how far its rollout has come."""

from dataclasses import replace
from typing import Final

from tui.actions.action import Look, Request, Sent, Target
from tui.actions.kubernetes.impact import Surroundings, surroundings
from tui.actions.kubernetes.patching import Change, PatchVerb
from tui.actions.kubernetes.rollout import rollout
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

__all__ = ["ROLLOUT_S", "Change", "WorkloadVerb", "workload_target"]

ROLLOUT_S: Final = 300.0
"""Deadline of what rolls pods out or takes them away."""


def workload_target(workload: Workload) -> Target:
    """Return the identity of a workload: its uid."""
    return Target(
        source=KubernetesSource.name,
        kind=workload.kind.lower(),
        name=workload.name,
        where=workload.namespace,
        identity={"uid": workload.uid},
        scope={"namespace": workload.namespace},
    )


class WorkloadVerb(PatchVerb):
    """What all changes of a workload have in common."""

    _is_scaling = False
    _deadline_s = ROLLOUT_S

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        workload = parse_workload(kind.kind, obj)
        around = await surroundings(self._source, workload, obj)
        change = await self._change(request, kind, workload, obj, around)
        impact = (*_moved_since_seen(request, workload), *change.impact, *around.words(request.wanted))
        return replace(change, impact=impact)

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        raise NotImplementedError

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        """Judge as `kubectl rollout status` does, and name the pods that do not start."""
        failing = self._pods_since(sent.request.target, sent.at)
        return rollout(kind.kind, obj, failing, is_scaled=self._is_scaling)

    def _pods_since(self, target: Target, since: float) -> list[Pod]:
        """Return the target's pods that were made since the change, from the mirror."""
        mirror, uid = self._source.mirror, target.identity.get("uid")
        owners = {uid, *(found.uid for found in mirror.replica_sets.facts.values() if _is_of(found, uid))}
        return [
            pod
            for pod in mirror.pods.facts.values()
            if pod.owner is not None and pod.owner.uid in owners and (pod.created_at or 0) >= int(since) - 1
        ]


def _is_of(replica_set: Workload, uid: object) -> bool:
    return replica_set.owner is not None and replica_set.owner.uid == uid


def _moved_since_seen(request: Request, workload: Workload) -> tuple[str, ...]:
    seen = request.seen.get("replicas")
    if seen is None or seen == workload.desired or workload.kind == "DaemonSet":
        return ()
    return (f"its replicas moved from {seen} to {workload.desired} since you looked",)
