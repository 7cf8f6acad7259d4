"""The Kubernetes source on the simulated cluster, on good days and bad."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.kubernetes import KubernetesSnapshot, KubernetesSource, PodLogs, answers
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import part
from tui.sources.kubernetes.metrics import Metrics
from tui.sources.reading import Number

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_API = "/apis/apps/v1/namespaces/shop/deployments/api"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


class _Sources:
    """Makes sources and closes them at the end."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self.made: list[KubernetesSource] = []

    def __call__(
        self, user: str = "admin", *, namespaces: list[str] | None = None, silence_s: float = 70.0
    ) -> KubernetesSource:
        path = self._cluster.write_kubeconfig(self._folder / f"{user}.kubeconfig", user)
        entry = Kubernetes(kubeconfig=str(path), namespaces=namespaces or [])
        source = KubernetesSource(entry, environ={}, heartbeat_s=0.2, silence_s=silence_s)
        self.made.append(source)
        return source


@pytest.fixture
async def sources(cluster: Cluster, tmp_path: Path) -> AsyncIterator[_Sources]:
    made = _Sources(cluster, tmp_path)
    yield made
    for source in made.made:
        await source.close()


async def _until(
    source: KubernetesSource, holds: Callable[[KubernetesSnapshot], bool], seconds: float = 10
) -> KubernetesSnapshot:
    async with asyncio.timeout(seconds):
        while not holds(snapshot := await source.read()):
            pass
    return snapshot


