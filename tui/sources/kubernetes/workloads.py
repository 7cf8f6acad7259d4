"""Workloads as slim facts: Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from tui.sources.kubernetes.ages import age
from tui.sources.kubernetes.fields import Object, Owner, moment, owner, part, parts, strings, text, whole
from tui.sources.text import clean

REVISION: Final = "deployment.kubernetes.io/revision"
"""The annotation that numbers a Deployment's ReplicaSets."""

_OWNERS: Final = (
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux (Helm)"),
    ("meta.helm.sh/release-name", "Helm"),
)


class Condition(StrEnum):
    """How a workload is doing."""

    FINE = "fine"
    PROGRESSING = "progressing"
    """Rolling out, or a Job at work."""
    UNAVAILABLE = "unavailable"
    """Fewer pods are available than desired, or the Job failed."""
    ENDED = "ended"
    """A completed Job, a suspended CronJob."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload of any kind."""

    kind: str
    """`Deployment`, `StatefulSet`, `DaemonSet`, `ReplicaSet`, `Job`, `CronJob`."""
    uid: str
    namespace: str
    name: str
    desired: int
    """`spec.replicas` (1 when absent); `desiredNumberScheduled`; a Job's completions; 0 for a CronJob."""
    current: int
    """Pods there are: `status.replicas`, `currentNumberScheduled`, active pods of a Job, active Jobs of a CronJob."""
    ready: int
    """Ready pods; succeeded ones of a Job."""
    updated: int | None
    """Pods of the newest template (UP-TO-DATE); None where the kind knows no such thing."""
    available: int | None
    """Pods ready for long enough (AVAILABLE); None where the kind knows no such thing."""
    status: str
    """A Job's STATUS, a CronJob's schedule; `paused` for a paused rollout, else empty."""
    condition: Condition
    problem: str
    """The condition that says what is wrong, in the controller's own words; empty when none does."""
    created_at: float | None
    started_at: float | None
    """A Job's `startTime`, a CronJob's `lastScheduleTime`."""
    ended_at: float | None
    """A Job's `completionTime`."""
    generation: int
    observed_generation: int
    paused: bool
    """`spec.paused` of a Deployment, `spec.suspend` of a Job or CronJob."""
    selector: str
    """Label selector of its pods, as kubectl takes it with `-l`."""
    containers: tuple[str, ...]
    images: tuple[str, ...]
    owner: Owner | None
    revision: int
    """The revision a ReplicaSet or Deployment carries; 0 where there is none."""
    managed_by: str
    """Who keeps it as written elsewhere (`Argo CD`, `Flux`, `Helm`), from its annotations and labels; or empty."""
    job_completions: str = ""
    """A Job's COMPLETIONS cell."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """`metadata.labels`."""

    @property
    def path(self) -> str:
        """`namespace/kind/name`, the kind in small letters, as a profile's `workload` is written."""
        return f"{self.namespace}/{self.kind.lower()}/{self.name}"

    @property
    def missing(self) -> int:
        """How many pods are not available that should be; 0 for Jobs and CronJobs."""
        if self.kind in ("Job", "CronJob"):
            return 0
        return max(0, self.desired - (self.ready if self.available is None else self.available))

    def ready_words(self) -> str:
        """Return the READY cell (a Job's COMPLETIONS, a CronJob's active Jobs)."""
        if self.kind == "Job":
            return self.job_completions
        return f"{self.current} active" if self.kind == "CronJob" else f"{self.ready}/{self.desired}"

    def duration_words(self, now: float) -> str:
        """Return a Job's DURATION cell; empty before it starts."""
        if self.started_at is None:
            return ""
        return age((now if self.ended_at is None else self.ended_at) - self.started_at)


def selector_words(selector: Object) -> str:
    """Return a label selector object as kubectl's `-l` takes it; empty for one that selects nothing."""
    words = [f"{key}={value}" for key, value in sorted(strings(selector, "matchLabels").items())]
    for expression in parts(selector, "matchExpressions"):
        key, operator = text(expression, "key"), text(expression, "operator")
        listed = expression.get("values")
        values = ",".join(clean(str(value)) for value in listed) if isinstance(listed, list) else ""
        known = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        words.append(known.get(operator, key))
    return ",".join(words)


