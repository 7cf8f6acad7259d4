"""Restart, stop and start of a container: only the run that was seen, once, and green only when it is so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.hosts import DockerEngine
from profiles.schema import Profile
from tests.tui.docker_engine import Engine
from tui.actions.action import GoneError, NotSentError, Phase, Request, Risk, Sight
from tui.actions.docker.container import container_request
from tui.actions.docker.verbs import RestartContainer, StartContainer, StopContainer
from tui.actions.guard import GuardState
from tui.actions.perform import Ask, Consent, Ending, Outcome, Performer
from tui.journal import Journal
from tui.sources.docker.source import DockerSource
from tui.sources.reading import Reading

Kind = type[RestartContainer] | type[StopContainer] | type[StartContainer]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine()
    async with engine.at(tmp_path / "s"):
        yield engine


@pytest.fixture
async def source(tmp_path: Path, engine: Engine) -> AsyncIterator[DockerSource]:
    source = DockerSource("local", DockerEngine(socket=str(tmp_path / "s")))
    yield source
    await source.close()


async def asked(source: DockerSource, kind: Kind, name: str) -> Request:
    container = (await source.read()).named(name)
    assert container is not None
    return container_request(kind.name, source.name, container)


async def performed(source: DockerSource, kind: Kind, name: str, folder: Path) -> tuple[Outcome, Journal]:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "docker": {"local": source.socket}})
    guard = GuardState(read_only=False, reading_of=lambda _: Reading(source.name, 2.0, taken_at=0.0))
    journal = Journal(folder, "t", "dev")
    performer = Performer(
        profile, {(kind.name, source.name): kind(source)}, guard, journal, pause=lambda seconds: asyncio.sleep(0.01)
    )

    async def confirm(*_: object) -> Consent:
        return Consent(Ask.NAME)

    outcome = await performer.perform(await asked(source, kind, name), confirm, lambda request, what: None)
    return outcome, journal


async def test_a_restart_is_planned_from_what_the_engine_says_now(source: DockerSource) -> None:
    verb = RestartContainer(source)
    action = await verb.plan(await asked(source, RestartContainer, "api"))
    assert "unhealthy" in action.before
    assert action.risk is Risk.MEDIUM
    assert "compose service shop/api" in action.impact
    assert action.command.startswith(f"docker -H unix://{source.socket} restart ")
    assert action.inverse is None
    assert "must-not-be-kept" not in repr(action)


async def test_a_restart_goes_to_the_full_id_once_and_is_green_when_healthy(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    outcome, journal = await performed(source, RestartContainer, "api", tmp_path)
    assert (outcome.ending, outcome.detail) == (Ending.CONVERGED, "running, healthy")
    assert engine.posted == ["restart api"]
    assert f"/v1.41/containers/{engine.id_of('api')}/restart" in engine.asked
    assert [entry["what"] for entry in journal.entries()] == ["intent", "accepted", "outcome"]


async def test_an_answer_that_is_lost_is_unknown_and_then_found_out_by_reading(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    engine.loses_answers = True
    outcome, journal = await performed(source, RestartContainer, "api", tmp_path)
    assert engine.posted == ["restart api"], "never sent twice"
    assert outcome.ending is Ending.CONVERGED
    assert [entry.get("ending") for entry in journal.entries()][1:] == ["unknown", "converged"]


async def test_a_run_that_somebody_started_since_is_not_struck(engine: Engine, source: DockerSource) -> None:
    verb = StopContainer(source)
    request = await asked(source, StopContainer, "web")
    action = await verb.plan(request)
    engine.set_state("web", StartedAt="2026-11-26T15:30:00.000000002Z")
    assert (await verb.sight(action))[0] is Sight.CHANGED
    with pytest.raises(NotSentError, match="started anew"):
        await verb.execute(action)
    with pytest.raises(NotSentError, match="started anew"):
        await verb.plan(request)
    assert engine.posted == []


async def test_a_crash_loop_can_be_stopped_though_each_look_finds_another_run(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    request = await asked(source, StopContainer, "crash")
    engine.set_state("crash", StartedAt="2026-11-26T15:30:00.000000002Z")
    action = await StopContainer(source).plan(request)
    await StopContainer(source).execute(action)
    assert engine.posted == ["stop crash"]


async def test_another_container_of_the_same_name_is_not_the_one_that_was_seen(
    engine: Engine, source: DockerSource
) -> None:
    verb = RestartContainer(source)
    action = await verb.plan(await asked(source, RestartContainer, "web"))
    engine.remove("web")
    with pytest.raises(GoneError, match="was removed"):
        await verb.execute(action)
    assert (await verb.sight(action))[0] is Sight.GONE


async def test_a_stop_can_be_taken_back_by_a_start_while_the_run_is_still_ours(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    outcome, _ = await performed(source, StopContainer, "web", tmp_path)
    assert outcome.ending is Ending.CONVERGED
    assert outcome.action is not None
    inverse = outcome.action.inverse
    assert inverse is not None
    assert (await StartContainer(source).plan(inverse)).after.startswith("running")
    engine.set_state("web", StartedAt="2026-11-26T15:30:00.000000002Z", Status="exited")
    with pytest.raises(NotSentError, match="started anew"):
        await StartContainer(source).plan(inverse)


async def test_stopping_what_is_removed_on_exit_says_so_and_has_no_way_back(
    engine: Engine, source: DockerSource
) -> None:
    engine.of("web")["HostConfig"]["AutoRemove"] = True
    action = await StopContainer(source).plan(await asked(source, StopContainer, "web"))
    assert any("REMOVED" in line for line in action.impact)
    assert action.inverse is None
    receipt = await StopContainer(source).execute(action)
    engine.remove("web")
    look = await StopContainer(source).look(action.sent(0.0).learned(receipt))
    assert look.phase is Phase.CONVERGED


@pytest.mark.parametrize(("kind", "name"), [(StartContainer, "web"), (StopContainer, "job")])
async def test_what_is_so_already_is_not_asked_for(kind: Kind, name: str, source: DockerSource, engine: Engine) -> None:
    with pytest.raises(NotSentError):
        await kind(source).plan(await asked(source, kind, name))
    assert engine.posted == []


async def test_a_conflict_is_a_refusal_in_the_engine_s_words(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    engine.refusals["/restart"] = (409, "container is marked for removal")
    outcome, _ = await performed(source, RestartContainer, "web", tmp_path)
    assert outcome.ending is Ending.NOT_SENT
    assert "marked for removal" in outcome.detail


async def test_an_engine_that_failed_in_the_middle_is_asked_what_became_of_it(
    engine: Engine, source: DockerSource, tmp_path: Path
) -> None:
    engine.refusals["/start"] = (500, "driver failed programming external connectivity: port is already allocated")
    request = await asked(source, StartContainer, "job")
    verb = StartContainer(source)
    action = await verb.plan(request)
    with pytest.raises(Exception, match="port is already allocated"):
        await verb.execute(action)
    engine.set_state("job", Error="port is already allocated")
    look = await verb.look(action.sent(0.0))
    assert (look.phase, "already allocated" in look.detail) == (Phase.NOT_CONVERGED, True)


async def test_one_that_comes_up_and_ends_again_is_not_green(engine: Engine, source: DockerSource) -> None:
    verb = RestartContainer(source)
    action = await verb.plan(await asked(source, RestartContainer, "web"))
    receipt = await verb.execute(action)
    sent = action.sent(0.0).learned(receipt)
    assert (await verb.look(sent)).phase is Phase.WAITING, "it has no health check: it must run for a while"
    engine.set_state("web", Status="exited", Running=False, ExitCode=1)
    look = await verb.look(sent)
    assert (look.phase, look.detail) == (Phase.NOT_CONVERGED, "it started and ended again: exited (1)")


async def test_the_same_run_long_after_means_that_it_was_never_restarted(source: DockerSource) -> None:
    verb = RestartContainer(source)
    action = await verb.plan(await asked(source, RestartContainer, "web"))
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT
