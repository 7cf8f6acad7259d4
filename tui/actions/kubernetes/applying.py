"""Applying a manifest that the profile names, document by document, by server-side apply."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from profiles.declared import Manifest
from profiles.ownership import read_own
from profiles.problems import Problem
from tui.actions.action import (
    CANNOT_BE_UNDONE,
    About,
    Action,
    Look,
    NotSentError,
    Phase,
    Plain,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.actions.kubernetes.asking import permission
from tui.actions.kubernetes.locating import found_at, lost_race, resource_named, send_patch, uid_of
from tui.actions.kubernetes.preview import changed_fields, moved_fields
from tui.actions.kubernetes.rollout import rollout
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Resource
from tui.sources.text import clean

APPLY: Final = "apply"
_APPLY_PATCH: Final = "application/apply-patch+yaml"
_ROLLED: Final = ("Deployment", "StatefulSet", "DaemonSet")
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest of a file."""

    index: int
    kind: str
    group: str
    namespace: str
    name: str
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """By which it is known again."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()[:16]


async def documents(manifest: Manifest) -> list[Document]:
    """Return the manifests of a file that the profile names.

    Raises:
        NotSentError: it cannot be read, others could have written it, or it holds what is not applied from here.
    """
    found = await asyncio.to_thread(read_own, Path(manifest.file))
    if isinstance(found, Problem):
        raise NotSentError(f"{manifest.file}: {found.message}" + (f"; {found.hint}" if found.hint else ""))
    try:
        bodies = [one for one in await asyncio.to_thread(lambda: list(yaml.safe_load_all(found))) if one is not None]
    except (yaml.YAMLError, RecursionError) as error:
        raise NotSentError(f"{manifest.file} is not valid YAML: {clean(str(error), limit=200)}") from error
    if not 0 < len(bodies) <= _MOST:
        raise NotSentError(f"{manifest.file} holds {len(bodies)} manifests: 1 to {_MOST} are applied from here")
    return [_document(manifest, index, body) for index, body in enumerate(bodies)]


def _document(manifest: Manifest, index: int, body: Any) -> Document:
    metadata = part(body, "metadata") if isinstance(body, dict) else {}
    kind, name = (str(body.get("kind", "")) if isinstance(body, dict) else ""), str(metadata.get("name", ""))
    if not kind or not name or not body.get("apiVersion"):
        raise NotSentError(f"{manifest.file}: manifest {index + 1} has no apiVersion, kind or name")
    if kind == "Secret":
        raise NotSentError(f"{manifest.file}: a Secret is not applied from here: its values would stand in a file")
    group = str(body["apiVersion"]).rpartition("/")[0]
    # YAML knows dates, and JSON none: they are sent as they are written.
    plain = json.loads(json.dumps(body, default=str))
    return Document(index, kind, group, str(metadata.get("namespace", "")), name, plain)


async def apply_requests(source: KubernetesSource, name: str, manifest: Manifest) -> list[Request]:
    """Return a request for every manifest of a file, each for the very object that there is now, or for none.

    Raises:
        NotSentError: as `documents` does, or the cluster knows no such kind.
        SourceError: the server could not be asked.
    """
    requests = []
    for document in await documents(manifest):
        kind = await resource_named(source, document.kind, document.group)
        target = _target(document, kind, None)
        obj = await found_at(source, kind, target)
        uid = text(part(obj, "metadata"), "uid") if obj is not None else None
        wanted: dict[str, Plain] = {"manifest": name, "index": document.index, "digest": document.digest}
        requests.append(Request(APPLY, _target(document, kind, uid), wanted=wanted))
    return requests


def _target(document: Document, kind: Resource, uid: str | None) -> Target:
    where = document.namespace or "default" if kind.is_namespaced else ""
    return Target(
        KubernetesSource.name, document.kind.lower(), document.name, where, {"uid": uid}, {"namespace": where}
    )


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends, and the version it was planned with."""

    kind: Resource
    body: Mapping[str, Any]
    was: Object | None
    """The object as it was read; None when there was none."""

    @property
    def version(self) -> str:
        """Its resourceVersion; empty when there was none."""
        return _version(self.was)


