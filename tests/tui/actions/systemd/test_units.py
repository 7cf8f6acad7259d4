"""Restart, stop and start of a unit: the run that was seen, one job, and green only when it is so."""

from pathlib import Path

import pytest

from tests.tui.fake_systemctl import FakeSystemctl
from tui.actions.action import GoneError, NotSentError, Phase, Request, Risk, Sight
from tui.actions.systemd.verbs import RestartUnit, StartUnit, StopUnit, unit_request
from tui.sources.systemd import SystemdSource

RUNNING = """Id=nginx.service
Type=notify
LoadState=loaded
ActiveState=active
SubState=running
Result=success
MainPID=812
NRestarts=0
InvocationID=aaaa
ConsistsOf=exporter.service
CanStart=yes
CanStop=yes
"""
ANEW = RUNNING.replace("aaaa", "bbbb").replace("812", "900")
STOPPED = RUNNING.replace("active\n", "inactive\n", 1).replace("running", "dead").replace("MainPID=812", "MainPID=0")
CRASHED = ANEW.replace("ActiveState=active", "ActiveState=failed").replace("Result=success", "Result=exit-code")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystemctl:
    fake = FakeSystemctl(tmp_path / "bin", monkeypatch)
    fake.set(shown=RUNNING)
    return fake


async def asked(verb: str) -> Request:
    (unit,) = await SystemdSource(["nginx"]).show(["nginx"])
    return unit_request(verb, "unit:", unit)


async def test_a_restart_is_one_job_without_a_question_for_a_password(systemctl: FakeSystemctl) -> None:
    verb = RestartUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    assert action.command == "systemctl restart -- nginx.service"
    assert (action.risk, action.inverse) == (Risk.MEDIUM, None)
    assert "with it stop: exporter.service" in action.impact
    systemctl.set(effect=ANEW)
    receipt = await verb.execute(action)
    assert systemctl.changes() == ["--no-ask-password --no-pager --no-block restart -- nginx.service"]
    look = await verb.look(action.sent(0.0).learned(receipt))
    assert (look.phase, look.detail) == (Phase.CONVERGED, "active (running)")


async def test_the_same_run_long_after_was_never_restarted_and_soon_after_is_waited_for(
    systemctl: FakeSystemctl,
) -> None:
    import time

    verb = RestartUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT
    assert (await verb.look(action.sent(time.time()))).phase is Phase.WAITING


async def test_a_new_run_that_failed_is_not_green(systemctl: FakeSystemctl) -> None:
    verb = RestartUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    systemctl.set(shown=CRASHED)
    look = await verb.look(action.sent(0.0))
    assert look.phase is Phase.NOT_CONVERGED
    assert "failed (exit-code)" in look.detail


async def test_a_run_that_somebody_started_since_is_not_struck(systemctl: FakeSystemctl) -> None:
    verb = StopUnit(SystemdSource(["nginx"]))
    request = await asked(verb.name)
    action = await verb.plan(request)
    systemctl.set(shown=ANEW)
    assert (await verb.sight(action))[0] is Sight.CHANGED
    with pytest.raises(NotSentError, match="started anew"):
        await verb.execute(action)
    with pytest.raises(NotSentError, match="started anew"):
        await verb.plan(request)
    assert systemctl.changes() == []


async def test_a_stop_may_be_taken_back(systemctl: FakeSystemctl) -> None:
    verb = StopUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    systemctl.set(effect=STOPPED)
    receipt = await verb.execute(action)
    assert (await verb.look(action.sent(0.0).learned(receipt))).phase is Phase.CONVERGED
    assert action.risk is Risk.HIGH
    assert action.inverse is not None
    assert (await StartUnit(SystemdSource(["nginx"])).plan(action.inverse)).before.startswith("inactive (dead)")


@pytest.mark.parametrize(
    "said",
    [
        "Failed to restart nginx.service: Interactive authentication required.",
        "Failed to restart nginx.service: Access denied",
    ],
)
async def test_what_polkit_refuses_was_not_sent_and_says_what_helps(systemctl: FakeSystemctl, said: str) -> None:
    verb = RestartUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    systemctl.set(said=said, status="1")
    with pytest.raises(NotSentError, match=r"refused: .*polkit"):
        await verb.execute(action)


async def test_what_systemd_lets_nobody_do_is_said_before_anybody_agrees(systemctl: FakeSystemctl) -> None:
    systemctl.set(shown=RUNNING.replace("CanStop=yes", "CanStop=yes\nRefuseManualStop=yes"))
    for verb in (StopUnit(SystemdSource(["nginx"])), RestartUnit(SystemdSource(["nginx"]))):
        with pytest.raises(NotSentError, match="lets nobody stop it"):
            await verb.plan(await asked(verb.name))


async def test_a_unit_that_is_gone_and_one_that_runs_already(systemctl: FakeSystemctl) -> None:
    request = await asked(StartUnit.name)
    with pytest.raises(NotSentError, match="runs already"):
        await StartUnit(SystemdSource(["nginx"])).plan(request)
    systemctl.set(shown="Id=nginx.service\nLoadState=not-found\nActiveState=inactive\n")
    with pytest.raises(GoneError, match="systemd has no unit"):
        await StartUnit(SystemdSource(["nginx"])).plan(request)


async def test_where_systemd_is_gone_nothing_is_sent(systemctl: FakeSystemctl) -> None:
    verb = RestartUnit(SystemdSource(["nginx"]))
    action = await verb.plan(await asked(verb.name))
    systemctl.set(shown="", show_error="Failed to connect to bus: Host is down", **{"show-status": "1"})
    with pytest.raises(NotSentError, match="nothing was sent: no systemd manager"):
        await verb.execute(action)
