"""The simulated cluster as one object: start it, point clients at it, make it misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tui.sandbox.cluster import bulk, custom, demo, nodes, reviews, scale
from tui.sandbox.cluster.api import ApiServer, Handler, serve
from tui.sandbox.cluster.autoscaling import Autoscalers
from tui.sandbox.cluster.behaviour import Behaviours
from tui.sandbox.cluster.certificate import Certificate
from tui.sandbox.cluster.clock import Clock
from tui.sandbox.cluster.computed import Computed
from tui.sandbox.cluster.cronjobs import CronJobs
from tui.sandbox.cluster.daemonsets import DaemonSets
from tui.sandbox.cluster.deployments import Deployments
from tui.sandbox.cluster.evictions import Budgets
from tui.sandbox.cluster.execs import Execs
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.forwards import Forwards
from tui.sandbox.cluster.garbage import GarbageCollector
from tui.sandbox.cluster.issuing import Issuing
from tui.sandbox.cluster.jobs import Jobs
from tui.sandbox.cluster.kubeconfig import kubeconfig_text, write_private
from tui.sandbox.cluster.kubelet import Kubelet
from tui.sandbox.cluster.kubelet_pages import KubeletPages
from tui.sandbox.cluster.logs import Logs
from tui.sandbox.cluster.population import Populator
from tui.sandbox.cluster.proxying import PodProxy
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.replicasets import ReplicaSets
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import DEPLOYMENTS, PODS, Object
from tui.sandbox.cluster.scenes import Scenes
from tui.sandbox.cluster.scheduler import Scheduler
from tui.sandbox.cluster.shapes import is_active, is_ready
from tui.sandbox.cluster.statefulsets import StatefulSets
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage
from tui.sandbox.cluster.users import make_users


class Cluster:
    """A Kubernetes cluster in this process: an API server on the loopback and small controllers.

    Use it as an asynchronous context manager, or with `start` and `stop`.

    Args:
        demo: start with the demo's population; otherwise with three nodes and the namespaces only.
        port: where to listen, 0 for any free port.
        tls: serve HTTPS with a certificate of its own, as real clusters do; kubectl sends its token only then, and
            over plain HTTP the kubeconfig's server URL carries it.
        seed: makes names and uids the same in every run.
        speed: how much faster than the wall clock controllers and pods live; timestamps stay true.
        bookmark_s: how often a watch that allows bookmarks gets one.
    """

    def __init__(
        self,
        *,
        demo: bool = True,
        port: int = 0,
        tls: bool = False,
        seed: int = 1,
        speed: float = 1.0,
        bookmark_s: float = 60.0,
    ) -> None:
        self.clock = Clock(speed)
        self.store = Store(self.clock, seed)
        """All objects; tests may write into it directly (`insert`, `modify`, `remove`)."""
        self.users = make_users()
        self.behaviours = Behaviours()
        """How pods fare; chosen by app, by image, or by annotation."""
        self.recorder = Recorder(self.store)
        """Writes events."""
        self.kubelet = Kubelet(self.store, self.recorder, self.behaviours)
        self.usage = Usage(self.store, self.behaviours)
        """What pods use; its `load` multiplies the CPU of an app."""
        self.logs = Logs(self.store, self.kubelet.down)
        """What pods say; its `rates` and `troubles` change that, its `books` hold it to the line."""
        self.execs = Execs(self.store, self.usage)
        """Programs in containers; its `seen` tells which ran."""
        self.forwards = Forwards(self.store)
        """Ports of pods; its `backends` leads them to real servers."""
        self.proxy = PodProxy(self.store)
        """What pods answer the API server; its `health` is that of their apps."""
        self.kubelet_pages = KubeletPages(self.store, self.usage, self.kubelet.down)
        """What kubelets answer the API server; its `asked` counts."""
        self._budgets = Budgets(self.store)
        self._scenes = Scenes(self.store, self.behaviours, self.kubelet)
        computed = Computed(self.store, self.usage)
        self.server = ApiServer(self.store, self.users, computed.objects, self._special(), bookmark_s)
        self.certificate = Certificate() if tls else None
        """What clients have to trust; None over plain HTTP."""
        self._demo = demo
        self._port = port
        self._runner: web.AppRunner | None = None
        self._churns: list[bulk.Churn] = []

    # -- life ---------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the API server listens, `http://127.0.0.1:PORT` or `https://…`."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Populate the store, wake the controllers and listen."""
        populator = Populator(self.store)
        if self._demo:
            demo.populate(populator, self.recorder)
            custom.populate(populator)
        else:
            populator.found()
        self.kubelet.adopt()
        self.kubelet.beat()
        Scheduler(self.store, self.recorder, self.behaviours)
        ReplicaSets(self.store, self.recorder).adopt()
        Deployments(self.store, self.recorder).adopt()
        StatefulSets(self.store, self.recorder).adopt()
        DaemonSets(self.store, self.recorder).adopt()
        Jobs(self.store, self.recorder).adopt()
        CronJobs(self.store, self.recorder).adopt()
        Autoscalers(self.store, self.recorder, self.usage).adopt()
        self._budgets.adopt()
        Issuing(self.store)
        GarbageCollector(self.store)
        await self._listen()

    async def stop(self) -> None:
        """Stop listening and forget every timer; open streams end."""
        for churn in self._churns:
            await churn.stop()
        self.clock.stop()
        self.server.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def stop_server(self) -> None:
        """Tear down all connections and listen no more, until `restart_server`; pods and controllers live on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def restart_server(self) -> None:
        """Tear down all connections and listen again on the same port; the store stays."""
        await self.stop_server()
        await self._listen()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- clients ------------------------------------------------------------------------------------------

    def kubeconfig(self, user: str = "admin") -> str:
        """Return a kubeconfig as YAML for `admin`, `viewer` or `shop-only`; its only context is `sandbox`."""
        return kubeconfig_text(self.url, self.users[user], self.certificate.pem if self.certificate else "")

    def write_kubeconfig(self, path: Path, user: str = "admin") -> Path:
        """Write that kubeconfig to a file of mode 0600 and return its path."""
        return write_private(path, self.kubeconfig(user))

    # -- misbehaviour -------------------------------------------------------------------------------------

    def misbehave(
        self,
        kind: FaultKind | str,
        path: str = "/",
        verb: str = "",
        *,
        times: int | None = None,
        after_s: float = 0.0,
        delay_s: float = 5.0,
        retry_after_s: int | None = 1,
    ) -> Fault:
        """Let requests go wrong until `clear()`, or `times` of them.

        Args:
            kind: 401, 403, 404, 409, 410, 429, 500, 503, html, slow, silent, cut or torn; see `FaultKind`.
            path: prefix of the API paths it hits, `/api/v1/pods` or `/apis/apps/`.
            verb: get, list, watch, create, update, patch, delete, deletecollection; empty for all.
            times: how many requests; None: all.
            after_s: how long a watch or a followed log works before it goes wrong (410, silent, cut).
            delay_s: how late the answer of `slow` is.
            retry_after_s: the Retry-After of 429, None for none.
        """
        fault = Fault(FaultKind(kind), path, verb, times, after_s, delay_s, retry_after_s)
        self.server.faults.add(fault)
        return fault

    def clear(self) -> None:
        """Behave again."""
        self.server.faults.clear()

    def forget_history(self) -> None:
        """Let watches and continue tokens from before now get 410 Expired."""
        self.store.forget()

    # -- scenes -------------------------------------------------------------------------------------------

    def crash_loop(self, namespace: str, deployment: str, *, how: str = "release") -> None:
        """Break a deployment; see `Scenes.crash_loop`."""
        self._scenes.crash_loop(namespace, deployment, how)

    def release(self, namespace: str, deployment: str, word: str) -> str:
        """Roll out the next image of a deployment, which behaves so, and return it; see `Scenes.release`."""
        return self._scenes.release(namespace, deployment, word)

    def is_out(self, namespace: str, deployment: str) -> bool:
        """Return whether that release shall run, or still runs; see `Scenes.is_out`."""
        return self._scenes.is_out(namespace, deployment)

    def wedge(self, namespace: str, deployment: str) -> tuple[str, ...]:
        """Let the present pods of a deployment fail their probes and return their uids; see `Scenes.wedge`."""
        return self._scenes.wedge(namespace, deployment)

    def heal(self, namespace: str, deployment: str) -> None:
        """Make that deployment healthy again, if nobody has yet; see `Scenes.heal`."""
        self._scenes.heal(namespace, deployment)

    def throttle(self, namespace: str, app: str, share: float | None) -> None:
        """Let CPU limits hold the containers of pods labelled `app=…` in this part of their periods; None ends it."""
        self.usage.holding.throttle(namespace, app, share)

    def node_down(self, name: str) -> None:
        """Silence a node's kubelet: NotReady, its pods unready and later Terminating for good."""
        self.kubelet.down.add(name)
        nodes.set_ready(self.store, name, "Unknown", self.clock.stamp())
        for pod in list(self.store.things(PODS)):
            if pod["spec"].get("nodeName") == name:
                self.kubelet.lose(pod)

    def node_up(self, name: str) -> None:
        """Let that kubelet answer again."""
        self.kubelet.down.discard(name)
        nodes.set_ready(self.store, name, "True", self.clock.stamp())
        for pod in list(self.store.things(PODS)):
            if pod["spec"].get("nodeName") == name:
                self.kubelet.regain(pod)

    # -- bulk ---------------------------------------------------------------------------------------------

    async def populate(self, pods: int = 5_000) -> None:
        """Add so many running pods of about 6 KB each, with their deployments, namespaces and nodes."""
        bulk.populate(self.store, pods)
        self.kubelet.adopt()
        await asyncio.sleep(0)

    def churn(self, changes_per_s: float) -> bulk.Churn:
        """Change running pods so many times a second until the returned object's `stop()`."""
        churn = bulk.Churn(self.store, changes_per_s)
        self._churns.append(churn)
        return churn

    # -- waiting ------------------------------------------------------------------------------------------

    def pods(self, namespace: str, app: str) -> list[Object]:
        """Return the pods labelled `app=…`, not to be changed."""
        found = self.store.things(PODS, namespace)
        return [p for p in found if (p["metadata"].get("labels") or {}).get("app") == app]

    def serving(self, namespace: str, app: str) -> list[Object]:
        """Return those of them that a Service would send requests to: ready, and not on their way out."""
        return [p for p in self.pods(namespace, app) if is_active(p) and is_ready(p)]

    async def settled(self, namespace: str, deployment: str, timeout_s: float = 30.0) -> None:
        """Wait until the controller has seen the newest generation of a deployment.

        Raises:
            TimeoutError: it has not within `timeout_s` seconds of the wall clock.
        """

        def has_settled() -> bool:
            found = self.store.find(DEPLOYMENTS, namespace, deployment)
            if found is None:
                return True
            return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])

        await self.until(has_settled, timeout_s)

    async def until(self, is_true: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait until `is_true()`, asked whenever something changed in the store.

        Raises:
            TimeoutError: it was not within `timeout_s` seconds of the wall clock.
        """
        async with asyncio.timeout(timeout_s):
            while not is_true():
                await self.store.changed()

    # -- inside -------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        tls = self.certificate.context() if self.certificate else None
        self._runner, self._port = await serve(self.server, self._port, tls)

    def _special(self) -> dict[str, Handler]:
        async def scaled(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await scale.handle(call, self.store)

        async def evicted(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await self._budgets.evict(call)

        async def reviewed(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await reviews.answer(call)

        async def proxied(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await self.proxy.answer(call)

        workloads = ("deployments", "replicasets", "statefulsets", "replicationcontrollers")
        handlers: dict[str, Handler] = {f"{plural}/scale": scaled for plural in workloads}
        for kind in ("access", "rules", ""):
            handlers[f"selfsubject{kind}reviews"] = reviewed
        return handlers | {
            "nodes/proxy": self.kubelet_pages.answer,
            "pods/eviction": evicted,
            "pods/exec": self.execs.answer,
            "pods/log": self.logs.answer,
            "pods/portforward": self.forwards.answer,
            "pods/proxy": proxied,
        }
