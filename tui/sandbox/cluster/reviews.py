"""What may I do, and who am I: the reviews behind `kubectl auth can-i` and `kubectl auth whoami`."""

from __future__ import annotations

from aiohttp import web

from tui.sandbox.cluster.problems import bad_request
from tui.sandbox.cluster.reads import reply
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import READ_WRITE, RESOURCES, Object
from tui.sandbox.cluster.users import Ask, User, is_allowed


async def answer(call: Call) -> web.Response:
    """Answer any of the reviews."""
    kinds = {"SelfSubjectAccessReview": access, "SelfSubjectRulesReview": rules}
    return await kinds.get(call.resource.kind, whoami)(call)


async def access(call: Call) -> web.Response:
    """Answer a SelfSubjectAccessReview."""
    body = await call.body()
    spec = (body or {}).get("spec") or {}
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        if "nonResourceAttributes" not in spec:
            raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
        return reply(_review(call, spec, {"allowed": True, "reason": call.user.reason}), 201)
    sub = f"/{wanted['subresource']}" if wanted.get("subresource") else ""
    ask = Ask(
        wanted.get("verb", ""),
        wanted.get("group", ""),
        wanted.get("resource", "") + sub,
        wanted.get("namespace", ""),
        wanted.get("name", ""),
    )
    status = {"allowed": True, "reason": call.user.reason} if is_allowed(call.user, ask) else {"allowed": False}
    return reply(_review(call, spec, status), 201)


async def rules(call: Call) -> web.Response:
    """Answer a SelfSubjectRulesReview: the kinds of each verb that the user may use in a namespace."""
    body = await call.body()
    spec = (body or {}).get("spec") or {}
    namespace = spec.get("namespace") or "default"
    found = []
    for resource in RESOURCES:
        for sub in ("", *resource.subresources):
            name = f"{resource.plural}/{sub}" if sub else resource.plural
            verbs = [v for v in READ_WRITE if is_allowed(call.user, Ask(v, resource.group, name, namespace))]
            if verbs:
                found.append({"verbs": verbs, "apiGroups": [resource.group], "resources": [name]})
    paths = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
    ]
    status = {
        "resourceRules": found,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": paths}],
        "incomplete": False,
    }
    return reply(_review(call, spec, status), 201)


async def whoami(call: Call) -> web.Response:
    """Answer a SelfSubjectReview."""
    return reply(_review(call, None, {"userInfo": user_info(call.user)}), 201)


def user_info(user: User) -> Object:
    """Return a user as an API server describes it."""
    return {"username": user.name, "groups": list(user.groups)}


def _review(call: Call, spec: Object | None, status: Object) -> Object:
    body: Object = {"kind": call.resource.kind, "apiVersion": call.resource.api_version, "metadata": {}}
    if spec is not None:
        body["spec"] = spec
    return {**body, "status": status}
