"""READY, STATUS and RESTARTS of a pod, by the rules of the server's printer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui.sandbox.cluster.clock import parse_time
from tui.sandbox.cluster.durations import short, since
from tui.sandbox.cluster.resources import Object


def pod_cells(pod: Object, now: datetime) -> list[Any]:
    """Return the cells of a pod's row, wide ones included."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    tally = _Tally(pod, now)
    readiness = status.get("conditions") or ()
    gates = spec.get("readinessGates") or ()
    met = {c["type"] for c in readiness if c["status"] == "True"}
    ips = status.get("podIPs") or ()
    return [
        pod["metadata"]["name"],
        f"{tally.ready}/{tally.total}",
        tally.reason,
        tally.restart_text,
        since(pod["metadata"].get("creationTimestamp"), now),
        (ips[0]["ip"] if ips else status.get("podIP")) or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{sum(g['conditionType'] in met for g in gates)}/{len(gates)}" if gates else "<none>",
    ]


class _Tally:
    """Goes over a pod's containers once, init containers first."""

    def __init__(self, pod: Object, now: datetime) -> None:
        spec, status = pod.get("spec") or {}, pod.get("status") or {}
        self.ready = 0
        self.restarts = 0
        self.last_restart: datetime | None = None
        self.reason: str = status.get("reason") or status.get("phase") or "Unknown"
        self._now = now
        self._sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
        self.total = len(spec.get("containers") or ()) + len(self._sidecars)
        conditions = {c["type"]: c for c in status.get("conditions") or ()}
        if conditions.get("PodScheduled", {}).get("reason") == "SchedulingGated":
            self.reason = "SchedulingGated"
        is_initializing = self._init(status, len(spec.get("initContainers") or ()))
        if not is_initializing or conditions.get("Initialized", {}).get("status") == "True":
            self._main(status, conditions.get("Ready", {}).get("status") == "True")
        if pod["metadata"].get("deletionTimestamp"):
            if status.get("reason") == "NodeLost":
                self.reason = "Unknown"
            elif status.get("phase") not in ("Succeeded", "Failed"):
                self.reason = "Terminating"

    @property
    def restart_text(self) -> str:
        if self.restarts and self.last_restart:
            return f"{self.restarts} ({short(self._now - self.last_restart)} ago)"
        return str(self.restarts)

    def _init(self, status: dict[str, Any], declared: int) -> bool:
        sidecar_restarts, sidecar_last = 0, None
        is_initializing = False
        for i, container in enumerate(status.get("initContainerStatuses") or ()):
            self._count(container)
            is_sidecar = container["name"] in self._sidecars
            if is_sidecar:
                sidecar_restarts += container.get("restartCount", 0)
                sidecar_last = _later(sidecar_last, _ended(container))
            state = container.get("state") or {}
            ended, waiting = state.get("terminated"), state.get("waiting")
            if ended and ended["exitCode"] == 0:
                continue
            if is_sidecar and container.get("started"):
                self.ready += bool(container.get("ready"))
                continue
            if ended:
                self.reason = "Init:" + _exit(ended)
            elif waiting and waiting.get("reason") and waiting["reason"] != "PodInitializing":
                self.reason = "Init:" + waiting["reason"]
            else:
                self.reason = f"Init:{i}/{declared}"
            is_initializing = True
            break
        self._sidecar = (sidecar_restarts, sidecar_last)
        return is_initializing

    def _main(self, status: dict[str, Any], is_ready: bool) -> None:
        self.restarts, self.last_restart = self._sidecar
        has_running = False
        for container in reversed(status.get("containerStatuses") or ()):
            self._count(container)
            state = container.get("state") or {}
            ended, waiting = state.get("terminated"), state.get("waiting")
            if waiting and waiting.get("reason"):
                self.reason = waiting["reason"]
            elif ended:
                self.reason = _exit(ended)
            elif container.get("ready") and state.get("running") is not None:
                has_running = True
                self.ready += 1
        if self.reason == "Completed" and has_running:
            self.reason = "Running" if is_ready else "NotReady"

    def _count(self, container: dict[str, Any]) -> None:
        self.restarts += container.get("restartCount", 0)
        self.last_restart = _later(self.last_restart, _ended(container))


def _ended(container: dict[str, Any]) -> datetime | None:
    return parse_time(((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt"))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((m for m in (one, other) if m), default=None)


def _exit(ended: dict[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended['exitCode']}"
