"""Another value for one environment variable of a container."""

from dataclasses import replace
from typing import Final

from tui.actions.action import About, NotSentError, Request
from tui.actions.kubernetes.template import (
    IDENTITY,
    INVERSE,
    VERIFICATION,
    WINDOW,
    Edit,
    TemplateVerb,
    template_request,
)
from tui.actions.kubernetes.typed import variable, variable_problem
from tui.sources.kubernetes.fields import Object, maybe, parts, text
from tui.sources.kubernetes.veil import HIDDEN, may_be_secret
from tui.sources.kubernetes.workloads import Workload

SET_ENV: Final = "set-env"


def env_request(workload: Workload, container: str, typed: str, temporary_s: float | None = None) -> Request:
    """Return the request to set a variable as `NAME=value`, or to take it away as `NAME-`."""
    name, value = variable(typed)
    request = template_request(SET_ENV, workload, {"container": container, "name": name, "value": value}, temporary_s)
    scope = {**request.target.scope, "variable": name}
    return replace(request, target=replace(request.target, scope=scope))


class SetEnv(TemplateVerb):
    """`kubectl set env`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template`.

    Between the last test and the write there is no window: both are one transaction of the API server. What looks
    like a secret is refused: it would stand in the manifest, and in the journal.
    """

    name = SET_ENV
    title = "Set variable"
    about = About(
        system="Kubernetes",
        targets="one variable of one container of a Deployment, StatefulSet or DaemonSet; no secrets",
        risk="medium",
        inverse=INVERSE,
        identity=IDENTITY,
        window=WINDOW,
        command="kubectl set env KIND/NAME -c CONTAINER NAME=VALUE",
        verification=VERIFICATION,
    )
    _what = "env"
    _done = "has the new variable"

    async def _edit(self, request: Request, workload: Workload, container: Object) -> Edit:
        name, value = request.wanted.get("name"), request.wanted.get("value")
        typed = f"{name}-" if value is None else f"{name}={value}"
        if problem := variable_problem(typed):
            raise NotSentError(f"{request.target}: {problem}")
        variables = [dict(one) for one in parts(container, "env")]
        found = next((one for one in variables if one.get("name") == name), None)
        if found is not None and maybe(found, "valueFrom") is not None:
            raise NotSentError(f"{name} is read from {_reference(found)}: change that instead")
        if value is None and found is None:
            raise NotSentError(f"{text(container, 'name')} of {request.target} has no variable {name} of its own")
        if value is None:
            variables = [one for one in variables if one is not found]
        elif found is not None:
            found["value"] = value
        else:
            variables.append({"name": name, "value": value})
        changed = {**container, "env": variables}
        if not variables:
            del changed["env"]
        had = None if found is None else next(one for one in parts(container, "env") if one.get("name") == name)
        return Edit(
            container=changed,
            before=f"{name} is not set" if had is None else f"{name}={_shown(str(name), text(had, 'value'))}",
            after=f"{name} is not set" if value is None else f"{name}={value}",
            arguments=("-c", text(container, "name"), typed),
            impact=tuple(_words(container, had, value)),
        )


def _words(container: Object, had: Object | None, value: object) -> list[str]:
    words = []
    if parts(container, "envFrom") and (had is None or value is None):
        words.append("it also takes whole ConfigMaps or Secrets (envFrom): one of them may hold this name")
    if isinstance(value, str) and "$(" in value:
        words.append("$(NAME) in a value is filled in by Kubernetes")
    return words


def _reference(found: Object) -> str:
    source = maybe(found, "valueFrom") or {}
    for key, what in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if (reference := maybe(source, key)) is not None:
            return f"{what} {text(reference, 'name')}, key {text(reference, 'key')}"
    return "the pod itself"


def _shown(name: str, value: str) -> str:
    return HIDDEN if may_be_secret(name) else value
