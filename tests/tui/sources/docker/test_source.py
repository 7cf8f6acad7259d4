"""One engine behind a socket: what is asked, how often, and what failures are called."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profiles.hosts import DockerEngine
from tests.tui.docker_engine import Engine
from tui.sources.docker.facts import DockerSnapshot
from tui.sources.docker.source import DockerSource
from tui.sources.errors import Denied, Unreachable, Unreadable

NOW = 1_795_703_340.0
"""Shortly after what was recorded."""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    engine = Engine()
    engine.now = NOW
    async with engine.at(tmp_path / "s"):
        yield engine


def source_of(folder: Path, *containers: str, measures: bool = False) -> DockerSource:
    entry = DockerEngine(socket=str(folder / "s"), containers=list(containers))
    return DockerSource("local", entry, measures=measures, now=lambda: NOW)


def full(engine: Engine) -> list[str]:
    """Return the names of the containers that were read in full since the last time, and forget them."""
    names = {id_: one["Name"].lstrip("/") for id_, one in engine.full.items()}
    found = [names[path.split("/")[3]] for path in engine.asked if path.endswith("/json") and path.count("/") == 4]
    engine.asked.clear()
    return sorted(found)


def numbers(snapshot: DockerSnapshot, metric: str) -> dict[str, float]:
    return {one.object: one.value for one in snapshot.numbers() if one.metric == metric}


async def test_a_reading_holds_every_container_with_what_rules_judge(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    snapshot = await source.read()
    assert snapshot.version.api == "1.41"
    assert {one.name for one in snapshot.containers.values()} == {"web", "api", "crash", "job", "tty", "hog"}
    assert numbers(snapshot, "down") == {"web": 0, "api": 0, "crash": 1, "job": 0, "tty": 0, "hog": 0}
    assert numbers(snapshot, "unhealthy") == {"api": 1}
    assert numbers(snapshot, "oom_killed")["hog"] == 1
    assert numbers(snapshot, "restarts")["crash"] == 1, "its count and its start say that it was restarted lately"
    await source.close()


async def test_in_full_is_read_only_what_has_changed(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    await source.read()
    full(engine)
    await source.read()
    assert full(engine) == []
    engine.set_state("web", Status="paused", Paused=True)
    await source.read()
    assert full(engine) == ["web"]
    event = {"Type": "container", "Action": "die", "time": int(NOW), "timeNano": int(NOW * 1e9) + 5,
             "Actor": {"ID": engine.id_of("tty"), "Attributes": {"name": "tty", "exitCode": "1"}}}  # fmt: skip
    engine.events.append(event)
    snapshot = await source.read()
    assert full(engine) == ["tty"]
    assert [(one.name, one.action, one.exit_code) for one in snapshot.events] == [("tty", "die", 1)]
    assert (await source.read()).events == (), "an event is told once, though its second is asked for twice"
    await source.close()


async def test_another_run_is_noticed_without_any_event(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path, "web")
    row = next(row for row in engine.listed if row["Id"] == engine.id_of("web"))
    for status, is_read in (("Up 50 seconds", True), ("Up 59 seconds", False), ("Up About a minute", True)):
        row["Status"] = status
        await source.read()
        assert (full(engine) == ["web"]) == is_read, status
    row["Status"] = "Up 2 minutes"
    await source.read()
    full(engine)
    row["Status"] = "Up 3 seconds"
    engine.of("web")["State"]["StartedAt"] = "2026-11-26T15:00:00.000000001Z"
    found = (await source.read()).named("web")
    assert found is not None
    assert found.started_at == "2026-11-26T15:00:00.000000001Z"
    await source.close()


async def test_restarts_are_counted_as_they_are_seen(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path, "crash")
    await source.read()
    engine.of("crash")["RestartCount"] += 4
    engine.set_state("crash", Status="running", Restarting=False)
    assert numbers(await source.read(), "restarts") == {"crash": 5}
    await source.close()


async def test_only_what_the_profile_names_is_shown_and_what_is_missing_is_down(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path, "w*", "queue", "nothing-*")
    snapshot = await source.read()
    assert {one.name for one in snapshot.containers.values()} == {"web"}
    assert (snapshot.missing, snapshot.unmatched) == (("queue",), ("nothing-*",))
    assert numbers(snapshot, "down") == {"web": 0, "queue": 1}
    await source.close()


async def test_use_is_measured_only_for_who_looks(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    await source.read()
    assert not [path for path in engine.asked if path.endswith("/stats")]
    source.look_at()
    await source.read()
    for _ in range(200):
        await asyncio.sleep(0.005)
        if len([path for path in engine.asked if path.endswith("/stats")]) == 3:
            break
    source.look_at()
    found = await source.read()
    assert {one.name for one in found.containers.values() if one.use} <= {"web", "api", "tty"}
    await source.close()


async def test_where_a_rule_judges_use_the_first_reading_has_it(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path, "api", measures=True)
    assert numbers(await source.read(), "memory_percent")["api"] > 0
    await source.close()


async def test_a_container_that_goes_between_list_and_question_is_left_out(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    del engine.full[engine.id_of("web")]
    assert "web" not in {one.name for one in (await source.read()).containers.values()}
    await source.close()


async def test_past_events_are_asked_for_as_each_engine_ends_the_answer(engine: Engine, tmp_path: Path) -> None:
    source = source_of(tmp_path)
    await source.read()
    engine.version["Components"][0]["Name"] = "Podman Engine"
    source.connection.version = None
    assert (await source.read()).version.engine == "Podman Engine"
    docker, podman = engine.event_queries
    assert ("until" in docker, "stream" in docker) == (True, False)
    assert ("until" in podman, podman["stream"]) == (False, "false")
    await source.close()


async def test_without_events_the_rest_is_read_and_that_is_said(engine: Engine, tmp_path: Path) -> None:
    engine.refusals["/events"] = (403, "events are not for you")
    source = source_of(tmp_path)
    snapshot = await source.read()
    assert "events are not for you" in snapshot.notes[0]
    assert snapshot.containers
    await source.close()


async def test_no_socket_is_unreachable_with_a_remedy(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    with pytest.raises(Unreachable, match="no such socket; start it"):
        await source.read()
    await source.close()


async def test_a_socket_nobody_listens_at_any_more_is_unreachable(tmp_path: Path) -> None:
    async with Engine().at(tmp_path / "s"):
        pass
    if not (tmp_path / "s").exists():
        import socket

        socket.socket(socket.AF_UNIX).bind(str(tmp_path / "s"))
    source = source_of(tmp_path)
    with pytest.raises(Unreachable, match="no engine answers"):
        await source.read()
    await source.close()


async def test_a_socket_that_may_not_be_opened_is_denied_with_the_group_to_join(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may open any socket, so the kernel's answer stands in for it here.
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", refused)
    source = source_of(tmp_path)
    with pytest.raises(Denied, match="permission denied; join the group"):
        await source.read()
    await source.close()


async def test_an_answer_that_is_no_engine_s_is_unreadable(engine: Engine, tmp_path: Path) -> None:
    engine.listed = "nonsense"  # type: ignore[assignment]
    source = source_of(tmp_path)
    snapshot_or_error = await asyncio.gather(source.read(), return_exceptions=True)
    assert isinstance(snapshot_or_error[0], Unreadable)
    await source.close()


async def test_an_engine_that_comes_back_is_read_again(tmp_path: Path) -> None:
    source, path = source_of(tmp_path), tmp_path / "s"
    engine = Engine()
    async with engine.at(path):
        assert (await source.read()).containers
    await source.connection.close()
    path.unlink(missing_ok=True)
    with pytest.raises(Unreachable):
        await source.read()
    async with Engine().at(path):
        assert (await source.read()).containers
    await source.close()
    assert os.path.basename(source.socket) == "s"
