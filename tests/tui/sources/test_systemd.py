"""`systemctl show` → facts; and what is said where there is no systemd."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake_systemctl import FakeSystemctl
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.systemd import SystemdSnapshot, SystemdSource, Unit, full_name, parse_show
from tui.sources.text import clean

SHOWN = (Path(__file__).parents[2] / "fixtures" / "systemd" / "show-252.txt").read_text()
NOW, UP = 1_795_703_340.0, 100.0


def units() -> dict[str, Unit]:
    return {one.name: one for one in parse_show(SHOWN, NOW, UP)}


def test_a_unit_that_runs_is_read_with_its_times_by_the_clock_that_counts_from_boot() -> None:
    nginx = units()["nginx.service"]
    assert (nginx.words, nginx.main_pid, nginx.memory_bytes) == ("active (running)", 812, 184320)
    assert nginx.active_since == pytest.approx(NOW - 60)
    assert nginx.memory_max_bytes is None, "infinity"
    assert nginx.stop_timeout_s == 90
    assert nginx.stops_too == ("nginx-exporter.service",)
    assert not nginx.is_failed
    assert not nginx.is_inactive


def test_one_that_is_restarted_again_and_again_counts_as_failed() -> None:
    worker = units()["worker@1.service"]
    assert (worker.is_failed, worker.restarts, worker.exit_words) == (True, 7, "exit code 4")
    assert worker.description == "Works = off the queue"
    assert (worker.memory_bytes, worker.cpu_ns) == (None, None), "[not set], and the largest number there is"


def test_a_job_that_a_timer_starts_may_be_inactive() -> None:
    assert not units()["backup.service"].is_inactive


def test_a_kill_for_want_of_memory_is_named() -> None:
    big = units()["big.service"]
    assert (big.words, big.exit_words, big.is_failed) == ("failed (oom-kill)", "signal 9", True)


def test_a_unit_that_is_not_there_has_failed() -> None:
    nope = units()["nope.service"]
    assert (nope.words, nope.is_failed) == ("not-found", True)


def test_names_are_completed_as_systemd_does() -> None:
    assert (full_name("nginx"), full_name("backup.timer"), full_name("a.b")) == (
        "nginx.service", "backup.timer", "a.b.service",
    )  # fmt: skip


@given(st.text())
def test_no_output_is_an_exception(output: str) -> None:
    for one in parse_show(output, NOW, UP):
        assert one.name
        assert one.words is not None


@given(
    st.lists(st.tuples(st.sampled_from(["Id", "NRestarts", "MemoryCurrent", "InvocationID"]), st.text()), max_size=9)
)
def test_values_of_any_kind_are_cleaned(pairs: list[tuple[str, str]]) -> None:
    shown = "\n".join(f"{key}={value}" for key, value in [("Id", "a.service"), *pairs])
    for one in parse_show(shown, NOW, UP):
        assert clean(one.name + one.invocation_id) == one.name + one.invocation_id


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemctl:
    return FakeSystemctl(tmp_path / "bin", monkeypatch)


def numbers(snapshot: SystemdSnapshot, metric: str) -> dict[str, float]:
    return {one.object: one.value for one in snapshot.numbers() if one.metric == metric}


async def test_all_units_are_asked_for_in_one_call_behind_a_double_dash(systemctl: FakeSystemctl) -> None:
    systemctl.set(shown=SHOWN)
    source = SystemdSource(["nginx", "worker@*", "web-*"], now=lambda: NOW, monotonic=lambda: UP)
    snapshot = await source.read()
    (asked,) = systemctl.asked()
    assert asked.startswith("--no-ask-password --no-pager show --property=Id,")
    assert asked.endswith("-- nginx.service worker@*.service web-*.service")
    assert snapshot.unmatched == ("web-*",)
    assert numbers(snapshot, "failed") == {
        "nginx.service": 0, "worker@1.service": 1, "backup.service": 0, "big.service": 1, "nope.service": 1,
    }  # fmt: skip
    assert numbers(snapshot, "restarts")["worker@1.service"] == 1


async def test_rates_come_from_two_readings(systemctl: FakeSystemctl) -> None:
    clock = iter([NOW] * 3 + [NOW + 10] * 3)
    systemctl.set(shown=SHOWN)
    source = SystemdSource(["nginx"], now=lambda: next(clock), monotonic=lambda: UP)
    assert (await source.read()).units["nginx.service"].cpu_percent is None
    next(clock)
    systemctl.set(
        shown=SHOWN.replace("CPUUsageNSec=1500000000", "CPUUsageNSec=2500000000").replace("NRestarts=7", "NRestarts=9")
    )
    later = await source.read()
    assert later.units["nginx.service"].cpu_percent == pytest.approx(10.0)
    assert numbers(later, "restarts")["worker@1.service"] == 3


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("System has not been booted with systemd as init system (PID 1). Can't operate.", Unreachable, "no systemd"),
        ("Failed to connect to bus: Host is down", Unreachable, "no systemd manager runs here"),
        ("Failed to get properties: Access denied", Denied, "Access denied"),
        ("Failed to parse", Unreadable, "Failed to parse"),
    ],
)
async def test_what_systemctl_says_becomes_one_clear_notice(
    systemctl: FakeSystemctl, said: str, kind: type[Exception], words: str
) -> None:
    systemctl.set(show_error=said, **{"show-status": "1"})
    with pytest.raises(kind, match=words):
        await SystemdSource(["nginx"]).read()


async def test_without_systemctl_it_is_unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="this machine has no systemd"):
        await SystemdSource(["nginx"]).read()
