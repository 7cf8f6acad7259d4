"""Nodes: their shape, their addresses, and the choice of one for a pod."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.resources import NODES, PODS, Object
from tui.sandbox.cluster.store import Store

_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node(name: str, number: int, now: str, since: str, *, is_control_plane: bool = False) -> Object:
    """Return a node with 4 cores and 16 GiB that has been ready since then and said so at `now`."""
    role = "control-plane" if is_control_plane else "worker"
    size = {"cpu": "4", "ephemeral-storage": "100Gi", "memory": "16Gi", "pods": "110"}
    identity = f"{number:032x}"
    return {
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                f"node-role.kubernetes.io/{role}": "",
                "topology.kubernetes.io/zone": f"zone-{'abc'[number % 3]}",
            },
        },
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {
            "capacity": size,
            "allocatable": size,
            "conditions": [
                {
                    "type": kind,
                    "status": value,
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": since,
                    "reason": reason,
                    "message": message,
                }
                for kind, value, reason, message in _CONDITIONS
            ],
            "addresses": [
                {"type": "InternalIP", "address": f"10.0.0.{10 + number}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "machineID": identity,
                "systemUUID": identity,
                "bootID": identity,
                "kernelVersion": "6.12.0-sandbox",
                "osImage": "Sandbox Linux 1",
                "containerRuntimeVersion": "containerd://2.1.0",
                "kubeletVersion": "v1.36.2",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }


def internal_ip(thing: Object) -> str:
    """Return a node's InternalIP."""
    return str(next(a["address"] for a in thing["status"]["addresses"] if a["type"] == "InternalIP"))


def pod_ip(thing: Object, store: Store) -> str:
    """Return a fresh address out of a node's pod network."""
    network = (thing["spec"].get("podCIDR") or "10.244.0.0/24").rpartition(".")[0]
    first, second, third = network.split(".")
    store.addresses += 1
    return f"{first}.{int(second) + store.addresses // 250 // 250}.{third}.{2 + store.addresses % 250}"


def is_schedulable(thing: Object, pod: Object) -> bool:
    """Return whether a node takes new pods: ready, not cordoned, and with the labels `pod` selects."""
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in thing["status"].get("conditions") or ())
    labels = thing["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    is_open = not thing["spec"].get("unschedulable")
    return ready and is_open and all(labels.get(k) == v for k, v in wanted.items())


def cpu_millis(quantity: Any) -> int:
    """Return a CPU quantity in thousandths of a core."""
    text = str(quantity)
    if text.endswith("n"):
        return int(text[:-1]) // 1_000_000
    return int(text[:-1]) if text.endswith("m") else int(float(text) * 1000)


def memory_bytes(quantity: Any) -> int:
    """Return a memory quantity in bytes."""
    text = str(quantity)
    for unit, factor in (("Ki", 1024), ("Mi", 1024**2), ("Gi", 1024**3), ("Ti", 1024**4), ("k", 10**3),
                         ("M", 10**6), ("G", 10**9)):  # fmt: skip
        if text.endswith(unit):
            return int(float(text[: -len(unit)]) * factor)
    return int(float(text))


def requested_millis(pod: Object) -> int:
    """Return the CPU that a pod's containers request."""
    containers = pod["spec"].get("containers") or ()
    return sum(cpu_millis(((c.get("resources") or {}).get("requests") or {}).get("cpu", 0)) for c in containers)


def choose(store: Store, pod: Object) -> tuple[Object | None, str]:
    """Return the emptiest node that takes a pod, or None and why none does, in the scheduler's words."""
    found = list(store.things(NODES))
    load = {n["metadata"]["name"]: 0 for n in found}
    millis = dict(load)
    for other in store.things(PODS):
        at = other["spec"].get("nodeName")
        if at in load and (other.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            load[at] += 1
            millis[at] += requested_millis(other)
    need = requested_millis(pod)
    open_ones = [n for n in found if is_schedulable(n, pod)]
    fitting = [
        n for n in open_ones if millis[n["metadata"]["name"]] + need <= cpu_millis(n["status"]["allocatable"]["cpu"])
    ]
    if fitting:
        return min(fitting, key=lambda n: (load[n["metadata"]["name"]], n["metadata"]["name"])), ""
    reasons = []
    closed = sum(bool(n["spec"].get("unschedulable")) for n in found)
    if closed:
        reasons.append(f"{closed} node(s) were unschedulable")
    if open_ones:
        reasons.append(f"{len(open_ones)} Insufficient cpu")
    unfit = len(found) - closed - len(open_ones)
    if unfit:
        reasons.append(f"{unfit} node(s) didn't match Pod's node affinity/selector")
    return None, f"0/{len(found)} nodes are available: {', '.join(reasons) or 'no nodes'}."


def no_room(store: Store) -> str:
    """Return the scheduler's words for a pod that no node has room for."""
    count = len(store.entries(NODES))
    return f"0/{count} nodes are available: {count} Insufficient memory."


def set_ready(store: Store, name: str, value: str, now: str) -> None:
    """Set a node's Ready condition to True or Unknown, and the taint that goes with it.

    Raises:
        ApiError: 404.
    """
    store.get(NODES, "", name)

    def change(copy: Object) -> None:
        conditions = copy["status"]["conditions"]
        for condition in conditions:
            if value == "Unknown":
                condition |= {"status": "Unknown", "reason": "NodeStatusUnknown"}
                condition |= {"message": "Kubelet stopped posting node status.", "lastTransitionTime": now}
            else:
                known = next(c for c in _CONDITIONS if c[0] == condition["type"])
                condition |= {"status": known[1], "reason": known[2], "message": known[3], "lastTransitionTime": now}
        copy["spec"].pop("taints", None)
        if value == "Unknown":
            copy["spec"]["taints"] = [
                {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": now}
            ]

    store.modify(NODES, "", name, change)


def beat(store: Store, name: str, now: str) -> None:
    """Renew the heartbeat of a node's conditions, as its kubelet does every five minutes."""

    def renew(copy: Object) -> None:
        for condition in copy["status"].get("conditions") or ():
            condition["lastHeartbeatTime"] = now

    store.modify(NODES, "", name, renew)
