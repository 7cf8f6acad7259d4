"""The last lines of pods' containers, read once, without what is likely to be a secret."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from tui.sources.errors import SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod
from tui.sources.masking import without_secrets
from tui.sources.text import clean_lines

LINES: Final = 500
_BYTES: Final = 512 * 1024
_AT_ONCE: Final = 4
_SILENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class ContainerLog:
    """What one container said last."""

    pod: str
    container: str
    is_previous: bool
    """Whether it is of the run before the newest restart."""
    text: str
    """Its last lines with their timestamps, cleaned and masked; empty when it said nothing, or could not be read."""
    error: str = ""
    """Why it could not be read, in the server's words; empty when it could."""


async def recent_logs(connection: Connection, pods: Sequence[Pod]) -> list[ContainerLog]:
    """Return the last lines of every container of these pods, and of the run before a restart."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def one(pod: Pod, container: str, is_previous: bool) -> ContainerLog:
        async with at_once:
            return await _read(connection, pod, container, is_previous=is_previous)

    wanted = [
        (pod, container, is_previous)
        for pod in pods
        for container in (*pod.init_container_names, *pod.container_names)
        for is_previous in ((False, True) if pod.restarts else (False,))
    ]
    return list(await asyncio.gather(*(one(*each) for each in wanted)))


async def _read(connection: Connection, pod: Pod, container: str, *, is_previous: bool) -> ContainerLog:
    query = [("container", container), ("tailLines", str(LINES)), ("limitBytes", str(_BYTES)), ("timestamps", "true")]
    query += [("previous", "true")] if is_previous else []
    path = KINDS["Pod"].path(pod.namespace, pod.name, "log")
    said = bytearray()
    try:
        async with aclosing(connection.stream(path, query, silence_s=_SILENCE_S)) as chunks:
            async for chunk in chunks:
                said += chunk
                if len(said) > _BYTES:
                    break
    except SourceError as error:
        return ContainerLog(pod.name, container, is_previous, "", error.message)
    text = await asyncio.to_thread(_safe, bytes(said))
    return ContainerLog(pod.name, container, is_previous, text)


def _safe(said: bytes) -> str:
    lines = clean_lines(said.decode(errors="replace")).rstrip("\n").split("\n")
    return "\n".join(map(without_secrets, lines))
