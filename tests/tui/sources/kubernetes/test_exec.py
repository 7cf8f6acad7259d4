"""Programs in containers, on the simulated cluster, on good days and bad."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import PODS
from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.exec import Channel, Ended, Gone, Missing, Place, Session, ended, run, session

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


@pytest.fixture(params=[True, False], ids=["tls", "plain"])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    async with Cluster(speed=20, tls=request.param) as running:
        yield running


class _Connections:
    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self.made: list[Connection] = []

    def __call__(self, user: str = "admin") -> Connection:
        path = self._cluster.write_kubeconfig(self._folder / user, user)
        self.made.append(Connection(Kubernetes(kubeconfig=str(path)), {}))
        return self.made[-1]


@pytest.fixture
async def connect(cluster: Cluster, tmp_path: Path) -> AsyncIterator[_Connections]:
    made = _Connections(cluster, tmp_path)
    yield made
    for connection in made.made:
        await connection.close()


def queue(cluster: Cluster, container: str = "app") -> Place:
    uid = cluster.store.get(PODS, "shop", "queue-0")["metadata"]["uid"]
    return Place("shop", "queue-0", uid, container)


async def test_output_errors_and_exit_status_come_apart(cluster: Cluster, connect: _Connections) -> None:
    ran = await run(connect(), queue(cluster), ["cat", "/etc/hostname", "/nonesuch"])
    assert (ran.status, ran.stdout, ran.is_cut) == (1, b"queue-0\n", False)
    assert b"No such file" in ran.stderr
    assert cluster.execs.seen == [("shop/queue-0/app", ("cat", "/etc/hostname", "/nonesuch"))]


async def test_arguments_are_never_words_of_a_shell(cluster: Cluster, connect: _Connections) -> None:
    ran = await run(connect(), queue(cluster), ["echo", "$(id); ls & «ü»", "a b"])
    assert ran.stdout.decode() == "$(id); ls & «ü» a b\n"


async def test_a_missing_program_is_told_from_one_that_fails(cluster: Cluster, connect: _Connections) -> None:
    with pytest.raises(Missing, match="executable file not found"):
        await run(connect(), queue(cluster), ["nonesuch"])
    assert (await run(connect(), queue(cluster), ["false"])).status == 1


async def test_refusals_come_in_the_servers_words(cluster: Cluster, connect: _Connections) -> None:
    with pytest.raises(Denied, match='cannot create resource "pods/exec"'):
        await run(connect("viewer"), queue(cluster), ["id"])
    with pytest.raises(SourceError, match="container nonesuch is not valid"):
        await run(connect(), queue(cluster, "nonesuch"), ["id"])
    cluster.misbehave("html", "/api/v1/namespaces/shop/pods/queue-0/exec")
    with pytest.raises(SourceError, match="without a Status object: a proxy"):
        await run(connect(), queue(cluster), ["id"])


async def test_another_pod_under_the_name_is_not_entered(cluster: Cluster, connect: _Connections) -> None:
    place = Place("shop", "queue-0", "00000000-0000-0000-0000-000000000000", "app")
    with pytest.raises(Gone, match="another one now"):
        await run(connect(), place, ["id"])
    assert not cluster.execs.seen


async def test_what_takes_too_long_is_given_up_and_ended(cluster: Cluster, connect: _Connections) -> None:
    with pytest.raises(Unreachable, match="longer than"):
        await run(connect(), queue(cluster), ["sleep", "600"], timeout_s=0.5)
    async with asyncio.timeout(30):
        while cluster.execs.open:
            await asyncio.sleep(0.01)


async def test_a_cut_connection_is_no_end_of_the_program(cluster: Cluster, connect: _Connections) -> None:
    cluster.misbehave("cut", "/api/v1/namespaces/shop/pods/queue-0/exec", after_s=0.3)
    with pytest.raises(Unreachable, match="cut"):
        await run(connect(), queue(cluster), ["sleep", "600"])


async def test_closing_the_connection_ends_a_session(cluster: Cluster, connect: _Connections) -> None:
    connection = connect()
    running = asyncio.create_task(run(connection, queue(cluster), ["sleep", "600"], timeout_s=60))
    async with asyncio.timeout(30):
        while not cluster.execs.open:
            await asyncio.sleep(0.01)
        await connection.close()
        with pytest.raises(Unreachable):
            await running


async def until(running: Session, end: bytes) -> bytes:
    said = b""
    async for channel, content in running.output():
        assert channel is Channel.STDOUT
        said += content
        if said.endswith(end):
            return said
    return said


async def test_a_session_is_typed_at_resized_and_ended(cluster: Cluster, connect: _Connections) -> None:
    async with (
        asyncio.timeout(20),
        session(connect(), queue(cluster), ["sh"], is_typed_at=True) as running,
    ):
        await until(running, b"$ ")
        await running.resize(101, 37)
        await running.type(b"stty size\r")
        assert b"37 101" in await until(running, b"$ ")
        await running.type(b"exit 4\r")
        await until(running, b"never")
        assert running.ended == Ended(4)


async def test_a_session_ends_with_its_pod(cluster: Cluster, connect: _Connections) -> None:
    async with (
        asyncio.timeout(20),
        session(connect(), queue(cluster), ["sh"], is_typed_at=True) as running,
    ):
        await until(running, b"$ ")
        cluster.store.remove(PODS, "shop", "queue-0")
        await until(running, b"never")
        assert running.ended == Ended(137)


@given(
    st.binary(max_size=60) | st.dictionaries(st.text(max_size=9), st.integers()).map(lambda o: json.dumps(o).encode())
)
def test_an_end_told_in_any_form_is_an_end_or_an_error(content: bytes) -> None:
    with suppress(SourceError):
        ended(content)
