"""The Kubernetes source: one connection, a reflector for each kind, a heartbeat, metrics."""

import asyncio
import shlex
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from profiles.systems import Kubernetes
from tui.sources.errors import SourceError, Unreadable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.identity import UNREAD, ClusterIdentity, identified, identify
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.kubeconfig import IN_CLUSTER, Login
from tui.sources.kubernetes.metrics import NONE_YET, read_metrics
from tui.sources.kubernetes.mirror import Mirror
from tui.sources.kubernetes.object_yaml import ObjectYaml, object_yaml
from tui.sources.kubernetes.permissions import Permissions
from tui.sources.kubernetes.shortfalls import shortfalls
from tui.sources.kubernetes.snapshot import FAMILIES, KindHealth, KubernetesSnapshot
from tui.sources.kubernetes.tasks import Tasks
from tui.sources.kubernetes.throttling import KubeletThrottling
from tui.sources.kubernetes.trends import Trends
from tui.sources.kubernetes.watches import Watches

_COALESCE_S: Final = 0.25
_LONGEST_READ_S: Final = 2.0
_FIRST_READ_S: Final = 4.0
_EARLY_S: Final = 30.0
"""How long the first lists may take until what has come of them is judged as it is."""
_HEARTBEAT_TIMEOUT_S: Final = 3.0
_RECOVERY_S: Final = 1.0
"""Between heartbeats while nobody answers."""


