"""The `/proxy` subresource of nodes: the API server asks a kubelet for us, for its cAdvisor metrics."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterator

from aiohttp import web

from tui.sandbox.cluster.containers import running_since
from tui.sandbox.cluster.faults import Fault
from tui.sandbox.cluster.holding import HELD_S, limit_millis
from tui.sandbox.cluster.nodes import internal_ip
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import NODES, PODS, Object
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage

_HELP = {
    "container_cpu_usage_seconds_total": "Cumulative cpu time consumed in seconds.",
    "container_memory_working_set_bytes": "Current working set of the container in bytes.",
    "container_cpu_cfs_periods_total": "Number of elapsed enforcement period intervals.",
    "container_cpu_cfs_throttled_periods_total": "Number of throttled period intervals.",
    "container_cpu_cfs_throttled_seconds_total": "Total time duration the container has been throttled.",
}


class KubeletPages:
    """Answers for kubelets; those that are down do not."""

    def __init__(self, store: Store, usage: Usage, down: Container[str]) -> None:
        self._store = store
        self._usage = usage
        self._down = down
        self.asked: Counter[str] = Counter()
        """How often each node was asked for its page."""
        self.more = ""
        """Lines that stand in every page before anything else."""

    async def answer(self, call: Call, fault: Fault | None) -> web.Response:
        """Answer `GET nodes/NAME/proxy/metrics/cadvisor` as the node's kubelet would.

        Raises:
            ApiError: 404, no such node; 503, its kubelet does not answer.
        """
        node = self._store.get(NODES, "", call.name)
        if call.name in self._down:
            address = f"{internal_ip(node)}:10250"
            told = f"error trying to reach service: dial tcp {address}: connect: no route to host"
            raise ApiError(503, "ServiceUnavailable", told)
        if call.rest.partition("?")[0] != "metrics/cadvisor":
            return web.Response(status=404, text="404 page not found\n")
        self.asked[call.name] += 1
        text = self.more + "".join(self._families(call.name))
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    def _families(self, node: str) -> Iterator[str]:
        now = self._store.clock.now()
        at = int(now.timestamp() * 1000)
        lines: dict[str, list[str]] = {family: [] for family in _HELP}
        for pod in self._store.things(PODS):
            if pod["spec"].get("nodeName") != node:
                continue
            for container in pod["spec"].get("containers") or ():
                if since := running_since(pod, container["name"]):
                    for family, value in self._values(pod, container, since):
                        lines[family].append(f"{family}{{{_labels(pod, container, since)}}} {value:.10g} {at}\n")
        for family, said in lines.items():
            yield f"# HELP {family} {_HELP[family]}\n# TYPE {family} {'gauge' if 'bytes' in family else 'counter'}\n"
            yield from said

    def _values(self, pod: Object, container: Object, since: str) -> Iterator[tuple[str, float]]:
        now = self._store.clock.now()
        yield "container_cpu_usage_seconds_total", self._usage.cpu_millis(pod, now)
        yield "container_memory_working_set_bytes", self._usage.memory_bytes(pod, now)
        if limit_millis(container):
            account = self._usage.holding.account(pod, container, since)
            yield "container_cpu_cfs_periods_total", int(account.periods)
            yield "container_cpu_cfs_throttled_periods_total", int(account.held)
            yield "container_cpu_cfs_throttled_seconds_total", account.held * HELD_S


def _labels(pod: Object, container: Object, since: str) -> str:
    meta = pod["metadata"]
    run = hashlib.sha256(f"{meta['uid']}/{container['name']}/{since}".encode()).hexdigest()
    values = {
        "container": container["name"],
        "id": f"/kubepods.slice/kubepods-pod{meta['uid'].replace('-', '_')}.slice/cri-containerd-{run}.scope",
        "image": container.get("image", ""),
        "name": run,
        "namespace": meta["namespace"],
        "pod": meta["name"],
    }
    return ",".join(f'{name}="{value}"' for name, value in values.items())
