"""Objects as controllers make them: pods from templates, owner references, names from hashes."""

from __future__ import annotations

import hashlib
from typing import Any

from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.store import clone, encode

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"

BEHAVIOUR = "sandbox.opstui/behaviour"
"""Annotation of a pod that chooses how its containers fare; see `tui.sandbox.cluster.behaviour`."""


def owner_reference(owner: Object) -> dict[str, Any]:
    """Return the reference that makes `owner` the controller of something."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_uid(thing: Object) -> str | None:
    """Return the uid of the controller that owns `thing`."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return next((o["uid"] for o in owners if o.get("controller")), None)


def template_hash(template: Object) -> str:
    """Return a pod-template-hash: the same for the same template."""
    number = int.from_bytes(hashlib.sha256(encode(template)).digest()[:8], "big")
    letters: list[str] = []
    while len(letters) < 10:
        number, at = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


def pod_from(template: Object, owner: Object, name: str = "", labels: dict[str, str] | None = None) -> Object:
    """Return the pod that a controller makes from its template; without a name it gets a generated one."""
    meta = template.get("metadata") or {}
    metadata: dict[str, Any] = {"name": name} if name else {"generateName": owner["metadata"]["name"] + "-"}
    metadata["namespace"] = owner["metadata"]["namespace"]
    metadata["labels"] = {**(meta.get("labels") or {}), **(labels or {})}
    if meta.get("annotations"):
        metadata["annotations"] = dict(meta["annotations"])
    metadata["ownerReferences"] = [owner_reference(owner)]
    spec = clone(template["spec"])
    claims = [one["metadata"]["name"] for one in owner.get("spec", {}).get("volumeClaimTemplates") or ()]
    if claims and name:
        volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}"}} for claim in claims]
        spec["volumes"] = [*volumes, *(one for one in spec.get("volumes") or () if one["name"] not in claims)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def is_ready(pod: Object) -> bool:
    """Return whether a pod's Ready condition is True."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def is_active(pod: Object) -> bool:
    """Return whether a pod counts for its controller: neither finished nor on its way out."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and "deletionTimestamp" not in pod["metadata"]


def set_condition(status: dict[str, Any], kind: str, value: str, now: str, reason: str = "", message: str = "",
                  **more: Any) -> None:  # fmt: skip
    """Set one entry of `status.conditions`; its transition time moves only when its status does."""
    conditions = status.setdefault("conditions", [])
    old = next((c for c in conditions if c["type"] == kind), None)
    same = old is not None and old["status"] == value
    fresh = {"type": kind, "status": value, **more}
    fresh["lastTransitionTime"] = old["lastTransitionTime"] if old is not None and same else now
    if reason:
        fresh["reason"] = reason
    if message:
        fresh["message"] = message
    if old is None:
        conditions.append(fresh)
    else:
        conditions[conditions.index(old)] = fresh
