"""The rows of workloads (deployments … cron jobs), autoscalers and budgets, by the server's printers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui.sandbox.cluster.clock import parse_time
from tui.sandbox.cluster.durations import short, since
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.selectors import selector_text


def deployment_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME READY UP-TO-DATE AVAILABLE AGE | CONTAINERS IMAGES SELECTOR."""
    status = thing.get("status") or {}
    return [
        *_name(thing),
        f"{status.get('readyReplicas', 0)}/{thing['spec'].get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(thing, now),
        *_containers(thing["spec"]["template"]),
        selector_text(thing["spec"].get("selector")),
    ]


def replicaset_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME DESIRED CURRENT READY AGE | CONTAINERS IMAGES SELECTOR."""
    status = thing.get("status") or {}
    return [
        *_name(thing),
        thing["spec"].get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(thing, now),
        *_containers(thing["spec"]["template"]),
        selector_text(thing["spec"].get("selector")),
    ]


def statefulset_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME READY AGE | CONTAINERS IMAGES."""
    ready = (thing.get("status") or {}).get("readyReplicas", 0)
    of = thing["spec"].get("replicas", 1)
    return [*_name(thing), f"{ready}/{of}", _age(thing, now), *_containers(thing["spec"]["template"])]


def daemonset_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE-SELECTOR AGE | CONTAINERS IMAGES SELECTOR."""
    status, template = thing.get("status") or {}, thing["spec"]["template"]
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
              "numberAvailable")  # fmt: skip
    nodes = template["spec"].get("nodeSelector")
    return [
        *_name(thing),
        *(status.get(count, 0) for count in counts),
        ",".join(f"{k}={v}" for k, v in sorted(nodes.items())) if nodes else "<none>",
        _age(thing, now),
        *_containers(template),
        selector_text(thing["spec"].get("selector")),
    ]


def job_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME STATUS COMPLETIONS DURATION AGE | CONTAINERS IMAGES SELECTOR."""
    spec, status = thing["spec"], thing.get("status") or {}
    started, ended = parse_time(status.get("startTime")), parse_time(status.get("completionTime"))
    return [
        *_name(thing),
        job_status(thing),
        _completions(spec, status.get("succeeded", 0)),
        short((ended or now) - started) if started else "",
        _age(thing, now),
        *_containers(spec["template"]),
        selector_text(spec.get("selector")),
    ]


def job_status(thing: Object) -> str:
    """Return the STATUS of a job: Complete, Failed, Terminating, Suspended, … or Running."""
    met = {c["type"] for c in (thing.get("status") or {}).get("conditions") or () if c["status"] == "True"}
    if "Complete" in met:
        return "Complete"
    if "Failed" in met:
        return "Failed"
    if thing["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if condition in met:
            return condition
    return "Running"


def cronjob_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST-SCHEDULE AGE | CONTAINERS IMAGES SELECTOR."""
    spec, status = thing["spec"], thing.get("status") or {}
    last = status.get("lastScheduleTime")
    return [
        *_name(thing),
        spec["schedule"],
        spec.get("timeZone") or "<none>",
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        since(last, now) if last else "<none>",
        _age(thing, now),
        *_containers(spec["jobTemplate"]["spec"]["template"]),
        selector_text(spec["jobTemplate"]["spec"].get("selector")),
    ]


def autoscaler_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE."""
    spec, status = thing["spec"], thing.get("status") or {}
    minimum = spec.get("minReplicas")
    return [
        *_name(thing),
        f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}",
        _targets(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        "<unset>" if minimum is None else str(minimum),
        spec["maxReplicas"],
        status.get("currentReplicas", 0),
        _age(thing, now),
    ]


def budget_cells(thing: Object, now: datetime) -> list[Any]:
    """NAME MIN-AVAILABLE MAX-UNAVAILABLE ALLOWED-DISRUPTIONS AGE."""
    spec = thing["spec"]
    return [
        *_name(thing),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        (thing.get("status") or {}).get("disruptionsAllowed", 0),
        _age(thing, now),
    ]


def _name(thing: Object) -> list[Any]:
    return [thing["metadata"]["name"]]


def _age(thing: Object, now: datetime) -> str:
    return since(thing["metadata"].get("creationTimestamp"), now)


def _containers(template: Object) -> list[Any]:
    containers = template["spec"].get("containers") or ()
    return [",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)]


def _completions(spec: dict[str, Any], succeeded: int) -> str:
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _targets(wanted: Any, current: Any) -> str:
    shown: list[str] = []
    for i, metric in enumerate(wanted):
        source = metric.get("resource") or metric.get("containerResource") or {}
        target = source.get("target") or {}
        now = (current[i].get("resource") or {}).get("current") or {} if i < len(current) else {}
        if target.get("averageUtilization") is not None:
            have = f"{now['averageUtilization']}%" if "averageUtilization" in now else "<unknown>"
            shown.append(f"{source['name']}: {have}/{target['averageUtilization']}%")
        else:
            shown.append(
                f"{source.get('name', '')}: {now.get('averageValue', '<unknown>')}/{target.get('averageValue')}"
            )
    if not shown:
        return "<none>"
    return ", ".join(shown[:2]) + (f" + {len(shown) - 2} more..." if len(shown) > 2 else "")
