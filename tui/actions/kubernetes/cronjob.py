"""CronJobs: held back, let go on, and run now."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from tui.actions.action import (
    CANNOT_BE_UNDONE,
    About,
    Action,
    GoneError,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
)
from tui.actions.kubernetes.asking import CERTAINLY_NOT, forbidden, permission, read, ready_to_send, refusal_words
from tui.actions.kubernetes.change import workload_target
from tui.actions.kubernetes.patching import Change, PatchVerb
from tui.actions.kubernetes.preview import differing
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import KINDS, Resource
from tui.sources.kubernetes.workloads import Condition, Workload, parse_workload

SUSPEND: Final = "suspend"
UNSUSPEND: Final = "unsuspend"
RUN_JOB: Final = "run-job"
CRON_JOBS: Final = ("CronJob",)
_CRON_JOB: Final = KINDS["CronJob"]
_JOB: Final = KINDS["Job"]
_JOB_S: Final = 600.0
_LONGEST_NAME: Final = 63
"""A Job's name becomes a label of its pods."""


def suspend_request(workload: Workload) -> Request:
    """Return the request to suspend a CronJob, or to let it go on; a suspension is temporary."""
    verb = UNSUSPEND if workload.paused else SUSPEND
    return Request(verb, workload_target(workload), temporary_s=None if workload.paused else 0.0)


def run_request(workload: Workload) -> Request:
    """Return the request to run a CronJob's job now."""
    return Request(RUN_JOB, workload_target(workload))


class _SuspendVerb(PatchVerb):
    """What suspending and letting go on have in common."""

    hold_s = 0.0
    _kinds = CRON_JOBS
    _is_suspending: bool

    def _moved(self, was: Any, obj: Object) -> str:
        return "" if _is_suspended(obj) == was else _state(obj)

    def _superseded(self, sent: Sent, obj: Object) -> str:
        return "" if _is_suspended(obj) == self._is_suspending else _state(obj)

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        return Look(Phase.CONVERGED, _state(obj))


class SuspendCronJob(_SuspendVerb):
    """`kubectl patch cronjob` with `spec.suspend`, by a JSON Patch that tests `metadata.uid`.

    A CronJob may have no such field to test. Should somebody suspend it in the same moment, both get what they asked
    for.
    """

    name = SUSPEND
    title = "Suspend"
    about = About(
        system="Kubernetes",
        targets="CronJob",
        risk="medium; it counts as temporary until it goes on",
        inverse="let it go on, while it is still suspended",
        identity="uid, tested in the same JSON Patch",
        window="somebody else's suspension in the same moment is not noticed; the result is the same",
        command='kubectl patch cronjob NAME -p \'{"spec":{"suspend":true}}\'',
        verification="spec.suspend is read back, within 1 min",
    )
    _done = "suspended"
    _is_suspending = True

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        workload = parse_workload(kind.kind, obj)
        if workload.paused:
            raise NotSentError(f"{request.target} is suspended already")
        running = f"{workload.current} of its jobs run on" if workload.current else "none of its jobs runs now"
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "add", "path": "/spec/suspend", "value": True},
            ],
            was=False,
            before=f"runs {text(part(obj, 'spec'), 'schedule')}",
            after="suspended: no new job begins",
            arguments=_arguments(request, is_suspended=True),
            undo="let it go on",
            inverse=Request(UNSUSPEND, request.target),
            impact=(running, *_owned(workload)),
        )