async def _scale(source: KubernetesSource, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    answer = await source.connection.call("PATCH", _API, body=body, content_type="application/merge-patch+json")
    assert answer.is_ok, answer.message


async def test_the_first_reading_holds_everything_and_who_we_are(sources: _Sources) -> None:
    snapshot = await sources().read()
    assert snapshot.changes is None
    assert {pod.namespace for pod in snapshot.pods.values()} >= {"shop", "payments", "kube-system"}
    assert {"Deployment"} <= {workload.kind for workload in snapshot.workloads.values()}
    assert snapshot.nodes
    assert snapshot.replica_sets
    assert snapshot.user == "sandbox:admin"
    assert snapshot.context == "sandbox"
    assert snapshot.server_version.startswith("v1.")
    assert snapshot.notes == ()
    assert all(health.is_synced and health.error is None for health in snapshot.health.values())


async def test_a_later_reading_names_exactly_what_changed(sources: _Sources) -> None:
    source = sources()
    first = await source.read()
    await _scale(source, 5)
    names: set[str] = set()

    def takes_changes(snapshot: KubernetesSnapshot) -> bool:
        assert snapshot.changes is not None
        for uid in snapshot.changes["pods"].upserted:
            names.add(snapshot.pods[uid].name)
        return sum(pod.labels.get("app") == "api" and pod.status == "Running" for pod in snapshot.pods.values()) == 5

    last = await _until(source, takes_changes)
    new = {pod.name for uid, pod in last.pods.items() if uid not in first.pods}
    assert names == new
    assert len(first.pods) == len(last.pods) - 1, "a snapshot handed out never changes"


async def test_quiet_readings_come_within_two_seconds_and_without_changes(sources: _Sources) -> None:
    source = sources()
    await source.read()
    async with asyncio.timeout(30):
        while any((snapshot := await source.read()).changes.values()):  # type: ignore[union-attr]  # not the first
            pass
    assert snapshot.revision > 1


async def test_bad_pods_are_numbers_with_their_names(cluster: Cluster, sources: _Sources) -> None:
    cluster.behaviours.set("shop", "api", "crash-loop")
    source = sources()
    await source.read()
    await _scale(source, 6)
    snapshot = await _until(source, lambda s: any("CrashLoop" in pod.status for pod in s.pods.values()))
    numbers = list(snapshot.numbers())
    assert any(n.metric == "crash_loops" and n.value >= 1 and not n.object for n in numbers)
    assert any(n.metric == "pod_restarts" and n.object.startswith("shop/api-") for n in numbers)
    assert Number(
        "jobs_failed", sum(w.kind == "Job" and w.status == "Failed" for w in snapshot.workloads.values())
    ) in (numbers)


async def test_metrics_come_with_their_pods(sources: _Sources) -> None:
    snapshot = await _until(sources(), lambda s: bool(s.metrics.pods))
    assert all(usage.cpu_cores >= 0 and usage.memory_bytes > 0 for usage in snapshot.metrics.pods.values())
    assert set(snapshot.metrics.nodes) == {node.name for node in snapshot.nodes.values()}


async def test_metrics_of_some_namespaces_only_say_so(sources: _Sources) -> None:
    source = sources("shop-only", namespaces=["shop", "payments", "monitoring"])
    metrics = (await _until(source, lambda s: bool(s.metrics.pods))).metrics
    assert {path.partition("/")[0] for path in metrics.pods} == {"shop"}
    assert metrics.partial == "pods: 2 of 3 namespaces forbidden"
    assert "forbidden" in metrics.no_nodes


async def test_a_missing_metrics_server_is_said_and_costs_nothing_else(cluster: Cluster, sources: _Sources) -> None:
    cluster.server.faults.add(Fault(FaultKind.UNAVAILABLE, path="/apis/metrics.k8s.io"))
    snapshot = await _until(sources(), lambda s: s.metrics.unavailable != "not read yet")
    assert "metrics-server" in snapshot.metrics.unavailable
    assert snapshot.pods


async def test_without_watch_lists_the_mirror_is_filled_by_lists(
    sources: _Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sources()
    call = source.connection.stream

    def no_watch_list(path: str, query: list[tuple[str, str]], *, silence_s: float):  # type: ignore[no-untyped-def]  # as the original
        if ("sendInitialEvents", "true") in query:
            query = [*query, ("sendInitialEvents", "maybe")]
            return _refusing()
        return call(path, query, silence_s=silence_s)

    monkeypatch.setattr(source.connection, "stream", no_watch_list)
    first = await source.read()
    assert first.pods
    await _scale(source, 5)
    await _until(source, lambda s: sum(pod.labels.get("app") == "api" for pod in s.pods.values()) == 5)


async def _refusing() -> AsyncIterator[bytes]:
    from tui.sources.errors import Unreadable

    raise Unreadable("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
    yield b""


@pytest.mark.parametrize(
    "kind", [FaultKind.GONE, FaultKind.CUT, FaultKind.HTML, FaultKind.TOO_MANY, FaultKind.INTERNAL]
)
async def test_watches_recover_by_themselves(cluster: Cluster, sources: _Sources, kind: FaultKind) -> None:
    source = sources()
    await source.read()
    # Streams under way end when the fault begins, so that every watch meets it.
    cluster.server.faults.add(Fault(kind, path="/api/v1/pods", verb="watch", times=1))
    await _cut_streams(source)
    await _scale(source, 6)
    await _until(source, lambda s: sum(pod.labels.get("app") == "api" for pod in s.pods.values()) == 6)
    await _until(source, lambda s: s.health["pods"].error is None)


async def _cut_streams(source: KubernetesSource) -> None:
    await source.connection.close()


async def test_objects_that_went_while_nobody_watched_are_gone_after_a_relist(
    cluster: Cluster, sources: _Sources
) -> None:
    source = sources()
    first = await source.read()
    cluster.server.faults.add(Fault(FaultKind.GONE, path="/api/v1/pods", verb="watch", times=1))
    await _cut_streams(source)
    await _scale(source, 1)
    last = await _until(source, lambda s: sum(pod.labels.get("app") == "api" for pod in s.pods.values()) == 1)
    assert first.pods.keys() - last.pods.keys()


async def test_a_stopped_server_process_is_unreachable_within_seconds_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui.sandbox.cluster", "--kubeconfig", str(path)), stdout=asyncio.subprocess.PIPE
    )
    source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            await process.stdout.readline()
        await source.read()
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(Unreachable, match="no answer in time"):
            await _until(source, lambda s: False)
        process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(30):
            while not await _answers(source):
                pass
    finally:
        await source.close()
        process.send_signal(signal.SIGCONT)
        process.terminate()
        await process.wait()


async def _answers(source: KubernetesSource) -> bool:
    try:
        return bool((await source.read()).pods)
    except SourceError:
        return False


async def test_a_silent_watch_is_opened_again(cluster: Cluster, sources: _Sources) -> None:
    source = sources(silence_s=0.5)
    await source.read()
    cluster.server.faults.add(Fault(FaultKind.SILENT, path="/api/v1/pods", verb="watch", times=1))
    await _cut_streams(source)
    await _scale(source, 6)
    await _until(source, lambda s: sum(pod.labels.get("app") == "api" for pod in s.pods.values()) == 6)


async def test_refused_credentials_say_what_to_do(cluster: Cluster, sources: _Sources) -> None:
    cluster.server.faults.add(Fault(FaultKind.UNAUTHORIZED))
    with pytest.raises(Denied, match=r"credentials refused.*run your login command again"):
        await sources().read()


async def test_one_forbidden_kind_costs_only_itself(cluster: Cluster, sources: _Sources) -> None:
    cluster.server.faults.add(Fault(FaultKind.FORBIDDEN, path="/api/v1/nodes"))
    snapshot = await sources().read()
    assert snapshot.notes == ("nodes: forbidden",)
    assert snapshot.health["nodes"].is_down
    assert snapshot.pods
    assert not any(number.metric == "nodes_not_ready" for number in snapshot.numbers())


async def test_where_the_cluster_is_forbidden_the_contexts_own_namespace_is_watched(sources: _Sources) -> None:
    snapshot = await _until(sources("shop-only"), lambda s: bool(s.pods))
    assert {pod.namespace for pod in snapshot.pods.values()} == {"shop"}
    assert snapshot.namespaces == ("shop",)
    assert snapshot.notes[0] == "the cluster as a whole is forbidden: namespace shop only"


async def test_forbidden_namespaces_are_counted(sources: _Sources) -> None:
    snapshot = await sources("shop-only", namespaces=["shop", "payments", "monitoring"]).read()
    assert {pod.namespace for pod in snapshot.pods.values()} == {"shop"}
    assert snapshot.notes[0].endswith("other kinds: 2 of 3 namespaces forbidden (monitoring, payments)")
    assert not snapshot.health["pods"].is_down


async def test_a_stopped_server_is_unreachable_and_says_where(cluster: Cluster, sources: _Sources) -> None:
    source = sources()
    await cluster.stop()
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:\d+: connection refused"):
        await source.read()


async def test_a_whole_object_is_fetched_without_bookkeeping(sources: _Sources) -> None:
    source = sources()
    snapshot = await source.read()
    pod = next(pod for pod in snapshot.pods.values() if pod.namespace == "shop")
    obj = await source.fetch("Pod", pod.namespace, pod.name)
    assert part(obj, "metadata")["uid"] == pod.uid
    assert "managedFields" not in part(obj, "metadata")
    assert f"  name: {pod.name}" in await source.yaml("Pod", pod.namespace, pod.name)


async def test_pod_logs_are_found_by_label_and_followed_with_timestamps(sources: _Sources) -> None:
    source = sources()
    await source.read()
    logs = PodLogs(source)
    pods = await logs.pods("shop", "app=api")
    assert len(pods) == 4
    assert pods == await logs.pods("shop", "app in (api)"), "the mirror and the server find the same"
    said = b""
    stream = logs.follow("shop", pods[0].name, pods[0].containers[0], None, 3)
    async with asyncio.timeout(30):
        async for chunk in stream:
            said += chunk
            if said.count(b"\n") >= 3:
                break
    await stream.aclose()
    assert all(line.split(b" ", 1)[0].endswith(b"Z") for line in said.splitlines()[:3])


async def test_a_mirror_of_a_server_that_does_not_answer_tells_nothing_of_the_present(sources: _Sources) -> None:
    source = sources()
    await source.read()
    logs = PodLogs(source)
    assert logs.mirrors("shop")
    version = source._ask_version

    async def fails() -> None:
        raise Unreachable("no answer")

    source._ask_version = fails  # type: ignore[method-assign]  # the real one takes its time
    async with asyncio.timeout(30):
        while logs.mirrors("shop"):
            await asyncio.sleep(0.02)
        source._ask_version = version  # type: ignore[method-assign]
        while not logs.mirrors("shop"):
            await asyncio.sleep(0.02)


async def test_a_certificate_is_trusted_only_by_its_authority(tmp_path: Path) -> None:
    async with Cluster(tls=True) as cluster:
        path = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
        assert (await source.read()).pods
        await source.close()
        config = yaml.safe_load(path.read_text())
        del config["clusters"][0]["cluster"]["certificate-authority-data"]
        path.write_text(yaml.safe_dump(config))
        source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
        with pytest.raises(Unreachable, match="certificate not trusted: self"):
            await source.read()
        await source.close()


async def test_a_cluster_made_anew_replaces_the_old_ones_rows(tmp_path: Path) -> None:
    async with Cluster(seed=1, tls=True) as old:
        path = old.write_kubeconfig(tmp_path / "kubeconfig")
        source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
        source.connection.reopen_s = 0.1
        before = await source.read()
    try:
        async with Cluster(seed=2, tls=True) as new:
            new.write_kubeconfig(path)

            async def is_replaced() -> bool:
                try:
                    snapshot = await source.read()
                except SourceError:
                    return False
                return bool(snapshot.pods) and not snapshot.pods.keys() & before.pods.keys()

            async with asyncio.timeout(20):
                while not await is_replaced():
                    pass
    finally:
        await source.close()


async def test_another_current_context_does_not_move_a_running_session(tmp_path: Path) -> None:
    async with Cluster(tls=True) as cluster:
        path = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        connection = Connection(Kubernetes(kubeconfig=str(path)), {})
        first = (await connection.open()).context
        config = yaml.safe_load(path.read_text())
        config["contexts"].append({"name": "other", "context": {"cluster": first, "user": first}})
        config["current-context"] = "other"
        path.write_text(yaml.safe_dump(config))
        await connection.close()
        assert (await connection.open()).context == first
        await connection.close()


async def test_a_task_that_a_bug_ended_is_told_once_and_begun_again(
    sources: _Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def measure(connection: Connection, namespaces: object) -> Metrics:
        asked.append(namespaces)
        if len(asked) == 1:
            raise ZeroDivisionError("oops")
        return Metrics({}, {}, "the second answer")

    monkeypatch.setattr("tui.sources.kubernetes.source.read_metrics", measure)
    source = sources()
    with pytest.raises(ZeroDivisionError):
        await _until(source, lambda snapshot: False)
    await _until(source, lambda snapshot: snapshot.metrics.unavailable == "the second answer")


def test_an_answer_that_is_nested_without_end_is_no_answer() -> None:
    assert answers.decoded(b'{"a":' * 100_000) == {}


async def test_the_pods_of_an_address_are_found_in_the_mirror(sources: _Sources) -> None:
    source = sources()
    snapshot = await _until(source, lambda found: any(pod.ip for pod in found.pods.values()))
    pod = next(pod for pod in snapshot.pods.values() if pod.ip)
    assert f"{pod.namespace}/{pod.name}" in source.pods_at(pod.ip)
    assert source.pods_at("") == []
    assert source.pods_at("203.0.113.9") == []


async def test_a_request_under_which_the_client_is_closed_fails_in_our_words(
    sources: _Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sources().connection
    await made.get("/version")
    authorization = made._credentials.authorization  # type: ignore[union-attr]  # open

    async def closed_meanwhile() -> str | None:
        found = await authorization()
        await made.close()
        return found

    monkeypatch.setattr(made._credentials, "authorization", closed_meanwhile)
    with pytest.raises(answers.ConnectFailed, match="made anew"):
        await made.get("/version")
    assert await made.get("/version"), "the next request opens again"
