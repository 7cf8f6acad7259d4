"""Alerts of the profile's rules as what lasts."""

from typing import Any, Final

from tui.rules import Alert
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.timeline import postgres
from tui.timeline.entry import sentence
from tui.timeline.standing import Condition
from tui.units import amount

KEY: Final = "alert "
_TOLD_ANYWAY: Final = frozenset(
    {("service", "state"), ("container", "down"), ("container", "unhealthy"), ("unit", "failed"), ("unit", "inactive")}
)
"""What is told by another name: the state of a service, a container or a unit is a change of its own."""


def key(alert: Alert) -> str:
    """Return the key of an alert as what lasts."""
    return f"{KEY}{alert.metric} {alert.object}"


def is_told(alert: Alert) -> bool:
    """Tell whether an alert is a row of its own."""
    return (alert.source.partition(":")[0], alert.metric) not in _TOLD_ANYWAY


def condition(alert: Alert, snapshot: Any) -> Condition:
    """Return an alert that is up; `snapshot` is what it was judged by, to name whose number it is."""
    kind = alert.source.partition(":")[0]
    about = f" {alert.object}" if alert.object else ""
    name = f"{kind}.{alert.metric}{about}"
    threshold = f"threshold {amount(alert.metric, alert.threshold, alert.unit)}"
    who, object_ = _whose(alert, snapshot)
    return Condition(
        key=key(alert),
        what="alert",
        text=sentence(f"{name} = {amount(alert.metric, alert.value, alert.unit)} ({threshold}){who}"),
        over=f"{name} is fine again ({threshold})",
        level=alert.level,
        object=object_,
        since=alert.since,
    )


def _whose(alert: Alert, snapshot: Any) -> tuple[str, str]:
    """Return who makes the number what it is, in words, and the object to jump to."""
    kind, _, name = alert.source.partition(":")
    match kind:
        case "kubernetes" if alert.metric == "pod_restarts":
            return "", f"pod/{alert.object}"
        case "kubernetes" if alert.metric == "workload_pods_missing":
            namespace, workload, what = alert.object.split("/", 2)
            return "", f"{workload}/{namespace}/{what}"
        case "database" if isinstance(snapshot, DatabaseSnapshot):
            session = postgres.culprit(snapshot, alert.metric)
            if session is None:
                return "", postgres.SERVER
            return f": {postgres.session_words(session)}", postgres.backend(session)
        case "pgbouncer":
            return "", alert.object
        case "redis":
            return "", postgres.SERVER
        case "service" | "logs":
            return "", name
        case "container" | "unit":
            return "", alert.object
        case "host":
            return "", alert.object or alert.metric
    return "", ""
