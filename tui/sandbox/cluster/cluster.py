"""The simulated cluster as one object: start it, point clients at it, make it misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tui.sandbox.cluster import reviews, scale
from tui.sandbox.cluster.api import ApiServer, Handler, serve
from tui.sandbox.cluster.behaviour import Behaviours
from tui.sandbox.cluster.clock import Clock
from tui.sandbox.cluster.computed import Computed
from tui.sandbox.cluster.deployments import Deployments
from tui.sandbox.cluster.evictions import Budgets
from tui.sandbox.cluster.faults import Fault
from tui.sandbox.cluster.garbage import GarbageCollector
from tui.sandbox.cluster.kubeconfig import kubeconfig_text, write_private
from tui.sandbox.cluster.kubelet import Kubelet
from tui.sandbox.cluster.logs import Logs
from tui.sandbox.cluster.population import Populator
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.replicasets import ReplicaSets
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import DEPLOYMENTS
from tui.sandbox.cluster.scheduler import Scheduler
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage
from tui.sandbox.cluster.users import make_users


class Cluster:
    """A Kubernetes cluster in this process: an API server on the loopback and small controllers.

    Args:
        demo: start with the demo's population; otherwise with nodes and namespaces only.
        port: where to listen, 0 for any free port.
        seed: makes names and uids the same in every run.
        speed: how much faster than the wall clock controllers and pods live.
    """

    def __init__(self, *, demo: bool = True, port: int = 0, seed: int = 1, speed: float = 1.0) -> None:
        self.clock = Clock(speed)
        self.store = Store(self.clock, seed)
        self.users = make_users()
        self.behaviours = Behaviours()
        """How pods fare; chosen by app, by image, or by annotation."""
        self.recorder = Recorder(self.store)
        self.kubelet = Kubelet(self.store, self.recorder, self.behaviours)
        self.usage = Usage(self.store)
        """What pods use; its `load` multiplies the CPU of an app."""
        self.logs = Logs(self.store)
        """What pods say; its `rates` and `troubles` change that."""
        self._budgets = Budgets(self.store)
        computed = Computed(self.store, self.usage)
        self.server = ApiServer(self.store, self.users, computed.objects, self._special())
        self._demo = demo
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the API server listens, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Populate the store and listen."""
        populator = Populator(self.store)
        if self._demo:
            populator.populate()
        else:
            populator.found()
        self.kubelet.adopt()
        Scheduler(self.store, self.recorder, self.behaviours)
        ReplicaSets(self.store, self.recorder)
        Deployments(self.store, self.recorder)
        GarbageCollector(self.store)
        self._runner, self._port = await serve(self.server, self._port)

    async def stop(self) -> None:
        """Stop listening and forget every timer; open streams end."""
        self.clock.stop()
        self.server.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def kubeconfig(self, user: str = "admin") -> str:
        """Return a kubeconfig as YAML for `admin`, `viewer` or `shop-only`."""
        return kubeconfig_text(self.url, self.users[user])

    def write_kubeconfig(self, path: Path, user: str = "admin") -> Path:
        """Write that kubeconfig to a file of mode 0600 and return its path."""
        return write_private(path, self.kubeconfig(user))

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

    async def until(self, is_true: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until `is_true()`, asked whenever something changed in the store.

        Raises:
            TimeoutError: it was not within `timeout_s` seconds of the wall clock.
        """
        async with asyncio.timeout(timeout_s):
            while not is_true():
                await self.store.changed()

    def _special(self) -> dict[str, Handler]:
        async def scaled(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await scale.handle(call, self.store)

        async def evicted(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await self._budgets.evict(call)

        async def reviewed(call: Call, fault: Fault | None) -> web.StreamResponse:
            return await reviews.answer(call)

        handlers: dict[str, Handler] = dict.fromkeys(
            ("deployments/scale", "replicasets/scale", "statefulsets/scale", "replicationcontrollers/scale"), scaled
        )
        handlers |= dict.fromkeys(
            ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"), reviewed
        )
        return handlers | {"pods/eviction": evicted, "pods/log": self.logs.answer}
