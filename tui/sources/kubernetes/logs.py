"""Logs of pods: which there are, and their lines as they come."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.kubernetes.answers import Missing, Silent
from tui.sources.kubernetes.fields import part, parts, strings, text
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.logs.endings import Gone, NotStarted, Quiet

_WORKLOADS: Final = {
    "deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet", "replicaset": "ReplicaSet",
    "job": "Job",
}  # fmt: skip
_QUIET_S: Final = 300.0
"""After so long without a line the stream is opened again: it may be dead, and nobody would tell."""
_AGREE_S: Final = 15.0
"""How long the server may take to agree to a stream."""
_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_NOT_STARTED: Final = ("is waiting to start", "does not have a host assigned")
"""In what a kubelet and an API server say of a container that has not been started."""


@dataclass(frozen=True, slots=True)
class PodRef:
    """A pod whose logs can be followed."""

    name: str
    uid: str
    containers: tuple[str, ...]
    """Names of its containers; the first is the one `kubectl logs` takes."""
    init_containers: tuple[str, ...] = ()
    """Names of those that must end before the others begin."""
    ephemeral_containers: tuple[str, ...] = ()
    """Names of those that `kubectl debug` put into it."""
    restarts: int = 0
    """How often its containers were started again, together."""


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
                PodRef(
                    pod.name,
                    pod.uid,
                    pod.container_names,
                    pod.init_container_names,
                    pod.ephemeral_container_names,
                    pod.restarts,
                )
                for pod in found
                if pod.container_names
            ),
            key=lambda pod: pod.name,
        )

    def mirrors(self, namespace: str) -> bool:
        """Tell whether the mirror holds every pod of a namespace at present."""
        return self._source.mirrors("pods", namespace)

    def _mirrored(self, namespace: str, wanted: dict[str, str]) -> list[Pod] | None:
        if not self.mirrors(namespace):
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
        `tail_lines` lines. An empty piece comes first, once the server has agreed. Ends when the container does, and
        when the API server loses the kubelet. `previous`: the log of the container before the last restart, which
        ends at once.

        Raises:
            Gone: there is no pod of that name.
            NotStarted: the container has not been started yet.
            Quiet: no line came for five minutes; open it again from the last timestamp.
            SourceError: the stream was cut, or refused.
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
                try:
                    async with asyncio.timeout(_AGREE_S):
                        agreed = await anext(stream)
                except TimeoutError:
                    raise Unreachable(f"the API server did not answer within {_AGREE_S:g} s") from None
                yield agreed
                try:
                    async for chunk in stream:
                        yield chunk
                except Silent as error:
                    raise Quiet(error.message) from error
            except Missing as error:
                if await self._uid(namespace, pod) is None:
                    raise Gone(error.message) from error
                raise
            except Unreadable as error:
                if any(words in error.message for words in _NOT_STARTED):
                    raise NotStarted(error.message) from error
                raise

    async def is_there(self, namespace: str, pod: str, uid: str) -> bool:
        """Tell whether the pod of that name is still this one; who may not ask takes it for granted.

        Raises:
            SourceError: the server cannot be asked.
        """
        try:
            return await self._uid(namespace, pod) == uid
        except Denied:
            return True

    async def _uid(self, namespace: str, pod: str) -> str | None:
        try:
            found = await self._source.connection.get(KINDS["Pod"].path(namespace, pod), accept=_METADATA)
        except Missing:
            return None
        return text(part(found, "metadata"), "uid")


def _equalities(selector: str) -> dict[str, str] | None:
    """Return the labels a selector of equalities asks for; None for one that asks for more than that."""
    wanted: dict[str, str] = {}
    for term in filter(None, (term.strip() for term in selector.split(","))):
        key, sign, value = term.partition("==" if "==" in term else "=")
        if not sign or "!" in key or " " in key.strip() or "(" in term:
            return None
        wanted[key.strip()] = value.strip()
    return wanted
