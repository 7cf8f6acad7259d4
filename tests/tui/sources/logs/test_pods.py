"""Following pods of a cluster made of lists."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.logs import LogSource
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.logs import LogLine, LogsSource
from tui.sources.logs.endings import Gone, NotStarted


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    containers: tuple[str, ...] = ("main",)
    init_containers: tuple[str, ...] = ()
    ephemeral_containers: tuple[str, ...] = ()
    restarts: int = 0


@dataclass
class Cluster:
    """Serves the scripted answers of each pod's log, one connection after another, then stays silent."""

    answers: dict[str, list[list[bytes] | Exception]]
    listed: list[Pod] = field(default_factory=list)
    refusal: Exception | None = None
    asked: list[tuple[str, str, datetime | None, int | None]] = field(default_factory=list)
    before: dict[str, list[bytes]] = field(default_factory=dict)
    """The log of each pod's container before its last restart."""
    selectors: list[str] = field(default_factory=list)

    async def pods(self, namespace: str, selector: str) -> list[Pod]:
        if self.refusal:
            raise self.refusal
        self.selectors.append(selector)
        return self.listed

    def mirrors(self, namespace: str) -> bool:
        return False

    async def is_there(self, namespace: str, pod: str, uid: str) -> bool:
        return any((one.name, one.uid) == (pod, uid) for one in self.listed)

    async def selector(self, namespace: str, kind: str, name: str) -> str:
        return f"of={kind}.{name}"

    async def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        since_time: datetime | None,
        tail_lines: int | None,
        *,
        previous: bool = False,
    ) -> AsyncIterator[bytes]:
        if previous:
            if pod not in self.before:
                raise Unreadable("previous terminated container not found")
            for piece in self.before[pod]:
                yield piece
            return
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
    for place in ("pods", "many"):
        monkeypatch.setattr(f"tui.sources.logs.{place}.BACKOFF_S", (0.01,))
    monkeypatch.setattr("tui.sources.logs.many._LIST_S", 0.02)
    monkeypatch.setattr("tui.sources.logs.source.QUIET_S", 0.05)


async def lines(cluster: Cluster, count: int, **entry: Any) -> tuple[list[LogLine], tuple[str, ...]]:
    entry = entry if entry.keys() & {"pod", "workload"} else {"pods": "app=api", **entry}
    source = LogsSource("api", LogSource(namespace="shop", **entry), cluster)
    seen: list[LogLine] = []
    try:
        async with asyncio.timeout(30):
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


async def test_every_pod_is_followed_and_named_and_a_line_without_a_time_has_the_clusters() -> None:
    cluster = Cluster(
        {"api-1": [[b"2026-11-22T08:11:24.5Z INFO one\n"]], "api-2": [[b"2026-11-22T08:11:25.5Z INFO t", b"wo\n"]]},
        [Pod("api-1", "u1"), Pod("api-2", "u2", ("app", "sidecar"))],
    )
    seen, _ = await lines(cluster, 2)
    assert sorted((line.origin, line.text) for line in seen) == [("api-1/main", "INFO one"), ("api-2/app", "INFO two")]
    assert sorted(line.at for line in seen) == [1_795_335_084.5, 1_795_335_085.5]


async def test_a_reconnection_goes_on_from_a_second_before_the_last_line_without_duplicates() -> None:
    first = [b"2026-11-22T08:11:24.1Z a\n2026-11-22T08:11:24.9Z b\n2026-11-22T08:11:24.9Z c\n"]
    again = [b"2026-11-22T08:11:24.1Z a\n2026-11-22T08:11:24.9Z b\n2026-11-22T08:11:24.9Z c\n2026-11-22T08:11:25Z d\n"]
    cluster = Cluster({"api-1": [first, Unreachable("cut"), again]}, [Pod("api-1", "u1")])
    seen, _ = await lines(cluster, 4)
    assert [line.text for line in seen] == ["a", "b", "c", "d"]
    second = datetime(2026, 11, 22, 8, 11, 23, tzinfo=UTC)
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
    async with asyncio.timeout(30):
        while seen != ["old", "new"]:
            seen += [line.text for line in (await source.read()).lines]
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
    assert seen[0].text == "fine"
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
    assert seen[0].text == "fine"
    assert "api-1/main: following stopped: a bug in opstui; see the log file" in problems


