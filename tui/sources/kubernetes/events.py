"""Events and autoscalers as slim facts."""

from dataclasses import dataclass

from tui.sources.kubernetes.fields import Object, moment, part, text, whole


@dataclass(frozen=True, slots=True)
class Event:
    """One event; the server itself folds repetitions into `count`."""

    uid: str
    namespace: str
    type: str
    """`Normal` or `Warning`."""
    reason: str
    object: str
    """`kind/name` of the object it is about, the kind in small letters, as kubectl prints it."""
    object_uid: str
    """Uid of that object; empty where the reporter left it out."""
    message: str
    count: int
    """How often it happened: `series.count`, else `count`."""
    first_at: float | None
    last_at: float | None
    """When it last happened: `series.lastObservedTime`, else `lastTimestamp`, else `eventTime`."""
    reporter: str
    """`source.component` or `reportingComponent`."""


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """One HorizontalPodAutoscaler."""

    uid: str
    namespace: str
    name: str
    target_kind: str
    target_name: str
    """`spec.scaleTargetRef`: the workload whose replicas it sets."""
    min_replicas: int
    max_replicas: int
    current_replicas: int
    desired_replicas: int


def parse_event(obj: Object) -> Event:
    """Return the slim fact for a core/v1 Event object."""
    about, series = part(obj, "involvedObject"), part(obj, "series")
    kind, name = text(about, "kind"), text(about, "name")
    first = moment(obj, "firstTimestamp") or moment(obj, "eventTime")
    last = moment(series, "lastObservedTime") if series else moment(obj, "lastTimestamp") or first
    return Event(
        uid=text(part(obj, "metadata"), "uid"),
        namespace=text(part(obj, "metadata"), "namespace"),
        type=text(obj, "type"),
        reason=text(obj, "reason"),
        object=f"{kind.lower()}/{name}" if kind else name,
        object_uid=text(about, "uid"),
        message=text(obj, "message").strip(),
        count=whole(series, "count") if series else whole(obj, "count") or 1,
        first_at=first,
        last_at=last,
        reporter=text(part(obj, "source"), "component") or text(obj, "reportingComponent"),
    )


def parse_autoscaler(obj: Object) -> Autoscaler:
    """Return the slim fact for an autoscaling/v2 HorizontalPodAutoscaler object."""
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    target = part(spec, "scaleTargetRef")
    return Autoscaler(
        uid=text(metadata, "uid"),
        namespace=text(metadata, "namespace"),
        name=text(metadata, "name"),
        target_kind=text(target, "kind"),
        target_name=text(target, "name"),
        min_replicas=whole(spec, "minReplicas", 1),
        max_replicas=whole(spec, "maxReplicas"),
        current_replicas=whole(status, "currentReplicas"),
        desired_replicas=whole(status, "desiredReplicas"),
    )
