"""Every numbered line of simulated pods comes once and in order, or a gap says what is missing, whatever happens."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own_cluster import OwnCluster
from tests.tui.sources.logs.numbered import Watched, missing, watching
from tui.sandbox.cluster.books import Book
from tui.sandbox.cluster.client import SHOP, Client
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.resources import PODS, Object
from tui.sources.logs.many import BACKOFF_S

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

RATE = 100.0
_HANGS_S = 1.5


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("pods", "many"):
        monkeypatch.setattr(f"tui.sources.logs.{place}.BACKOFF_S", (0.05, 0.1))
    monkeypatch.setattr("tui.sources.logs.many._LIST_S", 0.2)
    monkeypatch.setattr("tui.sources.logs.source.QUIET_S", 0.2)


@asynccontextmanager
async def following(cluster: Cluster, folder: Path, app: str = "orders", **entry: Any) -> AsyncIterator[Watched]:
    """Follow an app's numbered lines; at the end wait for the last line of all that can still be read."""
    cluster.logs.books.keep("shop", app, RATE)
    wanted = entry if {"workload", "pod"} & set(entry) else {"pods": f"app={app}", **entry}
    async with watching(cluster, folder, **wanted) as watched:
        for book in cluster.logs.books.all:
            if not book.has_ended:
                await seen_on(watched, book)
        yield watched
        cluster.logs.books.stop()
        present = {pod["metadata"]["uid"] for pod in cluster.pods("shop", app)}
        newest = {(book.uid, book.container): book for book in cluster.logs.books.all if book.lines}.values()
        last = [book for book in newest if book.uid in present and not book.is_collected]
        await watched.saw(lambda: [(f"{book.pod}/{book.container}", book.lines[-1][1]) for book in last])


def pod_of(cluster: Cluster, app: str = "orders") -> Object:
    return cluster.pods("shop", app)[0]


def book_of(cluster: Cluster, pod: Object, container: str = "app") -> Book:
    """The newest book of a container."""
    return [
        book for book in cluster.logs.books.all if (book.pod, book.container) == (pod["metadata"]["name"], container)
    ][-1]


def streams_misbehave(cluster: Cluster, kind: str, *, after_s: float, times: int | None = None) -> None:
    """Let every stream of a log go wrong so long after it began."""
    for pod in cluster.pods("shop", "orders"):
        cluster.misbehave(kind, f"{SHOP}/pods/{pod['metadata']['name']}/log", after_s=after_s, times=times)


async def seen_on(watched: Watched, book: Book, lines: int = 10) -> None:
    """Wait until so many more lines of a book were written, and seen."""
    wanted = len(book.lines) + lines
    await watched.until(lambda: len(book.lines) > wanted)
    await watched.saw(lambda: [(f"{book.pod}/{book.container}", book.lines[wanted][1])])


async def written(watched: Watched, book: Book, lines: int = 40) -> None:
    """Wait until so many more lines of a book were written, seen or not."""
    wanted = len(book.lines) + lines
    await watched.until(lambda: len(book.lines) > wanted)


async def restarted(cluster: Cluster, watched: Watched, pod: Object, container: str = "app") -> Book:
    """Start a container again, let it write a little, and return its new book."""
    before = book_of(cluster, pod, container)
    cluster.kubelet.crash(cluster.store.get(PODS, "shop", pod["metadata"]["name"]), container)
    await watched.until(lambda: book_of(cluster, pod, container) is not before)
    book = book_of(cluster, pod, container)
    await written(watched, book, 5)
    return book


def all_is_there(cluster: Cluster, watched: Watched) -> None:
    assert missing(cluster.logs.books.all, watched) == 0
    assert watched.gaps == []
    assert len(cluster.logs.books.all) > 0


async def test_a_container_that_is_started_again_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        for _ in range(2):
            await seen_on(watched, await restarted(cluster, watched, pod_of(cluster)))
    all_is_there(cluster, watched)


