"""Evicting one pod: deleting it only when its disruption budget allows it."""

import json
import shlex
from typing import Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, Action, NotSentError, Request, Target
from tui.actions.kubernetes.asking import forbidden
from tui.actions.kubernetes.pods import POD, DeletePod, pod_target
from tui.sources.kubernetes.answers import Answer
from tui.sources.kubernetes.fields import part, parts, text
from tui.sources.kubernetes.pods import Pod

EVICT: Final = "evict"
_TOO_MANY: Final = 429
_ONE_BUDGET_TOO_MANY: Final = "more than one PodDisruptionBudget"


def evict_request(pod: Pod) -> Request:
    """Return the request to evict a pod."""
    return Request(EVICT, pod_target(pod))


def eviction(namespace: str, name: str, uid: object, *, dry_run: bool = False) -> dict[str, Any]:
    """Return the body of the POST that evicts exactly this pod."""
    options: dict[str, Any] = {"preconditions": {"uid": uid}}
    if dry_run:
        options["dryRun"] = ["All"]
    return {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": options,
    }


def budget_refusal(answer: Answer) -> str:
    """Return what a disruption budget said against an eviction; empty when the answer says something else."""
    if answer.status == _TOO_MANY and "disruption budget" in answer.message:
        causes = [text(cause, "message") for cause in parts(part(answer.body, "details"), "causes")]
        return "; ".join(filter(None, causes)) or answer.message
    # A server says so as an error of its own (500), yet it has refused: it never deletes such a pod this way.
    return answer.message if answer.status >= 500 and _ONE_BUDGET_TOO_MANY in answer.message else ""


class EvictPod(DeletePod):
    """`kubectl drain` for one pod, by a POST of an Eviction whose `preconditions` hold the uid.

    There is no window: a pod created again under the name has another uid, and the server answers 409. A disruption
    budget that allows no disruption is answered with 429, and nothing was changed; it is not asked again by itself.
    """

    name = EVICT
    title = "Evict pod"
    about = About(
        system="Kubernetes",
        targets="pod, but for the mirror of a static pod",
        risk="low when something makes it again; medium in a StatefulSet; high when nothing makes it again, or when it "
        "is cluster-critical",
        inverse=CANNOT_BE_UNDONE,
        identity="deleteOptions.preconditions.uid in the Eviction",
        window="none",
        command="kubectl create --raw /api/v1/namespaces/NS/pods/NAME/eviction -f eviction.json",
        verification="that uid is gone and, where it has an owner, as many pods are ready as wanted; grace + 2 min",
    )
    _access = ("create", "eviction")
    _is_asking_budgets = True

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "create", request.target, "eviction")

    async def plan(self, request: Request) -> Action:
        """Read the pod again, ask whether we may, and let the server ask its disruption budget.

        Raises:
            NotSentError: it is gone, is another one now, or its budget does not allow it now.
            SourceError: the server could not be asked.
        """
        if "grace_s" in request.wanted:
            raise NotSentError("an eviction keeps the pod's own grace period")
        return await super().plan(request)

    def _command(self, target: Target, grace_s: int, request: Request) -> str:
        path = POD.path(target.where, target.name, "eviction")
        body = json.dumps(eviction(target.where, target.name, target.identity["uid"]), separators=(",", ":"))
        return f"echo {shlex.quote(body)} | {self._source.kubectl('', 'create', '--raw', path, '-f', '-')}"

    async def _delete(
        self, target: Target, body: dict[str, Any], *, dry_run: bool = False, opening: int | None = None
    ) -> Answer:
        answer = await self._source.connection.call(
            "POST",
            POD.path(target.where, target.name, "eviction"),
            body=eviction(target.where, target.name, target.identity["uid"], dry_run=dry_run),
            timeout_s=15.0,
            opening=opening,
        )
        if refused := budget_refusal(answer):
            raise NotSentError(f"its disruption budget does not allow it now: {refused}; nothing was changed")
        return answer
