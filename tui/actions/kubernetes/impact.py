"""Who or what else a change of a workload touches, and who will fight it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, parts, strings, text, whole
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.workloads import Workload


def owners_words(workload: Workload) -> Iterator[str]:
    """Say who keeps the workload as written elsewhere."""
    if workload.managed_by:
        yield f"managed by {workload.managed_by}: it may put its own state back"


def autoscaler_words(autoscalers: Iterable[Object], workload: Workload, wanted: int | None = None) -> Iterator[str]:
    """Say which HorizontalPodAutoscaler sets the replicas of this workload; `wanted` are the replicas asked for."""
    for autoscaler in autoscalers:
        target, spec = part(autoscaler, "spec", "scaleTargetRef"), part(autoscaler, "spec")
        if (text(target, "kind"), text(target, "name")) != (workload.kind, workload.name):
            continue
        name = text(part(autoscaler, "metadata"), "name")
        least, most = whole(spec, "minReplicas", 1), whole(spec, "maxReplicas")
        if wanted == 0:
            yield f"HorizontalPodAutoscaler {name} is switched off by 0 replicas: it will not scale up again by itself"
        elif wanted is not None:
            yield f"HorizontalPodAutoscaler {name} sets the replicas between {least} and {most}: it will undo this"
        else:
            yield f"HorizontalPodAutoscaler {name} may change the replicas meanwhile ({least} to {most})"


def covering_budgets(budgets: Iterable[Object], labels: Mapping[str, str]) -> Iterator[Object]:
    """Yield the PodDisruptionBudgets whose selector matches these labels."""
    for budget in budgets:
        selector = part(budget, "spec").get("selector")
        wanted = strings(part(budget, "spec", "selector"), "matchLabels")
        # An empty selector is every pod of the namespace; none at all is no pod.
        if selector == {} or (wanted and wanted.items() <= labels.items()):
            yield budget


def budget_words(
    budgets: Iterable[Object], template_labels: Mapping[str, str], *, is_asked: bool = False
) -> Iterator[str]:
    """Say which PodDisruptionBudgets cover the pods, and whether the change asks them: rollouts and scaling do not."""
    for budget in covering_budgets(budgets, template_labels):
        allowed = whole(part(budget, "status"), "disruptionsAllowed")
        name, plural = text(part(budget, "metadata"), "name"), "s" * (allowed != 1)
        asked = "it is asked again when this is sent" if is_asked else "this change does not ask it"
        yield f"PodDisruptionBudget {name} allows {allowed} disruption{plural} now; {asked}"


def restart_words(workload: Workload, obj: Object) -> Iterator[str]:
    """Say how many pods a restart replaces, in what manner."""
    strategy = part(obj, "spec", "strategy") or part(obj, "spec", "updateStrategy")
    kind, rolling = text(strategy, "type"), part(strategy, "rollingUpdate")
    pods = "1 pod" if workload.desired == 1 else f"{workload.desired} pods"
    if not workload.desired:
        yield "it has no pods: nothing restarts"
    elif kind == "Recreate":
        yield f"{pods} replaced; Recreate: all stop before new ones start"
    elif kind == "OnDelete":
        yield f"OnDelete: nothing restarts until somebody deletes its {pods}"
    elif workload.kind == "StatefulSet":
        yield f"{pods} replaced, one after the other, the highest number first"
    else:
        limits = ", ".join(f"{key} {rolling[key]}" for key in ("maxUnavailable", "maxSurge") if key in rolling)
        yield f"{pods} replaced, a few at a time ({limits or 'the defaults of the kind'})"
    if workload.desired == 1 and (workload.kind == "StatefulSet" or kind == "Recreate"):
        yield "it has a single pod: it serves nobody while that restarts"


def state_words(workload: Workload) -> Iterator[str]:
    """Say what is already wrong or under way."""
    if workload.paused:
        yield "its rollout is paused: new pods still take the template of the last rollout"
    if workload.observed_generation < workload.generation or (
        workload.updated is not None and workload.updated < workload.desired
    ):
        yield f"a rollout is under way: {workload.updated or 0} of {workload.desired} updated"
    if workload.missing:
        yield f"{workload.missing} of {workload.desired} pods are not available now"
    if workload.problem:
        yield workload.problem


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a workload: who sets its replicas, who limits how many pods may go."""

    workload: Workload
    template_labels: Mapping[str, str]
    autoscalers: tuple[Object, ...]
    budgets: tuple[Object, ...]
    unseen: tuple[str, ...]
    """Why some of it could not be seen."""

    @property
    def needed(self) -> int:
        """How many pods the strictest disruption budget wants healthy; 0 without one."""
        covering = covering_budgets(self.budgets, self.template_labels)
        return max((whole(part(budget, "status"), "desiredHealthy") for budget in covering), default=0)

    def words(self, wanted: Mapping[str, Any]) -> tuple[str, ...]:
        """Say what fights or watches the workload; `wanted` are the change's parameters (`replicas`)."""
        replicas = wanted.get("replicas")
        words = [
            *state_words(self.workload),
            *autoscaler_words(self.autoscalers, self.workload, replicas if isinstance(replicas, int) else None),
            *owners_words(self.workload),
            *budget_words(self.budgets, self.template_labels),
            *(f"not seen: {reason}" for reason in self.unseen),
        ]
        return tuple(words)


async def surroundings(source: KubernetesSource, workload: Workload, obj: Object) -> Surroundings:
    """Read what stands around a workload; what may not be seen is said, and no error."""
    autoscalers, unseen = await _listed(source, KINDS["HorizontalPodAutoscaler"].path(workload.namespace))
    budgets, unseen_too = await _listed(source, f"/apis/policy/v1/namespaces/{workload.namespace}/poddisruptionbudgets")
    labels = strings(part(obj, "spec", "template", "metadata"), "labels")
    reasons = tuple(reason for reason in dict.fromkeys((unseen, unseen_too)) if reason)
    return Surroundings(workload, labels, autoscalers, budgets, reasons)


async def _listed(source: KubernetesSource, path: str) -> tuple[tuple[Object, ...], str]:
    """Return the items at `path`, and why there are none where they may not be seen."""
    try:
        return tuple(parts(await source.connection.get(path), "items")), ""
    except SourceError as error:
        return (), error.message
