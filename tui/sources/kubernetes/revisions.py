"""The templates a workload had: ReplicaSets of a Deployment, ControllerRevisions of the others."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, moment, owner, part, parts, strings, text, whole
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import REVISION, selector_words

CHANGE_CAUSE: Final = "kubernetes.io/change-cause"
"""The annotation in which people note why a template changed; kubectl's CHANGE-CAUSE."""
_HASH: Final = "pod-template-hash"
"""The label that the controller adds to a ReplicaSet's template."""
_POD_HASH: Final = "controller-revision-hash"
"""The label by which the pods of StatefulSets and DaemonSets name their revision."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One template a workload has or had."""

    number: int
    """`deployment.kubernetes.io/revision`, or a ControllerRevision's `revision`; another one when it comes back."""
    name: str
    """Of the ReplicaSet or ControllerRevision that keeps it."""
    uid: str
    created_at: float | None
    change_cause: str
    """`kubernetes.io/change-cause`; empty when nobody noted one."""
    images: tuple[str, ...]
    template: Object
    """As a workload's `spec.template`, whole; what it holds is not cleaned."""
    is_current: bool
    """Whether it is the workload's template now."""


async def revisions(connection: Connection, obj: Object) -> tuple[Revision, ...]:
    """Return the revisions of a Deployment, StatefulSet or DaemonSet as the server sent it, the newest first.

    Raises:
        SourceError: they cannot be read.
    """
    namespace, kind = text(part(obj, "metadata"), "namespace"), text(obj, "kind")
    path = (
        KINDS["ReplicaSet"].path(namespace)
        if kind == "Deployment"
        else f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"
    )
    selector = selector_words(part(obj, "spec", "selector"))
    listed = await connection.get(path, [("labelSelector", selector)])
    return parse_revisions(obj, parts(listed, "items"))


def parse_revisions(obj: Object, kept: Iterable[Object]) -> tuple[Revision, ...]:
    """Return the revisions among these ReplicaSets or ControllerRevisions that belong to a workload, newest first."""
    uid = text(part(obj, "metadata"), "uid")
    own = [item for item in kept if (owned_by := owner(part(item, "metadata"))) is not None and owned_by.uid == uid]
    now = template_md5(part(obj, "spec", "template"))
    return tuple(sorted((_revision(item, now) for item in own), key=lambda revision: -revision.number))


def is_of(pod: Pod, revision: Revision, workload_uid: str) -> bool:
    """Tell whether a pod was made from this revision of a workload."""
    if pod.owner is None:
        return False
    if pod.owner.uid == revision.uid:
        return True
    # A StatefulSet's pods carry the whole name of the ControllerRevision, a DaemonSet's only the end of it.
    mark = pod.labels.get(_POD_HASH, "")
    return pod.owner.uid == workload_uid and bool(mark) and f"-{revision.name}".endswith(f"-{mark}")


def template_md5(template: Object) -> str:
    """Return a hash of a template, to recognise it by; not for safety."""
    return hashlib.md5(json.dumps(template, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _revision(item: Object, now: str) -> Revision:
    metadata = part(item, "metadata")
    annotations = strings(metadata, "annotations")
    if "revision" in item:
        number, template = whole(item, "revision"), part(item, "data", "spec", "template")
        template = {key: value for key, value in template.items() if key != "$patch"}
    else:
        written = annotations.get(REVISION, "")
        number = int(written) if written.isdecimal() else 0
        template = _without_hash(part(item, "spec", "template"))
    return Revision(
        number=number,
        name=text(metadata, "name"),
        uid=text(metadata, "uid"),
        created_at=moment(metadata, "creationTimestamp"),
        change_cause=annotations.get(CHANGE_CAUSE, ""),
        images=tuple(text(container, "image") for container in parts(part(template, "spec"), "containers")),
        template=template,
        is_current=template_md5(template) == now,
    )


def _without_hash(template: Object) -> Mapping[str, Any]:
    metadata = part(template, "metadata")
    labels = {key: value for key, value in part(metadata, "labels").items() if key != _HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}
