"""Following pods of a cluster made of lists."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from profiles.schema import LogSource
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.logs import LogLine, LogsSource


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    containers: tuple[str, ...] = ("main",)


@dataclass
class Cluster:
    """Serves the scripted answers of each pod's log, one connection after another, then stays silent."""

    answers: dict[str, list[list[bytes] | Exception]]
    listed: list[Pod] = field(default_factory=list)
    refusal: Exception | None = None
    asked: list[tuple[str, str, datetime | None, int | None]] = field(default_factory=list)

    async def pods(self, namespace: str, selector: str) -> list[Pod]:
        if self.refusal:
            raise self.refusal
        return self.listed

    async def follow(
        self, namespace: str, pod: str, container: str, since_time: datetime | None, tail_lines: int | None
    ) -> AsyncIterator[bytes]:
        self.asked.append((pod, container, since_time, tail_lines))
        if not self.answers[pod]:
            await asyncio.Event().wait()
        answer = self.answers[pod].pop(0)
        if isinstance(answer, Exception):
            raise answer
        for piece in answer:
            yield piece


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.sources.logs.pods._BACKOFF_S", (0.01,))
    monkeypatch.setattr("tui.sources.logs.pods._LIST_S", 0.02)
    monkeypatch.setattr("tui.sources.logs.source.QUIET_S", 0.05)


async def lines(cluster: Cluster, count: int, **entry: str) -> tuple[list[LogLine], tuple[str, ...]]:
    source = LogsSource("api", LogSource(pods="app=api", namespace="shop", **entry), cluster)
    seen: list[LogLine] = []
    try:
        async with asyncio.timeout(5):
            while True:
                batch = await source.read()
                seen += batch.lines
                if len(seen) >= count:
                    for _ in range(3):  # more would be a duplicate
                        batch = await source.read()
                        seen += batch.lines
                    return seen, batch.problems
    finally:
        await source.close()


async def test_every_pod_is_followed_and_named_and_the_clusters_time_is_not_shown() -> None:
    cluster = Cluster(
        {"api-1": [[b"2026-11-22T08:11:24.5Z INFO one\n"]], "api-2": [[b"2026-11-22T08:11:25.5Z INFO t", b"wo\n"]]},
        [Pod("api-1", "u1"), Pod("api-2", "u2", ("app", "sidecar"))],
    )
    seen, _ = await lines(cluster, 2)
    assert sorted((line.origin, line.raw) for line in seen) == [("api-1/main", "INFO one"), ("api-2/app", "INFO two")]


async def test_a_reconnection_goes_on_from_the_last_second_without_duplicates() -> None:
    first = [b"2026-11-22T08:11:24.1Z a\n2026-11-22T08:11:24.9Z b\n2026-11-22T08:11:24.9Z c\n"]
    again = [b"2026-11-22T08:11:24.1Z a\n2026-11-22T08:11:24.9Z b\n2026-11-22T08:11:24.9Z c\n2026-11-22T08:11:25Z d\n"]
    cluster = Cluster({"api-1": [first, Unreachable("cut"), again]}, [Pod("api-1", "u1")])
    seen, _ = await lines(cluster, 4)
    assert [line.raw for line in seen] == ["a", "b", "c", "d"]
    second = datetime(2026, 11, 22, 8, 11, 24, tzinfo=UTC)
    assert [(since, tail is None) for _, _, since, tail in cluster.asked[:3]] == [
        (None, False),
        (second, True),
        (second, True),
    ]


async def test_a_pod_that_comes_later_is_read_from_its_beginning() -> None:
    cluster = Cluster({"api-1": [[b"2026-11-22T08:11:24Z old\n"]], "api-2": [[b"2026-11-22T08:11:26Z new\n"]]})
    cluster.listed = [Pod("api-1", "u1")]
    source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
    seen: list[str] = []
    async with asyncio.timeout(5):
        while seen != ["old", "new"]:
            seen += [line.raw for line in (await source.read()).lines]
            if seen == ["old"]:
                cluster.listed = [Pod("api-2", "u2")]
    await source.close()
    assert next(tail for pod, _, _, tail in cluster.asked if pod == "api-2") is None


async def test_the_container_of_the_profile_is_taken() -> None:
    cluster = Cluster({"api-1": [[b"2026-11-22T08:11:24Z x\n"]]}, [Pod("api-1", "u1", ("app", "proxy"))])
    seen, _ = await lines(cluster, 1, container="proxy")
    assert seen[0].origin == "api-1/proxy"


async def test_a_pod_whose_log_is_refused_is_named_while_the_others_go_on() -> None:
    cluster = Cluster(
        {"api-1": [Denied("forbidden")] * 500, "api-2": [[b"2026-11-22T08:11:24Z fine\n"]]},
        [Pod("api-1", "u1"), Pod("api-2", "u2")],
    )
    seen, problems = await lines(cluster, 1)
    assert seen[0].raw == "fine"
    assert "api-1/main: forbidden" in problems


async def test_a_cluster_that_cannot_be_asked_is_an_error() -> None:
    source = LogsSource(
        "api", LogSource(pods="app=api", namespace="shop"), Cluster({}, refusal=Unreachable("connection refused"))
    )
    with pytest.raises(Unreachable, match="connection refused"):
        await source.read()
    await source.close()


async def test_pods_without_a_cluster_are_an_error_in_the_profile() -> None:
    with pytest.raises(Unreadable, match="names pods but no cluster"):
        await LogsSource("api", LogSource(pods="app=api", namespace="shop")).read()


async def test_a_bug_while_following_one_pod_is_said_and_costs_that_pod_only() -> None:
    cluster = Cluster(
        {"api-1": [ZeroDivisionError("oops")], "api-2": [[b"2026-11-22T08:11:24Z fine\n"]]},
        [Pod("api-1", "u1"), Pod("api-2", "u2")],
    )
    seen, problems = await lines(cluster, 1)
    assert seen[0].raw == "fine"
    assert "api-1/main: following stopped: a bug in opstui; see the log file" in problems


async def test_a_bug_while_listing_is_an_error_and_no_quiet_log() -> None:
    source = LogsSource(
        "api", LogSource(pods="app=api", namespace="shop"), Cluster({}, refusal=ZeroDivisionError("oops"))
    )
    with pytest.raises(Unreadable, match="a bug in opstui"):
        await source.read()
    await source.close()
