"""Many pods at once, and many changes a second: for benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tui.sandbox.cluster import nodes, pod_status
from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.population import DAY, Populator, Service
from tui.sandbox.cluster.resources import NAMESPACES, NODES, PODS, Object
from tui.sandbox.cluster.store import Store

PER_DEPLOYMENT = 25
PER_NAMESPACE = 500
PADDING = "x" * 2_600
"""Makes a pod as big as real ones are, about 6 KB of JSON."""


def populate(store: Store, pods: int) -> None:
    """Add so many running pods: 25 to a deployment, 500 to a namespace `bulk-N`, 50 to a node `bulk-node-N`."""
    populator = Populator(store)
    size = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "1Ti"}
    pool: list[Object] = []
    for i in range(-(-pods // 50)):
        node = nodes.node(f"bulk-node-{i:03d}", 100 + i, populator.ago(40), populator.ago(30 * DAY))
        node["status"]["capacity"] = node["status"]["allocatable"] = size
        pool.append(populator.put(NODES, node, 30 * DAY))
    for i in range(-(-pods // PER_NAMESPACE)):
        if store.find(NAMESPACES, "", f"bulk-{i}") is None:
            populator.put(NAMESPACES, {"metadata": {"name": f"bulk-{i}"}}, 30 * DAY)
    for i in range(-(-pods // PER_DEPLOYMENT)):
        replicas = min(PER_DEPLOYMENT, pods - i * PER_DEPLOYMENT)
        namespace = f"bulk-{i * PER_DEPLOYMENT // PER_NAMESPACE}"
        image = f"registry.example/bulk/service-{i:03d}:1.0.1"
        service = Service(
            namespace, f"service-{i:03d}", image, replicas, 3 * DAY + 60.0 * i, cpu="10m", padding=PADDING
        )
        start = i * PER_DEPLOYMENT // 50 % len(pool)
        populator.deployment(service, pool[start:] + pool[:start])


class Churn:
    """Changes running pods so many times a second, until `stop()`.

    Most changes turn a pod unready and back; each twentieth restarts its container.
    """

    def __init__(self, store: Store, changes_per_s: float) -> None:
        self._store = store
        self._pause_s = 0.05
        self._per_step = changes_per_s * self._pause_s
        self.changes = 0
        """Changes made so far."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Change nothing more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        keys = [e.key for e in self._store.entries(PODS) if "running" in _first(e.thing).get("state", {})]
        due, at = 0.0, 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        while keys:
            due = (loop.time() - began) * self._per_step / self._pause_s
            while self.changes < due:
                self._change(keys[at % len(keys)])
                at += 7
                self.changes += 1
            await asyncio.sleep(self._pause_s)

    def _change(self, key: tuple[str, str]) -> None:
        now = stamp(self._store.clock.now())

        def change(copy: Object) -> None:
            entry = _first(copy)
            if "running" not in entry.get("state", {}):
                return
            if self.changes % 20 == 0:
                pod_status.set_ended(copy, entry["name"], now, 1, "Error")
                pod_status.set_running(copy, entry["name"], now, is_ready=True)
            else:
                entry["ready"] = not entry["ready"]
            pod_status.conclude(copy, now)

        self._store.modify(PODS, *key, change)


def _first(pod: Object) -> dict[str, Any]:
    entries: list[dict[str, Any]] = pod["status"].get("containerStatuses") or [{}]
    return entries[0]