async def test_a_pod_that_is_replaced_loses_nothing_and_no_gap_is_told(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        old = {pod["metadata"]["uid"] for pod in cluster.pods("shop", "orders")}
        async with Client(cluster) as client:
            await client.ask("DELETE", f"{SHOP}/pods/{pod_of(cluster)['metadata']['name']}")
        await watched.until(lambda: len(cluster.logs.books.all) > len(old))
        await seen_on(watched, cluster.logs.books.all[-1])
    all_is_there(cluster, watched)


@pytest.mark.parametrize("mirrors", [False, True])
async def test_a_pod_that_comes_again_under_its_name_is_another_one(
    cluster: Cluster, tmp_path: Path, mirrors: bool
) -> None:
    async with following(cluster, tmp_path, "queue", mirrors=mirrors) as watched:
        for _ in range(2):
            begun = len(cluster.logs.books.all)
            async with Client(cluster) as client:
                await client.ask("DELETE", f"{SHOP}/pods/queue-0")
            await watched.until(lambda begun=begun: len(cluster.logs.books.all) > begun)  # type: ignore[misc]
            await seen_on(watched, cluster.logs.books.all[-1])
    all_is_there(cluster, watched)


async def test_a_rollout_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path, workload="deployment/orders") as watched:
        old = {pod["metadata"]["name"] for pod in cluster.pods("shop", "orders")}
        cluster.release("shop", "orders", "healthy")
        await watched.until(lambda: not old & {pod["metadata"]["name"] for pod in cluster.pods("shop", "orders")}, 20)
    assert len(cluster.logs.books.all) >= 6
    all_is_there(cluster, watched)


@pytest.mark.parametrize("kind", ["cut", "torn"])
async def test_a_stream_that_ends_in_the_middle_of_a_line_loses_nothing(
    cluster: Cluster, tmp_path: Path, kind: str
) -> None:
    streams_misbehave(cluster, kind, after_s=0.15)
    async with following(cluster, tmp_path) as watched:
        for _ in range(3):
            await seen_on(watched, book_of(cluster, pod_of(cluster)), 30)
        cluster.clear()
    all_is_there(cluster, watched)


async def test_a_server_that_refuses_for_a_while_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        for kind in ("401", "403", "404", "410", "429", "500", "503", "html"):
            cluster.misbehave(kind)
            await cluster.restart_server()
            watched.problems.clear()
            await watched.until(lambda: any("/app" in p or "cannot be listed" in p for p in watched.problems))
            await written(watched, book_of(cluster, pod_of(cluster)), 5)
            cluster.clear()
            await seen_on(watched, book_of(cluster, pod_of(cluster)), 5)
    all_is_there(cluster, watched)


async def is_away(cluster: Cluster, watched: Watched, seconds: float) -> None:
    """Stop the API server for so long, while containers write on and one is started again."""
    pod = pod_of(cluster)
    await cluster.stop_server()
    begun = asyncio.get_running_loop().time()
    await restarted(cluster, watched, pod)
    await watched.until(lambda: any("connection refused" in problem for problem in watched.problems))
    await watched.until(lambda: watched.away_since is not None)
    await watched.until(lambda: asyncio.get_running_loop().time() - begun >= seconds, seconds + 15)
    await cluster.restart_server()
    await watched.until(lambda: watched.away_since is None)


async def test_a_server_that_is_away_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        for _ in range(2):
            await is_away(cluster, watched, 0.5)
            await seen_on(watched, book_of(cluster, pod_of(cluster)))
    all_is_there(cluster, watched)


