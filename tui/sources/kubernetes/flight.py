"""Work that many wait for and that is done once: a login, a credential plugin."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from tui.sources.errors import Unreachable

ResultT = TypeVar("ResultT")


class Flight(Generic[ResultT]):
    """One piece of work at a time: who asks while it is under way gets its result, and its failure too.

    It goes on when somebody gives up waiting: a plugin that takes longer than one reading may is not begun anew by the
    next one, again and again.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[ResultT] | None = None

    async def join(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Return what the work under way comes to, begun now if none is; raises what it raises.

        Raises:
            Unreachable: it was given up by `end`.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(work())
            self._task.add_done_callback(_retrieved)
        task = self._task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and waiting is not None and not waiting.cancelling():
                raise Unreachable("the connection was closed") from None
            raise

    async def end(self) -> None:
        """Give up what is under way, and return when it is over."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])


def _retrieved(task: "asyncio.Task[Any]") -> None:
    """Take the exception that nobody waited for any more."""
    if not task.cancelled():
        task.exception()