class KubernetesSource:
    """Mirrors one cluster by watches; `read` hands out what they have told.

    A kind whose watch fails costs that kind only. When the server itself no longer answers a heartbeat, `read` raises
    and the mirror is kept.
    """

    name: str = "kubernetes:"
    """Of the one under `kubernetes` in the profile; the others are called `kubernetes:NAME`."""
    interval_s = _COALESCE_S
    timeout_s = 10.0

    def __init__(
        self,
        entry: Kubernetes,
        *,
        name: str = "",
        environ: Mapping[str, str] | None = None,
        metrics_s: float = 15.0,
        heartbeat_s: float = 5.0,
        silence_s: float = 70.0,
    ) -> None:
        self.name = f"kubernetes:{name}"
        self.connection = Connection(entry, environ)
        """For actions and logs: the same login, the same session."""
        self.permissions = Permissions(self.connection)
        self.mirror = Mirror()
        self.trends = Trends()
        """What pods used in the last minutes; goes on."""
        self.throttling = KubeletThrottling(self.connection)
        """How often CPU limits hold containers; asks nobody by itself."""
        self._entry = entry
        self._metrics_s, self._heartbeat_s = metrics_s, heartbeat_s
        self._changed = asyncio.Event()
        self._watches = Watches(self.connection, self.mirror, self._changed.set, silence_s=silence_s)
        self.demand = self._watches.demand
        self.is_hasty = False
        """Whether the first readings come before the first lists are whole, marked as early: for a screen."""
        self._tasks = Tasks()
        self._returned_at = float("-inf")
        self._revision = 0
        self._is_early, self._early_until = True, 0.0
        self._metrics, self._shown_metrics = NONE_YET, NONE_YET
        self._outage: SourceError | None = None
        self._version = self._user = ""
        self._identity = UNREAD
        self._fallback = ""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces watched; empty: all of the cluster."""
        return (self._fallback,) if self._fallback else tuple(self._entry.namespaces)

    def need(self, who: str, resources: Iterable[str]) -> None:
        """Say which kinds somebody needs watched from now on, by their plural names in URLs; none when it is empty.

        Kinds that nobody needs any more are still watched for a minute. Before anybody has said anything, all are.
        """
        self.demand.need(who, resources)
        self._suit()

    async def at_hand(self, *resources: str) -> None:
        """Have kinds watched for a minute, whoever needs them, and wait, briefly, until all of them has been told."""
        self.demand.use(resources)
        self._suit()
        await self._watches.settled(_FIRST_READ_S)

    def _suit(self) -> None:
        # Before the first reading nothing is begun, and after the last one nothing again.
        if self._tasks and self._watches.suit(self.namespaces):
            self._changed.set()

    async def read(self) -> KubernetesSnapshot:
        """Return the mirror as soon as something changed (at most four times a second), else within two seconds.

        Raises:
            SourceError: the server cannot be reached, refuses our credentials, or lets us see nothing at all.
        """
        await self._started()
        self._tasks.mend()
        self._watches.mend()
        await self._wait_for_news()
        if self._narrow():
            await self._wait_for_news()
        self._changed.clear()
        if error := self._error():
            raise error
        before, self._identity = self._identity, await identified(self.connection, self._identity)
        if before.opening and replace(before, opening=self._identity.opening) != self._identity:
            self._watches.forget_ended()
        self._returned_at = time.monotonic()
        return self._snapshot()

    @property
    def requests(self) -> int:
        """Requests sent so far, watches included."""
        return self.connection.requests

    async def identify(self) -> ClusterIdentity:
        """Return which cluster answers now, without beginning to mirror it; raises SourceError."""
        self._identity = await identify(self.connection)
        return self._identity

    async def same_cluster(self) -> int:
        """Make sure that the cluster that answers is the one that the newest reading showed.

        Returns:
            The opening of the connection for which that holds, to send a change with.

        Raises:
            Unreadable: another cluster answers.
            SourceError: it could not be asked.
        """
        shown = self._identity
        await self.connection.open()
        if shown.opening == self.connection.openings:
            return shown.opening
        now = await self.identify()
        if shown.opening and replace(shown, opening=now.opening) != now:
            raise Unreadable("another cluster answers now; look at the list again")
        return now.opening

    async def close(self) -> None:
        """End every watch; never waits for the server."""
        await asyncio.gather(self._watches.close(), self._tasks.close())
        await self.connection.close()

    async def fetch(self, kind: str, namespace: str, name: str) -> Object:
        """Return one object, whole and fresh, without its managedFields. `kind` as in manifests: `Deployment`.

        Raises:
            SourceError: it is gone, or cannot be read.
        """
        return await self.fetch_at(KINDS[kind].path(namespace, name))

    async def fetch_at(self, path: str) -> Object:
        """Return the object at a path of the API, as `fetch` does: for any kind that discovery tells of."""
        found = dict(await self.connection.get(path))
        found["metadata"] = {key: value for key, value in part(found, "metadata").items() if key != "managedFields"}
        return found

    async def yaml(self, kind: str, namespace: str, name: str) -> str:
        """Return one object as `kubectl get -o yaml` shows it, cleaned and without secrets; raises as `fetch` does."""
        return (await self.yaml_at(KINDS[kind].path(namespace, name))).text

    async def yaml_at(self, path: str) -> ObjectYaml:
        """Return the object at a path of the API as YAML, its managedFields apart."""
        return await asyncio.to_thread(object_yaml, await self.connection.get(path))

    def kubectl(self, namespace: str, *arguments: str) -> str:
        """Return the kubectl command line that does by hand what `arguments` say, on this very cluster."""
        return kubectl_words(self._entry, self.connection.login, namespace, *arguments)

    def mirrors(self, resource: str, namespace: str) -> bool:
        """Tell whether the mirror holds every object of this resource in this namespace at present."""
        return self._outage is None and self._watches.holds(resource, namespace)

    def pods_at(self, address: str) -> list[str]:
        """Return the pods of the mirror that have an address, by `namespace/name`; several share their node's."""
        pods = self.mirror.family("pods").facts.values()
        return sorted(f"{pod.namespace}/{pod.name}" for pod in pods if address and pod.ip == address)

    async def _started(self) -> None:
        if not self._tasks:
            login = await self.connection.open()
            # Asked before any watch: whoever cannot answer this cannot answer ten watches either.
            await self._ask_version()
            self._user = await self._ask_user() or login.user
            self._tasks.begin("heartbeat", self._beat)
            self._tasks.begin("metrics", self._measure)
        self._watches.suit(self.namespaces)

    def _narrow(self) -> bool:
        """Where the cluster as a whole is forbidden and the profile names no namespace, watch the context's own."""
        login = self.connection.login
        if self.namespaces or login is None or not self._watches.must_narrow:
            return False
        self._fallback = login.namespace or "default"
        self._watches.narrow(self._fallback)
        return True

    async def _wait_for_news(self) -> None:
        is_first = self._revision == 0
        limit = time.monotonic() + (_FIRST_READ_S if is_first else _LONGEST_READ_S)
        while (left := limit - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                break
            if not is_first or self.is_hasty or self._are_settled():
                break
            self._changed.clear()
        await asyncio.sleep(max(0.0, self._returned_at + _COALESCE_S - time.monotonic()))

    def _are_settled(self) -> bool:
        return self._watches.are_settled(may_narrow=not self.namespaces)

    async def _ask_version(self) -> None:
        answer = await self.connection.call("GET", "/version", timeout_s=_HEARTBEAT_TIMEOUT_S)
        # An account that may not read /version still tells us that the server lives.
        if answer.status != 403:
            self._version = text(answer.object(), "gitVersion") or self._version

    async def _ask_user(self) -> str:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = await self.connection.call(
                "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review
            )
        except SourceError:
            return ""
        return text(part(answer.body, "status", "userInfo"), "username") if answer.is_ok else ""

    async def _beat(self) -> None:
        """Notice within seconds that the server is silent: a watch alone would not, before its read timeout."""
        while True:
            await asyncio.sleep(self._heartbeat_s if self._outage is None else _RECOVERY_S)
            if self._outage is None and time.monotonic() - self.connection.heard_at < self._heartbeat_s:
                continue
            try:
                await self._ask_version()
            except SourceError as error:
                self._outage = error
                self._changed.set()
            else:
                if self._outage is not None:
                    self._outage = None
                    self._watches.hurry()
                    self._changed.set()

    async def _measure(self) -> None:
        # Numbers of thousands of pods take the server and us a while; the pods themselves come first.
        await self._watches.settled(_FIRST_READ_S)
        while True:
            self._metrics = await read_metrics(self.connection, self.namespaces or (None,))
            self.trends.record(self._metrics.pods)
            self._changed.set()
            await asyncio.sleep(self._metrics_s)

    def _error(self) -> SourceError | None:
        if self._outage is not None:
            return self._outage
        watches = list(self._watches)
        return watches[0].error if watches and all(reflector.is_failing for reflector in watches) else None

    def _snapshot(self) -> KubernetesSnapshot:
        login = self.connection.login
        families = {name: self.mirror.family(name) for name in FAMILIES}
        changes = {name: family.changes() for name, family in families.items()}
        if is_first := self._revision == 0:
            self._early_until = time.monotonic() + _EARLY_S
        self._revision += 1
        self._is_early = (
            self._is_early and self.is_hasty and not self._are_settled() and time.monotonic() < self._early_until
        )
        metrics_changed, self._shown_metrics = self._metrics is not self._shown_metrics, self._metrics
        health = {kind.resource: self._watches.health(kind) for kind in KINDS.values()}
        return KubernetesSnapshot(
            context=login.context if login else "",
            server=login.endpoint if login else "",
            server_version=self._version,
            user=self._user,
            namespaces=self.namespaces,
            **{name: family.taken() for name, family in families.items()},
            health=health,
            metrics=self._metrics,
            clock_offset_s=self.connection.clock_offset_s,
            identity=self._identity,
            notes=self._notes(health),
            revision=self._revision,
            changes=None if is_first else changes,
            is_early=self._is_early,
            metrics_changed=metrics_changed,
        )

    def _notes(self, health: Mapping[str, KindHealth]) -> tuple[str, ...]:
        notes = [f"the cluster as a whole is forbidden: namespace {self._fallback} only"] if self._fallback else []
        return (*notes, *shortfalls(health.values()))


def kubectl_words(entry: Kubernetes, login: Login | None, namespace: str, *arguments: str) -> str:
    """Return a kubectl command line with everything that names the cluster and the namespace spelled out."""
    words = ["kubectl"]
    if entry.kubeconfig is not None:
        words += ["--kubeconfig", entry.kubeconfig]
    context = login.context if login else entry.context
    if context and context != IN_CLUSTER:
        words += ["--context", context]
    if namespace:
        words += ["-n", namespace]
    return shlex.join([*words, *arguments])
