"""CPU and memory of pods and nodes, as metrics.k8s.io reports them (`kubectl top`)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.sources.errors import SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, parts, quantity, text

GROUP: Final = "/apis/metrics.k8s.io/v1beta1"
_SLICE: Final = 100
"""Pods worked out before others get their turn: thousands take longer than a key may wait."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What something used, averaged over the metrics server's window (15 to 60 s)."""

    cpu_cores: float
    memory_bytes: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """One answer of the metrics server."""

    pods: Mapping[str, Usage]
    """By `namespace/name`."""
    nodes: Mapping[str, Usage]
    """By name."""
    unavailable: str = ""
    """Why there are none; empty when there are."""
    partial: str = ""
    """Of which namespaces there are none, `pods: 2 of 5 namespaces forbidden`; empty where there is nothing to say."""
    no_nodes: str = ""
    """Why there are none of nodes; empty when there are, or nothing is to be had at all."""


NONE_YET: Final = Metrics({}, {}, "not read yet")


def parse_pod_metrics(listed: Object) -> dict[str, Usage]:
    """Return usage by `namespace/name` from a PodMetricsList; a pod's is the sum of its containers'."""
    found = {}
    for item in parts(listed, "items"):
        metadata = part(item, "metadata")
        cpu_cores = memory_bytes = 0.0
        for container in parts(item, "containers"):
            usage = part(container, "usage")
            cpu_cores += quantity(usage, "cpu") or 0.0
            memory_bytes += quantity(usage, "memory") or 0.0
        found[f"{text(metadata, 'namespace')}/{text(metadata, 'name')}"] = Usage(cpu_cores, memory_bytes)
    return found


def parse_node_metrics(listed: Object) -> dict[str, Usage]:
    """Return usage by node name from a NodeMetricsList."""
    return {
        text(part(item, "metadata"), "name"): Usage(
            quantity(part(item, "usage"), "cpu") or 0.0, quantity(part(item, "usage"), "memory") or 0.0
        )
        for item in parts(listed, "items")
    }


async def read_metrics(connection: Connection, namespaces: Sequence[str | None]) -> Metrics:
    """Ask the metrics server once; a cluster without one gives a reason instead of numbers."""
    pods: dict[str, Usage] = {}
    nodes: dict[str, Usage] = {}
    reason, refused = "", list[int]()
    for namespace in namespaces:
        scope = f"/namespaces/{namespace}" if namespace else ""
        try:
            answer = await connection.call("GET", f"{GROUP}{scope}/pods", timeout_s=15)
        except SourceError as error:
            return Metrics({}, {}, error.message)
        if answer.is_ok:
            items = parts(answer.body, "items")
            for start in range(0, len(items), _SLICE):
                await asyncio.sleep(0)
                pods.update(parse_pod_metrics({"items": items[start : start + _SLICE]}))
        else:
            reason = _reason(answer.status, answer.message)
            refused.append(answer.status)
    try:
        answer = await connection.call("GET", f"{GROUP}/nodes", timeout_s=15)
    except SourceError as error:
        return Metrics(pods, {}, error.message)
    if answer.is_ok:
        nodes = parse_node_metrics(answer.body)
    no_nodes = "" if answer.is_ok else _reason(answer.status, answer.message)
    return Metrics(pods, nodes, "" if pods else reason, _partial(refused, len(namespaces)) if pods else "", no_nodes)


def _partial(refused: Sequence[int], scopes: int) -> str:
    if not refused:
        return ""
    return f"pods: {len(refused)} of {scopes} namespaces {'forbidden' if set(refused) == {403} else 'unavailable'}"


def _reason(status: int, message: str) -> str:
    if status in (404, 503):
        return "unavailable: metrics-server is not installed or not ready"
    return f"unavailable: {message}"
