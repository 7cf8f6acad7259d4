"""All about a workload in one text, read from the simulated cluster."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.systems import Kubernetes
from tui.panes.pods_bundle import bundle
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import DEPLOYMENTS
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.recent_logs import recent_logs

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "kubeconfig")
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    yield made
    await made.close()


async def text_of(source: KubernetesSource, name: str) -> str:
    snapshot = await source.read()
    workload = next(one for one in snapshot.workloads.values() if one.name == name)
    return await bundle(source, workload, time.time(), snapshot)


async def test_a_bundle_holds_description_yaml_events_and_the_logs_of_every_container(
    source: KubernetesSource,
) -> None:
    text = await text_of(source, "payments")
    titles = re.findall(r"^=+\n(.*)\n=+$", text, re.MULTILINE)
    assert titles[0] == "Deployment payments/payments: described"
    assert sum("container app: log" in title for title in titles) == 3
    assert sum("container proxy: log" in title for title in titles) == 3
    assert titles[-1].endswith(": YAML")
    assert "Events" in text
    assert re.search(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ", text, re.MULTILINE), "log lines with their time"


async def test_what_is_secret_in_a_manifest_or_on_a_command_line_is_not_in_it(
    cluster: Cluster, source: KubernetesSource
) -> None:
    def spoil(thing: dict[str, object]) -> None:
        container = thing["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index]
        container["env"] = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "MODE", "value": "fast"}]
        container["args"] = ["--api-key=tr0ub4dor", "--upstream=https://me:s3same@example.com/"]

    cluster.store.modify(DEPLOYMENTS, "shop", "search", spoil)
    text = await text_of(source, "search")
    assert "MODE" in text
    assert not [secret for secret in ("hunter2", "tr0ub4dor", "s3same") if secret in text]


async def test_what_could_not_be_read_is_said_in_its_place(cluster: Cluster, source: KubernetesSource) -> None:
    await source.read()
    cluster.server.faults.add(Fault(FaultKind.FORBIDDEN, verb="get", path="/api/v1/namespaces/shop/pods/"))
    text = await text_of(source, "search")
    assert text.count("The whole object could not be read: ") == 2
    assert text.count("not read: ") == 5
    assert "Deployment shop/search: YAML" in text


async def test_a_container_that_restarted_has_two_logs(source: KubernetesSource) -> None:
    snapshot = await source.read()
    pod = next(one for one in snapshot.pods.values() if one.restarts and one.namespace == "shop")
    logs = await recent_logs(source.connection, [pod])
    assert [log.is_previous for log in logs] == [False, True]
