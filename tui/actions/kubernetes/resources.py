"""Other requests and limits of one container."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tui.actions.action import About, NotSentError, Request, Risk
from tui.actions.kubernetes.template import IDENTITY, INVERSE, VERIFICATION, WINDOW, Edit, TemplateVerb
from tui.actions.kubernetes.typed import resources_problem
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import Object, part, parts, quantity, text
from tui.sources.kubernetes.workloads import Workload

SET_RESOURCES: Final = "set-resources"
_SECTIONS: Final = ("requests", "limits")


def resources_words(container: Object) -> str:
    """Return a container's requests and limits as people type them: `requests.cpu=250m limits.memory=2Gi`."""
    found = part(container, "resources")
    return " ".join(
        f"{section}.{name}={amount}" for section in _SECTIONS for name, amount in part(found, section).items()
    )


class SetResources(TemplateVerb):
    """`kubectl set resources`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template`.

    Between the last test and the write there is no window: both are one transaction of the API server. Whether a node
    has room is judged by what nodes have in all; what is free only the scheduler knows.
    """

    name = SET_RESOURCES
    title = "Set resources"
    about = About(
        system="Kubernetes",
        targets="one container of a Deployment, StatefulSet or DaemonSet",
        risk="medium; high when no node has as much, or a ResourceQuota does not allow it",
        inverse=INVERSE,
        identity=IDENTITY,
        window=WINDOW,
        command="kubectl set resources KIND/NAME -c CONTAINER --requests=cpu=250m --limits=memory=2Gi",
        verification=VERIFICATION,
    )
    _what = "resources"
    _done = "has the new resources"

    async def _edit(self, request: Request, workload: Workload, container: Object) -> Edit:
        amounts = {key: value for key, value in request.wanted.items() if key.partition(".")[0] in _SECTIONS}
        typed = " ".join(f"{key}={'-' if amount is None else amount}" for key, amount in amounts.items())
        if problem := resources_problem(typed):
            raise NotSentError(f"{request.target}: {problem}")
        changed = {**container, "resources": _merged(part(container, "resources"), amounts)}
        if problem := resources_problem(resources_words(changed) or typed):
            raise NotSentError(f"{request.target}: {problem}")
        name, words = text(container, "name"), []
        over, unseen = await self._over_quota(workload, container, changed)
        reason = self._too_big(changed) or over
        if unseen:
            words.append(f"quotas not seen: {unseen}")
        if _amount(changed, "limits.memory", float("inf")) < _amount(container, "limits.memory", float("inf")):
            words.append("less memory than before: a container that uses more is killed (OOMKilled)")
        return Edit(
            container=changed,
            before=f"{name}: {resources_words(container) or 'no requests, no limits'}",
            after=f"{name}: {resources_words(changed) or 'no requests, no limits'}",
            arguments=("-c", name, *_options(amounts)),
            by_patch=_merge(amounts, changed) if None in amounts.values() else None,
            impact=tuple(words),
            risk=Risk.HIGH if reason else Risk.MEDIUM,
            risk_reason=reason,
        )

    def _too_big(self, container: Object) -> str:
        """Say when no node has what the container requests, even if it were empty."""
        nodes = self._source.mirror.nodes.facts.values()
        for key, sizes, unit in (
            ("requests.cpu", [node.cpu_cores for node in nodes], "cores"),
            ("requests.memory", [node.memory_bytes for node in nodes], "bytes of memory"),
        ):
            biggest = max((size for size in sizes if size is not None), default=None)
            if biggest is not None and _amount(container, key, 0.0) > biggest:
                return f"no node has as much: the biggest has {biggest:g} {unit}; its pods would stay Pending"
        return ""

    async def _over_quota(self, workload: Workload, was: Object, now: Object) -> tuple[str, str]:
        """Return which ResourceQuota does not allow it, and why none could be seen."""
        path = f"/api/v1/namespaces/{workload.namespace}/resourcequotas"
        try:
            quotas = parts(await self._source.connection.get(path), "items")
        except SourceError as error:
            return "", error.message
        for quota in quotas:
            hard, used = part(quota, "status", "hard"), part(quota, "status", "used")
            for key in hard:
                amount = key if "." in key else f"requests.{key}"
                more = (_amount(now, amount, 0.0) - _amount(was, amount, 0.0)) * workload.desired
                left = (quantity(hard, key) or 0.0) - (quantity(used, key) or 0.0)
                if more > left:
                    told = f"{text(hard, key)} of {key}, {text(used, key)} are used"
                    return (
                        f"ResourceQuota {text(part(quota, 'metadata'), 'name')} allows {told}: too little is left",
                        "",
                    )
        return "", ""


def _merged(found: Object, amounts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a container's `resources` with these amounts; None takes one away."""
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in found.items()}
    for key, amount in amounts.items():
        section, _, name = key.partition(".")
        if amount is None:
            merged.get(section, {}).pop(name, None)
        else:
            merged.setdefault(section, {})[name] = amount
    return {key: value for key, value in merged.items() if value}


def _amount(container: Object, key: str, default: float) -> float:
    section, _, name = key.partition(".")
    found = quantity(part(container, "resources", section), name)
    return default if found is None else found


def _options(amounts: Mapping[str, Any]) -> Iterator[str]:
    """Yield kubectl's options for amounts that are set."""
    for section in _SECTIONS:
        given = [(key.partition(".")[2], amount) for key, amount in amounts.items() if key.startswith(section)]
        if given:
            yield f"--{section}=" + ",".join(f"{name}={amount}" for name, amount in given)


def _merge(amounts: Mapping[str, Any], changed: Object) -> dict[str, Any]:
    """Return the strategic merge patch of a container that sets and takes away these amounts.

    `kubectl set resources` takes nothing away: with 0 it sets a limit of 0.
    """
    merge: dict[str, Any] = {}
    for key, amount in amounts.items():
        section, _, name = key.partition(".")
        merge.setdefault(section, {})[name] = amount
    left = part(changed, "resources")
    return {"resources": {section: found if section in left else None for section, found in merge.items()}}
