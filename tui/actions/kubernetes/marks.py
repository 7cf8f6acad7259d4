"""Labels and annotations of pods, workloads and nodes."""

from collections.abc import Mapping
from typing import Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, NotSentError, Plain, Request, Risk, Sent, Target
from tui.actions.kubernetes.change import workload_target
from tui.actions.kubernetes.cordon import node_target
from tui.actions.kubernetes.patching import Change, PatchVerb
from tui.actions.kubernetes.pods import pod_target
from tui.actions.kubernetes.preview import differing
from tui.actions.kubernetes.typed import mark, mark_problem
from tui.sources.kubernetes.fields import Object, owner, part
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.veil import HIDDEN, may_be_secret
from tui.sources.kubernetes.workloads import Workload
from tui.sources.masking import without_secrets
from tui.sources.text import clean

LABEL: Final = "label"
ANNOTATE: Final = "annotate"
_WINDOW: Final = "none: test and write are one transaction of the API server"
MARKABLE: Final = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Node")


def mark_request(verb: str, fact: Pod | Workload | Node, typed: str, temporary_s: float | None = None) -> Request:
    """Return the request to set a label or annotation as `key=value`, or to take it away as `key-`."""
    key, value = mark(typed)
    return Request(verb, _target(fact), wanted={"key": key, "value": value}, temporary_s=temporary_s)


def _target(fact: Pod | Workload | Node) -> Target:
    match fact:
        case Pod():
            return pod_target(fact)
        case Node():
            return node_target(fact)
    return workload_target(fact)


class _MarkVerb(PatchVerb):
    """What labels and annotations have in common.

    Where the key is there, the patch tests its value. Where it is not, it tests the whole map, for a JSON Patch cannot
    test that something is absent. Where there is no map at all, it tests the version of the object.
    """

    hold_s = 10.0
    _kinds = MARKABLE
    _map: str
    """`labels` or `annotations`."""
    _command: str

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        target, key, value = request.target, str(request.wanted.get("key", "")), request.wanted.get("value")
        typed = f"{key}-" if value is None else f"{key}={value}"
        if problem := mark_problem(typed, is_label=self._map == "labels"):
            raise NotSentError(f"{target}: {problem}")
        marks = part(obj, "metadata", self._map)
        had = marks.get(key)
        if had == value:
            raise NotSentError(f"nothing to change: {target} has it so already")
        if request.undoes and had != request.seen.get("value"):
            raise NotSentError(
                f"{target} has {_told(key, had)} now, not {_told(key, request.seen.get('value'))} that was set: its "
                "state is no longer ours to take back"
            )
        risk, reason = self._risk(target, obj, key)
        overwrite = ("--overwrite",) if had is not None and value is not None else ()
        inverse, undo = self._inverse(target, key, had, value)
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": target.identity["uid"]},
                *self._operations(obj, marks, key, value),
            ],
            # A key that is not there cannot be tested: then all of them are, or the version where there are none.
            was={
                "key": key,
                "value": had,
                "marks": dict(marks) if had is None else None,
                "version": None if marks else _version(obj),
            },
            before=_told(key, had),
            after=_told(key, value),
            arguments=(self._command, target.kind, target.name, typed, *overwrite),
            risk=risk,
            risk_reason=reason,
            undo=undo,
            inverse=inverse,
            impact=tuple(_key_words(key, obj)),
            evidence={"key": key, "value": value},
        )

    def _inverse(self, target: Target, key: str, had: Any, value: Plain) -> tuple[Request | None, str]:
        if had is None:
            undo = "take it away again"
        elif mark_problem(f"{key}={had}", is_label=self._map == "labels"):
            return None, f"{CANNOT_BE_UNDONE} from here: the old value is too long for the journal, or may be a secret"
        else:
            undo = f"set it back to {_told(key, had)}"
        return Request(self.name, target, seen={"value": value}, wanted={"key": key, "value": had}), undo

    def _operations(self, obj: Object, marks: Mapping[str, Any], key: str, value: object) -> list[dict[str, Any]]:
        path = f"/metadata/{self._map}"
        at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in marks:
            tested = {"op": "test", "path": at, "value": marks[key]}
            return [
                tested,
                {"op": "remove", "path": at} if value is None else {"op": "add", "path": at, "value": value},
            ]
        test = {"op": "test", "path": path, "value": dict(marks)}
        if not marks:
            test = {"op": "test", "path": "/metadata/resourceVersion", "value": _version(obj)}
        return [test, {"op": "add", "path": path, "value": {**marks, key: value}}]

    def _risk(self, target: Target, obj: Object, key: str) -> tuple[Risk, str]:
        return Risk.MEDIUM, ""

    def _moved(self, was: Any, obj: Object) -> str:
        marks = part(obj, "metadata", self._map)
        now = marks.get(was["key"])
        if now != was["value"]:
            return f"{_told(was['key'], was['value'])} → {_told(was['key'], now)}"
        if was["marks"] is not None and marks != was["marks"]:
            return f"its {self._map} changed: {'; '.join(differing(was['marks'], marks)[:3])}"
        if was["version"] is not None and _version(obj) != was["version"]:
            return f"it was written meanwhile (resourceVersion {clean(was['version'])} → {clean(_version(obj))})"
        return ""

    def _superseded(self, sent: Sent, obj: Object) -> str:
        key, wanted = str(sent.evidence["key"]), sent.evidence["value"]
        now = part(obj, "metadata", self._map).get(key)
        return "" if now == wanted else f"it has {_told(key, now)}: never set, or set anew"


