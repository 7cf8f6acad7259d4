"""What is needed of a cluster: by the timeline and the rules at all times, by a tab while it is open."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from profiles.schema import Profile
from tui.panes.tabs import CHECKLIST, DATABASE, PODS, REDIS, RESOURCES, SERVICES, Tab
from tui.poller import Pollers
from tui.rules import applies
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.demand import EVERYTHING, OF_METRICS, OWNERS
from tui.timeline.kubernetes import TOLD_OF

_OF_TABS: Final[Mapping[Tab, Iterable[str]]] = {
    PODS: EVERYTHING,
    # Whose workload it is: of a pod behind a service, and of one that is a client of a database or of Redis.
    SERVICES: OWNERS,
    DATABASE: ("nodes", *OWNERS),
    REDIS: ("nodes", *OWNERS),
    RESOURCES: ("pods", "nodes"),
    CHECKLIST: EVERYTHING,
}


def begin(profile: Profile, pollers: Pollers) -> None:
    """Say what is needed whatever the person looks at."""
    for cluster in _clusters(pollers):
        cluster.is_hasty = True
        cluster.need("the timeline", TOLD_OF)
        judged = (
            name.partition(".")[2] for name, rule in profile.thresholds.items() if applies(cluster.name, name, rule)
        )
        cluster.need("the rules", (resource for metric in judged for resource in OF_METRICS.get(metric, ())))


def attend(pollers: Pollers, tab: Tab, *, is_walking: bool, unseen: Container[str] = ()) -> None:
    """Say which tab is open, which clusters it does not show, and whether a checklist or a runbook is under way."""
    walk = _OF_TABS[CHECKLIST] if is_walking else ()
    for cluster in _clusters(pollers):
        cluster.need("the screen", {*(_OF_TABS.get(tab, ()) if cluster.name not in unseen else ()), *walk})


def _clusters(pollers: Pollers) -> Iterator[KubernetesSource]:
    for reading in pollers.readings({"kubernetes"}):
        if isinstance(cluster := pollers.source(reading.source), KubernetesSource):
            yield cluster
