"""The tabs' panes: which are made, which one is open, and what each is given to draw."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from textual.app import App
from textual.containers import Container

from tui.panes.pane import Desk, Pane
from tui.panes.tabs import TABS, Tab
from tui.poller import Pollers, contained
from tui.sources.reading import Reading
from widgets.cell import Tone

PLACE: Final = "panes"
"""The id of the container that holds them."""


class Deck:
    """One pane a tab, made when it is first opened; those that must miss nothing are made at the start.

    Args:
        app: whose screen they stand on.
        desk: what every pane works with.
        pollers: what is read, more often where somebody looks.
        tell: says a sentence to the person.
        log_file: where the details of a bug are found.
        opened: called when another tab is open.
    """

    def __init__(
        self,
        app: App[Any],
        desk: Desk,
        pollers: Pollers,
        tell: Callable[[str, Tone], None],
        log_file: str,
        opened: Callable[[], None],
    ) -> None:
        self._app, self._desk, self._pollers, self._tell = app, desk, pollers, tell
        self._log_file, self._opened = log_file, opened
        self._panes: dict[int, Pane] = {}
        self._mounting = asyncio.Lock()
        self.active = 0
        """The number of the open tab, from 0."""

    @property
    def tab(self) -> Tab:
        """The open tab."""
        return TABS[self.active]

    @property
    def pane(self) -> Pane | None:
        """The pane of the open tab; None until it is made."""
        return self._panes.get(self.active)

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Those that were made."""
        return tuple(self._panes.values())

    async def make(self, index: int) -> Pane:
        """Make the pane of a tab, if it is not there yet, and return it."""
        async with self._mounting:  # a key may ask for a tab that the start is still mounting
            if index not in self._panes:
                pane = TABS[index].pane(self._desk.profile)(self._desk, id=f"pane-{index + 1}")
                pane.display = index == self.active
                await self._app.query_one(f"#{PLACE}", Container).mount(pane)
                self._panes[index] = pane
        return self._panes[index]

    async def open(self, index: int) -> Pane:
        """Open a tab, with what is known of its systems, and return its pane."""
        self.active = index
        pane = await self.make(index)
        for other in self._panes.values():
            other.display = other is pane
        if not pane.TAB.misses_nothing:
            for reading in self._pollers.readings(pane.TAB.kinds):
                self._draw(pane, partial(pane.show, reading))
        pane.focus_first()
        self.attend()
        self._opened()
        return pane

    def attend(self) -> None:
        """Have the open tab's systems read as often as somebody looks at them."""
        self._pollers.attend(self.tab.kinds, self.unseen)

    @property
    def unseen(self) -> frozenset[str]:
        """The names of sources of the open tab's kinds that it does not show: of several clusters all but one."""
        return pane.unseen if (pane := self.pane) is not None else frozenset()

    async def reveal(self, source: str, about: str, at: float) -> Tab | None:
        """Open the tab of a system on one thing of it; where that is gone, stay, and return the tab that lacks it."""
        kind, before = source.partition(":")[0], self.active
        index = next((index for index, tab in enumerate(TABS) if kind in tab.own_kinds), before)
        if (await self.open(index)).reveal(source, about, at):
            return None
        await self.open(before)
        return TABS[index]

    def show(self, reading: Reading[Any]) -> None:
        """Give a reading to the panes that draw it now."""
        for index, pane in self._panes.items():
            tab = TABS[index]
            if reading.kind in tab.kinds and (index == self.active or tab.misses_nothing):
                self._draw(pane, partial(pane.show, reading))

    def tick(self) -> None:
        """Have the open pane draw what changes with time alone."""
        if pane := self.pane:
            self._draw(pane, pane.tick)

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        """Return what the open pane offers in the palette."""
        return pane.commands() if (pane := self.pane) is not None else ()

    def _draw(self, pane: Pane, call: Callable[[], object]) -> None:
        """Have a pane draw; where a bug keeps it from that, say so: what it shows may be old."""
        if not contained(call, f"drawing {pane.TAB.title}"):
            self._tell(f"{pane.TAB.title} could not be drawn: an error in opstui, see {self._log_file}", "critical")