class Label(_MarkVerb):
    """`kubectl label`, by a JSON Patch that tests `metadata.uid` and the label's value, or all labels.

    A pod that is no longer selected by its owner is let go by it, and the owner makes another.
    """

    name = LABEL
    title = "Label"
    about = About(
        system="Kubernetes",
        targets="pod, workload, node",
        risk="medium; high for a pod's label by which its owner, or a workload's by which others, may select it",
        inverse="the old value, while the label is still as it set it",
        identity="uid and the label's value, or all labels where it is new (the version where there are none), tested "
        "in the same JSON Patch",
        window=_WINDOW,
        command="kubectl label KIND NAME KEY=VALUE --overwrite",
        verification="read back, within 1 min; watched 10 s longer",
    )
    _done = "has the label"
    _map = "labels"
    _command = "label"

    def _risk(self, target: Target, obj: Object, key: str) -> tuple[Risk, str]:
        owned_by = owner(part(obj, "metadata"))
        if target.kind == "pod" and owned_by is not None and key in self._selected_by(owned_by.uid):
            return Risk.HIGH, f"{owned_by.kind} {owned_by.name} selects by it: it lets this pod go and makes another"
        if target.kind == "pod" and key in part(obj, "metadata", "labels"):
            return Risk.HIGH, "a Service or policy may select the pod by it"
        return Risk.MEDIUM, ""

    def _selected_by(self, uid: str) -> set[str]:
        mirror = self._source.mirror
        found = mirror.replica_sets.facts.get(uid) or mirror.workloads.facts.get(uid)
        return {word.partition("=")[0] for word in found.selector.split(",")} if found is not None else set()


class Annotate(_MarkVerb):
    """`kubectl annotate`, by a JSON Patch that tests `metadata.uid` and the annotation's value, or all annotations."""

    name = ANNOTATE
    title = "Annotate"
    about = About(
        system="Kubernetes",
        targets="pod, workload, node",
        risk="medium",
        inverse="the old value, while the annotation is still as it set it",
        identity="uid and the annotation's value, or all annotations where it is new (the version where there are "
        "none), tested in the same JSON Patch",
        window=_WINDOW,
        command="kubectl annotate KIND NAME KEY=VALUE --overwrite",
        verification="read back, within 1 min; watched 10 s longer",
    )
    _done = "has the annotation"
    _map = "annotations"
    _command = "annotate"


def _version(obj: Object) -> str:
    return str(part(obj, "metadata").get("resourceVersion", ""))


def _told(key: str, value: object) -> str:
    if value is None:
        return f"no {clean(key)}"
    return f"{clean(key)}={HIDDEN if may_be_secret(key) else without_secrets(clean(str(value), limit=120))}"


def _key_words(key: str, obj: Object) -> list[str]:
    words = []
    if "kubernetes.io/" in key or "k8s.io/" in key:
        words.append("a key of Kubernetes itself: controllers may act on it, or set it back")
    if part(obj, "metadata", "annotations").get("kubectl.kubernetes.io/last-applied-configuration"):
        words.append("it is kept by kubectl apply: the next apply leaves this, unless its manifest names the key")
    return words
