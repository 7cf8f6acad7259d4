"""The rows of everything that is not a workload: nodes, services, events, quotas and the like."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui.sandbox.cluster.durations import since
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.selectors import selector_text


def plain_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME and when it was created, as kinds without a printer have it."""
    return [thing["metadata"]["name"], _age(thing, now)]


def created_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME CREATED AT."""
    return [thing["metadata"]["name"], thing["metadata"]["creationTimestamp"]]


def namespace_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME STATUS AGE."""
    return [thing["metadata"]["name"], (thing.get("status") or {}).get("phase", ""), _age(thing, now)]


def node_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME STATUS ROLES AGE VERSION | INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME."""
    status = thing["status"]
    info = status.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel = f"{kernel} ({info['architecture']})"
    return [
        thing["metadata"]["name"],
        _node_status(thing),
        _roles(thing["metadata"].get("labels") or {}),
        _age(thing, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def service_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE | SELECTOR."""
    spec = thing["spec"]
    selector = spec.get("selector")
    return [
        thing["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or "<none>",
        _external(thing),
        _ports(spec.get("ports") or ()),
        _age(thing, now),
        ",".join(f"{k}={v}" for k, v in sorted(selector.items())) if selector else "<none>",
    ]


def ingress_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME CLASS HOSTS ADDRESS PORTS AGE."""
    spec = thing["spec"]
    hosts = list(dict.fromkeys(r["host"] for r in spec.get("rules") or () if r.get("host")))
    points = ((thing.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [
        thing["metadata"]["name"],
        spec.get("ingressClassName") or "<none>",
        (",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "")) or "*",
        ",".join(p.get("ip") or p.get("hostname", "") for p in points),
        "80, 443" if spec.get("tls") else "80",
        _age(thing, now),
    ]


def event_cells(thing: Object, now: datetime) -> list[Any]:
    """LAST-SEEN TYPE REASON OBJECT | SUBOBJECT SOURCE | MESSAGE | FIRST-SEEN COUNT NAME."""
    first = since(thing.get("firstTimestamp") or thing.get("eventTime"), now)
    last, count = thing.get("lastTimestamp"), thing.get("count") or 1
    series = thing.get("series")
    if series:
        last, count = series.get("lastObservedTime"), series.get("count", count)
    target, source = thing.get("involvedObject") or {}, thing.get("source") or {}
    component = source.get("component") or thing.get("reportingComponent") or ""
    host = source.get("host") or thing.get("reportingInstance") or ""
    kind, name = target.get("kind", "").lower(), target.get("name")
    return [
        since(last, now) if last else first,
        thing.get("type", ""),
        thing.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        target.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        thing.get("message", "").strip(),
        first,
        count,
        thing["metadata"]["name"],
    ]


def quota_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME REQUEST LIMIT AGE."""
    status = thing.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    said = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    return [
        thing["metadata"]["name"],
        ", ".join(text for name, text in said.items() if not name.startswith("limits")),
        ", ".join(text for name, text in said.items() if name.startswith("limits")),
        _age(thing, now),
    ]


def data_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME DATA AGE, of config maps."""
    size = len(thing.get("data") or ()) + len(thing.get("binaryData") or ())
    return [thing["metadata"]["name"], size, _age(thing, now)]


def secret_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME TYPE DATA AGE."""
    return [thing["metadata"]["name"], thing.get("type", ""), len(thing.get("data") or ()), _age(thing, now)]


def claim_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME STATUS VOLUME CAPACITY ACCESS-MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE | VOLUMEMODE."""
    spec, status = thing["spec"], thing.get("status") or {}
    modes = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return [
        thing["metadata"]["name"],
        "Terminating" if thing["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", ""),
        ",".join(modes.get(m, m) for m in status.get("accessModes") or ()),
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        _age(thing, now),
        spec.get("volumeMode", "<unset>"),
    ]


def endpoints_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME ENDPOINTS AGE."""
    pairs = [
        f"{address['ip']}:{port['port']}"
        for subset in thing.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    more = f" + {len(pairs) - 3} more..." if len(pairs) > 3 else ""
    return [thing["metadata"]["name"], (",".join(pairs[:3]) + more) or "<none>", _age(thing, now)]


def slice_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME ADDRESSTYPE PORTS ENDPOINTS AGE."""
    ports = [str(p["port"]) for p in thing.get("ports") or ()]
    found = [address for endpoint in thing.get("endpoints") or () for address in endpoint["addresses"]]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [
        thing["metadata"]["name"],
        thing["addressType"],
        ",".join(ports) or "<unset>",
        (",".join(found[:3]) + more) or "<unset>",
        _age(thing, now),
    ]


def policy_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME POD-SELECTOR AGE."""
    selector = thing["spec"].get("podSelector") or {}
    return [thing["metadata"]["name"], selector_text(selector) or "<none>", _age(thing, now)]


def revision_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME CONTROLLER REVISION AGE."""
    owner = next((o for o in thing["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    group = f".{owner['apiVersion'].partition('/')[0]}" if owner else ""
    controller = f"{owner['kind'].lower()}{group}/{owner['name']}" if owner else "<none>"
    return [thing["metadata"]["name"], controller, thing.get("revision", 0), _age(thing, now)]


def _age(thing: Object, now: datetime) -> str:
    return since(thing["metadata"].get("creationTimestamp"), now)


def _node_status(thing: Object) -> str:
    ready = next((c for c in thing["status"].get("conditions") or () if c["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"]
    if (thing.get("spec") or {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(labels: dict[str, str]) -> str:
    prefix = "node-role.kubernetes.io/"
    roles = {k.removeprefix(prefix) for k in labels if k.startswith(prefix)} - {""}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    return ",".join(sorted(roles)) or "<none>"


def _address(status: dict[str, Any], kind: str) -> str:
    return next((str(a["address"]) for a in status.get("addresses") or () if a["type"] == kind), "<none>")


def _external(thing: Object) -> str:
    spec = thing["spec"]
    given = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case "LoadBalancer":
            points = ((thing.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
            found = [p.get("ip") or p.get("hostname", "") for p in points] + given
            return ",".join(found) or "<pending>"
        case _:
            return ",".join(given) or "<none>"


def _ports(ports: Any) -> str:
    said = [
        f"{p['port']}:{p['nodePort']}/{p.get('protocol', 'TCP')}"
        if p.get("nodePort")
        else f"{p['port']}/{p.get('protocol', 'TCP')}"
        for p in ports
    ]
    return ",".join(said) or "<none>"
