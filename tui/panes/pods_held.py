"""How often CPU limits hold a pod's containers, and who says so: its kubelet, a look inside, a metric of the profile.

metrics.k8s.io does not tell: it knows only what was used.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tui.panes.pods_rows import Holding
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.inside import Throttling, meaning
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.throttling import KubeletThrottling
from tui.sources.metrics.facts import MetricSnapshot
from tui.sources.reading import Reading


@dataclass(frozen=True, slots=True)
class Account:
    """What one look, or a kubelet, told of one container."""

    at: float
    """`time.time()` of it."""
    since_start: Throttling
    lately: Throttling
    """While the look lasted, or between two readings of the kubelet."""
    lately_words: str = "just then"
    """When that was."""
    origin: str = "cpu.stat"
    """Who says so."""

    @property
    def percent(self) -> float:
        """The greater part of its periods in which it was held: lately, or since its start."""
        return max(self.since_start.percent, self.lately.percent)

    def words(self, now: float) -> str:
        """Return it in words, with where it is from."""
        origin = f"({self.origin}, {age_since(self.at, now)} ago)"
        if not self.since_start.periods:
            return f"never: no CPU limit {origin}" if self.origin == "cpu.stat" else f"never so far {origin}"
        recently = self.lately.periods and f", {self.lately.throttled} of {self.lately.periods} {self.lately_words}"
        return f"in {self.since_start.percent:.1f} % of its periods{recently or ''} {origin}"


class Accounts:
    """What looks told since opstui began, each what a person asked for, and what the kubelets say now."""

    def __init__(self, kubelets: Callable[[], KubeletThrottling | None] = lambda: None) -> None:
        """`kubelets` returns who knows what they said; None while there is no cluster."""
        self._known: dict[tuple[str, str], Account] = {}
        self._kubelets = kubelets

    def note(self, place: Place, account: Account) -> None:
        """Keep what a look told of a container."""
        self._known[place.uid, place.container] = account

    def get(self, pod: Pod, container: str) -> Account | None:
        """Return what is known of a container; None where nobody told of it.

        A kubelet that tells of it now goes before a look that was longer ago.
        """
        looked, kubelets = self._known.get((pod.uid, container)), self._kubelets()
        held = kubelets.held(pod.node, pod.namespace, pod.name, container) if kubelets is not None else None
        if held is None or (looked is not None and looked.at > held.at):
            return looked
        lately = held.lately or Throttling(0, 0, 0.0, 0)
        return Account(held.at, held.since_start, lately, f"in the last {held.over_s:.0f} s", "its kubelet")

    def trouble(self, pods: Iterable[Pod]) -> str:
        """Return why kubelets do not tell of these pods, and what helps; empty when nothing is wrong."""
        kubelets, nodes = self._kubelets(), {pod.node for pod in pods}
        return kubelets.words(nodes) if kubelets is not None and nodes else ""


def holding(kubelets: KubeletThrottling, pod: Pod) -> Holding | None:
    """Return how often a pod's limits hold it, by the container that is held most; None: its node was not read."""
    if not kubelets.is_known(pod.node):
        return None
    told = [kubelets.held(pod.node, pod.namespace, pod.name, name) for name in pod.container_names]
    lately = [held.lately.percent for held in told if held is not None and held.lately is not None]
    return Holding(max(lately, default=None), has_limit=any(told))


def told_by_metrics(pod: Pod, readings: Iterable[Reading[Any]]) -> Iterator[str]:
    """Yield what the profile's own metrics say of a pod's throttling: those whose query asks for it, by pod."""
    for reading in readings:
        snapshot = reading.snapshot
        if not isinstance(snapshot, MetricSnapshot) or "throttl" not in snapshot.query.lower():
            continue
        for one in snapshot.values:
            labels = one.series.split()
            is_elsewhere = any(
                word.startswith("namespace=") and word != f"namespace={pod.namespace}" for word in labels
            )
            if one.value is not None and f"pod={pod.name}" in labels and not is_elsewhere:
                container = next((word.partition("=")[2] for word in labels if word.startswith("container=")), "")
                yield (
                    f"{container or 'all'}: {one.value:g} {snapshot.unit}".rstrip()
                    + f" ({snapshot.title}, {snapshot.origin})"
                )


def held_lines(
    pod: Pod, obj: Object, accounts: Accounts, readings: Iterable[Reading[Any]], now: float
) -> Iterator[str]:
    """Yield what is known of how often its containers were held, and what that means, under its heading."""
    yield ""
    yield "Held by its CPU limit (throttling)"
    for container in parts(part(obj, "spec"), "containers"):
        name = text(container, "name")
        account = accounts.get(pod, name)
        if account is not None:
            yield f"  {name}: {account.words(now)}"
            if account.since_start.periods:
                yield f"    {meaning(account.percent)}"
        elif "cpu" not in part(container, "resources", "limits"):
            yield f"  {name}: it has no CPU limit to be held by"
        else:
            yield f"  {name}: not known; w in the list asks its kubelet, t reads cpu.stat inside it"
    yield from (f"  {line}" for line in told_by_metrics(pod, readings))
