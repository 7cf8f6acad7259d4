"""A workload's pods, each asked for its health by the API server: past Service, Ingress and DNS."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from tui.sources import health
from tui.sources.errors import Denied, SourceError
from tui.sources.health import State
from tui.sources.kubernetes.fields import text
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.text import clean

MOST_PODS: Final = 10
"""Pods of one workload that are asked."""
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class PodAnswer:
    """What one pod answered the API server."""

    pod: str
    """Its name."""
    state: State
    reason: str
    """Why it is not well; empty when it is."""
    status_code: int | None
    """The pod's own; None when it gave no answer."""
    took_ms: float


async def ask_pods(source: KubernetesSource, workload: str, inside: str, timeout_s: float) -> list[PodAnswer]:
    """Ask each pod of a workload, through `pods/proxy` of the API server; read-only (GET).

    Args:
        source: the cluster.
        workload: `namespace/kind/name`.
        inside: `8080/health` or `https:8443/health`.
        timeout_s: how long each may take.

    Raises:
        Denied: this account may not get `pods/proxy`.
        SourceError: the API server cannot be asked.
    """
    namespace, kind, name = workload.split("/", 2)
    pods = _pods_of(source, namespace, kind, name)[:MOST_PODS]
    return list(await asyncio.gather(*(_ask(source, pod, inside, timeout_s) for pod in pods)))


def _pods_of(source: KubernetesSource, namespace: str, kind: str, name: str) -> list[Pod]:
    mirror = source.mirror

    def is_it(pod: Pod) -> bool:
        if pod.owner is None or pod.namespace != namespace:
            return False
        above = mirror.replica_sets.facts.get(pod.owner.uid)
        owner = above.owner if above is not None and above.owner is not None else pod.owner
        return (owner.kind.lower(), owner.name) == (kind.lower(), name)

    return sorted((pod for pod in mirror.pods.facts.values() if is_it(pod) and pod.ip), key=lambda pod: pod.name)


async def _ask(source: KubernetesSource, pod: Pod, inside: str, timeout_s: float) -> PodAnswer:
    place, _, path = inside.partition("/")
    scheme, _, port = place.rpartition(":")
    name = f"{scheme}:{pod.name}:{port}" if scheme else f"{pod.name}:{port}"
    base = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(name, safe=':')}/proxy/"
    began = time.perf_counter()
    try:
        status, kind, body = await source.connection.raw(base + path, timeout_s=timeout_s, most=_MOST_BYTES)
    except Denied:
        raise
    except SourceError as error:
        return PodAnswer(pod.name, State.DOWN, error.message, None, (time.perf_counter() - began) * 1000)
    took_ms = (time.perf_counter() - began) * 1000
    found = await asyncio.to_thread(health.parse, status, kind, body.decode("utf-8", "replace"))
    document = found.document
    if isinstance(document, dict) and document.get("kind") == "Status" and "apiVersion" in document:
        words = text(document, "message") or f"HTTP {status}"
        if status == 403:
            raise Denied(words, f"grant get on pods/proxy in {clean(pod.namespace)}")
        return PodAnswer(pod.name, State.DOWN, words, None, took_ms)
    return PodAnswer(pod.name, found.state, found.reason, status, took_ms)
