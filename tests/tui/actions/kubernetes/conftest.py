"""A simulated cluster of its own for each test, and who talks to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import Kubernetes
from tests.real_kubectl import kubectl
from tui.actions.action import Action, Look, Phase, Verb
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import Workload

__all__ = ["kubectl"]

API = "/apis/apps/v1/namespaces/shop/deployments/api"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


def source_as(cluster: Cluster, folder: Path, user: str = "admin") -> KubernetesSource:
    path = cluster.write_kubeconfig(folder / f"{user}.kubeconfig", user)
    return KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    made = source_as(cluster, tmp_path)
    await made.read()
    yield made
    await made.close()


def workload(source: KubernetesSource, name: str = "api", namespace: str = "shop") -> Workload:
    return next(w for w in source.mirror.workloads.facts.values() if (w.namespace, w.name) == (namespace, name))


def pods(source: KubernetesSource, app: str) -> list[Pod]:
    return [pod for pod in source.mirror.pods.facts.values() if pod.labels.get("app") == app and pod.phase == "Running"]


async def patch(source: KubernetesSource, body: Object, path: str = API) -> None:
    """Change an object as somebody else would."""
    answer = await source.connection.call("PATCH", path, body=body, content_type="application/merge-patch+json")
    assert answer.is_ok, answer.message


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.05)


async def recreate(source: KubernetesSource) -> None:
    """Delete the Deployment and make another one of the same name."""
    obj: dict[str, Any] = dict(await source.fetch("Deployment", "shop", "api"))
    assert (await source.connection.call("DELETE", API)).is_ok
    obj["metadata"] = {key: part(obj, "metadata")[key] for key in ("name", "namespace", "labels")}
    obj.pop("status")

    async def is_gone() -> bool:
        return (await source.connection.call("GET", API)).status == 404

    await until(is_gone)
    answer = await source.connection.call("POST", "/apis/apps/v1/namespaces/shop/deployments", body=obj)
    assert answer.is_ok, answer.message


async def done(verb: Verb, action: Action) -> Look:
    """Execute, and look until it is clear what became of it."""
    began = time.time()
    receipt = await verb.execute(action)
    async with asyncio.timeout(30):
        while True:
            look = await verb.look(action.sent(began).learned(receipt))
            if look.phase is not Phase.WAITING:
                return look
            await asyncio.sleep(0.05)
