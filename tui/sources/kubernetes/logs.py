"""Logs of pods: which there are, and their lines as they come."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.sources.errors import Unreadable
from tui.sources.kubernetes.answers import Silent
from tui.sources.kubernetes.fields import part, parts, strings, text
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.source import KubernetesSource

_WORKLOADS: Final = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet",
    "job": "Job",
}  # fmt: skip
_QUIET_S: Final = 300.0
"""After so long without a line the stream is opened again: it may be dead, and nobody would tell."""


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod whose logs can be followed."""

    name: str
    uid: str
    containers: tuple[str, ...]
    """Names of its containers; the first is the one `kubectl logs` takes."""
    init_containers: tuple[str, ...] = ()
    """Names of those that must end before the others begin."""


class PodLogs:
    """Finds pods and follows their logs over a KubernetesSource's connection."""

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    async def pods(self, namespace: str, selector: str) -> list[PodRef]:
        """Return the pods a label selector matches, by name; from the mirror where it suffices, else from the server.

        Raises:
            SourceError: they cannot be listed.
        """
        wanted = _equalities(selector)
        found = None if wanted is None else self._mirrored(namespace, wanted)
        if found is None:
            query = [("labelSelector", selector)] if selector else []
            listed = await self._source.connection.get(KINDS["Pod"].path(namespace), query)
            found = [parse_pod(item) for item in parts(listed, "items")]
        return sorted(
            (
                PodRef(pod.name, pod.uid, pod.container_names, pod.init_container_names)
                for pod in found
                if pod.container_names
            ),
            key=lambda pod: pod.name,
        )

    def _mirrored(self, namespace: str, wanted: dict[str, str]) -> list[Pod] | None:
        if not self._source.mirrors("pods", namespace):
            return None
        return [
            pod
            for pod in self._source.mirror.pods.facts.values()
            if pod.namespace == namespace and wanted.items() <= pod.labels.items()
        ]

    async def selector(self, namespace: str, kind: str, name: str) -> str:
        """Return the label selector by which a workload finds its pods.

        Args:
            namespace: where it is.
            kind: as in `_WORKLOADS`, in small letters.
            name: its name.

        Raises:
            SourceError: it cannot be read, or has no selector.
        """
        found = await self._source.connection.get(KINDS[_WORKLOADS[kind]].path(namespace, name))
        selector = part(part(found, "spec"), "selector")
        terms = [f"{key}={value}" for key, value in strings(selector, "matchLabels").items()]
        for expression in parts(selector, "matchExpressions"):
            key, values = text(expression, "key"), ",".join(map(str, expression.get("values") or ()))
            signs = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
            terms.append(signs.get(text(expression, "operator"), f"!{key}"))
        if not terms:
            raise Unreadable(f"{kind}/{name} has no selector", "name the pods by labels in the profile")
        return ",".join(terms)

    async def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        since_time: datetime | None,
        tail_lines: int | None,
        *,
        previous: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Yield a container's log as it grows, in pieces of any size; each line begins with its RFC 3339 timestamp.

        Begins at `since_time` (whole seconds count: earlier lines of that second come again), or with the last
        `tail_lines` lines. Ends when the container does, and after five minutes without a line: open it again from
        the last timestamp. `previous`: the log of the container before the last restart, which ends at once.

        Raises:
            SourceError: the stream was cut, the pod is gone, or the container has not started.
        """
        query = [("container", container), ("previous" if previous else "follow", "true"), ("timestamps", "true")]
        if since_time is not None:
            query.append(("sinceTime", since_time.astimezone(UTC).isoformat().replace("+00:00", "Z")))
        if tail_lines is not None:
            query.append(("tailLines", str(tail_lines)))
        path = KINDS["Pod"].path(namespace, pod, "log")
        stream = self._source.connection.stream(path, query, silence_s=_QUIET_S)
        async with aclosing(stream):
            try:
                async for chunk in stream:
                    if chunk:
                        yield chunk
            except Silent:
                return


def _equalities(selector: str) -> dict[str, str] | None:
    """Return the labels a selector of equalities asks for; None for one that asks for more than that."""
    wanted: dict[str, str] = {}
    for term in filter(None, (term.strip() for term in selector.split(","))):
        key, sign, value = term.partition("==" if "==" in term else "=")
        if not sign or "!" in key or " " in key.strip() or "(" in term:
            return None
        wanted[key.strip()] = value.strip()
    return wanted
