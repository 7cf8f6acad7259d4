"""A request taken apart: which kind, which object, which verb, in which form the answer is wanted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from aiohttp import web

from tui.sandbox.cluster import protobuf
from tui.sandbox.cluster.problems import bad_request, no_such_path, unsupported_media_type
from tui.sandbox.cluster.resources import Resource, resource_at
from tui.sandbox.cluster.users import Ask, User

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?/?"
)

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


@dataclass(frozen=True)
class Call:
    """One API request."""

    http: web.Request
    path: str
    """The path without what names the user."""
    user: User
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: dict[str, str] = field(default_factory=dict)
    rest: str = ""
    """What follows `/proxy/`."""

    @property
    def verb(self) -> str:
        """The verb as RBAC says it: get, list, watch, create, update, patch, delete, deletecollection."""
        verb = _VERBS.get(self.http.method, self.http.method.lower())
        if verb == "get" and self.is_watch:
            return "watch"
        if verb in ("get", "delete") and not self.name:
            return {"get": "list", "delete": "deletecollection"}[verb]
        return verb

    @property
    def is_watch(self) -> bool:
        """Whether changes are wanted as they happen."""
        return self.query.get("watch", "") in ("true", "1") and not self.subresource

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing may be changed."""
        return "All" in self.http.query.getall("dryRun", [])

    @property
    def ask(self) -> Ask:
        """What RBAC is asked; the name of a namespace counts as its own namespace."""
        sub = f"/{self.subresource}" if self.subresource else ""
        namespace = self.namespace or (self.name if self.resource.plural == "namespaces" else "")
        return Ask(self.verb, self.resource.group, self.resource.plural + sub, namespace, self.name)

    @property
    def wants_table(self) -> bool:
        """Whether kubectl's columns are wanted."""
        return self._wants("as=Table;")

    @property
    def wants_metadata(self) -> bool:
        """Whether only the objects' metadata is wanted."""
        return self._wants("as=PartialObjectMetadata")

    def _wants(self, form: str) -> bool:
        return form in self.http.headers.get("Accept", "").replace(" ", "").split(",")[0] + ";"

    async def body(self) -> Any:
        """Return the decoded body, None when it is empty.

        Raises:
            ApiError: 400 or 415, it cannot be decoded.
        """
        raw = await self.http.read()
        if not raw:
            return None
        content_type = self.http.content_type
        if content_type == protobuf.MEDIA_TYPE:
            return protobuf.decode(raw)
        try:
            if content_type.endswith("yaml"):
                return yaml.safe_load(raw)
            if content_type.endswith(("json", "octet-stream")):
                return json.loads(raw)
        except (ValueError, yaml.YAMLError) as error:
            raise bad_request(f"error decoding request body: {error}") from error
        raise unsupported_media_type()


def parse(http: web.Request, path: str, user: User) -> Call:
    """Return the request taken apart.

    Raises:
        ApiError: 404, nothing is served at this path.
    """
    own, proxy, rest = path.partition("/proxy/")
    found = _PATH.fullmatch(own + proxy.rstrip("/"))
    if found is None:
        raise no_such_path()
    group, version = found["group"] or "", found["core"] or found["version"]
    namespace, plural, name, sub = (found[k] or "" for k in ("namespace", "plural", "name", "sub"))
    if namespace and plural in ("status", "finalize") and not group:
        # /api/v1/namespaces/NAME/status: the regular expression took the namespace's name for a scope
        namespace, plural, name, sub = "", "namespaces", namespace, plural
    resource = resource_at(group, version, plural)
    if resource is None or (sub and sub not in resource.subresources) or (namespace and not resource.namespaced):
        raise no_such_path()
    return Call(http, path, user, resource, namespace, name, sub, dict(http.query), rest)
