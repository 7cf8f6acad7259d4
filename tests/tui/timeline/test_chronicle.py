"""Readings in, rows out: across failures, pauses and restarts of opstui."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.thresholds import Rule
from tests.tui.timeline.test_kubernetes import cluster, deployment, event
from tests.tui.timeline.test_postgres import tick
from tests.tui.timeline.test_redis import SNAPSHOT
from tests.tui.timeline.test_services_and_logs import API, batch
from tui.rules import Rules
from tui.sources.errors import Unreachable
from tui.sources.health import State
from tui.sources.reading import Reading
from tui.sources.redis_facts import Rates
from tui.timeline.chronicle import Chronicle
from tui.timeline.entry import Entry
from tui.timeline.model import Timeline

NOW = 1_800_000_000.0
RULES = {"redis.memory_percent": Rule(warn=85, critical=95), "service.state": Rule(warn=1, critical=2)}
REFUSED = Unreachable("nobody listens on cache:6379")


class Watched:
    """A chronicle with rules, fed as the app feeds it."""

    def __init__(self, history: Iterable[Entry] = ()) -> None:
        self.timeline = Timeline()
        self.chronicle = Chronicle(self.timeline)
        self.chronicle.resume(history)
        self.rules = Rules(RULES)

    def see(self, source: str, snapshot: Any, now: float, **more: Any) -> list[str]:
        """Take a reading and return the words of what is new."""
        reading: Reading[Any] = Reading(source, 2.0, snapshot, now, **more)
        return [entry.text for entry in self.chronicle.take(reading, self.rules.judge(reading, now), now)]

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.timeline.rows()]


def test_a_system_that_does_not_answer_is_told_since_when_and_for_how_long() -> None:
    watched = Watched()
    watched.see("redis:cache", SNAPSHOT, NOW)
    failing = {"error": REFUSED, "failing_since": NOW + 2}
    assert watched.see("redis:cache", SNAPSHOT, NOW + 3, **failing) == [
        "redis:cache cannot be read: nobody listens on cache:6379"
    ]
    assert watched.see("redis:cache", SNAPSHOT, NOW + 10, **failing) == []
    assert watched.see("redis:cache", SNAPSHOT, NOW + 43) == ["redis:cache can be read again, after 41s"]


def test_what_need_not_be_there_and_never_was_is_no_entry() -> None:
    reading: Reading[Any] = Reading("redis:cache", 2.0, None, None, error=REFUSED, failing_since=NOW, is_optional=True)
    assert Watched().chronicle.take(reading, (), NOW) == []


def test_an_alert_is_told_when_it_comes_worsens_and_ends() -> None:
    watched = Watched()

    def see(used: int, at: float) -> list[str]:
        memory = replace(SNAPSHOT.memory, used_bytes=used)
        return watched.see("redis:cache", replace(SNAPSHOT, memory=memory, slowlog=()), NOW + at)

    assert see(50, 0) == []
    assert see(90, 2) == ["redis.memory_percent = 90 % (threshold 85 %)"]
    assert see(91, 4) == []
    assert see(96, 6) == ["redis.memory_percent = 96 % (threshold 95 %)"]
    assert see(50, 182) == ["redis.memory_percent is fine again (threshold 95 %), after 3m"]


def test_the_state_of_a_service_is_told_once_and_not_as_an_alert_too() -> None:
    watched = Watched()
    watched.see("service:api", API, NOW)
    down = replace(API, state=State.DOWN, reason="HTTP 503")
    assert watched.see("service:api", down, NOW + 2) == ["api is DOWN: HTTP 503"]
    assert watched.see("service:api", API, NOW + 44) == ["api is ok again, after 42s"]


def test_the_first_look_is_no_change() -> None:
    watched = Watched()
    assert watched.see("redis:cache", replace(SNAPSHOT, rates=Rates(evicted_per_s=9.0), slowlog=()), NOW) == []
    assert watched.see("kubernetes:", cluster(workloads=[deployment(paused=True)]), NOW) == []
    assert watched.see("database:shop", tick(), NOW) == []


def test_a_service_that_is_down_at_the_first_look_is_told_as_an_alert_would_be() -> None:
    watched = Watched()
    assert watched.see("service:api", replace(API, state=State.DOWN), NOW) == ["api is DOWN"]
    assert watched.see("service:api", API, NOW + 60) == ["api is ok again"]
    again = Watched(history(watched)[:1])
    assert again.see("service:api", replace(API, state=State.DOWN), NOW + 600) == []


def test_locks_that_began_before_opstui_looked_are_told_when_they_are_recent() -> None:
    (text,) = Watched().see("database:shop", tick({2: (1,)}), NOW)
    assert text.startswith("1 session waits for app-1")


def test_the_same_snapshot_again_is_compared_with_nothing() -> None:
    watched = Watched()
    watched.see("logs:app", batch(0), NOW)
    found = batch(6)
    assert len(watched.see("logs:app", found, NOW + 1)) == 1
    assert watched.see("logs:app", found, NOW + 2) == []


def test_what_flickers_is_one_row_and_one_end() -> None:
    watched = Watched()
    watched.see("redis:cache", SNAPSHOT, NOW)
    evicting, calm = (replace(SNAPSHOT, rates=Rates(evicted_per_s=value)) for value in (9.0, 0.0))
    for step, snapshot in enumerate((evicting, calm, evicting, calm, calm, calm, calm, calm)):
        watched.see("redis:cache", snapshot, NOW + 10 + 10 * step)
    told = [row.text for row in watched.timeline.rows() if row.what == "evictions"]
    assert told == ["keys are evicted, 9/s: memory is full (allkeys-lru)", "no key is evicted any more, after 30s"]


def test_what_a_clock_ahead_of_ours_tells_is_no_later_than_now() -> None:
    watched = Watched()
    watched.see("database:shop", tick(), NOW)
    server = replace(tick().server, started=datetime.fromtimestamp(NOW + 500, UTC))
    watched.see("database:shop", tick(server=server), NOW + 2)
    assert [row.at for row in watched.timeline.rows()] == [NOW + 2]


def test_pausing_is_told_with_who_did_it() -> None:
    watched = Watched()
    watched.chronicle.pause(True, "ann", NOW)
    watched.chronicle.pause(False, "ann", NOW + 60)
    assert [(row.source, row.by, row.text) for row in watched.timeline.rows()] == [
        ("opstui:", "ann", "reading was paused: nothing is seen until it goes on"),
        ("opstui:", "ann", "reading goes on"),
    ]


# Across a restart of opstui


def history(watched: Watched) -> list[Entry]:
    return list(watched.timeline.rows())


def test_after_a_restart_what_the_system_remembers_fills_the_gap_and_nothing_comes_twice() -> None:
    first = Watched()
    first.see("kubernetes:", cluster(events=[event(last_at=NOW - 100)]), NOW)
    again = Watched(history(first))
    later = cluster(events=[event(last_at=NOW - 100), event(uid="e2", reason="Unhealthy", last_at=NOW + 300)])
    assert again.see("kubernetes:", later, NOW + 600) == ["Unhealthy pod/api-1: back-off"]
    assert again.texts == ["BackOff pod/api-1: back-off", "Unhealthy pod/api-1: back-off"]


def test_an_alert_that_is_still_up_after_a_restart_is_not_told_again_and_ends_as_usual() -> None:
    full = replace(SNAPSHOT, memory=replace(SNAPSHOT.memory, used_bytes=90), slowlog=())
    first = Watched()
    first.see("redis:cache", full, NOW)
    again = Watched(history(first))
    assert again.see("redis:cache", full, NOW + 600) == []
    calm = replace(full, memory=replace(SNAPSHOT.memory, used_bytes=50))
    assert again.see("redis:cache", calm, NOW + 660) == [
        "redis.memory_percent is fine again (threshold 85 %), after 11m"
    ]


def test_an_alert_that_ended_while_nobody_looked_is_ended_a_minute_after_the_restart() -> None:
    full = replace(SNAPSHOT, memory=replace(SNAPSHOT.memory, used_bytes=90), slowlog=())
    calm = replace(full, memory=replace(SNAPSHOT.memory, used_bytes=50))
    first = Watched()
    first.see("redis:cache", full, NOW)
    again = Watched(history(first))
    assert again.see("redis:cache", calm, NOW + 600) == []
    assert again.see("redis:cache", replace(calm), NOW + 661) == [
        "ended while nobody looked: redis.memory_percent = 90 % (threshold 85 %)"
    ]


def test_a_rollout_that_finished_while_nobody_looked_is_ended() -> None:
    first = Watched()
    before = cluster(workloads=[deployment(revision=6)])
    first.see("kubernetes:", before, NOW)
    first.see("kubernetes:", cluster(before, workloads=[deployment(revision=7, current=4, updated=1)]), NOW + 1)
    again = Watched(history(first))
    assert again.see("kubernetes:", cluster(workloads=[deployment(revision=7)]), NOW + 600) == [
        "ended while nobody looked: Deployment shop/api rolls out revision 7"
    ]


@pytest.mark.parametrize(
    ("metric", "about"),
    [
        ("kubernetes.pod_restarts", "pod/shop/api-1"),
        ("kubernetes.workload_pods_missing", "deployment/shop/api"),
    ],
)
def test_an_alert_about_an_object_leads_there(metric: str, about: str) -> None:
    from tui.rules import Alert, Level
    from tui.timeline import alerts

    name = {"pod_restarts": "shop/api-1"}.get(metric.partition(".")[2], "shop/deployment/api")
    alert = Alert("kubernetes:", metric.partition(".")[2], name, Level.WARN, 5, 3, NOW)
    assert alerts.condition(alert, None).object == about


def test_an_alert_about_a_number_of_sessions_names_the_one_that_makes_it() -> None:
    from tui.rules import Alert, Level
    from tui.timeline import alerts

    alert = Alert("database:shop", "blocked", "", Level.CRITICAL, 11, 10, NOW)
    condition = alerts.condition(alert, tick({2: (1,)}))
    assert condition.text == "database.blocked = 11 (threshold 10): app-1 (pid 1, active)"
    assert condition.object.startswith("backend/1/")


def test_a_cluster_whose_first_lists_still_come_ends_nothing() -> None:
    first = Watched()
    before = cluster(workloads=[deployment(revision=6)])
    first.see("kubernetes:", before, NOW)
    first.see("kubernetes:", cluster(before, workloads=[deployment(revision=7, current=4, updated=1)]), NOW + 1)
    again = Watched(history(first))
    assert again.see("kubernetes:", replace(cluster(workloads=[]), is_early=True), NOW + 600) == []
    assert again.see("kubernetes:", cluster(workloads=[deployment(revision=7)]), NOW + 601) == [
        "ended while nobody looked: Deployment shop/api rolls out revision 7"
    ]
