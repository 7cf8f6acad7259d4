"""Programs in containers, by the `exec` subresource: one that runs to its end, or one that somebody types at."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes.channels import Channels, channels
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.kinds import KINDS

_PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_MOST_BYTES: Final = 256 * 1024
_CLOSE: Final = 255
_NO_PROGRAM: Final = (126, 127)
"""Exit statuses with which some container runtimes say that they found nothing to run."""
_ABSENT: Final = ("executable file not found", "no such file or directory", "not found in $PATH")


class Channel(IntEnum):
    """What a message of an `exec` belongs to."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4


class Gone(SourceError):
    """The pod is not there any more, or another one under its name is."""


class Missing(Unreadable):
    """The container's image lacks the program."""


@dataclass(frozen=True, slots=True)
class Place:
    """One container of one pod."""

    namespace: str
    pod: str
    uid: str
    """Of the pod: under its name another one may stand by now."""
    container: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}/{self.container}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    status: int
    """Its exit status; 137 also where its container was killed."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program that ran to its end has said."""

    status: int
    """Its exit status."""
    stdout: bytes
    stderr: bytes
    is_cut: bool
    """Whether it said more than is kept."""


class Session:
    """A program that runs."""

    def __init__(self, opened: Channels) -> None:
        self._channels = opened
        self.ended: Ended | None = None
        """How it ended; None while it runs."""

    async def output(self) -> AsyncGenerator[tuple[Channel, bytes], None]:
        """Yield what it says, until it has ended.

        Raises:
            Missing: there is no such program.
            SourceError: it could not be started, or the connection was cut: whether it goes on is unknown.
        """
        while (heard := await self._next()) is not None:
            yield heard

    async def heard(self) -> bytes:
        """Return what it says next; empty when it has ended. Raises as `output` does."""
        heard = await self._next()
        return b"" if heard is None else heard[1]

    async def _next(self) -> tuple[Channel, bytes] | None:
        while (received := await self._channels.receive()) is not None:
            number, content = received
            if number == Channel.ERROR:
                self.ended = ended(content)
            elif content and number in (Channel.STDOUT, Channel.STDERR):
                return Channel(number), content
        if self.ended is None:
            raise Unreachable("the connection to the pod ended before the program did")
        return None

    async def type(self, content: bytes) -> None:
        """Send bytes to its standard input. Raises Unreachable."""
        await self._channels.send(Channel.STDIN, content)

    async def end_input(self) -> None:
        """Close its standard input, where the server can (v5). Raises Unreachable."""
        if self._channels.protocol == _PROTOCOLS[0]:
            await self._channels.send(_CLOSE, bytes([Channel.STDIN]))

    async def resize(self, columns: int, rows: int) -> None:
        """Tell it the size of the terminal, in characters. Raises Unreachable."""
        await self._channels.send(Channel.RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())


def ended(content: bytes) -> Ended:
    """Return how a program ended, by the Status object of the error channel.

    Raises:
        Missing: there is no such program.
        SourceError: it could not be started; in the server's words.
    """
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Unreadable("how the program ended was told in no form that is known")
    if told.get("status") == "Success":
        return Ended(0)
    if text(told, "reason") == "NonZeroExitCode" and (status := _exit_code(told)) is not None:
        return Ended(status)
    message = text(told, "message") or "the program could not be started"
    if any(words in message for words in _ABSENT):
        raise Missing(message)
    if told.get("code") == 403 or text(told, "reason") == "Forbidden":
        raise Denied(message)
    raise Unreadable(message)


def _exit_code(told: Object) -> int | None:
    causes = parts(part(told, "details"), "causes")
    said = next((text(cause, "message") for cause in causes if text(cause, "reason") == "ExitCode"), "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None


async def check_pod(connection: Connection, place: Place) -> None:
    """Make sure that the pod is still the one that was seen; raises Gone, or another SourceError."""
    answer = await connection.call("GET", KINDS["Pod"].path(place.namespace, place.pod))
    if answer.status == 404:
        raise Gone(f"pod {place.namespace}/{place.pod} is gone: {answer.message}")
    if text(part(answer.object(), "metadata"), "uid") != place.uid:
        raise Gone(f"pod {place.namespace}/{place.pod} is another one now, under the same name")


@asynccontextmanager
async def session(
    connection: Connection,
    place: Place,
    arguments: Sequence[str],
    *,
    is_typed_at: bool,
    opening: int | None = None,
) -> AsyncGenerator[Session, None]:
    """Start a program in a container that is still there; with a terminal of its own where `is_typed_at`.

    The URL names the pod, not its uid: between looking at it and starting, another one may take its place.

    Raises:
        Gone: the pod is not the one that was seen.
        SourceError: it could not be asked for.
    """
    await check_pod(connection, place)
    query = [("container", place.container), *(("command", word) for word in arguments), ("stdout", "true")]
    query += [("stdin", "true"), ("tty", "true")] if is_typed_at else [("stderr", "true")]
    path = KINDS["Pod"].path(place.namespace, place.pod, "exec")
    async with channels(connection, path, query, _PROTOCOLS, opening=opening) as opened:
        yield Session(opened)


async def run(connection: Connection, place: Place, arguments: Sequence[str], *, timeout_s: float = 10.0) -> Ran:
    """Run a program to its end, without a shell and without input.

    Raises:
        Missing: the image lacks it.
        Gone: the pod is not the one that was seen.
        SourceError: it could not be started, the connection was cut, or it took longer than `timeout_s`.
    """
    said = {Channel.STDOUT: bytearray(), Channel.STDERR: bytearray()}
    is_cut = False
    try:
        async with asyncio.timeout(timeout_s), session(connection, place, arguments, is_typed_at=False) as running:
            async for channel, content in running.output():
                room = _MOST_BYTES - len(said[channel])
                said[channel] += content[:room]
                is_cut = is_cut or len(content) > room
    except TimeoutError as error:
        raise Unreachable(f"{arguments[0]} took longer than {timeout_s:g} s in {place}") from error
    assert running.ended is not None  # noqa: S101 -- output raises where it is not known
    complained = said[Channel.STDERR].decode(errors="replace")
    if running.ended.status in _NO_PROGRAM and any(words in complained for words in _ABSENT):
        raise Missing(f"the image has no {arguments[0]}")
    return Ran(running.ended.status, bytes(said[Channel.STDOUT]), bytes(said[Channel.STDERR]), is_cut)
