"""Who may do what: three users with a bearer token each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.resources import RESOURCES, Resource

READING = frozenset({"get", "list", "watch"})


@dataclass(frozen=True)
class Ask:
    """What somebody wants to do, in the words of RBAC."""

    verb: str
    group: str
    resource: str
    """With its subresource: `pods/log`."""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class User:
    """Somebody with a token; `allows` is what their roles say."""

    name: str
    token: str
    groups: tuple[str, ...]
    reason: str
    allows: Callable[[Ask], bool]
    rules: tuple[Mapping[str, Any], ...]
    namespace: str = "default"


def _admin(ask: Ask) -> bool:
    return True


def _viewer(ask: Ask) -> bool:
    # As the ClusterRole `view`: no Secrets, and no way through the API server into a pod or to a kubelet.
    return ask.verb in READING and not (ask.group == "" and ask.resource in ("secrets", "pods/proxy", "nodes/proxy"))


_NAMESPACED = frozenset(r.plural for r in RESOURCES if r.namespaced)


def _shop_only(ask: Ask) -> bool:
    if ask.resource == "namespaces":
        return ask.verb == "get" and ask.name == "shop"
    return ask.namespace == "shop" and ask.resource.partition("/")[0] in _NAMESPACED


def _self_review(ask: Ask) -> bool:
    return ask.verb == "create" and ask.resource.startswith("selfsubject")


def make_users() -> dict[str, User]:
    """Return the users by name, with fresh random tokens."""
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    reading = {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}
    return {
        name: User(f"sandbox:{name}", secrets.token_urlsafe(24), groups, reason, allows, rules, namespace)
        for name, groups, reason, allows, rules, namespace in (
            (
                "admin",
                ("sandbox:admins", "system:authenticated"),
                'RBAC: allowed by ClusterRoleBinding "sandbox-admins" of ClusterRole "cluster-admin" '
                'to Group "sandbox:admins"',
                _admin,
                (everything,),
                "default",
            ),
            (
                "viewer",
                ("system:authenticated",),
                'RBAC: allowed by ClusterRoleBinding "sandbox-viewers" of ClusterRole "view" to User "sandbox:viewer"',
                _viewer,
                (reading,),
                "default",
            ),
            (
                "shop-only",
                ("system:authenticated",),
                'RBAC: allowed by RoleBinding "shop-editors/shop" of ClusterRole "edit" to User "sandbox:shop-only"',
                _shop_only,
                (everything,),
                "shop",
            ),
        )
    }


def is_allowed(user: User, ask: Ask) -> bool:
    """Return whether `user` may do what `ask` says; everybody may review their own rights."""
    return _self_review(ask) or user.allows(ask)


def forbidden(user: User, ask: Ask, resource: Resource | None, name: str) -> ApiError:
    """Return the 403 a server gives for a request that no role allows."""
    where = f'in the namespace "{ask.namespace}"' if ask.namespace else "at the cluster scope"
    what = resource.group_resource if resource else ask.resource
    subject = f'{what} "{name}" is forbidden' if name else f"{what} is forbidden"
    message = (
        f'{subject}: User "{user.name}" cannot {ask.verb} resource "{ask.resource}" in API group "{ask.group}" {where}'
    )
    details: dict[str, Any] = {"name": name} if name else {}
    if ask.group:
        details["group"] = ask.group
    details["kind"] = ask.resource.partition("/")[0]
    return ApiError(403, "Forbidden", message, details)
