"""How often CPU limits hold a pod's containers, and who says so: a look inside, or a metric of the profile.

The cluster itself does not tell: metrics.k8s.io knows only what was used.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.inside import Throttling
from tui.sources.kubernetes.pods import Pod
from tui.sources.metrics.facts import MetricSnapshot
from tui.sources.reading import Reading


@dataclass(frozen=True, slots=True)
class Account:
    """What one look told of one container."""

    at: float
    """`time.time()` of the look."""
    since_start: Throttling
    lately: Throttling
    """While the look lasted."""

    def words(self, now: float) -> str:
        """Return it in words, with where it is from."""
        if not self.since_start.periods:
            return f"never: no CPU limit (cpu.stat, {age_since(self.at, now)} ago)"
        recently = f", {self.lately.throttled} of {self.lately.periods} just then" if self.lately.periods else ""
        return f"in {self.since_start.percent:.1f} % of its periods{recently} (cpu.stat, {age_since(self.at, now)} ago)"


class Accounts:
    """What looks told since opstui began; each is what a person asked for, none is read by itself."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Account] = {}

    def note(self, place: Place, account: Account) -> None:
        """Keep what a look told of a container."""
        self._known[place.uid, place.container] = account

    def get(self, pod_uid: str, container: str) -> Account | None:
        """Return what the newest look told; None where nobody has looked."""
        return self._known.get((pod_uid, container))


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
    """Yield what is known of how often its containers were held, under its heading."""
    yield ""
    yield "Held by its CPU limit (throttling)"
    for container in parts(part(obj, "spec"), "containers"):
        name = text(container, "name")
        account = accounts.get(pod.uid, name)
        if account is not None:
            yield f"  {name}: {account.words(now)}"
        elif "cpu" not in part(container, "resources", "limits"):
            yield f"  {name}: it has no CPU limit to be held by"
        else:
            yield f"  {name}: not known; t reads cpu.stat inside it"
    yield from (f"  {line}" for line in told_by_metrics(pod, readings))
