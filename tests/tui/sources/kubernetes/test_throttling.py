"""How often CPU limits hold containers, as kubelets tell it, on the simulated cluster."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import FaultKind
from tui.sandbox.cluster.resources import PODS, Object
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.throttling import Held, KubeletThrottling

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class _Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


class _Asking:
    """Asks the kubelets of a cluster, and knows its pods."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.clock, self._folder = cluster, _Clock(), folder
        self.connections: list[Connection] = []
        self.kubelets = self.as_("admin")

    def as_(self, user: str) -> KubeletThrottling:
        path = self.cluster.write_kubeconfig(self._folder / user, user)
        self.connections.append(Connection(Kubernetes(kubeconfig=str(path)), {}))
        self.kubelets = KubeletThrottling(self.connections[-1], clock=self.clock)
        return self.kubelets

    def pod(self, app: str = "gateway") -> Object:
        return self.cluster.pods("shop", app)[0]

    async def read(self, node: str) -> None:
        pods = self.cluster.store.things(PODS)
        names = [(p["metadata"]["namespace"], p["metadata"]["name"]) for p in pods if p["spec"].get("nodeName") == node]
        await self.kubelets.read(node, names)

    def held(self, pod: Object, container: str = "app") -> Held | None:
        return self.kubelets.held(pod["spec"]["nodeName"], "shop", pod["metadata"]["name"], container)

    async def read_until_counted(self, pod: Object, periods: int = 40) -> Held:
        """Read its node twice, with at least so many periods in between."""
        await self.read(pod["spec"]["nodeName"])
        first = self.held(pod)
        assert first is not None, self.kubelets.words({pod["spec"]["nodeName"]})
        async with asyncio.timeout(20):
            while True:
                account = self.cluster.usage.holding.account(pod, pod["spec"]["containers"][0], since(pod))
                if account.periods >= first.since_start.periods + periods:
                    break
                await asyncio.sleep(0.02)
        self.clock.now += 15
        await self.read(pod["spec"]["nodeName"])
        found = self.held(pod)
        assert found is not None
        return found


def since(pod: Object) -> str:
    return str(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])


@pytest.fixture
async def asking(cluster: Cluster, tmp_path: Path) -> AsyncIterator[_Asking]:
    made = _Asking(cluster, tmp_path)
    yield made
    for connection in made.connections:
        await connection.close()


async def test_two_readings_make_the_share_of_the_periods_in_between(cluster: Cluster, asking: _Asking) -> None:
    pod = asking.pod()
    await asking.read(pod["spec"]["nodeName"])
    first = asking.held(pod)
    assert first is not None
    assert first.lately is None, "one reading tells nothing of the present"
    assert first.since_start.percent == pytest.approx(1.2, abs=0.1)
    cluster.throttle("shop", "gateway", 0.4)
    found = await asking.read_until_counted(pod)
    assert found.lately is not None
    assert found.lately.percent == pytest.approx(40, abs=3)
    assert found.since_start.percent < 5
    assert found.over_s > 0
    cluster.throttle("shop", "gateway", 0.0)
    calm = await asking.read_until_counted(pod)
    assert calm.lately is not None
    assert calm.lately.percent == pytest.approx(0, abs=3)


async def test_what_has_no_limit_is_not_told_of_and_its_node_is_known(asking: _Asking) -> None:
    pod = asking.pod("api")
    assert not asking.kubelets.is_known(pod["spec"]["nodeName"])
    await asking.read(pod["spec"]["nodeName"])
    assert asking.kubelets.is_known(pod["spec"]["nodeName"])
    assert asking.held(pod) is None