class ApplyManifest:
    """`kubectl apply --server-side`, of a manifest in a file that the profile names.

    The uid and the resourceVersion of the object that there is stand in the manifest that is sent: the server answers
    409 when it has changed since, or is gone. Fields that another field manager owns are never taken from it: that is
    a conflict.
    """

    name = APPLY
    title = "Apply"
    about = About(
        system="Kubernetes",
        targets="manifests in a file that the profile names (kubernetes.manifests); no Secrets",
        risk="as the profile says, high if it does not",
        inverse=CANNOT_BE_UNDONE,
        identity="metadata.uid and resourceVersion of what was read, in what is applied; the manifest's digest",
        window="none for an object that is there; one that somebody creates in the same moment is merged with",
        command="kubectl apply --server-side --field-manager=opstui -f FILE",
        verification="read back as the server wrote it, within 5 min; a workload as kubectl rollout status",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: KubernetesSource, declared: Mapping[str, Manifest]) -> None:
        """Make it for the manifests of a profile, by name."""
        self._source, self._declared = source, declared

    def forbidden(self, request: Request) -> str:
        """Return nothing: whether we may is asked for when it is planned, once the server has told the kind."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the file and the object again, ask whether we may, and let the server try it.

        Raises:
            NotSentError: either has changed, or the server would not apply it.
            SourceError: the server could not be asked.
        """
        target, manifest = request.target, self._declared.get(str(request.wanted.get("manifest")))
        if manifest is None:
            raise NotSentError(f"the profile has no manifest {request.wanted.get('manifest')}")
        document = await _again(manifest, request)
        kind = await resource_named(self._source, document.kind, document.group)
        obj = await found_at(self._source, kind, target)
        _is_the_one(target, obj)
        body = _with_identity(document.body, target.where, obj)
        may_not = await permission(self._source, "patch", kind, target)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        evidence: dict[str, Any] = {"group": document.group}
        if not may_not:
            answer = await self._source.connection.call(
                "PATCH", kind.path(target.where, target.name), query=[*_QUERY, ("dryRun", "All")], body=body,
                content_type=_APPLY_PATCH,
            )  # fmt: skip
            if answer.status in (400, 404, 409, 422):
                raise await lost_race(self._source, kind, target, answer, obj)
            preview = changed_fields(obj or {}, answer.body) if answer.is_ok else (f"no preview: {answer.message}",)
            evidence |= {"md5": _content_md5(answer.body)} if answer.is_ok else {}
        return Action(
            request=request,
            before="there is none" if obj is None else f"resourceVersion {clean(_version(obj))}",
            after=f"as manifest {document.index + 1} of {manifest.file} says",
            risk=Risk[manifest.risk.upper()],
            risk_reason=manifest.title,
            command=self._source.kubectl(
                target.where, "apply", "--server-side", "--field-manager=opstui", "-f", manifest.file
            ),
            preview=preview,
            deadline_s=300.0,
            impact=() if obj is not None else ("it is created: deleting it again is not offered",),
            permission=may_not,
            evidence=evidence,
            payload=_Payload(kind, body, obj),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the object is still as it was read. Raises SourceError."""
        payload, target = _payload(action), action.request.target
        obj = await found_at(self._source, payload.kind, target)
        if obj is None:
            return (Sight.GONE, f"{target} is gone") if payload.version else (Sight.UNCHANGED, "")
        if _version(obj) == payload.version:
            return Sight.UNCHANGED, ""
        moved = moved_fields(payload.was, obj) if payload.was is not None else "somebody has made it"
        return Sight.CHANGED, moved or "it has changed"

    async def execute(self, action: Action) -> Receipt:
        """Send it, once; raises as `send_patch` does."""
        payload, target = _payload(action), action.request.target
        answer = await send_patch(
            self._source, payload.kind, target, payload.body, _APPLY_PATCH, _QUERY, was=payload.was
        )
        version = text(part(answer.body, "metadata"), "resourceVersion")
        return Receipt(f"{target} is applied (resourceVersion {version})", {"md5": _content_md5(answer.body)})

    async def look(self, sent: Sent) -> Look:
        """Look whether the object is as the server wrote it, and a workload rolled out."""
        target = sent.request.target
        kind = await resource_named(self._source, target.kind, str(sent.evidence["group"]))
        obj = await found_at(self._source, kind, target)
        if obj is None:
            return Look(Phase.ABSENT, "it is not there")
        if _content_md5(obj) != sent.evidence.get("md5"):
            return Look(Phase.ABSENT, "it is other than applied: never applied, or changed anew")
        return rollout(kind.kind, obj, ()) if kind.kind in _ROLLED else Look(Phase.CONVERGED, "read back")


_QUERY: Final = (("fieldManager", "opstui"), ("force", "false"))


async def _again(manifest: Manifest, request: Request) -> Document:
    found = await documents(manifest)
    index = request.wanted.get("index")
    document = next((one for one in found if one.index == index), None)
    if document is None or document.digest != request.wanted.get("digest"):
        raise NotSentError(f"{manifest.file} has changed since you looked: choose it again")
    return document


def _is_the_one(target: Target, obj: Object | None) -> None:
    uid = text(part(obj, "metadata"), "uid") if obj is not None else None
    if uid != target.identity.get("uid"):
        what = (
            "is gone" if obj is None else "is another one now" if target.identity.get("uid") else "was made meanwhile"
        )
        raise NotSentError(f"{target} {what}: choose the manifest again")


def _version(obj: Object | None) -> str:
    return str(part(obj or {}, "metadata").get("resourceVersion", ""))


def _with_identity(body: Mapping[str, Any], namespace: str, obj: Object | None) -> dict[str, Any]:
    """Return a manifest for the very object that was read.

    The uid keeps a server from making anew what somebody has deleted in the same moment: the version alone would not.
    """
    metadata = {**part(body, "metadata")}
    if namespace:
        metadata["namespace"] = namespace
    if obj is not None:
        metadata |= {"uid": uid_of(obj), "resourceVersion": _version(obj)}
    return {**body, "metadata": metadata}


def _content_md5(obj: Object) -> str:
    """Return a hash of what an object says, without its bookkeeping and status; not for safety."""
    metadata = part(obj, "metadata")
    told = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    told["marks"] = [part(metadata, key) for key in ("labels", "annotations")]
    return hashlib.md5(json.dumps(told, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by ApplyManifest")
    return action.payload
