"""What comes of a first list is seen while it comes, judged once it is whole, and right even when it was cut."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.kubernetes import KubernetesSnapshot, KubernetesSource
from tui.sources.kubernetes.answers import loads
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.demand import EVERYTHING, OF_METRICS
from tui.sources.kubernetes.fields import part as part_of
from tui.sources.kubernetes.fields import parts, text
from tui.sources.kubernetes.metrics import NONE_YET

_PODS = "/api/v1/pods"
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def read_or_none(content: bytes) -> Any:
    try:
        return loads(content)
    except ValueError:
        return None


@given(_JSON, st.booleans())
def test_what_a_server_sends_is_read_as_python_reads_it(value: Any, is_ascii: bool) -> None:
    written = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    try:
        expected = json.loads(written)
    except UnicodeDecodeError:
        expected = None
    assert read_or_none(written) == expected


@given(st.binary(max_size=40))
def test_what_is_no_json_is_refused_by_one_kind_of_error(content: bytes) -> None:
    try:
        loads(content)
    except ValueError:
        return


def test_half_a_surrogate_pair_and_nesting_without_end_end_no_watch() -> None:
    assert loads(b'{"a": "\\ud800"}') == {"a": "\ud800"}
    with pytest.raises(ValueError, match="deep"):
        loads(b"[" * 100_000)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        await running.populate(150)
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "config")
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    made.connection.reopen_s = 0.1
    yield made
    await made.close()


async def _until(source: KubernetesSource, holds: Callable[[KubernetesSnapshot], object]) -> KubernetesSnapshot:
    async with asyncio.timeout(30):
        while not holds(snapshot := await source.read()):
            pass
    return snapshot


async def _uids(connection: Connection) -> set[str]:
    return {text(part_of(item, "metadata"), "uid") for item in parts(await connection.get(_PODS), "items")}


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
class TestFirstRows:
    """On the simulated cluster, whose list of pods comes a few bytes at a time."""

    async def test_a_screen_has_rows_while_the_list_still_comes_and_nothing_is_counted_of_them(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        cluster.server.faults.add(Fault(FaultKind.TRICKLE, _PODS, "watch"))
        source.is_hasty = True
        early = await _until(source, lambda seen: seen.pods)
        assert early.is_early
        assert early.metrics is NONE_YET, "what pods use comes behind the pods"
        assert len(early.pods) < 150
        of_pods = [number for number in early.numbers() if "pods" in OF_METRICS[number.metric]]
        assert all(number.is_absent for number in of_pods)
        assert "pods: loading" in early.notes
        whole = await _until(source, lambda seen: seen.sees(*EVERYTHING))
        assert not whole.is_early
        assert early.pods.keys() <= whole.pods.keys()
        assert any(not number.is_absent for number in whole.numbers())

    async def test_whoever_judges_gets_nothing_before_it_is_whole(self, source: KubernetesSource) -> None:
        snapshot = await source.read()
        assert not snapshot.is_early
        assert len(snapshot.pods) >= 150

    async def test_a_first_list_that_was_cut_leaves_nothing_wrong_behind(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        cluster.server.faults.add(Fault(FaultKind.TRICKLE, _PODS, "watch"))
        source.is_hasty = True
        await _until(source, lambda seen: seen.pods)
        await source.connection.close()
        deployment = "/apis/apps/v1/namespaces/bulk-0/deployments/service-000"
        assert (await source.connection.call("DELETE", deployment)).is_ok
        cluster.server.faults.clear()
        await _until(source, lambda seen: seen.sees("pods"))
        async with asyncio.timeout(30):
            while (await source.read()).pods.keys() != await _uids(source.connection):
                pass
