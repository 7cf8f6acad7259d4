"""What pods and nodes use, computed when asked: a slow wave around a part of their requests, with a little noise.

A container that will run out of memory fills it up to its limit until then.
"""

from __future__ import annotations

import math
import zlib
from datetime import datetime

from tui.sandbox.cluster import nodes
from tui.sandbox.cluster.behaviour import Behaviours
from tui.sandbox.cluster.clock import parse_time, stamp
from tui.sandbox.cluster.holding import Holding
from tui.sandbox.cluster.resources import NODES, PODS, Object
from tui.sandbox.cluster.store import Store

WINDOW_S = 15
"""Metrics stand still for so long, as those of a metrics-server do."""

_FILLED_AT_START = 0.55


class Usage:
    """CPU and memory of the pods in a store; `load` multiplies the CPU of an app."""

    def __init__(self, store: Store, behaviours: Behaviours) -> None:
        self._store = store
        self._behaviours = behaviours
        self.load: dict[tuple[str, str], float] = {}
        """By namespace and app label."""
        self.holding = Holding(store.clock, self.load)
        """How often CPU limits hold containers."""

    def pod_metrics(self, namespace: str) -> list[Object]:
        """Return the PodMetrics of running pods."""
        now = self._store.clock.now()
        return [self._pod(p, now) for p in self._store.things(PODS, namespace) if _is_measured(p)]

    def node_metrics(self) -> list[Object]:
        """Return the NodeMetrics of all nodes: their pods and what the system itself takes."""
        now = self._store.clock.now()
        cpu: dict[str, float] = {}
        memory: dict[str, float] = {}
        for pod in self._store.things(PODS):
            if _is_measured(pod):
                name = pod["spec"]["nodeName"]
                cpu[name] = cpu.get(name, 0.0) + self.cpu_millis(pod, now)
                memory[name] = memory.get(name, 0.0) + self.memory_bytes(pod, now)
        found = []
        for node in self._store.things(NODES):
            name = node["metadata"]["name"]
            usage = _usage(cpu.get(name, 0.0) + 140, memory.get(name, 0.0) + 900 * 2**20)
            found.append(_measured("NodeMetrics", {"name": name}, now, {"usage": usage}))
        return found

    def cpu_millis(self, pod: Object, now: datetime) -> float:
        """Return what a pod takes of a core, in thousandths."""
        base = nodes.requested_millis(pod) or 40
        app = (pod["metadata"].get("labels") or {}).get("app", "")
        factor = self.load.get((pod["metadata"]["namespace"], app), 1.0)
        return max(base * factor * _wave(pod, now, 0.45, 0.2), 1.0)

    def memory_bytes(self, pod: Object, now: datetime) -> float:
        """Return the working set of a pod."""
        containers: list[Object] = pod["spec"].get("containers") or []
        filled = self.filled(pod, now)
        if filled is not None:
            limit = ((containers[0].get("resources") or {}).get("limits") or {}).get("memory", "64Mi")
            return nodes.memory_bytes(limit) * filled
        asked = [((c.get("resources") or {}).get("requests") or {}).get("memory", "64Mi") for c in containers]
        return sum(nodes.memory_bytes(q) for q in asked) * _wave(pod, now, 0.62, 0.04)

    def filled(self, pod: Object, now: datetime) -> float | None:
        """Return the part of its memory limit that a leaking container has used up, 0 to 1; None when none leaks."""
        behaviour = self._behaviours.of(pod)
        if behaviour.reason != "OOMKilled" or not behaviour.run_s:
            return None
        first = pod["spec"]["containers"][0]["name"]
        statuses = pod["status"].get("containerStatuses") or ()
        running = next((c["state"].get("running") for c in statuses if c["name"] == first), None)
        started = parse_time(running["startedAt"]) if running else None
        if started is None:
            return None
        ran_s = (now - started).total_seconds() * self._store.clock.speed
        return min(_FILLED_AT_START + (1 - _FILLED_AT_START) * ran_s / behaviour.run_s, 0.995)

    def _pod(self, pod: Object, now: datetime) -> Object:
        running = [c["name"] for c in pod["status"].get("containerStatuses") or () if "running" in c["state"]]
        cpu, memory = self.cpu_millis(pod, now), self.memory_bytes(pod, now)
        shares = [0.8] + [0.2 / (len(running) - 1)] * (len(running) - 1) if len(running) > 1 else [1.0]
        containers = [
            {"name": name, "usage": _usage(cpu * part, memory * part)}
            for name, part in zip(running, shares, strict=True)
        ]
        meta = pod["metadata"]
        head = {"name": meta["name"], "namespace": meta["namespace"], "labels": meta.get("labels") or {}}
        return _measured("PodMetrics", head, now, {"containers": containers})


def _is_measured(pod: Object) -> bool:
    statuses = pod["status"].get("containerStatuses") or ()
    return bool(pod["spec"].get("nodeName")) and any("running" in c["state"] for c in statuses)


def _wave(pod: Object, now: datetime, middle: float, swing: float) -> float:
    seed = zlib.crc32(pod["metadata"]["uid"].encode())
    step = int(now.timestamp()) // WINDOW_S
    slow = math.sin((step + seed % 997) * WINDOW_S * 2 * math.pi / 900)
    noise = (zlib.crc32(f"{seed}/{step}".encode()) % 1000) / 1000 - 0.5
    return middle + swing * (0.7 * slow + 0.6 * noise)


def _usage(millis: float, size: float) -> Object:
    return {"cpu": f"{int(millis * 1e6)}n", "memory": f"{int(size / 1024)}Ki"}


def _measured(kind: str, meta: Object, now: datetime, more: Object) -> Object:
    moment = stamp(datetime.fromtimestamp(int(now.timestamp()) // WINDOW_S * WINDOW_S, now.tzinfo))
    head = {"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1"}
    return {**head, "metadata": {**meta, "creationTimestamp": stamp(now)}, "timestamp": moment, "window": "15s", **more}
