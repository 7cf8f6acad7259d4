"""Changes of containers and units: readings in, entries and conditions out."""

from dataclasses import replace

from profiles.thresholds import Rule
from tests.tui.panes.test_services_boards import FAILED, NOW, SNAPSHOT, UNIT
from tui.rules import Level, Rules
from tui.sources.docker.facts import ContainerEvent
from tui.sources.reading import Reading
from tui.sources.systemd import SystemdSnapshot
from tui.timeline import docker, systemd
from tui.timeline.chronicle import Chronicle
from tui.timeline.model import Timeline

SOURCE = "container:local"
NEVER = float("-inf")


def event(action: str, name: str = "web", **more: object) -> ContainerEvent:
    return ContainerEvent(NOW, int(NOW * 1e9), action, "f" * 64, name, **more)  # type: ignore[arg-type]


def told(*events: ContainerEvent) -> list[tuple[str, Level]]:
    snapshot = replace(SNAPSHOT, events=events)
    return [(entry.text, entry.level) for entry in docker.entries(SOURCE, snapshot, NEVER)]


def test_ends_starts_and_kills_for_memory_are_sentences() -> None:
    assert told(
        event("die", exit_code=137), event("oom"), event("start"), event("die", exit_code=0), event("restart"),
        event("kill", signal="15"), event("kill", signal="1"), event("health_status", detail="healthy"),
    ) == [
        ("web ended with exit code 137", Level.WARN),
        ("web ran out of memory: the kernel ended a process of it", Level.CRITICAL),
        ("web started", Level.OK),
        ("web ended with exit code 0", Level.OK),
        ("web was restarted by somebody", Level.OK),
        ("web was sent signal 1", Level.OK),
    ]  # fmt: skip


def test_two_opstui_that_saw_the_same_event_call_it_the_same() -> None:
    one, other = (next(docker.entries(SOURCE, replace(SNAPSHOT, events=(event("oom"),)), NEVER)) for _ in "ab")
    assert (one.id, one.object) == (other.id, "web")


def test_of_a_first_reading_only_what_happened_since_the_record_is_told() -> None:
    assert list(docker.entries(SOURCE, replace(SNAPSHOT, events=(event("oom"),)), NOW + 1)) == []


def test_what_is_down_missing_or_unhealthy_lasts() -> None:
    found = {condition.key: condition for condition in docker.conditions(SNAPSHOT)}
    assert set(found) == {"down queue", "down crash", "health api"}
    assert found["down crash"].text == "crash is restarting (3) and should run"
    assert found["health api"].text.startswith("api is unhealthy")
    assert "abc123secret" not in found["health api"].text


def test_the_state_is_one_row_and_not_an_alert_beside_it() -> None:
    timeline = Timeline()
    chronicle = Chronicle(timeline)
    rules = Rules({"container.down": Rule(critical=1), "container.unhealthy": Rule(critical=1)})
    reading = Reading(SOURCE, 2.0, SNAPSHOT, taken_at=NOW)
    raised = rules.judge(reading, NOW)
    assert {alert.object for alert in raised} == {"crash", "api", "queue"}
    rows = chronicle.take(reading, raised, NOW)
    assert sorted(row.what for row in rows) == ["down", "down", "health"]


def test_a_restart_by_systemd_is_told_with_how_the_run_before_ended() -> None:
    again = replace(UNIT, invocation_id="ff", restarts=1, exit_status=4, main_pid=0)
    before, after = SystemdSnapshot({UNIT.name: UNIT}), SystemdSnapshot({UNIT.name: again})
    (entry,) = systemd.entries("unit:", before, after, NOW)
    assert (entry.text, entry.level) == ("nginx.service was restarted by systemd after exit code 4", Level.WARN)
    (entry,) = systemd.entries("unit:", before, SystemdSnapshot({UNIT.name: replace(again, restarts=0)}), NOW)
    assert entry.text == "nginx.service started"


def test_a_failed_unit_lasts_until_it_is_well() -> None:
    (condition,) = systemd.conditions(SystemdSnapshot({UNIT.name: UNIT, FAILED.name: FAILED}))
    assert (condition.text, condition.level) == ("queue.service is failed (exit-code), exit code 3", Level.CRITICAL)
    stopped = replace(UNIT, active_state="inactive", sub_state="dead")
    (condition,) = systemd.conditions(SystemdSnapshot({UNIT.name: stopped}))
    assert condition.level is Level.WARN