async def test_a_bug_while_listing_is_an_error_and_no_quiet_log() -> None:
    source = LogsSource(
        "api", LogSource(pods="app=api", namespace="shop"), Cluster({}, refusal=ZeroDivisionError("oops"))
    )
    with pytest.raises(Unreadable, match="a bug in opstui"):
        await source.read()
    await source.close()


def stamped(*lines: str) -> list[bytes]:
    return ["".join(f"2026-11-22T08:11:{line}\n" for line in lines).encode()]


async def test_every_container_is_followed_when_asked_for_and_init_containers_too() -> None:
    cluster = Cluster({"api-1": [stamped("01Z a"), stamped("02Z b"), stamped("03Z c")]})
    cluster.listed = [Pod("api-1", "u1", ("app", "proxy"), ("migrate",))]
    seen, _ = await lines(cluster, 3, container="*")
    assert {line.origin for line in seen} == {"api-1/migrate", "api-1/app", "api-1/proxy"}


async def test_pods_are_found_by_name_or_by_their_workload() -> None:
    pods = [Pod("api-1", "u1"), Pod("web-1", "u2")]
    cluster = Cluster({"api-1": [stamped("01Z a")], "web-1": [stamped("01Z b")]}, pods)
    seen, _ = await lines(cluster, 1, pod="api-*")
    assert [line.text for line in seen] == ["a"]
    cluster = Cluster({"api-1": [stamped("01Z a")], "web-1": [stamped("01Z b")]}, pods)
    await lines(cluster, 2, workload="deployment/api")
    assert set(cluster.selectors) == {"of=deployment.api"}


async def test_the_log_before_the_last_restart_comes_first_when_asked_for() -> None:
    cluster = Cluster({"api-1": [stamped("05Z now")]}, [Pod("api-1", "u1")], before={"api-1": stamped("01Z crashed")})
    seen, _ = await lines(cluster, 2, previous=True)
    assert [line.text for line in seen] == ["crashed", "now"]


async def test_what_a_container_wrote_before_it_was_started_again_during_an_outage_is_fetched() -> None:
    answers: list[list[bytes] | Exception] = [stamped("01Z a"), Unreachable("the server is gone"), stamped("09Z d")]
    cluster = Cluster({"api-1": answers}, [Pod("api-1", "u1")], before={"api-1": stamped("01Z a", "02Z b", "03Z c")})
    seen, _ = await lines(cluster, 4)
    assert [line.text for line in seen] == ["a", "b", "c", "d"]


async def test_what_the_cluster_no_longer_has_is_told_as_a_gap() -> None:
    for before in ({}, {"api-1": stamped("07Z late")}):
        answers: list[list[bytes] | Exception] = [
            stamped("01Z a"),
            Unreachable("the server is gone"),
            stamped("09Z d", "10Z e"),
        ]
        cluster = Cluster({"api-1": answers}, [Pod("api-1", "u1")], before=before)
        seen, _ = await lines(cluster, 4 + len(before))
        first, gap, *rest = [line.text for line in seen]
        next_at = "07" if before else "09"
        assert (first, rest) == ("a", [*(["late"] if before else []), "d", "e"])
        assert gap == (
            "opstui: gap in api-1/main: the cluster no longer has what was written after 08:11:01 UTC "
            f"and before 08:11:{next_at} UTC"
        )


