"""The engine's JSON, as a real engine of 20.10 gave it → facts; and whatever else may come."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.docker_engine import RECORDED, recorded
from tui.sources.docker import parse
from tui.sources.docker.connection import negotiated

KEYS = [
    "State", "Config", "HostConfig", "Health", "Log", "Mounts", "Names", "Name", "Id", "Ports", "NetworkSettings",
    "Env", "Labels", "StartedAt", "RestartCount", "Healthcheck", "cpu_stats", "memory_stats", "Actor", "Type",
    "Attributes", "exitCode", "time", "timeNano", "Action", "Args", "Status", "Restarting",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def test_a_healthy_looking_container_is_read_in_full() -> None:
    one = parse.container(recorded("inspect-api"))
    assert (one.name, one.image, one.status, one.health) == ("api", "opstui-test:1", "running", "unhealthy")
    assert (one.project, one.service, one.restart_policy) == ("shop", "api", "unless-stopped")
    assert one.memory_limit_bytes == 64 * 1024 * 1024
    assert one.mounts == ("volume named → /var/lib/x",)
    assert one.health_wait_s == pytest.approx(2 * (1 + 30)), "2 retries, each second, 30 s for each when not given"
    assert len(one.id) == 64
    assert one.started_s == pytest.approx(parse.seconds(one.started_at))


def test_of_the_environment_only_names_are_kept_and_secrets_in_health_output_are_hidden() -> None:
    one = parse.container(recorded("inspect-api"))
    assert one.environment == ("PASSWORD",)
    assert "must-not-be-kept" not in repr(one)
    assert "abc123secret" not in repr(one)
    assert one.probes[-1].exit_code == 1


def test_a_container_that_ran_out_of_memory_says_so() -> None:
    one = parse.container(recorded("inspect-hog"))
    assert (one.words, one.is_oom_killed, one.is_down) == ("exited (137), OOM", True, False)


def test_a_crash_loop_is_down_and_a_finished_job_is_not() -> None:
    crash, job = parse.container(recorded("inspect-crash")), parse.container(recorded("inspect-job"))
    assert (crash.words, crash.is_down, crash.is_running) == ("restarting (3)", True, False)
    assert crash.restart_count > 0
    assert (job.words, job.is_down, job.should_run) == ("exited (0)", False, False)


def test_one_that_the_profile_names_should_run_whatever_its_policy() -> None:
    assert parse.container(recorded("inspect-job"), is_named=True).is_down


def test_events_of_containers_with_exit_codes_and_health() -> None:
    lines = (RECORDED / "events-20.10.jsonl").read_text().splitlines()
    found = [event for line in lines if (event := parse.event(json.loads(line)))]
    told = {(event.name, event.action, event.detail, event.exit_code) for event in found}
    assert {
        ("hog", "oom", "", None), ("hog", "die", "", 137), ("crash", "die", "", 3),
        ("api", "health_status", "unhealthy", None),
    } <= told  # fmt: skip
    assert found == sorted(found, key=lambda event: event.nano)


def test_cpu_is_a_share_of_one_core_between_two_answers_and_memory_is_without_cache() -> None:
    stats = recorded("stats-api")
    used, system, cpus = parse.cpu_counters(stats) or (0.0, 0.0, 0)
    found = parse.use(stats, (used - 1e9, system - 10e9, cpus), 64 * 1024 * 1024)
    assert found.cpu_percent == pytest.approx(10.0 * cpus)
    memory = stats["memory_stats"]
    assert found.memory_bytes == memory["usage"] - memory["stats"]["total_inactive_file"]
    assert parse.use(stats, None, None).cpu_percent is None
    assert parse.use(stats, None, None).memory_percent is None, "without a limit of its own"


def test_the_list_row_changes_only_with_the_container() -> None:
    row: dict[str, Any] = recorded("containers")[0]
    later = {**row, "Status": str(row["Status"]).replace(" seconds", " minutes")}
    assert parse.fingerprint(row) == parse.fingerprint(later)
    assert parse.fingerprint({**row, "Status": "Up 3 seconds (unhealthy)"}) != parse.fingerprint(row)


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [("1.41", "1.12", "1.41"), ("1.51", "1.24", "1.43"), ("1.55", "1.44", "1.44"), ("1.43", "1.43", "1.43")],
)
def test_the_version_spoken_is_one_that_both_speak(newest: str, oldest: str, spoken: str) -> None:
    assert negotiated(newest, oldest) == spoken


def test_names_and_states_cannot_carry_control_characters() -> None:
    document = recorded("inspect-web")
    document["Name"] = "/we\x1b[2Jb\u202e"
    document["Config"]["Image"] = "x\x07"
    one = parse.container(document)
    assert "\x1b" not in one.name + one.image
    assert "\u202e" not in one.name


@given(JSON)
def test_no_document_of_any_shape_is_an_exception(document: Any) -> None:
    parse.container(document)
    parse.event(document)
    parse.fingerprint(document)
    parse.use(document, parse.cpu_counters(document), None)
    if isinstance(document, dict):
        parse.event({**document, "Type": "container"})