def parse_workload(kind: str, obj: Object) -> Workload:
    """Return the slim fact for an object of this kind."""
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    annotations = strings(metadata, "annotations")
    template = part(spec, "jobTemplate", "spec", "template") if kind == "CronJob" else part(spec, "template")
    containers = parts(part(template, "spec"), "containers")
    revision = annotations.get(REVISION, "")
    plain = Workload(
        kind=kind,
        uid=text(metadata, "uid"),
        namespace=text(metadata, "namespace"),
        name=text(metadata, "name"),
        desired=whole(spec, "replicas", 1),
        current=whole(status, "replicas"),
        ready=whole(status, "readyReplicas"),
        updated=None,
        available=whole(status, "availableReplicas"),
        status="",
        condition=Condition.FINE,
        problem=_problem(status),
        created_at=moment(metadata, "creationTimestamp"),
        started_at=None,
        ended_at=None,
        generation=whole(metadata, "generation"),
        observed_generation=whole(status, "observedGeneration"),
        paused=spec.get("paused") is True or spec.get("suspend") is True,
        selector=selector_words(part(spec, "selector")),
        containers=tuple(text(container, "name") for container in containers),
        images=tuple(text(container, "image") for container in containers),
        owner=owner(metadata),
        revision=int(revision) if revision.isdecimal() else 0,
        managed_by=_managed_by({**strings(metadata, "labels"), **annotations}),
        labels=strings(metadata, "labels"),
    )
    match kind:
        case "Job":
            return _job(plain, spec, status, is_deleted=metadata.get("deletionTimestamp") is not None)
        case "CronJob":
            return _cron_job(plain, spec, status)
        case "DaemonSet":
            return _judged(_daemon_set(plain, status))
        case "ReplicaSet":
            return _judged(plain)
    return _judged(replace(plain, updated=whole(status, "updatedReplicas"), status="paused" if plain.paused else ""))


def _problem(status: Object) -> str:
    for condition in parts(status, "conditions"):
        kind, is_true = text(condition, "type"), condition.get("status") == "True"
        gave_up = kind == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        if gave_up or (is_true and kind in ("ReplicaFailure", "Failed")):
            return f"{text(condition, 'reason')}: {text(condition, 'message')}"
    return ""


def _managed_by(marks: dict[str, str]) -> str:
    for key, name in _OWNERS:
        if key in marks:
            return name
    return "Helm" if marks.get("app.kubernetes.io/managed-by") == "Helm" else ""


def _judged(workload: Workload) -> Workload:
    if workload.missing:
        return replace(workload, condition=Condition.UNAVAILABLE)
    is_rolling = workload.updated is not None and (
        workload.updated < workload.desired
        or workload.current > workload.desired
        or workload.observed_generation < workload.generation
    )
    return replace(workload, condition=Condition.PROGRESSING) if is_rolling and not workload.paused else workload


def _daemon_set(plain: Workload, status: Object) -> Workload:
    return replace(
        plain,
        desired=whole(status, "desiredNumberScheduled"),
        current=whole(status, "currentNumberScheduled"),
        ready=whole(status, "numberReady"),
        updated=whole(status, "updatedNumberScheduled"),
        available=whole(status, "numberAvailable"),
    )


def _job(plain: Workload, spec: Object, status: Object, *, is_deleted: bool) -> Workload:
    true = {text(c, "type") for c in parts(status, "conditions") if c.get("status") == "True"}
    found: list[str] = [word for word in ("Complete", "Failed") if word in true]
    found += ["Terminating"] if is_deleted else []
    found += [word for word in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if word in true]
    succeeded, completions, parallelism = (
        whole(status, "succeeded"),
        spec.get("completions"),
        whole(spec, "parallelism"),
    )
    if isinstance(completions, int):
        words = f"{succeeded}/{completions}"
    else:
        words = f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"
    judged = {"Complete": Condition.ENDED, "Suspended": Condition.ENDED, "Failed": Condition.UNAVAILABLE}
    word = found[0] if found else "Running"
    return replace(
        plain,
        desired=completions if isinstance(completions, int) else 1,
        current=whole(status, "active"),
        ready=succeeded,
        available=None,
        status=word,
        condition=judged.get(word, Condition.PROGRESSING),
        started_at=moment(status, "startTime"),
        ended_at=moment(status, "completionTime"),
        job_completions=words,
    )


def _cron_job(plain: Workload, spec: Object, status: Object) -> Workload:
    schedule = text(spec, "schedule")
    return replace(
        plain,
        desired=0,
        current=len(parts(status, "active")),
        ready=0,
        available=None,
        status=f"suspended, {schedule}" if plain.paused else schedule,
        condition=Condition.ENDED if plain.paused else Condition.FINE,
        started_at=moment(status, "lastScheduleTime"),
    )