async def test_a_pod_that_goes_away_while_it_cannot_be_read_leaves_a_gap() -> None:
    cluster = Cluster({"api-1": [stamped("01Z a"), *[Unreachable("gone")] * 500]}, [Pod("api-1", "u1")])
    source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
    seen: list[str] = []
    async with asyncio.timeout(30):
        while not any("went away" in text for text in seen):
            batch = await source.read()
            seen += [line.text for line in batch.lines]
            if any("gone" in problem for problem in batch.problems):
                cluster.listed = []
    await source.close()
    assert seen == [
        "a",
        "opstui: gap in api-1/main: the pod went away while its log could not be read, after 08:11:01 UTC",
    ]


async def test_a_rollout_loses_no_line_and_brings_none_twice() -> None:
    def log(name: str, first: int, last: int) -> list[bytes]:
        return ["".join(f"2026-11-22T08:11:{n:02}.5Z {name} {n}\n" for n in range(first, last)).encode()]

    cluster = Cluster({"old": [log("old", 0, 5), log("old", 4, 9)], "new": [log("new", 6, 9), log("new", 8, 12)]})
    cluster.listed = [Pod("old", "u1")]
    source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
    seen: list[str] = []
    async with asyncio.timeout(30):
        while len(seen) < 15:
            seen += [line.text for line in (await source.read()).lines]
            if "old 8" in seen:
                cluster.listed = [Pod("new", "u2")]
    for _ in range(5):
        seen += [line.text for line in (await source.read()).lines]
    await source.close()
    assert seen == [f"old {n}" for n in range(9)] + [f"new {n}" for n in range(6, 12)]


async def test_a_pod_that_went_away_in_order_leaves_no_gap_but_one_that_was_started_again_unread_does() -> None:
    for restarts in (0, 1):
        again = [Pod("api-1", "u1", restarts=restarts)]
        cluster = Cluster({"api-1": [stamped("01Z a"), *[Gone("not found")] * 500]}, [Pod("api-1", "u1")])
        source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
        seen: list[str] = []
        async with asyncio.timeout(30):
            while "api-1/main" in (batch := await source.read()).following or not seen:
                seen += [line.text for line in batch.lines]
                if seen:
                    cluster.listed = [] if cluster.listed == again or not restarts else again
        seen += [line.text for line in (*batch.lines, *(await source.read()).lines)]
        await source.close()
        assert [text for text in seen if "gap" not in text] == ["a"]
        assert len(seen) == 1 + restarts


async def test_a_pod_that_was_never_read_leaves_a_gap_unless_it_never_wrote() -> None:
    for error, gaps in ((Unreachable("no route to host"), 1), (NotStarted("is waiting to start"), 0)):
        cluster = Cluster({"api-1": [error] * 500}, [Pod("api-1", "u1")])
        source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
        seen: list[str] = []
        async with asyncio.timeout(30):
            while "api-1/main" in (batch := await source.read()).following or cluster.listed:
                seen += [line.text for line in batch.lines]
                if any(str(error) in problem for problem in batch.problems):
                    cluster.listed = []
        seen += [line.text for line in (*batch.lines, *(await source.read()).lines)]
        await source.close()
        assert seen == ["opstui: gap in api-1/main: the pod went away before its log could be read"] * gaps


async def test_what_is_wrong_with_several_is_said_once_and_since_when_nobody_answers() -> None:
    pods = [Pod("api-1", "u1"), Pod("api-2", "u2"), Pod("api-3", "u3")]
    forbidden: list[list[bytes] | Exception] = [Denied("forbidden")] * 500
    cluster = Cluster({"api-1": [stamped("01Z a")], "api-2": forbidden, "api-3": forbidden[:]}, pods)
    source = LogsSource("api", LogSource(pods="app=api", namespace="shop"), cluster)
    async with asyncio.timeout(30):
        while (batch := await source.read()).problems != ("api-2/main and 1 more: forbidden",):
            assert batch.away_since is None
        cluster.refusal = Unreachable("nobody answers")
        while batch.away_since is None:
            batch = await source.read()
        assert re.fullmatch(r"pods cannot be listed since \d\d:\d\d:\d\d UTC: nobody answers", batch.problems[0])
        cluster.refusal = None
        while batch.away_since is not None:
            batch = await source.read()
    await source.close()
