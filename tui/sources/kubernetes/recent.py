"""What changed in a cluster of late, from what its objects themselves remember: seen also by who has just come.

Nothing here says that one change caused another.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tui.sources.errors import Denied
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.events import Event
from tui.sources.kubernetes.fields import Object, moment, owner, part, parts, text
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload

_EVICTED: Final = frozenset({"Evicted", "Preempted", "TaintManagerEviction", "EvictedByVPA"})
_NODE_NEWS: Final = frozenset({"Rebooted", "RegisteredNode", "RemovingNode", "SystemOOM", "EvictionThresholdMet"})
_TOLD_BY_NODES: Final = frozenset({"NodeNotReady", "NodeReady"})
_SCALED: Final = frozenset({"ScalingReplicaSet", "SuccessfulRescale"})
_JOB_ENDS: Final = frozenset({"BackoffLimitExceeded", "DeadlineExceeded"})
_METADATA: Final = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
_LIMIT: Final = 500
_CORE: Final = "/api/v1"
_APPS: Final = "/apis/apps/v1"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed."""

    at: float
    """`time.time()`."""
    what: str
    """`rollout`, `scale`, `restart`, `OOM kill`, `eviction`, `config`, `node`, `job failed`, `new`."""
    about: str
    """`kind/namespace/name`, the kind in small letters; `node/name`."""
    words: str
    """What exactly, in the system's own words."""
    is_bad: bool = False
    """Whether it is nothing that anybody wants."""

    @property
    def namespace(self) -> str:
        """Empty for what belongs to the cluster."""
        return self.about.split("/")[1] if self.about.count("/") == 2 else ""


@dataclass(frozen=True, slots=True)
class Configs:
    """What no watch of ours tells of: ConfigMaps and Secrets, and the revisions of StatefulSets and DaemonSets."""

    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    """What could not be looked at: `secrets: forbidden`."""


def recent(snapshot: KubernetesSnapshot, since: float, configs: Configs | None = None) -> tuple[Change, ...]:
    """Return what changed since that moment, newest first."""
    found = [
        *_rollouts(snapshot, since),
        *_restarts(snapshot, since),
        *_told(snapshot, since),
        *_nodes(snapshot, since),
        *(change for change in (configs.changes if configs else ()) if change.at >= since),
    ]
    return tuple(sorted(found, key=lambda change: -change.at))


def _rollouts(snapshot: KubernetesSnapshot, since: float) -> Iterator[Change]:
    for workload in snapshot.workloads.values():
        if (made := workload.created_at) is not None and made >= since and workload.owner is None:
            yield Change(made, "new", _about(workload), f"created: {', '.join(workload.images)}")
    for new in snapshot.replica_sets.values():
        if new.created_at is None or new.created_at < since or new.owner is None:
            continue
        above = snapshot.workloads.get(new.owner.uid)
        if above is not None and above.created_at is not None and above.created_at >= since:
            continue  # told as new
        before = max(
            (one for one in snapshot.replica_sets.values()
             if one.owner is not None and one.owner.uid == new.owner.uid and one.revision < new.revision),
            key=lambda one: one.revision, default=None,
        )  # fmt: skip
        about = f"{new.owner.kind.lower()}/{new.namespace}/{new.owner.name}"
        yield Change(new.created_at, "rollout", about, f"revision {new.revision}: {images_words(new, before)}")


def images_words(new: Workload, before: Workload | None) -> str:
    """Return what became of a template's images, a container at a time."""
    if before is None:
        return ", ".join(new.images)
    old = dict(zip(before.containers, before.images, strict=False))
    changed = [
        f"{name} {_image_words(image, old.get(name))}"
        for name, image in zip(new.containers, new.images, strict=False)
        if old.get(name) != image
    ]
    changed += [f"{name} is gone" for name in old if name not in new.containers]
    return ", ".join(changed) or f"another template, the same images as revision {before.revision}"


def _image_words(image: str, old: str | None) -> str:
    """Return what became of an image, the tag first: it is what one looks for where there is little room."""
    if old is None:
        return f"{image} (was not there)"
    (repository, _, tag), (old_repository, _, old_tag) = image.rpartition(":"), old.rpartition(":")
    if repository and repository == old_repository:
        return f"{tag} (was {old_tag}) of {repository}"
    return f"{image} (was {old})"


def _restarts(snapshot: KubernetesSnapshot, since: float) -> Iterator[Change]:
    for pod in snapshot.pods.values():
        if pod.restarted_at is not None and pod.restarted_at >= since:
            is_oom = pod.last_end.startswith("OOMKilled")
            words = f"{pod.last_end or 'ended'}; {pod.restarts} restarts, now {pod.status}"
            yield Change(pod.restarted_at, "OOM kill" if is_oom else "restart", f"pod/{pod.path}", words, is_bad=True)


