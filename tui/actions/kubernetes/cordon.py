"""Keeping new pods off a node, and letting them on again."""

from typing import Any, Final

from tui.actions.action import About, Look, NotSentError, Phase, Request, Risk, Sent, Target
from tui.actions.kubernetes.patching import Change, PatchVerb
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.nodes import Node

CORDON: Final = "cordon"
UNCORDON: Final = "uncordon"


def node_target(node: Node) -> Target:
    """Return the identity of a node: its uid."""
    # A node carries pods of every namespace: whoever may change only some may not change it.
    return Target(KubernetesSource.name, "node", node.name, "", {"uid": node.uid}, {"namespace": ""})


def cordon_request(node: Node) -> Request:
    """Return the request to cordon a node, or to uncordon one that is; a cordon is temporary."""
    verb = CORDON if node.takes_pods else UNCORDON
    return Request(verb, node_target(node), temporary_s=0.0 if node.takes_pods else None)


def is_cordoned(obj: Object) -> bool:
    """Tell whether a Node object takes no new pods because somebody said so."""
    return part(obj, "spec").get("unschedulable") is True


def others_words(source: KubernetesSource, name: str) -> tuple[str, bool]:
    """Return how many other nodes take new pods, in words, and whether none does."""
    others = [node for node in source.mirror.nodes.facts.values() if node.name != name]
    fit = [node.name for node in others if node.is_ready and node.takes_pods]
    return f"{len(fit)} of {len(others)} other nodes are ready and take new pods", not fit


class _CordonVerb(PatchVerb):
    """What cordon and uncordon have in common."""

    hold_s = 0.0
    _kinds = ("Node",)
    _is_cordoning: bool

    def _moved(self, was: Any, obj: Object) -> str:
        return "" if is_cordoned(obj) == was else _state(obj)

    def _superseded(self, sent: Sent, obj: Object) -> str:
        return "" if is_cordoned(obj) == self._is_cordoning else _state(obj)

    def _pods_on(self, name: str) -> int:
        return sum(pod.node == name for pod in self._source.mirror.pods.facts.values())


class Cordon(_CordonVerb):
    """`kubectl cordon`, by a JSON Patch that tests `metadata.uid`.

    A node that takes pods has no such field to test. Should somebody cordon it in the same moment, both get what they
    asked for.
    """

    name = CORDON
    title = "Cordon"
    about = About(
        system="Kubernetes",
        targets="node",
        risk="medium; high when no other node takes pods; it counts as temporary until it is uncordoned",
        inverse="uncordon, while it is still cordoned",
        identity="uid, tested in the same JSON Patch",
        window="somebody else's cordon in the same moment is not noticed; the result is the same",
        command="kubectl cordon NODE",
        verification="spec.unschedulable is read back, within 1 min",
    )
    _done = "cordoned"
    _is_cordoning = True

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        target = request.target
        if is_cordoned(obj):
            raise NotSentError(f"{target} is cordoned already")
        others, is_last = others_words(self._source, target.name)
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": target.identity["uid"]},
                {"op": "add", "path": "/spec/unschedulable", "value": True},
            ],
            was=False,
            before=f"takes new pods, {self._pods_on(target.name)} on it",
            after="takes no new pods; those on it stay",
            arguments=("cordon", target.name),
            risk=Risk.HIGH if is_last else Risk.MEDIUM,
            risk_reason="no other node takes new pods: they would stay Pending" if is_last else "",
            undo="uncordon it",
            inverse=Request(UNCORDON, target),
            impact=(others,),
        )

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        return Look(Phase.CONVERGED, f"cordoned, {self._pods_on(sent.request.target.name)} pods stay on it")


class Uncordon(_CordonVerb):
    """`kubectl uncordon`, by a JSON Patch that tests `metadata.uid` and `spec.unschedulable`.

    Between the last test and the write there is no window: both are one transaction of the API server.
    """

    name = UNCORDON
    title = "Uncordon"
    about = About(
        system="Kubernetes",
        targets="node",
        risk="medium",
        inverse="cordon again, while it takes pods",
        identity="uid and spec.unschedulable, tested in the same JSON Patch",
        window="none: test and write are one transaction of the API server",
        command="kubectl uncordon NODE",
        verification="spec.unschedulable is read back, within 1 min",
    )
    _done = "uncordoned"
    _is_cordoning = False

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        target = request.target
        if not is_cordoned(obj):
            raise NotSentError(f"{target} is not cordoned")
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": target.identity["uid"]},
                {"op": "test", "path": "/spec/unschedulable", "value": True},
                {"op": "remove", "path": "/spec/unschedulable"},
            ],
            was=True,
            before=f"cordoned, {self._pods_on(target.name)} pods on it",
            after="takes new pods again; none comes back by itself",
            arguments=("uncordon", target.name),
            undo="cordon it again; pods that came by then stay",
            inverse=Request(CORDON, target, temporary_s=0.0),
            impact=tuple(_state_words(obj)),
        )

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        return Look(Phase.CONVERGED, "it takes new pods")


def _state(obj: Object) -> str:
    return "it is cordoned" if is_cordoned(obj) else "it is not cordoned"


def _state_words(obj: Object) -> list[str]:
    taints = part(obj, "spec").get("taints")
    words = []
    for taint in taints if isinstance(taints, list) else ():
        if isinstance(taint, dict) and text(taint, "key") != "node.kubernetes.io/unschedulable":
            words.append(f"its taint {text(taint, 'key')}:{text(taint, 'effect')} stays")
    return words
