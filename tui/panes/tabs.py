"""The tabs, in order, and where their panes are: known before any pane is imported.

The first frame needs one pane; the others, and the facts they show, are imported after it.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from profiles.schema import KINDS, Profile

if TYPE_CHECKING:
    from tui.panes.pane import Pane


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab."""

    title: str
    """Title on the tab strip."""
    kinds: tuple[str, ...]
    """Kinds of sources it shows, its own first: the part of a source's name before the colon."""
    place: str
    """Module and class of its pane."""
    brief: str = ""
    """Title where there is little room; the title itself when empty."""
    owns: int = 1
    """How many of `kinds`, from the first on, are its own: their alerts are counted on it."""
    of_several: str = ""
    """Module and class of its pane where the profile names several clusters; empty: the same."""
    misses_nothing: bool = False
    """Whether its readings are increments, so that every one is shown to it, visible or not."""

    @property
    def own_kinds(self) -> tuple[str, ...]:
        """The kinds whose systems have their place here."""
        return self.kinds[: self.owns]

    def pane(self, profile: Profile | None = None) -> "type[Pane]":
        """Return the class of its pane for a profile, imported now if it was not yet."""
        is_of_several = bool(self.of_several) and profile is not None and len(profile.every_cluster) > 1
        module, _, name = (self.of_several if is_of_several else self.place).partition(":")
        pane: type[Pane] = getattr(import_module(module), name)
        return pane


SERVICES: Final = Tab("Services", ("service", "container", "unit"), "tui.panes.services:ServicesPane", owns=3)
PODS: Final = Tab("Pods", ("kubernetes",), "tui.panes.pods:PodsPane", of_several="tui.panes.clusters:ClustersPane")
DATABASE: Final = Tab("Database", ("database", "pgbouncer"), "tui.panes.database:DatabasePane", owns=2)
REDIS: Final = Tab("Redis", ("redis",), "tui.panes.redis:RedisPane")
LOGS: Final = Tab("Logs", ("logs",), "tui.panes.logs:LogsPane", misses_nothing=True)
RESOURCES: Final = Tab(
    "Resources", ("host", "metric", "kubernetes"), "tui.panes.resources:ResourcesPane", "Res.", 2, misses_nothing=True
)
TIMELINE: Final = Tab("Timeline", ("opstui", *KINDS), "tui.panes.timeline:TimelinePane", "Time")

CHECKLIST: Final = Tab("Checklist", ("walk",), "tui.panes.checklist:ChecklistPane", "Check")

TABS: Final = (SERVICES, PODS, DATABASE, REDIS, LOGS, RESOURCES, TIMELINE, CHECKLIST)
"""Every tab, in order. A new one is one value more."""
