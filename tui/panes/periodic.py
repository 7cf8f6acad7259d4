"""Something a pane reads by itself while somebody looks at it: again and again, never twice at once."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from tui.sources.errors import SourceError

ValueT = TypeVar("ValueT")

_AGAIN_S: Final = 5.0
"""After a reading that failed, whatever it took: waiting for somebody who is silent cost them nothing."""


class Periodic(Generic[ValueT]):
    """Reads when `poll` finds it due; asked no more, it costs nothing."""

    def __init__(
        self,
        read: Callable[[], Coroutine[Any, Any, ValueT]],
        start: Callable[[Coroutine[Any, Any, None]], object],
        done: Callable[[], None],
        now: Callable[[], float],
        *,
        every_s: float,
    ) -> None:
        """Prepare it.

        Args:
            read: reads once.
            start: runs a reading beside everything else.
            done: called after each reading, well or not.
            now: `time.time`, or a fixed clock in tests.
            every_s: between the starts of two readings; more where a reading takes a tenth of that, and no more
                than five seconds after one that failed.
        """
        self.value: ValueT | None = None
        """What was read last; None before."""
        self.error: SourceError | None = None
        """Why the newest reading failed; None when it succeeded."""
        self.taken_at: float | None = None
        """`time.time()` of the last success."""
        self._read, self._start, self._done, self._now = read, start, done, now
        self._every_s = every_s
        self._due_at = float("-inf")
        self._turn = 0
        self._is_reading = False

    def poll(self) -> None:
        """Begin a reading when one is due."""
        if not self._is_reading and self._now() >= self._due_at:
            self._is_reading = True
            self._turn += 1
            self._start(self._once(self._turn))

    def forget(self) -> None:
        """Begin anew: something else is to be read; what is still being read no longer counts."""
        self.value, self.error, self.taken_at = None, None, None
        self.hurry()

    def hurry(self) -> None:
        """Have it read at the next `poll`, whatever is being read."""
        self._turn += 1
        self._is_reading, self._due_at = False, float("-inf")

    async def _once(self, turn: int) -> None:
        began = self._now()
        try:
            value = await self._read()
        except SourceError as error:
            if turn == self._turn:
                self.error = error
        else:
            if turn == self._turn:
                self.value, self.error, self.taken_at = value, None, self._now()
        finally:
            if turn == self._turn:
                self._is_reading = False
                self._due_at = self._next(began)
        if turn == self._turn:
            self._done()

    def _next(self, began: float) -> float:
        now = self._now()
        if self.error is not None:
            return now + min(self._every_s, _AGAIN_S)
        return began + max(self._every_s, 10 * (now - began))
