"""Who uses a ConfigMap, a Secret, a volume claim or a service account: read when somebody asks, from whole objects."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tui.sources.errors import Denied
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, Owner, owner, part, parts, text
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.references import ACCOUNT, CLAIM, SECRET, Reference, references

PAGE: Final = 100
"""Objects asked for at once: thousands of pods in one answer would keep the keys waiting."""
_MOST_PAGES: Final = 100
_TEMPLATED: Final = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")
_TIMEOUT_S: Final = 30.0


@dataclass(slots=True)
class User:
    """One thing that uses the object."""

    name: str
    """`Deployment/orders`, `Pod/debug`, `Ingress/web`."""
    how: dict[str, None] = field(default_factory=dict)
    """In words, in the order in which it was found."""
    pods: int = 0
    """Pods of it that use the object."""
    is_templated: bool = False
    """Whether its template names the object: pods it makes from now on use it, too."""


@dataclass(frozen=True, slots=True)
class Users:
    """Everything that uses the object."""

    users: tuple[User, ...]
    missing: tuple[str, ...] = ()
    """What could not be looked at: `pods: forbidden`."""


Above = Callable[[Owner], Owner]
"""What a controller belongs to itself: a ReplicaSet's Deployment; the controller where it belongs to nothing."""


async def users_of(connection: Connection, kind: str, namespace: str, name: str, above: Above) -> Users:
    """Return who uses an object of this kind.

    Args:
        connection: to the cluster.
        kind: one of `references.REFERRED`.
        namespace: the object's.
        name: the object's.
        above: finds the workload behind a ReplicaSet or a Job.

    Raises:
        SourceError: something cannot be read for another reason than a missing right.
    """
    found = _Found(kind, name, above)
    missing = []
    looks: list[tuple[str, str, Callable[[Object], None]]] = [
        (KINDS[one].resource, KINDS[one].path(namespace), lambda item, one=one: found.template(one, item))  # type: ignore[misc]  # bound now
        for one in _TEMPLATED
    ]
    looks.append(("pods", KINDS["Pod"].path(namespace), found.pod))
    if kind == SECRET:
        looks += [
            ("serviceaccounts", f"/api/v1/namespaces/{namespace}/serviceaccounts", found.account),
            ("ingresses", f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", found.ingress),
        ]
    for resource, path, take in looks:
        try:
            async for item in _items(connection, path):
                take(item)
        except Denied:
            missing.append(f"{resource}: forbidden")
        except _TooMany:
            missing.append(f"{resource}: only the first {PAGE * _MOST_PAGES:,}")
    return Users(found.users(), tuple(missing))


class _TooMany(Exception):
    """There are more than is looked at."""


async def _items(connection: Connection, path: str) -> AsyncIterator[Object]:
    token = ""
    for _ in range(_MOST_PAGES):
        query = [("limit", str(PAGE)), *([("continue", token)] if token else [])]
        listed = await connection.get(path, query, timeout_s=_TIMEOUT_S)
        for item in parts(listed, "items"):
            yield item
        if not (token := text(part(listed, "metadata"), "continue")):
            return
        await asyncio.sleep(0)
    raise _TooMany


class _Found:
    """Users by name, as they are found."""

    def __init__(self, kind: str, name: str, above: Above) -> None:
        self._kind, self._name, self._above = kind, name, above
        self._users: dict[str, User] = {}

    def users(self) -> tuple[User, ...]:
        """Return them, what makes pods first."""
        return tuple(sorted(self._users.values(), key=lambda user: (not user.is_templated, user.name)))

    def template(self, kind: str, item: Object) -> None:
        """Take in a workload."""
        metadata, spec = part(item, "metadata"), part(item, "spec")
        if owner(metadata) is not None:
            return  # a CronJob's Job has its template from there
        template = part(spec, "jobTemplate", "spec", "template") if kind == "CronJob" else part(spec, "template")
        name = text(metadata, "name")
        found = {**self._fitting(references("", part(template, "spec"))), **self._claimed(name, spec)}
        if found:
            self._note(f"{kind}/{name}", found).is_templated = True

    def pod(self, item: Object) -> None:
        """Take in a pod."""
        metadata = part(item, "metadata")
        name, controller = text(metadata, "name"), owner(metadata)
        if found := self._fitting(references(name, part(item, "spec"))):
            top = self._above(controller) if controller is not None else Owner("Pod", name, "")
            self._note(f"{top.kind}/{top.name}", found).pods += 1

    def account(self, item: Object) -> None:
        """Take in a service account: what it pulls images with goes into every pod that runs as it."""
        name = f"{ACCOUNT}/{text(part(item, 'metadata'), 'name')}"
        for key, how in (("imagePullSecrets", "pods that run as it pull images with it"), ("secrets", "names it")):
            if any(text(one, "name") == self._name for one in parts(item, key)):
                self._users.setdefault(name, User(name)).how[how] = None

    def ingress(self, item: Object) -> None:
        """Take in an Ingress: its certificates."""
        name = f"Ingress/{text(part(item, 'metadata'), 'name')}"
        for one in parts(part(item, "spec"), "tls"):
            if text(one, "secretName") == self._name:
                hosts = one.get("hosts")
                told = text({"hosts": ", ".join(map(str, hosts))}, "hosts") if isinstance(hosts, list) else "any host"
                self._users.setdefault(name, User(name)).how[f"TLS for {told}"] = None

    def _claimed(self, name: str, spec: Object) -> Mapping[str, None]:
        """Return how a StatefulSet's own template for claims names this one: it outlives the pod it was made for."""
        if self._kind != CLAIM:
            return {}
        made = [text(part(one, "metadata"), "name") for one in parts(spec, "volumeClaimTemplates")]
        ends = [(claim, self._name.removeprefix(f"{claim}-{name}-")) for claim in made if claim]
        return {
            f"volumeClaimTemplate {claim}, for {name}-{ordinal}": None
            for claim, ordinal in ends
            if ordinal != self._name and ordinal.isascii() and ordinal.isdecimal()
        }

    def _fitting(self, found: tuple[Reference, ...]) -> Mapping[str, None]:
        return {one.words(): None for one in found if (one.kind, one.name) == (self._kind, self._name)}

    def _note(self, name: str, how: Mapping[str, None]) -> User:
        user = self._users.setdefault(name, User(name))
        user.how.update(how)
        return user
