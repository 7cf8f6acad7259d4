"""The view of any kind in the Pods tab: read by the server's own Table, and only while it is open."""

from collections.abc import Hashable
from typing import Final

from textual.widget import Widget

from tui.panes.periodic import Periodic
from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_extra import Means
from tui.panes.pods_kind_rows import is_fault, kind_columns, kind_rows, with_ready_pods
from tui.panes.pods_words import none_words
from tui.sources.kubernetes.discovery import ApiResource
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.tables import LIMIT, Line, ResourceTable, read_table
from widgets.cell import Column
from widgets.live_table import LiveTable
from widgets.segment_line import Segment

EVERY_S: Final = 5.0
"""Between two readings of a table."""
SERVICES: Final = ApiResource("", "v1", "services", "Service", True, ("svc",), frozenset({"list"}))
"""What the view shows until somebody chooses another kind."""


class KindsView:
    """The objects of one kind."""

    namespace = ""
    head: tuple[Widget, ...] = ()
    is_drilled = False

    def __init__(self, means: Means) -> None:
        self.resource = SERVICES
        self._means = means
        self._width = 80
        self._asked: tuple[tuple[str, ...], str] = ((), "")
        """Namespaces and label selector that the server is asked for."""
        self._drawn: object = None
        self._shown: tuple[ResourceTable, ResourceTable] | None = None
        """What was read last, and what is shown of it."""
        self._tables: Periodic[ResourceTable] = means.periodic(self._read, EVERY_S)
        self.table = LiveTable(self.columns(80), id="pods-kinds", empty="waiting for the cluster")

    @property
    def _table(self) -> ResourceTable | None:
        """What is shown; None before it was read."""
        found = self._tables.value
        return self._shown[1] if self._shown is not None and self._shown[0] is found else found

    @property
    def title(self) -> str:
        """The kind's plural, as kubectl has it."""
        return self.resource.name

    @property
    def amount(self) -> int | None:
        """How many were read."""
        found = self._tables.value
        return None if found is None else len(found.lines) + max(0, found.more)

    @property
    def notice(self) -> str:
        """What is wrong with what is shown."""
        found, error = self._tables.value, self._tables.error
        if error is not None:
            return f"{self.resource.full_name}: {error}"
        if found is None:
            return ""
        notes = []
        if found.forbidden:
            notes.append(f"{len(found.forbidden)} of {found.scopes} namespaces forbidden")
        if found.more:
            whole = "more" if found.more < 0 else f"{len(found.lines) + found.more:,}"
            notes.append(f"the first {LIMIT} of {whole}: n asks for one namespace, / -l LABEL for those of a label")
        return f"partial: {self.resource.full_name}: {'; '.join(notes)}" if notes else ""

    @property
    def stale(self) -> bool:
        """Whether the newest reading failed."""
        return self._tables.error is not None

    @property
    def taken_at(self) -> float | None:
        """When it was last read."""
        return self._tables.taken_at

    def choose(self, resource: ApiResource) -> None:
        """Show another kind."""
        self.resource = resource
        self._tables.forget()
        self.table.show({})
        self.table.sort_by(None)
        self.table.columns = self.columns(self._width)

    def hurry(self) -> None:
        """Read it again at once."""
        self._tables.hurry()

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        self._width = width
        found = self._table
        return kind_columns(found, width) if found is not None else (Column("0", "NAME", min_width=20),)

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw what passes the choice, and read the table when that is due."""
        namespaces = (choice.namespace,) if choice.namespace else snapshot.namespaces
        # Only where not everything was read is the server asked for less: it costs nothing to look at what is here.
        is_cut = self._tables.value is not None and self._tables.value.more != 0
        selector = choice.labels.words if choice.labels is not None and (is_cut or self._asked[1]) else ""
        if (asked := (namespaces, selector)) != self._asked:
            self._asked = asked
            self._tables.hurry()
        self._tables.poll()
        if (read := self._tables.value) is not None and (self._shown is None or self._shown[0] is not read):
            can_tell = snapshot.sees("pods")
            self._shown = read, with_ready_pods(read, snapshot.pods.values()) if can_tell else read
        found = self._table
        self.table.empty = self._empty(choice)
        if found is None or (drawn := (id(found), choice, self._width)) == self._drawn:
            return
        self._drawn = drawn
        rows = kind_rows(found, lambda line: _passes(found, line, choice))
        if (columns := self.columns(self._width)) != self.table.columns:
            if len(columns) != len(self.table.columns):
                self.table.show({})  # rows of another kind have other cells
            self.table.columns = columns
        self.table.show(rows)

    def _empty(self, choice: Choice) -> str:
        if self._tables.value is not None:
            return none_words(f"no {self.resource.name}", choice.narrowing("kinds"))
        return "reading it" if self._tables.error is None else f"no {self.resource.name} could be read"

    def segments(self) -> list[Segment]:
        """Say which keys lead on."""
        below = "enter: its pods · d: detail · " if self.resource.full_name in ("services", "namespaces") else ""
        return [Segment(f"{below}r: another kind", "dim", short="r: another kind", priority=2, right=True)]

    def line(self, key: Hashable) -> Line | None:
        """Return the object behind a row; None when it is gone."""
        found = self._table
        return next((line for line in found.lines if line.key == key), None) if found is not None else None

    def printed(self, line: Line) -> list[tuple[str, str]]:
        """Return the columns of a row with its cells, as the server prints them; none where it no longer does."""
        found = self._table
        if found is None or len(found.columns) != len(line.cells):
            return []
        return [(column.name, cell) for column, cell in zip(found.columns, line.cells, strict=True)]

    def selector(self, line: Line) -> str:
        """Return the labels by which a service finds its pods, as the server prints them; empty where it has none."""
        printed = dict(self.printed(line)).get("Selector", "")
        return "" if printed == "<none>" else printed

    def about(self, key: Hashable) -> str:
        """Return what a row is about: nothing that another view has."""
        return ""

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return None: what no watch tells of is changed by its own keys."""
        return None

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show this table."""
        return [("get", self.resource.full_name, "-o", "wide")]

    def worst_first(self) -> str:
        """Sort by the column that says how things are, or by name."""
        found = self._table
        judged = [
            str(index)
            for index, printed in enumerate(found.columns if found else ())
            if printed.name in ("Ready", "Status", "Phase")
        ]
        if not judged or self.table.sort_column == judged[0]:
            self.table.sort_by("0")
            return "sorted by name"
        self.table.sort_by(judged[0])
        return f"sorted by {self.columns(self._width)[[c.key for c in self.table.columns].index(judged[0])].title}"

    async def _read(self) -> ResourceTable:
        source = self._means.cluster
        namespaces, selector = self._asked
        return await read_table(source.connection, self.resource, namespaces, selector=selector)


def _passes(table: ResourceTable, line: Line, choice: Choice) -> bool:
    if choice.namespace and table.resource.is_namespaced and line.namespace != choice.namespace:
        return False
    if choice.labels is not None and not choice.labels.matches(line.labels):
        return False
    if choice.fields is not None and not choice.fields.matches(
        {"metadata.name": line.name, "metadata.namespace": line.namespace}
    ):
        return False
    return not choice.faults_only or is_fault(table, line)
