"""ControllerRevisions: the history of stateful and daemon sets."""

from __future__ import annotations

from tui.sandbox.cluster.resources import REVISIONS, Object
from tui.sandbox.cluster.shapes import owner_reference, template_hash
from tui.sandbox.cluster.store import Store, clone

HASH = "controller-revision-hash"


def current_revision(store: Store, owner: Object, made_at: str = "") -> str:
    """Return the hash of the owner's present template, after storing (or renewing) its revision, made now or then."""
    template = owner["spec"]["template"]
    digest = template_hash(template)
    name = f"{owner['metadata']['name']}-{digest}"
    namespace = owner["metadata"]["namespace"]
    known = store.owned_by(owner["metadata"]["uid"], REVISIONS)
    newest = max((r["revision"] for r in known), default=0)
    found = store.find(REVISIONS, namespace, name)
    if found is None:
        store.insert(
            REVISIONS,
            {
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    **({"creationTimestamp": made_at} if made_at else {}),
                    "labels": {**(template["metadata"].get("labels") or {}), HASH: digest},
                    "annotations": dict(owner["metadata"].get("annotations") or {}),
                    "ownerReferences": [owner_reference(owner)],
                },
                "data": {"spec": {"template": {**clone(template), "$patch": "replace"}}},
                "revision": newest + 1,
            },
        )
    elif found["revision"] < newest:
        store.modify(REVISIONS, namespace, name, lambda copy: copy.update(revision=newest + 1))
    return digest
