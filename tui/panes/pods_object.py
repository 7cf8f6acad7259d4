"""An object of any kind in full, as text: what kubectl describe would say of it, and what else is known. Pure."""

import base64
import binascii
from collections.abc import Iterable, Iterator

from tui.panes.pods_detail import conditions_lines, events_lines, labels_lines
from tui.sources.kubernetes.ages import age, age_since
from tui.sources.kubernetes.fields import Object, moment, owner, part, strings, text, whole
from tui.sources.kubernetes.object_yaml import yaml_words
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.veil import LAST_APPLIED, veiled
from tui.sources.text import clean
from tui.units import size

_TOLD = frozenset({"apiVersion", "kind", "metadata", "data", "binaryData", "stringData", "immutable"})

_TOLD_ANYWAY = frozenset({"Name", "Namespace", "Age", "Data"})
_NOTHING = frozenset({"", "<none>", "<unset>", "<unknown>"})


def object_page(
    obj: Object,
    snapshot: KubernetesSnapshot,
    now: float,
    users: Iterable[str] = (),
    printed: Iterable[tuple[str, str]] = (),
) -> str:
    """Return an object in full; of a Secret and a ConfigMap the keys and sizes, never the values.

    Args:
        obj: as the server has it.
        snapshot: the cluster it is of.
        now: `time.time()`.
        users: lines that say who uses it.
        printed: columns and cells of its row as the server prints it, also those that a screen has no room for.
    """
    metadata, status = part(obj, "metadata"), part(obj, "status")
    uid, kind = text(metadata, "uid"), text(obj, "kind")
    lines = [
        f"kind        {kind} ({text(obj, 'apiVersion')})",
        f"age         {age_since(moment(metadata, 'creationTimestamp'), now)}",
    ]
    if (above := owner(metadata)) is not None:
        lines.append(f"owner       {above.kind}/{above.name}")
    if (deleted := moment(metadata, "deletionTimestamp")) is not None:
        waits = metadata.get("finalizers")
        names = ", ".join(clean(str(name)) for name in waits) if isinstance(waits, list) else ""
        lines.append(f"deleted     {age_since(deleted, now)} ago" + (f"; waits for: {names}" if names else ""))
    lines.append(f"uid         {uid}")
    lines += (f"{column.lower():<11} {cell}" for column, cell in printed if _tells(kind, column, cell))
    lines += _by_kind(kind, obj, snapshot, now)
    lines += users
    # Conditions have their own lines.
    rest = {key: value for key, value in obj.items() if key not in _TOLD}
    if "conditions" in status:
        rest["status"] = {key: value for key, value in status.items() if key != "conditions"}
    rest = {key: value for key, value in rest.items() if value not in ({}, [], None)}
    lines += conditions_lines(status, now)
    if rest and kind != "Secret":
        lines += ["", *yaml_words(veiled({"kind": kind, **rest})).rstrip().split("\n")[1:]]
    lines += labels_lines({"metadata": _without_applied(metadata)})
    about = [event for event in snapshot.events.values() if event.object_uid == uid]
    lines += events_lines(about, now)
    return "\n".join(lines)


def _tells(kind: str, column: str, cell: str) -> bool:
    """Tell whether a printed cell says anything that the lines around it do not."""
    return column not in _TOLD_ANYWAY and cell not in _NOTHING and (kind, column) != ("Secret", "Type")


def _without_applied(metadata: Object) -> Object:
    """Return metadata without the copy of the whole object that `kubectl apply` keeps in it."""
    kept = {key: value for key, value in part(metadata, "annotations").items() if key != LAST_APPLIED}
    return {**metadata, "annotations": kept}


def _by_kind(kind: str, obj: Object, snapshot: KubernetesSnapshot, now: float) -> Iterator[str]:
    match kind:
        case "Service":
            yield from _service(obj, snapshot)
        case "Secret" | "ConfigMap":
            yield from _keys(obj)
        case "Certificate":
            yield from _certificate(part(obj, "status"), now)
        case "ResourceQuota":
            yield from _quota(part(obj, "status"))


def _service(obj: Object, snapshot: KubernetesSnapshot) -> Iterator[str]:
    selector, namespace = strings(part(obj, "spec"), "selector"), text(part(obj, "metadata"), "namespace")
    yield ""
    if not selector:
        yield "It selects no pods: its endpoints are kept by hand, or it is an ExternalName"
        return
    words = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    chosen = sorted(
        (
            pod
            for pod in snapshot.pods.values()
            if pod.namespace == namespace and selector.items() <= pod.labels.items()
        ),
        key=lambda pod: pod.name,
    )
    ready = sum(pod.health is Health.FINE for pod in chosen)
    yield f"Pods of its selector {words}: {len(chosen)}, {ready} ready"
    if not ready:
        yield "  nothing answers behind this service"
    for pod in chosen:
        yield f"  {pod.name}  {pod.ready}/{pod.containers}  {pod.status}  {pod.ip or 'no IP yet'}  {pod.node}"


def _keys(obj: Object) -> Iterator[str]:
    is_secret = text(obj, "kind") == "Secret"
    if text(obj, "type"):
        yield f"type        {text(obj, 'type')}"
    if obj.get("immutable") is True:
        yield "immutable   yes"
    found = {
        clean(str(key)): _bytes(value, is_encoded=is_secret or section == "binaryData")
        for section in ("data", "binaryData")
        for key, value in part(obj, section).items()
    }
    yield ""
    yield f"Keys: {len(found)}, {size(sum(found.values()))} in all" if found else "Keys: none"
    for key, count in sorted(found.items()):
        yield f"  {key:<40} {count:>8,} bytes"


def _bytes(value: object, *, is_encoded: bool) -> int:
    """Return how many bytes a value has; the value itself goes nowhere."""
    written = value if isinstance(value, str) else ""
    if not is_encoded:
        return len(written.encode(errors="replace"))
    try:
        return len(base64.b64decode(written))
    except (binascii.Error, ValueError):
        return len(written)


def _certificate(status: Object, now: float) -> Iterator[str]:
    for key, word in (("notBefore", "valid from"), ("notAfter", "expires"), ("renewalTime", "renewal")):
        if (at := moment(status, key)) is not None:
            when = f"in {age(at - now)}" if at > now else f"{age(now - at)} ago"
            yield f"{word:<11} {when} ({text(status, key)})"
    if revision := whole(status, "revision"):
        yield f"issued      {revision} times"


def _quota(status: Object) -> Iterator[str]:
    hard, used = strings(status, "hard"), strings(status, "used")
    yield ""
    yield "Used of what is allowed"
    for name, allowed in sorted(hard.items()):
        yield f"  {name:<40} {used.get(name, '0'):>10} of {allowed}"
