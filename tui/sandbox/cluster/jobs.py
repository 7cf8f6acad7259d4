"""The Job controller: runs pods until enough of them have completed, or too many have failed."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.pod_owners import PodOwners
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import JOBS, PODS, Object
from tui.sandbox.cluster.shapes import is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Change, Key, Store

FIRST_BACK_OFF_S = 10.0


class Jobs(PodOwners):
    """Keeps every job's pods and status."""

    RESOURCE = JOBS
    COMPONENT = "job-controller"

    def __init__(self, store: Store, recorder: Recorder) -> None:
        super().__init__(store, recorder)
        self._failures: dict[str, int] = {}
        self._backing_off: set[str] = set()

    def _on_owner(self, change: Change) -> None:
        super()._on_owner(change)
        if change.type == "DELETED":
            self._failures.pop(change.entry.thing["metadata"]["uid"], None)

    def _reconcile(self, key: Key, owner: Object) -> None:
        if is_finished(owner):
            return
        if label(owner) is None:
            self._claim(key)
            return
        pods = self._store.owned_by(owner["metadata"]["uid"], PODS)
        active = [p for p in pods if is_active(p)]
        succeeded = sum(p["status"]["phase"] == "Succeeded" for p in pods)
        failed = sum(p["status"]["phase"] == "Failed" for p in pods)
        spec = owner["spec"]
        if spec.get("suspend"):
            for pod in active:
                writes.discard(self._store, PODS, pod, {})
        elif failed > spec.get("backoffLimit", 6):
            for pod in active:
                writes.discard(self._store, PODS, pod, {})
            self._report(key, [], succeeded, failed, ("Failed", "BackoffLimitExceeded",
                                                      "Job has reached the specified backoff limit"))  # fmt: skip
            return
        elif succeeded >= spec.get("completions", 1):
            self._report(key, active, succeeded, failed, ("Complete", "CompletionsReached",
                                                          "Reached expected number of succeeded pods"))  # fmt: skip
            return
        elif self._may_create(owner, failed):
            missing = min(spec.get("parallelism", 1), spec.get("completions", 1) - succeeded) - len(active)
            for _ in range(missing):
                self._insert(owner, pod_from(spec["template"], owner))
        self._report(key, active, succeeded, failed, None)

    def _may_create(self, job: Object, failed: int) -> bool:
        """Return False while the back-off after a failure lasts."""
        uid = job["metadata"]["uid"]
        if failed <= self._failures.get(uid, 0):
            return uid not in self._backing_off
        self._failures[uid] = failed
        self._backing_off.add(uid)
        self._store.clock.after(FIRST_BACK_OFF_S * float(1 << (failed - 1)), self._resume, uid)
        return False

    def _resume(self, uid: str) -> None:
        self._backing_off.discard(uid)
        if uid in self._keys:
            self._queue.add(self._keys[uid])

    def _claim(self, key: Key) -> None:
        """Give a new job the labels and the selector that tie its pods to it."""

        def claim(copy: Object) -> None:
            uid, name = copy["metadata"]["uid"], copy["metadata"]["name"]
            labels = {
                "batch.kubernetes.io/controller-uid": uid,
                "batch.kubernetes.io/job-name": name,
                "controller-uid": uid,
                "job-name": name,
            }
            copy["spec"].setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
            meta = copy["spec"]["template"].setdefault("metadata", {})
            meta["labels"] = {**(meta.get("labels") or {}), **labels}

        self._store.modify(JOBS, *key, claim)

    def _report(
        self, key: Key, active: list[Object], succeeded: int, failed: int, end: tuple[str, str, str] | None
    ) -> None:
        now = self._store.clock.stamp()

        def report(copy: Object) -> None:
            status: dict[str, Any] = copy.setdefault("status", {})
            status.setdefault("startTime", now)
            counts = {"active": len(active), "succeeded": succeeded, "failed": failed}
            for name, count in counts.items():
                status[name] = count
                if not count:
                    del status[name]
            status |= {"terminating": 0, "uncountedTerminatedPods": {}, "ready": sum(is_ready(p) for p in active)}
            if end is not None:
                kind, reason, message = end
                status.setdefault("conditions", []).extend(
                    {"type": t, "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "reason": reason,
                     "message": message}
                    for t in ({"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind], kind)
                )  # fmt: skip
                if kind == "Complete":
                    status["completionTime"] = now

        job = self._store.modify(JOBS, *key, report)
        if end is not None and job is not None:
            if end[0] == "Complete":
                self._recorder.normal(job, "Completed", "Job completed", self.COMPONENT)
            else:
                self._recorder.warning(job, end[1], end[2], self.COMPONENT)


def label(job: Object) -> str | None:
    """Return the uid that a job's pods are labelled with, None before the job was claimed."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels") or {}
    found: str | None = labels.get("batch.kubernetes.io/controller-uid")
    return found


def is_finished(job: Object) -> bool:
    """Return whether a job is Complete or Failed."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)
