"""Finding a line of a log, one way or the other, in turns so short that no key waits."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, Final

from textual.message import Message
from textual.timer import Timer

from widgets.log_held import HeldView
from widgets.log_store import Predicate

_SEARCH_S: Final = 0.02
_PAUSE_S: Final = 0.01
"""Between two turns of a search: keys come through."""


class SeekingView(HeldView):
    """A view that goes to lines which are wanted."""

    class Missed(Message):
        """There is no such line before or behind the cursor."""

        def __init__(self, view: "SeekingView", what: str, step: int, is_asked: bool) -> None:
            super().__init__()
            self.view = view
            self.what = what
            """What was looked for, in a word."""
            self.step = step
            self.is_asked = is_asked
            """Whether anything was to be looked for."""

        @property
        def control(self) -> "SeekingView":
            """The view that sent it."""
            return self.view

    def __init__(self, **arguments: Any) -> None:
        """Prepare the view; the arguments are those of `HeldView`."""
        super().__init__(**arguments)
        self._seek_timer: Timer | None = None

    def seek(self, wanted: Predicate | None, step: int, what: str = "line") -> None:
        """Move the cursor to the next shown line that is wanted (`step` 1) or the one before (-1).

        A long way takes several turns, so that no key waits; whoever moves the cursor meanwhile ends it. Where there is
        none, or nothing is wanted, it rings, and a `Missed` says `what` there is none of.
        """
        self.seek_number((lambda number: wanted(self._store[number])) if wanted is not None else None, step, what)

    def seek_number(self, wanted: Callable[[int], bool] | None, step: int, what: str) -> None:
        """Do so, by the numbers of lines."""
        self._stop_seeking()
        store = self._store
        if not store.count or wanted is None:
            self._miss(what, step, is_asked=wanted is not None)
            return
        index = store.count - 1 if self._is_following else store.index(self._cursor)
        # While following, the newest line itself may be what is wanted.
        index = index if self._is_following and step < 0 else index + step
        self._seek_from(wanted, step, what, store.number(index) if 0 <= index < store.count else None)

    def _seek_from(self, wanted: Callable[[int], bool], step: int, what: str, number: int | None) -> None:
        store, deadline = self._store, perf_counter() + _SEARCH_S
        index = store.index(number) if number is not None else -1
        while 0 <= index < store.count:
            if wanted(store.number(index)):
                self._is_following = False
                self._go(index)
                return
            index += step
            if perf_counter() > deadline and 0 <= index < store.count:
                on = partial(self._seek_from, wanted, step, what, store.number(index))
                self._seek_timer = self.set_timer(_PAUSE_S, on)
                return
        self._miss(what, step, is_asked=True)

    def _miss(self, what: str, step: int, *, is_asked: bool) -> None:
        self.app.bell()
        self.post_message(self.Missed(self, what, step, is_asked))

    def _stop_seeking(self) -> None:
        if self._seek_timer is not None:
            self._seek_timer.stop()
            self._seek_timer = None

    def _go(self, index: int) -> None:
        raise NotImplementedError
