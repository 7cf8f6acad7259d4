"""Draining a node: cordoned first, then every pod evicted as its disruption budget allows."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui.actions.action import (
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
    Step,
    Target,
)
from tui.actions.kubernetes.asking import forbidden, permission, read, ready_to_send
from tui.actions.kubernetes.cordon import UNCORDON, Cordon, is_cordoned, node_target, others_words
from tui.actions.kubernetes.evict import budget_refusal, eviction
from tui.actions.kubernetes.leaving import Leaver, Leaving, budget_lines, leaving
from tui.actions.kubernetes.pods import POD, pod_target_of
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import parts
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.nodes import Node

DRAIN: Final = "drain"
_NODE: Final = KINDS["Node"]
_DRAIN_S: Final = 900.0
"""After that it goes no further: a budget that never allows anything would hold it for ever."""
_TRIED_FIRST: Final = 40
"""Pods whose eviction is tried in the preview: one request each."""
_NAMED: Final = 3


def drain_request(node: Node) -> Request:
    """Return the request to drain a node; that it is cordoned by it is temporary."""
    return Request(DRAIN, node_target(node), temporary_s=0.0)


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` and `steps` send, and what the node was planned with."""

    cordon: Action | None
    """None when the node was cordoned already."""
    pods: int


class DrainNode:
    """`kubectl drain --ignore-daemonsets --delete-emptydir-data`, as a cordon and one Eviction for each pod.

    The cordon tests the node's uid; every Eviction holds the uid of its pod. A budget that allows no disruption
    answers 429, which changes nothing: that pod is asked for again until it may go, for at most 15 minutes. Before
    each round the node is read again: when it is uncordoned, nobody is evicted any more.
    """

    name = DRAIN
    title = "Drain"
    about = About(
        system="Kubernetes",
        targets="node; pods that nothing makes again are refused, those of DaemonSets and static ones stay",
        risk="high",
        inverse="uncordon, while it is still cordoned; pods stay where they went",
        identity="the node's uid in the JSON Patch that cordons; each pod's uid in the preconditions of its Eviction",
        window="none for each write; a pod that came before the cordon is evicted too",
        command="kubectl drain NODE --ignore-daemonsets --delete-emptydir-data",
        verification="cordoned, and no pod on it but those of DaemonSets and static ones, within 15 min; uncordoning "
        "it, or disarming (W), stops it",
    )
    hold_s = 0.0
    ends_target = False
    stopped_by = UNCORDON

    def __init__(
        self,
        source: KubernetesSource,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._cordon = Cordon(source)
        self._pause, self._clock = pause, clock

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "patch", request.target)

    async def plan(self, request: Request) -> Action:
        """Read the node and its pods again, ask whether we may evict them, and let the server try each.

        Raises:
            NotSentError: the node is gone or another one, or a pod on it would be lost for good.
            SourceError: the server could not be asked.
        """
        target = request.target
        obj = await read(self._source, _NODE, target)
        found = await self._leaving(target)
        if bare := [one.path for one in found.waiting if one.is_bare]:
            raise NotSentError(f"nothing makes {_listed(bare)} again: delete that first, or leave the node alone")
        cordon = None
        if not is_cordoned(obj):
            cordon = await self._cordon.plan(replace(request, verb=self._cordon.name, temporary_s=None))
        elif not found.leavers:
            raise NotSentError(f"{target} is cordoned and no pod is left on it that a drain takes away")
        may_not = (cordon.permission if cordon else "") or await self._permission(found)
        others, is_last = others_words(self._source, target.name)
        gone = len(found.leavers)
        return Action(
            request=request,
            before=f"{'cordoned' if cordon is None else 'takes new pods'}, {gone} pods to go",
            after="cordoned and empty" + (f", but for {found.staying_words()}" if found.staying_words() else ""),
            risk=Risk.HIGH,
            risk_reason="no other node takes new pods: they would stay Pending" if is_last else "",
            command=self._source.kubectl(
                "", "drain", target.name, "--ignore-daemonsets",
                *(("--delete-emptydir-data",) if any(one.keeps_data for one in found.leavers) else ()),
            ),
            preview=await self._tried(found.waiting) if not may_not else ("no preview: not permitted",),
            deadline_s=_DRAIN_S,
            inverse=Request(UNCORDON, target),
            undo="uncordon it; pods stay where they went",
            impact=(others, *await self._impact(found)),
            permission=may_not,
            evidence={"pods": [one.path for one in found.leavers]},
            payload=_Payload(cordon, gone),
        )  # fmt: skip

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the node is still as it was, and has as many pods to go. Raises SourceError."""
        payload, target = _payload(action), action.request.target
        try:
            obj = await read(self._source, _NODE, target)
        except GoneError as error:
            return Sight.GONE, str(error)
        if is_cordoned(obj) is not (payload.cordon is None):
            return Sight.CHANGED, "it is cordoned now" if is_cordoned(obj) else "it is no longer cordoned"
        now = len((await self._leaving(target)).leavers)
        return (Sight.UNCHANGED, "") if now == payload.pods else (Sight.CHANGED, f"pods to go {payload.pods} → {now}")

    async def execute(self, action: Action) -> Receipt:
        """Cordon the node; the evictions are its steps.

        Raises:
            NotSentError: nothing was sent, or the server refused it as a whole.
            SourceError: it may have been cordoned; nobody was evicted.
        """
        cordon = _payload(action).cordon
        if cordon is not None:
            return await self._cordon.execute(cordon)
        await ready_to_send(self._source)
        return Receipt(f"{action.request.target} was cordoned already")

    async def steps(self, action: Action) -> AsyncGenerator[Step, None]:
        """Evict every pod as its budget allows, and tell how many are gone and whom a budget holds."""
        target, all_ = action.request.target, _payload(action).pods
        began = self._clock()
        while self._clock() - began < _DRAIN_S:
            try:
                stopped, found = await self._round(target)
            except SourceError as error:
                yield Step(f"not seen for a moment, nothing is sent: {error.message}")
                await self._pause(2.0)
                continue
            if stopped:
                yield Step(stopped)
                return
            held: list[str] = []
            for leaver in found.waiting:
                refused = await self._evict(leaver)
                if refused is None:
                    yield Step(f"evicted {leaver.path}", is_change=True)
                elif refused:
                    held.append(f"{leaver.path} waits: {refused}")
            left = len(found.leavers)
            words = f"{max(0, all_ - left)} of {all_} gone" + (f"; {_listed(held)}" if held else "")
            yield Step(words)
            if not left:
                return
            await self._pause(2.0 if held else 0.5)

    async def look(self, sent: Sent) -> Look:
        """Look whether the node is cordoned and which of its pods are left; nobody is evicted by looking."""
        target = sent.request.target
        try:
            obj = await read(self._source, _NODE, target)
        except GoneError as error:
            return Look(Phase.ABSENT, str(error))
        if not is_cordoned(obj):
            return Look(Phase.ABSENT, "it is not cordoned: never was, or somebody has uncordoned it")
        found = await self._leaving(target)
        if waiting := [one.path for one in found.waiting]:
            return Look(Phase.NOT_CONVERGED, f"cordoned; nobody evicts {_listed(waiting)} any more: drain it again")
        if found.leavers:
            return Look(Phase.WAITING, f"{len(found.leavers)} pods are ending")
        stay = f"; {found.staying_words()} stay" if found.staying_words() else ""
        return Look(Phase.CONVERGED, f"cordoned and empty{stay}")

    # Talking to the server

    async def _leaving(self, target: Target) -> Leaving:
        query = [("fieldSelector", f"spec.nodeName={target.name}")]
        return leaving(parts(await self._source.connection.get(POD.path(), query), "items"))

    async def _round(self, target: Target) -> tuple[str, Leaving]:
        """Return why nobody may be evicted any more, and who is left."""
        try:
            obj = await read(self._source, _NODE, target)
        except GoneError as error:
            return str(error), Leaving((), 0, 0)
        if not is_cordoned(obj):
            return "somebody has uncordoned it: nobody is evicted any more", Leaving((), 0, 0)
        return "", await self._leaving(target)

    async def _evict(self, leaver: Leaver) -> str | None:
        """Ask once for one pod to go; return why it does not, empty when it is not known or it has gone by itself."""
        path = POD.path(leaver.namespace, leaver.name, "eviction")
        body = eviction(leaver.namespace, leaver.name, leaver.uid)
        try:
            opening = await ready_to_send(self._source)
            answer = await self._source.connection.call("POST", path, body=body, timeout_s=15.0, opening=opening)
        except NotSentError as error:
            return str(error)
        except SourceError:
            return ""  # it may have been evicted: the next round reads its pods again
        if answer.is_ok:
            return None
        if answer.status in (404, 409):
            return ""
        return budget_refusal(answer) or answer.message

    async def _tried(self, leavers: Sequence[Leaver]) -> tuple[str, ...]:
        """Return what the server says to each eviction as a dry run."""
        lines = []
        for leaver in leavers[:_TRIED_FIRST]:
            answer = await self._source.connection.call(
                "POST",
                POD.path(leaver.namespace, leaver.name, "eviction"),
                body=eviction(leaver.namespace, leaver.name, leaver.uid, dry_run=True),
            )
            said = "may go now" if answer.is_ok else f"waits: {budget_refusal(answer) or answer.message}"
            lines.append(f"- {leaver.path}: {said}")
        if len(leavers) > _TRIED_FIRST:
            lines.append(f"and {len(leavers) - _TRIED_FIRST} more, not tried")
        return tuple(lines) or ("no pod has to go",)

    async def _permission(self, found: Leaving) -> str:
        for namespace in dict.fromkeys(one.namespace for one in found.leavers):
            target = pod_target_of(namespace, "", "")
            if why := await permission(self._source, "create", POD, target, "eviction"):
                return why
        return ""

    async def _impact(self, found: Leaving) -> list[str]:
        lines = []
        if data := [one.path for one in found.leavers if one.keeps_data]:
            lines.append(f"what {_listed(data)} keep in an emptyDir is lost")
        try:
            budgets = parts(await self._source.connection.get("/apis/policy/v1/poddisruptionbudgets"), "items")
        except SourceError as error:
            return [*lines, f"disruption budgets not seen: {error.message}"]
        return [*budget_lines(found.leavers, budgets), *lines]


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by DrainNode")
    return action.payload


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more
