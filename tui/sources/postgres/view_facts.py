"""What single views show beyond every tick, and what rules need at a slower pace."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tui.sources.postgres.overview import Overview, Wraparound
from tui.sources.postgres.progress import Progress
from tui.sources.postgres.replication import Replication
from tui.sources.postgres.settings import Settings
from tui.sources.postgres.tables import Indexes, Tables
from tui.sources.reading import Number


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """Facts of views. What is read only while its view is open is None in every other tick."""

    overview: Overview | None = None
    wraparound: tuple[Wraparound, ...] = ()
    """Oldest first, at most 50 databases; read every 10 s, for the rules too."""

    replication: Replication = field(default_factory=Replication)
    """Read every 10 s for the rules, and with every tick while its view is open."""
    tables: Tables | None = None
    indexes: Indexes | None = None
    progress: tuple[Progress, ...] | None = None
    settings: Settings | None = None

    def numbers(self) -> Iterator[Number]:
        """Return wraparound_percent (of two billion ids, the database nearest to the end) and those of replication."""
        if self.wraparound:
            yield Number("wraparound_percent", max(one.percent for one in self.wraparound))
        yield from self.replication.numbers()
