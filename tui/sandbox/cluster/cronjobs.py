"""The CronJob controller: starts jobs on time and clears old ones away."""

from __future__ import annotations

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.clock import parse_time, stamp
from tui.sandbox.cluster.cron import Schedule
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.jobs import is_finished
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import CRONJOBS, JOBS, Object
from tui.sandbox.cluster.shapes import controller_uid, owner_reference
from tui.sandbox.cluster.store import Change, Key, Store, clone
from tui.sandbox.cluster.workqueue import WorkQueue

COMPONENT = "cronjob-controller"


class CronJobs:
    """Keeps every cron job's jobs and status. Schedules are those of the wall clock at any speed."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._queue = WorkQueue(store.clock, self._reconcile)
        self._keys: dict[str, Key] = {}
        self._armed: dict[Key, str] = {}
        store.listen(CRONJOBS, self._on_cronjob)
        store.listen(JOBS, self._on_job)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(CRONJOBS):
            key = (thing["metadata"]["namespace"], thing["metadata"]["name"])
            self._keys[thing["metadata"]["uid"]] = key
            self._queue.add(key)

    def _on_cronjob(self, change: Change) -> None:
        if change.type == "DELETED":
            self._armed.pop(change.entry.key, None)
        else:
            self._keys[change.entry.thing["metadata"]["uid"]] = change.entry.key
            self._queue.add(change.entry.key)

    def _on_job(self, change: Change) -> None:
        key = self._keys.get(controller_uid(change.entry.thing) or "")
        if key is not None:
            self._queue.add(key)

    def _reconcile(self, key: Key) -> None:
        cronjob = self._store.find(CRONJOBS, *key)
        if cronjob is None or "deletionTimestamp" in cronjob["metadata"]:
            return
        spec, now = cronjob["spec"], self._store.clock.now()
        jobs = self._store.owned_by(cronjob["metadata"]["uid"], JOBS)
        self._clean(spec, jobs)
        self._report(key, jobs)
        try:
            schedule = Schedule(spec["schedule"])
            due, following = schedule.before(now), schedule.after(now)
        except ValueError:
            self._recorder.warning(
                cronjob, "UnparseableSchedule", f"unparseable schedule: {spec['schedule']!r}", COMPONENT
            )
            return
        status = cronjob.get("status") or {}
        last = parse_time(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
        if not spec.get("suspend") and last is not None and due > last:
            self._start(key, cronjob, stamp(due), int(due.timestamp()) // 60, jobs)
        if self._armed.get(key) != stamp(following):
            self._armed[key] = stamp(following)
            self._store.clock.at(following, self._queue.add, key)

    def _start(self, key: Key, cronjob: Object, due: str, number: int, jobs: list[Object]) -> None:
        active = [j for j in jobs if not is_finished(j)]
        policy = cronjob["spec"].get("concurrencyPolicy", "Allow")
        if active and policy == "Forbid":
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._recorder.normal(cronjob, "JobAlreadyActive", text, COMPONENT)
        else:
            for job in active if policy == "Replace" else ():
                writes.discard(self._store, JOBS, job, {})
            template = clone(cronjob["spec"]["jobTemplate"])
            name = f"{key[1]}-{number}"
            meta = {**(template.get("metadata") or {}), "name": name, "namespace": key[0]}
            meta["ownerReferences"] = [owner_reference(cronjob)]
            if self._store.find(JOBS, key[0], name) is None:
                job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
                fill(JOBS, job)
                self._store.insert(JOBS, job)
                self._recorder.normal(cronjob, "SuccessfulCreate", f"Created job {name}", COMPONENT)
        self._store.modify(CRONJOBS, *key, lambda copy: copy["status"].update(lastScheduleTime=due))

    def _clean(self, spec: Object, jobs: list[Object]) -> None:
        done = sorted((j for j in jobs if is_finished(j)), key=lambda j: str(j["metadata"]["creationTimestamp"]))
        good = [j for j in done if j["status"].get("completionTime")]
        bad = [j for j in done if j not in good]
        for found, limit in (
            (good, spec.get("successfulJobsHistoryLimit", 3)),
            (bad, spec.get("failedJobsHistoryLimit", 1)),
        ):
            for job in found[: max(len(found) - limit, 0)]:
                writes.discard(self._store, JOBS, job, {})

    def _report(self, key: Key, jobs: list[Object]) -> None:
        active = [j for j in jobs if not is_finished(j)]
        ends = [j["status"]["completionTime"] for j in jobs if j["status"].get("completionTime")]

        def report(copy: Object) -> None:
            status = copy.setdefault("status", {})
            status.pop("active", None)
            if active:
                status["active"] = [
                    {
                        "kind": "Job",
                        "apiVersion": "batch/v1",
                        **{k: j["metadata"][k] for k in ("name", "namespace", "uid")},
                    }
                    for j in active
                ]
            if ends:
                status["lastSuccessfulTime"] = max(ends)

        self._store.modify(CRONJOBS, *key, report)
