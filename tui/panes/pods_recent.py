"""The view "Changed" of the Pods tab: what changed in the last 15 minutes, newest first."""

from collections.abc import Hashable
from typing import Final

from textual.widget import Widget

from tui.panes.failing import clock
from tui.panes.periodic import Periodic
from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_extra import Means
from tui.panes.pods_words import none_words
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.recent import Change, Configs, read_configs, recent
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from widgets.cell import Cell, Column, Row, Tone
from widgets.live_table import LiveTable
from widgets.segment_line import Segment

WINDOW_S: Final = 900.0
_CONFIGS_EVERY_S: Final = 60.0
_WIDE: Final = 120


class RecentView:
    """Rollouts, scales, restarts, OOM kills, evictions, written ConfigMaps and Secrets, news of nodes."""

    title = "Changed"
    namespace = ""
    head: tuple[Widget, ...] = ()
    is_drilled = False

    def __init__(self, means: Means) -> None:
        self.table = LiveTable(self.columns(80), id="pods-recent", sort="ago", empty="waiting for the cluster")
        self._means, self._now = means, means.now
        self._namespaces: tuple[str, ...] = ()
        self._configs: Periodic[Configs] = means.periodic(self._read, _CONFIGS_EVERY_S)
        self._shown: dict[Hashable, Change] = {}
        self.amount: int | None = None

    @property
    def notice(self) -> str:
        """What could not be looked at."""
        if self._configs.error is not None:
            return f"ConfigMaps, Secrets and ControllerRevisions could not be looked at: {self._configs.error}"
        missing = self._configs.value.missing if self._configs.value else ()
        return f"partial: {'; '.join(missing)}" if missing else ""

    @property
    def stale(self) -> bool:
        """Never by itself: nearly all of it follows the watches."""
        return False

    @property
    def taken_at(self) -> float | None:
        """None: it is as old as the cluster's reading."""
        return None

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        is_wide = width >= _WIDE
        return (
            Column("ago", "AGO", 6, "right"),
            Column("what", "WHAT", 10),
            Column("namespace", "NAMESPACE", 16 if is_wide else 10, priority=1, keeps_end=True),
            Column("object", "OBJECT", 44 if is_wide else 24, keeps_end=True),
            Column("words", "WHAT EXACTLY", min_width=20),
        )

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw what changed, and look after ConfigMaps and Secrets once a minute."""
        self._namespaces = snapshot.namespaces
        self._configs.poll()
        now = self._now()
        found = [
            change
            for change in recent(snapshot, now - WINDOW_S, self._configs.value)
            if (change.is_bad or not choice.faults_only) and choice.namespace in ("", change.namespace)
        ]
        self._shown = {(change.what, change.about, change.at): change for change in found}
        self.amount = len(found)
        none = f"nothing changed in the last {WINDOW_S / 60:.0f} min that the cluster still tells of"
        self.table.empty = none_words(none, choice.narrowing("recent"))
        self.table.show({key: _row(change, now) for key, change in self._shown.items()})

    def hurry(self) -> None:
        """Look after ConfigMaps and Secrets at the next drawing."""
        self._configs.hurry()

    def segments(self) -> list[Segment]:
        """Say what the view holds."""
        return [Segment(f"the last {WINDOW_S / 60:.0f} min", "dim", priority=2, right=True)]

    def about(self, key: Hashable) -> str:
        """Return what a change is about."""
        found = self._shown.get(key)
        return found.about if found is not None else ""

    def is_rollout(self, key: Hashable) -> bool:
        """Tell whether a row is about a new revision of a workload."""
        found = self._shown.get(key)
        return found is not None and found.what == "rollout"

    def page(self, key: Hashable) -> str:
        """Return a change in full; empty when it is gone."""
        if (found := self._shown.get(key)) is None:
            return ""
        when = f"{clock(found.at)} ({age_since(found.at, self._now())} ago)"
        return f"{found.what} of {found.about}\n{when}\n\n{found.words}"

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return None: what no watch tells of is changed by its own keys."""
        return None

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show most of it."""
        return [
            ("get", "replicasets", "--sort-by=.metadata.creationTimestamp", "-o", "wide"),
            ("get", "events", "--sort-by=.lastTimestamp"),
            ("get", "configmaps,secrets", "-o", "yaml", "--show-managed-fields"),
        ]

    def worst_first(self) -> str:
        """Sort by what happened, or the newest first."""
        is_newest = self.table.sort_column == "ago"
        self.table.sort_by("what" if is_newest else "ago")
        return "what is bad first" if is_newest else "the newest first"

    async def _read(self) -> Configs:
        return await read_configs(self._means.cluster.connection, self._namespaces, self._now() - WINDOW_S)


def _row(change: Change, now: float) -> Row:
    kind, _, rest = change.about.partition("/")
    name = f"{kind}/{rest.rpartition('/')[2]}"
    tone: Tone = "warn" if change.is_bad else "accent" if change.what == "rollout" else ""
    cells = (
        age_since(change.at, now),
        Cell(change.what, tone),
        change.namespace,
        name,
        change.words,
    )
    sort = (
        -change.at,
        f"{0 if change.is_bad else 1}{change.what}{-change.at:.0f}",
        change.namespace,
        name,
        change.words,
    )
    return Row(cells, sort)