async def test_after_a_restart_only_what_the_new_container_counted_is_new(cluster: Cluster, asking: _Asking) -> None:
    pod = asking.pod()
    uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
    before = await asking.read_until_counted(pod)
    old = since(pod)
    cluster.kubelet.crash(pod)

    def again() -> Object | None:
        now = next(p for p in cluster.pods("shop", "gateway") if p["metadata"]["uid"] == uid)
        running = now["status"]["containerStatuses"][0]["state"].get("running")
        return now if running and running["startedAt"] != old else None

    cluster.throttle("shop", "gateway", 0.5)
    await cluster.until(lambda: again() is not None)
    asking.clock.now += 15
    await asking.read(node)
    found = asking.held(pod)
    assert found is not None
    assert found.lately is not None
    assert found.since_start.periods < before.since_start.periods, "the counters began anew"
    assert found.lately.periods == found.since_start.periods, "all of it is of the new one"
    assert 0 <= found.lately.percent <= 100


async def test_what_was_counted_while_nobody_looked_is_not_taken_for_the_present(asking: _Asking) -> None:
    pod = asking.pod()
    await asking.read_until_counted(pod)
    asking.clock.now += 91
    assert asking.held(pod) is None, "old figures are not shown as new ones"
    assert not asking.kubelets.is_known(pod["spec"]["nodeName"])
    await asking.read(pod["spec"]["nodeName"])
    found = asking.held(pod)
    assert found is not None
    assert found.lately is None


async def test_without_the_right_no_node_is_asked_and_the_words_say_what_helps(
    cluster: Cluster, asking: _Asking
) -> None:
    kubelets = asking.as_("viewer")
    node = asking.pod()["spec"]["nodeName"]
    await asking.read(node)
    assert not cluster.kubelet_pages.asked
    assert kubelets.requests == 0
    words = kubelets.words({node})
    assert "may not get nodes/proxy" in words
    assert "ask whoever runs the cluster" in words
    assert kubelets.due({node, "node-2", "node-3"}) is None
    asking.clock.now += 121
    assert kubelets.due({node}) == node, "a role may have been given meanwhile"


async def test_a_right_that_was_given_meanwhile_is_found(cluster: Cluster, asking: _Asking) -> None:
    kubelets, pod = asking.as_("viewer"), asking.pod()
    node = pod["spec"]["nodeName"]
    await asking.read(node)
    assert kubelets.words({node})
    cluster.server.replace_token(cluster.users["admin"], cluster.users["viewer"].token)
    asking.clock.now += 121
    await asking.read(node)
    assert kubelets.words({node}) == ""
    assert asking.held(pod) is not None


async def test_a_403_of_the_node_is_an_answer_too(cluster: Cluster, asking: _Asking) -> None:
    node = asking.pod()["spec"]["nodeName"]
    cluster.misbehave("403", f"/api/v1/nodes/{node}/proxy")
    await asking.read(node)
    assert "forbidden" in asking.kubelets.words({node})
    assert asking.kubelets.due({node}) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [(FaultKind.HTML, "a proxy, not an API server?"), (FaultKind.CUT, "was cut"), (FaultKind.UNAVAILABLE, "(503)")],
)
async def test_a_node_that_cannot_be_asked_costs_itself_only(
    cluster: Cluster, asking: _Asking, kind: FaultKind, words: str
) -> None:
    pod = asking.pod()
    node = pod["spec"]["nodeName"]
    others = {"node-1", "node-2", "node-3"} - {node}
    cluster.misbehave(kind, f"/api/v1/nodes/{node}/proxy")
    for name in ("node-1", "node-2", "node-3"):
        await asking.read(name)
    told = asking.kubelets.words({"node-1", "node-2", "node-3"})
    assert told.startswith(f"1 of 3 nodes do not tell: {node}: ")
    assert words in told
    assert asking.kubelets.words(others) == ""
    asking.clock.now += 16
    assert asking.kubelets.due({node}) is None, "a failing node is left alone for longer"
    assert asking.kubelets.due(others) in others
    cluster.clear()
    asking.clock.now += 45
    assert asking.kubelets.due({node}) == node
    await asking.read(node)
    assert asking.kubelets.words({node}) == ""
    assert asking.held(pod) is not None


