"""The body of an answer that is not the WebSocket asked for: aiohttp itself throws it away, and it says why."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

_MOST_BYTES: Final = 100_000


@dataclass(slots=True)
class Refusal:
    """Takes the body."""

    body: bytes = b""


REFUSED: Final[ContextVar[Refusal]] = ContextVar("refused")
"""Where the request of this task wants it."""


async def keep_refusal(session: object, context: object, ended: Any) -> None:
    """Keep it: a trace of aiohttp's, called at the end of every request."""
    if ended.headers.get("Upgrade") and ended.response.status != 101:
        REFUSED.get().body = await ended.response.content.read(_MOST_BYTES)
