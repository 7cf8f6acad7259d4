"""What is said around the tables of the Pods tab: how many there are of what, and why there is no row. Pure."""

from collections import Counter
from typing import Final

from tui.panes.pods_choice import Choice
from tui.panes.pods_views import View
from tui.sources.errors import Denied
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.snapshot import KubernetesSnapshot

WAITING: Final = "waiting for the cluster"


def namespaces_of(snapshot: KubernetesSnapshot) -> dict[str, str]:
    """Return the namespaces that something runs in, in order, each with what there is to say of its pods."""
    counts = Counter(pod.namespace for pod in snapshot.pods.values())
    faults = Counter(pod.namespace for pod in snapshot.pods.values() if pod.health not in (Health.FINE, Health.ENDED))
    names = sorted(counts.keys() | {workload.namespace for workload in snapshot.workloads.values()})
    return {
        name: f"{counts[name]} pods" + (f", {faults[name]} need somebody" if faults[name] else "") for name in names
    }


def empty_words(view: View, snapshot: KubernetesSnapshot | None, choice: Choice) -> str:
    """Return why a view has no row: none seen yet, none that may be seen, none that the person wants, or none."""
    if snapshot is None:
        return WAITING
    behind = [snapshot.health[resource] for resource in view.resources]
    if all(health.is_down for health in behind):
        error = behind[0].error
        if isinstance(error, Denied):
            return f"forbidden: whether there are any {view.title.lower()} is not known"
        return f"whether there are any {view.title.lower()} is not known: {error}"
    if not all(health.is_synced for health in behind):
        return WAITING
    where = "the namespaces that are watched" if snapshot.namespaces else "this cluster"
    return none_words(f"no {view.title.lower()} in {where}", choice)


def none_words(none: str, choice: Choice) -> str:
    """Return that there is none, or what a person wants to see and that only of this there is none."""
    selectors = [f"-l {choice.labels.words}" if choice.labels else ""]
    selectors += [f"-f {choice.fields.words}" if choice.fields else ""]
    wanted = ", ".join(filter(None, (*choice.words(), *selectors)))
    return f"nothing here: {wanted}; esc clears that" if wanted else none


def count_words(view: View, amount: int, snapshot: KubernetesSnapshot) -> str:
    """Return a view's title with how many there are; `–` where none could be seen, which is not the same as none."""
    is_unknown = not amount and all(snapshot.health[resource].is_down for resource in view.resources)
    return f"{view.title} {'–' if is_unknown else amount}"