async def test_a_server_that_is_away_for_20_s_loses_nothing_at_the_pace_of_every_day(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("pods", "many"):
        monkeypatch.setattr(f"tui.sources.logs.{place}.BACKOFF_S", BACKOFF_S)
    async with following(cluster, tmp_path) as watched:
        await is_away(cluster, watched, 20.0)
    all_is_there(cluster, watched)


async def test_a_server_that_hangs_loses_nothing(tmp_path: Path) -> None:
    own = OwnCluster()
    try:
        clusters: list[Cluster] = []
        own.do(lambda it: clusters.append(it))
        own.do(lambda it: it.logs.books.keep("shop", "orders", RATE))
        async with watching(clusters[0], tmp_path, pods="app=orders") as watched:
            books = clusters[0].logs.books
            await watched.until(lambda: len(watched.seen) == 3)
            await asyncio.to_thread(
                own.do, lambda it: time.sleep(_HANGS_S)
            )  # as SIGSTOP: connections stay, nobody answers
            own.do(lambda it: it.logs.books.stop())
            await watched.saw(lambda: [(f"{book.pod}/{book.container}", book.lines[-1][1]) for book in books.all])
        all_is_there(clusters[0], watched)
        late = [(b[0] - a[0]).total_seconds() for book in books.all for a, b in pairwise(book.lines)]
        assert max(late) < _HANGS_S, "the containers wrote on"
    finally:
        own.stop()


async def test_a_stream_that_is_dead_is_opened_again_when_the_server_is_back(cluster: Cluster, tmp_path: Path) -> None:
    cluster.logs.books.keep("shop", "orders", RATE)
    streams_misbehave(cluster, "silent", after_s=0.2, times=1)
    async with watching(cluster, tmp_path, pods="app=orders") as watched:
        books = cluster.logs.books.all
        await watched.until(lambda: all(watched.seen[f"{book.pod}/app"] for book in books))
        await watched.until(lambda: all(len(book.lines) > len(watched.seen[f"{book.pod}/app"]) + 40 for book in books))
        cluster.misbehave("503", f"{SHOP}/pods", "list", times=1)
        await seen_on(watched, books[0])
        cluster.logs.books.stop()
        await watched.saw(lambda: [(f"{book.pod}/app", book.lines[-1][1]) for book in books])
    all_is_there(cluster, watched)


async def test_a_log_that_nobody_finds_is_said_and_the_kubelets_words_are_no_lines(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as watched:
        book = book_of(cluster, pod_of(cluster))
        book.is_collected = True
        await cluster.restart_server()
        await watched.until(lambda: any("unable to retrieve container logs" in p for p in watched.problems))
        await written(watched, book)
        book.is_collected = False
    all_is_there(cluster, watched)


async def test_a_container_that_starts_later_is_read_from_its_first_line(cluster: Cluster, tmp_path: Path) -> None:
    cluster.logs.books.keep("shop", "orders", 2_000)
    cluster.behaviours.set("shop", "orders", "config-error")
    old = [pod["metadata"]["uid"] for pod in cluster.pods("shop", "orders")]
    for pod in cluster.pods("shop", "orders"):
        cluster.store.remove(PODS, "shop", pod["metadata"]["name"])
    await cluster.until(lambda: "CreateContainerConfigError" in str(cluster.pods("shop", "orders")))
    async with watching(cluster, tmp_path, first_lines=1, pods="app=orders") as watched:
        await watched.until(lambda: any("is waiting to start" in problem for problem in watched.problems))
        cluster.behaviours.set("shop", "orders", None)
        await watched.until(lambda: watched.count > 1_000)
        cluster.logs.books.stop()
        books = [book for book in cluster.logs.books.all if book.uid not in old]
        await watched.saw(lambda: [(f"{book.pod}/{book.container}", book.lines[-1][1]) for book in books])
    assert missing(books, watched) == 0
    assert watched.gaps == []


async def test_two_restarts_while_the_server_is_away_are_a_gap(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        await cluster.stop_server()
        await written(watched, book_of(cluster, pod_of(cluster)))
        for _ in range(2):
            await restarted(cluster, watched, pod_of(cluster))
        await cluster.restart_server()
    assert missing(cluster.logs.books.all, watched) > 0
    (gap,) = watched.gaps
    assert f"{pod_of(cluster)['metadata']['name']}/app: the cluster no longer has what was written after" in gap


async def test_a_pod_that_goes_away_while_the_server_does_is_a_gap(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        name = pod_of(cluster)["metadata"]["name"]
        await cluster.stop_server()
        await written(watched, book_of(cluster, pod_of(cluster)), 5)
        cluster.store.remove(PODS, "shop", name)
        await cluster.restart_server()
        await watched.until(lambda: bool(watched.gaps))
    assert missing(cluster.logs.books.all, watched) > 0
    (gap,) = watched.gaps
    assert f"{name}/app: the pod went away while its log could not be read" in gap


async def test_lines_that_were_rotated_away_meanwhile_are_a_gap(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        await cluster.stop_server()
        book = book_of(cluster, pod_of(cluster))
        await written(watched, book)
        book.held_from = len(book.lines)
        await written(watched, book, 5)
        await cluster.restart_server()
    assert 0 < missing(cluster.logs.books.all, watched) <= book.held_from
    (gap,) = watched.gaps
    assert f"{book.pod}/app: the cluster no longer has what was written after" in gap


async def test_a_run_whose_log_was_collected_is_a_gap_and_the_kubelets_words_are_no_line(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path) as watched:
        await cluster.stop_server()
        before = book_of(cluster, pod_of(cluster))
        await written(watched, before)
        await restarted(cluster, watched, pod_of(cluster))
        before.is_collected = True
        await cluster.restart_server()
    assert missing(cluster.logs.books.all, watched) > 0
    assert len(watched.gaps) == 1


async def test_lines_of_one_moment_are_neither_lost_nor_doubled(cluster: Cluster, tmp_path: Path) -> None:
    cluster.logs.books.keep("shop", "orders", 1_000, grain_s=0.5)
    streams_misbehave(cluster, "cut", after_s=0.07)
    async with watching(cluster, tmp_path, pods="app=orders") as watched:
        book = book_of(cluster, pod_of(cluster))
        await watched.until(lambda: len(book.lines) > 2_500)
        cluster.logs.books.stop()
        cluster.clear()
        books = cluster.logs.books.all
        await watched.saw(lambda: [(f"{book.pod}/{book.container}", book.lines[-1][1]) for book in books])
    all_is_there(cluster, watched)


async def test_equal_lines_and_lines_out_of_order_are_all_there_and_none_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.logs.books.keep("shop", "orders", 0)
    book = book_of(cluster, pod_of(cluster))
    now = datetime.now(UTC).replace(microsecond=0)
    order = [0, 300, 299, 299, 299, 1_001, 999, 1_001, 1_000, 1_001]
    expected: list[str] = []
    streams_misbehave(cluster, "torn", after_s=0.03)
    async with watching(cluster, tmp_path, pods="app=orders") as watched:
        for number, milliseconds in enumerate(order):
            text = f"line {number}" if number % 2 else "equal"
            expected.append(text)
            book.write(now + timedelta(milliseconds=milliseconds), text)
            await watched.until(lambda: watched.count >= len(expected))
            asked = cluster.server.requests
            await watched.until(lambda asked=asked: cluster.server.requests > asked + 4)  # type: ignore[misc]
    assert list(watched.seen.values()) == [expected]


async def test_a_node_that_is_away_is_said_and_nothing_is_lost(cluster: Cluster, tmp_path: Path) -> None:
    async with following(cluster, tmp_path) as watched:
        node = pod_of(cluster)["spec"]["nodeName"]
        cluster.node_down(node)
        await cluster.restart_server()
        await watched.until(lambda: any("no route to host" in problem for problem in watched.problems))
        await written(watched, book_of(cluster, pod_of(cluster)))
        cluster.node_up(node)
    all_is_there(cluster, watched)


async def test_init_and_ephemeral_containers_and_sidecars_are_followed_through_restarts(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with following(cluster, tmp_path, "api", container="*") as watched:
        pod = pod_of(cluster, "api")

        def debug(copy: Object) -> None:
            copy["spec"]["ephemeralContainers"] = [{"name": "debugger", "image": "busybox"}]
            copy["status"]["ephemeralContainerStatuses"] = [
                {"name": "debugger", "state": {"running": {"startedAt": cluster.clock.stamp()}}, "restartCount": 0}
            ]

        cluster.store.modify(PODS, "shop", pod["metadata"]["name"], debug)
        await seen_on(watched, book_of(cluster, pod, "debugger"))
        async with Client(cluster) as client:
            await client.ask("DELETE", f"{SHOP}/pods/{cluster.pods('shop', 'api')[-1]['metadata']['name']}")
        await watched.until(lambda: any(book.container == "migrate" for book in cluster.logs.books.all))
        await seen_on(watched, await restarted(cluster, watched, pod))
    all_is_there(cluster, watched)


async def test_what_came_too_fast_is_counted_once_however_often_the_stream_is_cut(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.sources.logs.intake.Intake.is_full", property(lambda self: len(self._waiting) > 20))
    cluster.logs.books.keep("shop", "orders", 2_000)
    streams_misbehave(cluster, "cut", after_s=0.1)
    async with watching(cluster, tmp_path, pods="app=orders") as watched:
        await watched.until(lambda: watched.dropped > 1_000)
        cluster.logs.books.stop()
        cluster.clear()
        total = sum(len(book.lines) for book in cluster.logs.books.all)
        await watched.until(lambda: watched.received >= total)
        await asyncio.sleep(0)
    assert watched.received == total
    assert watched.count + watched.dropped == total