async def test_a_kubelet_that_is_down_is_said_in_the_servers_words(cluster: Cluster, asking: _Asking) -> None:
    cluster.node_down("node-2")
    await asking.read("node-2")
    assert "no route to host" in asking.kubelets.words({"node-2"})


async def test_a_page_that_is_no_metrics_is_said(
    cluster: Cluster, asking: _Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.kubelet_pages, "_families", lambda node: ["<html>log in</html>"])
    await asking.read("node-1")
    assert "no page of metrics" in asking.kubelets.words({"node-1"})


async def test_a_page_without_end_is_given_up(
    cluster: Cluster, asking: _Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.kubernetes.throttling._MOST_BYTES", 20_000)
    cluster.kubelet_pages.more = "# TYPE more counter\n" * 2_000
    await asking.read("node-1")
    assert "has more than" in asking.kubelets.words({"node-1"})


async def test_hostile_labels_neither_hurt_nor_show(cluster: Cluster, asking: _Asking) -> None:
    pod = asking.pod()
    name = pod["metadata"]["name"]
    cluster.kubelet_pages.more = "".join(
        f'container_cpu_cfs_{family}{{container="{container}",id="{at}",namespace="shop",pod="{name}"}} {value}\n'
        for at, container in enumerate(("\x1b[2J", "app\\n", "app\\", '"', "\u202e", "x" * 20_000))
        for family, value in (("periods_total", "10"), ("throttled_periods_total", "9"))
    )
    found = await asking.read_until_counted(pod)
    assert found.lately is not None
    assert found.lately.percent < 10
    assert asking.kubelets.words({pod["spec"]["nodeName"]}) == ""


async def test_a_slow_node_is_asked_less_often_and_no_more_than_two_at_once(cluster: Cluster, asking: _Asking) -> None:
    names = ["node-1", "node-2", "node-3"]
    cluster.misbehave("slow", "/api/v1/nodes/", delay_s=30)
    assert asking.kubelets.due(names) == "node-1"
    reading = [asyncio.create_task(asking.read(name)) for name in names[:2]]
    async with asyncio.timeout(10):
        while asking.kubelets.requests < 2:
            await asyncio.sleep(0.01)
    assert asking.kubelets.due(names) is None
    asking.clock.now += 4  # so long it took
    cluster.clear()
    await asyncio.gather(*reading)
    assert asking.kubelets.due(names) == "node-3"
    await asking.read("node-3")
    asking.clock.now += 30
    assert asking.kubelets.due(names) == "node-3", "what came at once is asked again after 15 s"
    assert asking.kubelets.due(names[:2]) is None, "ten times as long as it took"
    asking.clock.now += 8
    assert asking.kubelets.due(names[:2]) in names[:2]


async def test_a_node_that_takes_long_every_time_still_has_two_readings_to_compare(
    cluster: Cluster, asking: _Asking
) -> None:
    pod = asking.pod()
    node = pod["spec"]["nodeName"]
    for _ in range(2):
        cluster.misbehave("slow", f"/api/v1/nodes/{node}/proxy", delay_s=30)
        before = asking.kubelets.requests
        reading = asyncio.create_task(asking.read(node))
        async with asyncio.timeout(10):
            while asking.kubelets.requests == before:
                await asyncio.sleep(0.01)
        await asking.read(node)
        assert asking.kubelets.requests == before + 1, "one is under way: it is not asked twice"
        asking.clock.now += 14
        cluster.clear()
        await reading
        asking.clock.now += 46
        assert asking.kubelets.due({node}) == node
    found = asking.held(pod)
    assert found is not None
    assert found.lately is not None


async def test_another_cluster_is_not_taken_for_the_one_before(asking: _Asking) -> None:
    pod = asking.pod()
    await asking.read(pod["spec"]["nodeName"])
    asking.kubelets.due([])  # the connection was opened since
    await asking.read(pod["spec"]["nodeName"])
    asking.connections[0].servers += 1
    asking.kubelets.due([])
    assert asking.held(pod) is None
