"""The status of a pod as its kubelet writes it."""

from __future__ import annotations

import hashlib
from typing import Any

from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.shapes import set_condition

Status = dict[str, Any]


def container_id(pod: Object, container: str, attempt: int) -> str:
    """Return the runtime's id of one run of a container."""
    seed = f"{pod['metadata']['uid']}/{container}/{attempt}"
    return "containerd://" + hashlib.sha256(seed.encode()).hexdigest()


def image_id(image: str) -> str:
    """Return the digest of an image, the same for the same name."""
    return f"{image.rpartition(':')[0] or image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def container_status(pod: Object, name: str) -> Status:
    """Return the entry of `containerStatuses` (or of the init ones) of a container.

    Raises:
        KeyError: the pod has none yet.
    """
    status = pod["status"]
    for kind in ("containerStatuses", "initContainerStatuses"):
        for entry in status.get(kind) or ():
            if entry["name"] == name:
                found: Status = entry
                return found
    raise KeyError(name)


def begin(pod: Object, host_ip: str, now: str) -> None:
    """Write the status of a pod that its node has just taken on: nothing runs yet."""
    spec, status = pod["spec"], pod["status"]
    reason = "PodInitializing" if spec.get("initContainers") else "ContainerCreating"
    status["phase"] = "Pending"
    status["hostIP"], status["hostIPs"] = host_ip, [{"ip": host_ip}]
    status["startTime"] = now
    for field, kind, why in (
        ("initContainers", "initContainerStatuses", "PodInitializing"),
        ("containers", "containerStatuses", reason),
    ):
        if spec.get(field):
            status[kind] = [_waiting(c, why) for c in spec[field]]
    conclude(pod, now)


def conclude(pod: Object, now: str) -> None:
    """Bring phase and conditions in line with the container statuses."""
    spec, status = pod["spec"], pod["status"]
    inits, mains = status.get("initContainerStatuses") or [], status.get("containerStatuses") or []
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    is_initialized = all(
        c.get("started") if c["name"] in sidecars else (c["state"].get("terminated") or {}).get("exitCode") == 0
        for c in inits
    )
    watched = mains + [c for c in inits if c["name"] in sidecars]
    unready = [c["name"] for c in watched if not c["ready"]]
    status["phase"] = _phase(spec, status, mains, is_initialized)
    is_over = status["phase"] in ("Succeeded", "Failed")
    set_condition(status, "PodReadyToStartContainers", "True" if status.get("podIP") else "False", now)
    if is_initialized:
        reason = "PodCompleted" if status["phase"] == "Succeeded" else ""
        set_condition(status, "Initialized", "True", now, reason)
    else:
        stuck = [c["name"] for c in inits if (c["state"].get("terminated") or {}).get("exitCode") != 0]
        text = f"containers with incomplete status: [{' '.join(stuck)}]"
        set_condition(status, "Initialized", "False", now, "ContainersNotInitialized", text)
    for kind in ("Ready", "ContainersReady"):
        if status["phase"] == "Succeeded":
            set_condition(status, kind, "False", now, "PodCompleted")
        elif is_over:
            set_condition(status, kind, "False", now, "PodFailed")
        elif unready or not mains:
            text = f"containers with unready status: [{' '.join(unready)}]"
            set_condition(status, kind, "False", now, "ContainersNotReady", text)
        else:
            set_condition(status, kind, "True", now)
    set_condition(status, "PodScheduled", "True", now)


def set_waiting(pod: Object, name: str, reason: str, message: str = "") -> None:
    """Let a container wait."""
    entry = container_status(pod, name)
    entry["state"] = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    entry["ready"] = entry["started"] = False


def set_running(pod: Object, name: str, now: str, *, is_ready: bool) -> None:
    """Let a container run, for the first time or again; an ended run becomes its `lastState`."""
    entry = container_status(pod, name)
    keep_last(entry)
    if entry.get("lastState", {}).get("terminated"):
        entry["restartCount"] += 1
    attempt = entry["restartCount"]
    entry["state"] = {"running": {"startedAt": now}}
    entry["ready"], entry["started"] = is_ready, True
    entry["imageID"] = image_id(entry["image"])
    entry["containerID"] = container_id(pod, name, attempt)


def set_ended(pod: Object, name: str, now: str, exit_code: int, reason: str) -> None:
    """End a container's run."""
    entry = container_status(pod, name)
    started = (entry["state"].get("running") or {}).get("startedAt", now)
    ended: Status = {"exitCode": exit_code, "reason": reason, "startedAt": started, "finishedAt": now}
    if entry.get("containerID"):
        ended["containerID"] = entry["containerID"]
    entry["state"] = {"terminated": ended}
    entry["ready"] = entry["started"] = False


def keep_last(entry: Status) -> None:
    """Remember an ended run as `lastState`."""
    if "terminated" in entry["state"]:
        entry["lastState"] = entry["state"]


def _waiting(container: dict[str, Any], reason: str) -> Status:
    return {
        "name": container["name"],
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container.get("image", ""),
        "imageID": "",
        "started": False,
    }


def _phase(spec: Status, status: Status, mains: list[Status], is_initialized: bool) -> str:
    policy = spec.get("restartPolicy", "Always")
    if status.get("reason") == "Evicted":
        return "Failed"
    if not is_initialized:
        inits = status.get("initContainerStatuses") or ()
        has_failed = any((c["state"].get("terminated") or {}).get("exitCode", 0) for c in inits)
        return "Failed" if has_failed and policy == "Never" else "Pending"
    ended = [c["state"]["terminated"] for c in mains if "terminated" in c["state"]]
    if len(ended) == len(mains) and ended:
        if policy == "Never" and any(e["exitCode"] for e in ended):
            return "Failed"
        if policy != "Always" and not any(e["exitCode"] for e in ended):
            return "Succeeded"
    if any("running" in c["state"] or "terminated" in c["state"] or c["restartCount"] for c in mains):
        return "Running"
    return "Pending"