class ResumeCronJob(_SuspendVerb):
    """`kubectl patch cronjob` with `spec.suspend`, by a JSON Patch that tests `metadata.uid` and `spec.suspend`.

    Between the last test and the write there is no window: both are one transaction of the API server.
    """

    name = UNSUSPEND
    title = "Resume"
    about = About(
        system="Kubernetes",
        targets="CronJob",
        risk="medium",
        inverse="suspend it again, while it is not suspended",
        identity="uid and spec.suspend, tested in the same JSON Patch",
        window="none: test and write are one transaction of the API server",
        command='kubectl patch cronjob NAME -p \'{"spec":{"suspend":false}}\'',
        verification="spec.suspend is read back, within 1 min",
    )
    _done = "goes on"
    _is_suspending = False

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        workload, spec = parse_workload(kind.kind, obj), part(obj, "spec")
        if not workload.paused:
            raise NotSentError(f"{request.target} is not suspended")
        missed = "" if "startingDeadlineSeconds" in spec else "a run it has missed while suspended may begin at once"
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "test", "path": "/spec/suspend", "value": True},
                {"op": "replace", "path": "/spec/suspend", "value": False},
            ],
            was=True,
            before="suspended",
            after=f"runs {text(spec, 'schedule')}",
            arguments=_arguments(request, is_suspended=False),
            undo="suspend it again; jobs begun by then go on",
            inverse=Request(SUSPEND, request.target, temporary_s=0.0),
            impact=tuple(filter(None, (missed, *_owned(workload)))),
        )


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends, and the job template it was planned with."""

    body: dict[str, Any]
    template: Object


class RunJob:
    """`kubectl create job --from=cronjob/NAME`, by a POST of a Job whose name was chosen with the plan.

    The Job names the CronJob's uid as its owner. A POST can test nothing: the CronJob may change between the reading
    and the write, and the Job is then the one that was shown. Its name is random, so it is created once or not at all.
    """

    name = RUN_JOB
    title = "Run"
    about = About(
        system="Kubernetes",
        targets="CronJob",
        risk="medium; high while one of its jobs runs and concurrencyPolicy is not Allow",
        inverse=CANNOT_BE_UNDONE,
        identity="the CronJob's uid as owner of the Job; the Job's name, chosen with the plan",
        window="the CronJob may change between the reading and the write: what was shown is what runs",
        command="kubectl create job NAME --from=cronjob/NAME",
        verification="the Job is complete, within 10 min; one that fails is not converged",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        if why := forbidden(self._source, "get", request.target):
            return why
        may = self._source.permissions.may("create", _JOB.group, _JOB.resource, request.target.where)
        return f"not permitted: it needs create on jobs in {request.target.where}" if may is False else ""

    async def plan(self, request: Request) -> Action:
        """Read the CronJob again, make the Job of its template, and let the server try to create it.

        Raises:
            NotSentError: it is gone, is another one now, or the server would not create the Job.
            SourceError: the server could not be asked.
        """
        target = request.target
        if target.kind != "cronjob":
            raise NotSentError(f"{self.title} is not for a {target.kind}: only for CronJobs")
        obj = await read(self._source, _CRON_JOB, target)
        workload, spec = parse_workload("CronJob", obj), part(obj, "spec")
        body = _job(obj)
        name = str(body["metadata"]["name"])
        may_not = await permission(self._source, "create", _JOB, target)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        if not may_not:
            answer = await self._create(target.where, body, dry_run=True)
            if answer.status in CERTAINLY_NOT and answer.status != 403:
                raise NotSentError(refusal_words(answer))
            preview = (
                (f"the server's dry run creates job {name}",) if answer.is_ok else (f"no preview: {answer.message}",)
            )
        policy = text(spec, "concurrencyPolicy") or "Allow"
        is_crowded = workload.current > 0 and policy != "Allow"
        return Action(
            request=request,
            before=f"{workload.current} of its jobs run" if workload.current else "none of its jobs runs",
            after=f"job {name} runs",
            risk=Risk.HIGH if is_crowded else Risk.MEDIUM,
            risk_reason=f"one of its jobs runs, and concurrencyPolicy {policy} does not hold for this one"
            if is_crowded else "",
            command=self._source.kubectl(target.where, "create", "job", name, f"--from=cronjob/{target.name}"),
            preview=preview,
            deadline_s=_JOB_S,
            undo=f"{CANNOT_BE_UNDONE}: what the job does is done",
            impact=(*(f"image {image}" for image in workload.images), *_suspended(workload), *_owned(workload)),
            permission=may_not,
            evidence={"job": name},
            payload=_Payload(body, part(spec, "jobTemplate")),
        )  # fmt: skip

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the CronJob still has the job template it was planned with. Raises SourceError."""
        payload = _payload(action)
        try:
            obj = await read(self._source, _CRON_JOB, action.request.target)
        except GoneError as error:
            return Sight.GONE, str(error)
        now = part(obj, "spec", "jobTemplate")
        if now == payload.template:
            return Sight.UNCHANGED, ""
        return Sight.CHANGED, f"its job template changed: {'; '.join(differing(payload.template, now)[:3])}"

    async def execute(self, action: Action) -> Receipt:
        """Create the Job, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        target, payload = action.request.target, _payload(action)
        seen, what = await self._still(action)
        if seen is not Sight.UNCHANGED:
            raise NotSentError(f"{target} has moved on: {what}; nothing was created")
        opening = await ready_to_send(self._source)
        try:
            answer = await self._create(target.where, payload.body, opening=opening)
        except ConnectFailed as error:
            raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
        if answer.status in CERTAINLY_NOT:
            raise NotSentError(refusal_words(answer))
        made = text(part(answer.object(), "metadata"), "name")
        return Receipt(f"job {made} was created")

    async def _still(self, action: Action) -> tuple[Sight, str]:
        try:
            return await self.sight(action)
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error.message}") from error

    async def look(self, sent: Sent) -> Look:
        """Look for the Job by its name, and how far it has come."""
        name = str(sent.evidence["job"])
        answer = await self._source.connection.call("GET", _JOB.path(sent.request.target.where, name))
        if answer.status == 404:
            return Look(Phase.ABSENT, f"there is no job {name}")
        job = parse_workload("Job", answer.object())
        if job.condition is Condition.UNAVAILABLE:
            return Look(Phase.NOT_CONVERGED, f"job {name} failed: {job.problem or job.status}")
        if job.status == "Complete":
            return Look(Phase.CONVERGED, f"job {name} is complete, {job.job_completions}")
        return Look(Phase.WAITING, f"job {name}: {job.status}, {job.current} pods at work")

    async def _create(
        self, namespace: str, body: dict[str, Any], *, dry_run: bool = False, opening: int | None = None
    ) -> Answer:
        query = [("dryRun", "All")] if dry_run else ()
        return await self._source.connection.call(
            "POST", _JOB.path(namespace), query=query, body=body, timeout_s=15.0, opening=opening
        )


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by RunJob")
    return action.payload


def _job(obj: Object) -> dict[str, Any]:
    """Return the Job that `kubectl create job --from` makes, under a name of its own."""
    metadata, template = part(obj, "metadata"), part(obj, "spec", "jobTemplate")
    name, suffix = str(metadata.get("name", "")), f"-{secrets.token_hex(3)}"
    marks = part(template, "metadata")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name[: _LONGEST_NAME - len(suffix)].rstrip("-.") + suffix,
            "namespace": metadata.get("namespace"),
            "labels": dict(part(marks, "labels")),
            "annotations": {**part(marks, "annotations"), "cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": name,
                    "uid": metadata.get("uid"),
                    "controller": True,
                }
            ],
        },
        "spec": part(template, "spec"),
    }


def _is_suspended(obj: Object) -> bool:
    return part(obj, "spec").get("suspend") is True


def _state(obj: Object) -> str:
    return "it is suspended" if _is_suspended(obj) else "it is not suspended"


def _suspended(workload: Workload) -> list[str]:
    return ["it is suspended, and stays so: only this one job runs"] if workload.paused else []


def _owned(workload: Workload) -> list[str]:
    return [f"managed by {workload.managed_by}: it may put its own state back"] if workload.managed_by else []


def _arguments(request: Request, *, is_suspended: bool) -> tuple[str, ...]:
    patch = f'{{"spec":{{"suspend":{str(is_suspended).lower()}}}}}'
    return ("patch", "cronjob", request.target.name, "-p", patch)
