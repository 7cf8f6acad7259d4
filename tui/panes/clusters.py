"""The Pods tab of several clusters: one view for each, of which one is shown; the others cost nothing here.

What is open, filtered and marked stays with its cluster, and so does whatever was asked for there: a dialog or a
reading that began in one cluster ends in it, whichever is shown by then.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import tabs
from tui.panes.pane import Desk, Pane
from tui.panes.pods import PodsPane
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.reading import Reading


class ClustersPane(Pane):
    """Shows one cluster of the profile, and goes to another without asking either."""

    TAB = tabs.PODS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "cluster(-1)", "Cluster: the one before", show=False, id="clusters.previous"),
        Binding("right_square_bracket", "cluster(1)", "Cluster: the next one", id="clusters.next"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._views = {
            f"{KubernetesSource.name}{name}": PodsPane(desk, id=f"cluster-{number}", cluster=name)
            for number, name in enumerate(desk.profile.every_cluster)
        }
        self._readings: dict[str, Reading[Any]] = {}
        self._source = next(iter(self._views))

    def compose(self) -> ComposeResult:
        """Lay out the first cluster; another one is laid out when somebody looks at it."""
        yield self.shown

    @property
    def shown(self) -> PodsPane:
        """The cluster that is shown."""
        return self._views[self._source]

    @property
    def unseen(self) -> frozenset[str]:
        """The clusters that are not shown."""
        return frozenset(self._views.keys() - {self._source})

    def show(self, reading: Reading[Any]) -> None:
        """Keep a cluster's reading, and draw it where that cluster is shown."""
        self._readings[reading.source] = reading
        if reading.source == self._source and self.shown.is_mounted:
            self.shown.show(reading)

    def tick(self) -> None:
        """Draw again what depends on the clock."""
        if self.shown.is_mounted:
            self.shown.tick()

    # Keys

    async def action_cluster(self, step: int) -> None:
        """Show another cluster."""
        names = list(self._views)
        await self.turn(names[(names.index(self._source) + step) % len(names)])

    async def turn(self, source: str) -> None:
        """Show a cluster by its source, as it was left and with what is known of it; nothing is asked or waited for."""
        if source == self._source:
            return
        before, self._source = self.shown, source
        view = self.shown
        before.display = False
        view.display = True
        if not view.is_attached:
            await self.mount(view)
        if (reading := self._readings.get(source)) is not None:
            view.show(reading)
        view.focus_first()
        self.post_message(self.Turned())

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Awaitable[None]]]]:
        """Return the other clusters, and what can be done in the one that is shown."""
        for source in self._views:
            if source != self._source:
                name = self._views[source].cluster_words
                yield f"Cluster: {name}", "[ and ] go from one to the next", partial(self.turn, source)
        yield from self.shown.commands()

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Open a view of a cluster, the one that is shown where none is named."""
        self._go(source, lambda: self.shown.open_at(view, filter_text, source))

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Show an object in its own cluster; False when that is known not to have it."""
        if source == self._source or source not in self._views:
            return self.shown.reveal(source, about, at)
        reading, target = self._readings.get(source), self._views[source]
        if not target.knows(reading, about):
            return False
        self._go(source, lambda: target.reveal(source, about, at))
        return True

    def _go(self, source: str, then: Callable[[], object]) -> None:
        async def go() -> None:
            if source in self._views:
                await self.turn(source)
            then()

        self.run_worker(go(), exit_on_error=False)

    # What the shown cluster says

    def barred_keys(self) -> frozenset[str]:
        """Return the ids of the keys that could change nothing where the cursor is."""
        return self.shown.barred_keys() if self.shown.is_mounted else frozenset()

    def by_hand(self) -> str:
        """Return the commands that show by hand what the shown cluster's view shows."""
        return self.shown.by_hand()

    def subject(self) -> str:
        """Return what the person looks at, with its cluster."""
        return f"{self.shown.subject()} in {self.shown.cluster_words}"

    def as_text(self) -> str:
        """Return what is shown as plain lines."""
        return self.shown.as_text()

    def focus_first(self) -> None:
        """Put the keyboard into the shown cluster's table."""
        self.shown.focus_first()