def _told(snapshot: KubernetesSnapshot, since: float) -> Iterator[Change]:
    """Yield what only events tell: for each object and sort of news the newest."""
    rolled = {
        new.owner.name
        for new in snapshot.replica_sets.values()
        if new.owner is not None and new.created_at is not None and new.created_at >= since
    }
    newest: dict[tuple[str, str], tuple[Event, int]] = {}
    for event in snapshot.events.values():
        if event.last_at is None or event.last_at < since or not (what := _sort(event)):
            continue
        if what == "scale" and event.object.rpartition("/")[2] in rolled:
            continue  # a rollout scales, too
        known = newest.get(key := (what, f"{event.namespace}/{event.object}"))
        times = event.count + (known[1] if known else 0)
        last = event if known is None or (known[0].last_at or 0) < event.last_at else known[0]
        newest[key] = last, times
    for (what, _), (event, times) in newest.items():
        kind, _, name = event.object.partition("/")
        about = f"{kind}/{name}" if kind == "node" else f"{kind}/{event.namespace}/{name}"
        words = f"{event.reason}: {event.message}" + (f" ({times} times)" if times > 1 else "")
        yield Change(event.last_at or 0.0, what, about, words, is_bad=event.type != "Normal" or what == "eviction")


def _nodes(snapshot: KubernetesSnapshot, since: float) -> Iterator[Change]:
    """Yield which nodes became ready, or ceased to be: they say so as long as it is so, events only for an hour."""
    for node in snapshot.nodes.values():
        if node.turned_at is not None and node.turned_at >= since:
            yield Change(node.turned_at, "node", f"node/{node.name}", node.status, is_bad=not node.is_ready)


def _sort(event: Event) -> str:
    if event.reason in _EVICTED:
        return "eviction"
    if event.reason in _SCALED:
        return "scale"
    if event.reason in _JOB_ENDS and event.object.startswith("job/"):
        return "job failed"
    if event.reason in _TOLD_BY_NODES:
        return ""
    is_node = event.object.startswith("node/")
    return "node" if is_node and (event.reason in _NODE_NEWS or event.reason.startswith("Node")) else ""


def _about(workload: Workload) -> str:
    return f"{workload.kind.lower()}/{workload.namespace}/{workload.name}"


async def read_configs(connection: Connection, namespaces: Sequence[str], since: float) -> Configs:
    """Return what was written since that moment of what is not watched; asks for metadata only, never values.

    Raises:
        SourceError: something cannot be read for another reason than a missing right.
    """
    changes: list[Change] = []
    missing: list[str] = []
    parsers: tuple[tuple[str, str, Callable[[Object], Change | None]], ...] = (
        (_CORE, "configmaps", partial(parse_config, "configmap")),
        (_CORE, "secrets", partial(parse_config, "secret")),
        (_APPS, "controllerrevisions", parse_revision),
    )
    for root, resource, parse in parsers:
        for namespace in namespaces or (None,):
            where = f"/namespaces/{namespace}" if namespace else ""
            try:
                listed = await connection.get(
                    f"{root}{where}/{resource}", [("limit", str(_LIMIT))], timeout_s=30, accept=_METADATA
                )
            except Denied:
                missing.append(f"{resource}: forbidden" + (f" in {namespace}" if namespace else ""))
                continue
            if part(listed, "metadata").get("continue"):
                missing.append(f"{resource}: only the first {_LIMIT}" + (f" of {namespace}" if namespace else ""))
            changes += (change for item in parts(listed, "items") if (change := parse(item)) and change.at >= since)
    return Configs(tuple(changes), tuple(missing))


def parse_revision(obj: Object) -> Change | None:
    """Return the rollout that made a ControllerRevision, from its metadata; None when it says no moment or owner."""
    metadata = part(obj, "metadata")
    above, made = owner(metadata), moment(metadata, "creationTimestamp")
    if above is None or made is None:
        return None
    about = f"{above.kind.lower()}/{text(metadata, 'namespace')}/{above.name}"
    return Change(made, "rollout", about, f"a new revision, {text(metadata, 'name')}; d shows what it changed")


def parse_config(kind: str, obj: Object) -> Change | None:
    """Return when a ConfigMap or Secret was last written, from its metadata; None when nothing tells."""
    metadata = part(obj, "metadata")
    about = f"{kind}/{text(metadata, 'namespace')}/{text(metadata, 'name')}"
    made = moment(metadata, "creationTimestamp")
    writes = [
        (at, text(entry, "manager"))
        for entry in parts(metadata, "managedFields")
        if (at := moment(entry, "time")) is not None
    ]
    if not writes:
        return None if made is None else Change(made, "config", about, "created")
    at, manager = max(writes)
    # Whole seconds count: what was created is also written then.
    word = "created" if made is not None and at - made < 1 else "changed"
    return Change(at, "config", about, f"{word} by {manager or 'somebody'}")
