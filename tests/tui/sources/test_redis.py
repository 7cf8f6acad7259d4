"""The source against a scripted server (odd answers) and against the sandbox's real one."""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import RedisInstance
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import acl_rule, translated
from tui.sources.redis_snapshot import RedisSnapshot

INFO = "redis_version:5.0.14\r\nrun_id:abc\r\nused_memory:1000\r\nconnected_clients:1\r\n"


def bulk(text: str) -> bytes:
    raw = text.encode()
    return b"$%d\r\n%s\r\n" % (len(raw), raw)


class Scripted:
    """A server that answers each command with the bytes a test chose, and keeps what it was asked."""

    def __init__(self, path: Path, answers: dict[str, bytes], default: bytes = b"-ERR unknown command\r\n") -> None:
        self.path = path
        self.answers = answers
        self.default = default
        self.asked: list[str] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Scripted":
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readline():
                parts = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    parts.append((await reader.readexactly(size + 2))[:-2].decode())
                asked = " ".join(parts)
                self.asked.append(asked)
                found = next((a for start, a in self.answers.items() if asked.upper().startswith(start)), self.default)
                writer.write(found)

    def source(self, **entry: Any) -> RedisSource:
        return RedisSource("cache", RedisInstance(url=f"unix://{self.path}", **entry))


async def read_twice(source: RedisSource) -> RedisSnapshot:
    await source.read()
    snapshot = await source.read()
    await source.close()
    return snapshot


async def test_a_server_without_hello_is_spoken_to_in_protocol_2(tmp_path: Path) -> None:
    async with Scripted(tmp_path / "s", {"INFO EVERYTHING": bulk(""), "INFO ALL": bulk(INFO)}) as server:
        snapshot = await read_twice(server.source())
        assert snapshot.server.version == "5.0.14"
        assert snapshot.memory.used_bytes == 1000


async def test_a_command_the_server_lacks_is_sent_once_and_named(tmp_path: Path) -> None:
    async with Scripted(tmp_path / "s", {"INFO": bulk(INFO)}) as server:
        snapshot = await read_twice(server.source())
        assert server.asked.count("LATENCY LATEST") == 1
        assert server.asked.count("CLIENT LIST") == 1
        refused = {refusal.command: refusal.reason for refusal in snapshot.refusals}
        assert refused["LATENCY LATEST"] == "not offered by this server"
        assert snapshot.clients is None


async def test_a_command_that_is_not_permitted_names_the_rule_that_helps(tmp_path: Path) -> None:
    answers = {
        "AUTH": b"+OK\r\n",
        "INFO": bulk(INFO),
        "CLIENT LIST": b"-NOPERM User web has no permissions to run it\r\n",
    }
    async with Scripted(tmp_path / "s", answers) as server:
        snapshot = await read_twice(server.source(username="web"))
        refused = {refusal.command: refusal.reason for refusal in snapshot.refusals}
        assert refused["CLIENT LIST"] == "not permitted for user web: +client|list"


CLUSTERED = INFO + "role:slave\r\nredis_mode:cluster\r\n"
NODE = "07c37dfeb235213a872192d90877d0cd55635b91"


async def test_a_node_of_a_cluster_is_known_by_its_name_asked_once(tmp_path: Path) -> None:
    async with Scripted(tmp_path / "s", {"INFO": bulk(CLUSTERED), "CLUSTER MYID": bulk(NODE)}) as server:
        snapshot = await read_twice(server.source())
        assert [(trait.key, trait.value) for trait in snapshot.traits()] == [
            ("role", "replica"),
            ("cluster_myid", NODE),
        ]
        assert server.asked.count("CLUSTER MYID") == 1


async def test_a_server_outside_a_cluster_is_not_asked_for_the_name_of_a_node(tmp_path: Path) -> None:
    info = INFO + "role:master\r\nredis_mode:standalone\r\n"
    async with Scripted(tmp_path / "s", {"INFO": bulk(info)}) as server:
        role, node = (await read_twice(server.source())).traits()
        assert (role.value, role.lasts) == ("master", True)
        assert (node.value, node.lasts) == ("none, it is in no cluster", False)
        assert "CLUSTER MYID" not in server.asked, "the server would count it as an error"


async def test_a_name_that_may_not_be_asked_for_costs_only_that_fact(tmp_path: Path) -> None:
    answers = {"AUTH": b"+OK\r\n", "INFO": bulk(CLUSTERED), "CLUSTER MYID": b"-NOPERM no permissions to run it\r\n"}
    async with Scripted(tmp_path / "s", answers) as server:
        role, node = (await read_twice(server.source(username="web"))).traits()
        assert role.value == "replica"
        assert (node.value, node.missing) == (None, "CLUSTER MYID is not permitted for user web: +cluster|myid")
        assert server.asked.count("CLUSTER MYID") == 1


async def test_without_info_nothing_tells_a_server_from_others(tmp_path: Path) -> None:
    answers = {"AUTH": b"+OK\r\n", "INFO": b"-NOPERM no permissions to run it\r\n", "DBSIZE": b":1\r\n"}
    async with Scripted(tmp_path / "s", answers) as server:
        role, node = (await read_twice(server.source(username="web"))).traits()
        assert role.value is node.value is None
        assert "INFO is not permitted for user web: +info" in role.missing


async def test_a_loading_server_is_read_by_info_alone(tmp_path: Path) -> None:
    loading = INFO + "loading:1\r\nloading_loaded_perc:43.5\r\nloading_eta_seconds:12\r\n"
    async with Scripted(tmp_path / "s", {"INFO": bulk(loading)}, b"-LOADING Redis is loading\r\n") as server:
        source = server.source()
        with pytest.raises(Unreachable, match="LOADING"):
            await source.read()  # HELLO itself is refused here; a real server answers it
        server.answers |= {"HELLO": b"-ERR unknown command\r\n", "CLIENT": b"-ERR unknown command\r\n"}
        snapshot = await read_twice(source)
        assert snapshot.persistence.is_loading
        assert (snapshot.persistence.loaded_percent, snapshot.persistence.loading_eta_s) == (43.5, 12)
        assert "LATENCY LATEST" not in server.asked


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"-NOAUTH HELLO must be called with the client already authenticated\r\n", "NOAUTH"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "WRONGPASS"),
        (b"-DENIED Redis is running in protected mode\r\n", "protected mode"),
    ],
)
async def test_refused_credentials_are_told_with_a_remedy(tmp_path: Path, answer: bytes, says: str) -> None:
    async with Scripted(tmp_path / "s", {}, answer) as server:
        with pytest.raises((Denied, Unreadable), match=says) as caught:
            await server.source().read()
        assert caught.value.remedy


async def test_a_password_is_in_no_message_even_when_the_server_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSTUI_TEST_PASSWORD", "hunter2")
    repeats = b"-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hunter2'\r\n"
    async with Scripted(tmp_path / "s", {}, repeats) as server:
        with pytest.raises((Denied, Unreadable)) as caught:
            await server.source(password="env:OPSTUI_TEST_PASSWORD").read()
        told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.remedy}"
        assert "hunter2" not in told


async def test_a_script_that_holds_everything_up_is_named(tmp_path: Path) -> None:
    async with Scripted(tmp_path / "s", {"HELLO": b"-ERR unknown command\r\n"}, b"-BUSY Redis is busy\r\n") as server:
        with pytest.raises(Unreachable, match="runs a script"):
            await server.source().read()


async def test_something_else_than_redis_cannot_be_read(tmp_path: Path) -> None:
    async with Scripted(tmp_path / "s", {}, b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        with pytest.raises(Unreadable, match="does not speak"):
            await server.source().read()


async def test_nobody_listening_is_told_at_once(tmp_path: Path) -> None:
    source = RedisSource("cache", RedisInstance(url=f"unix://{tmp_path}/nobody"))
    with pytest.raises(Unreachable, match="nothing listens"):
        await source.read()


async def test_a_closed_port_is_told_in_plain_words() -> None:
    with pytest.raises(Unreachable, match=r"nothing listens at 127\.0\.0\.1:1"):
        await RedisSource("cache", RedisInstance(url="redis://127.0.0.1:1")).read()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error -2 connecting to cache:6379. Name or service not known.", "cache:6379: Name or service not known"),
        ("Error UNKNOWN while writing to socket. Connection lost.", "cache:6379 closed the connection"),
        ("max number of clients reached", "max number of clients reached"),
    ],
)
def test_the_library_s_own_words_are_left_out(said: str, told: str) -> None:
    from redis.exceptions import ConnectionError as LostError

    assert translated(LostError(said), "cache:6379").message == told


async def test_a_url_that_is_none_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSTUI_TEST_URL", "http://:hunter2@cache")
    with pytest.raises(Unreadable) as caught:
        await RedisSource("cache", RedisInstance(url="env:OPSTUI_TEST_URL")).read()
    assert "hunter2" not in str(caught.value)


async def test_a_missing_variable_is_named() -> None:
    source = RedisSource("cache", RedisInstance(url="unix:///x", password="env:OPSTUI_NO_SUCH_VARIABLE"))
    with pytest.raises(Denied, match="OPSTUI_NO_SUCH_VARIABLE"):
        await source.read()


def test_the_rule_that_permits_a_command_names_its_subcommand() -> None:
    assert acl_rule(("INFO", "everything")) == "+info"
    assert acl_rule(("CLIENT", "LIST")) == "+client|list"
    assert acl_rule(("DBSIZE",)) == "+dbsize"


# The real server


@pytest.fixture
async def source(sandbox: BlockingSandbox) -> AsyncIterator[RedisSource]:
    source = RedisSource("cache", RedisInstance(url=sandbox.endpoints["redis"]))
    yield source
    await source.close()


async def eventually(
    source: RedisSource, is_so: Callable[[RedisSnapshot], bool], within_s: float = 10
) -> RedisSnapshot:
    deadline = time.monotonic() + within_s
    while True:
        snapshot = await source.read()
        if is_so(snapshot):
            return snapshot
        assert time.monotonic() < deadline, snapshot
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def other_client(sandbox: BlockingSandbox, name: str) -> AsyncIterator[Any]:
    from redis.asyncio import Redis

    async with Redis.from_url(sandbox.endpoints["redis"], client_name=name) as client:
        await client.ping()
        yield client


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_the_sandbox_is_read_whole(source: RedisSource) -> None:
    await source.read()
    snapshot = await eventually(source, lambda s: (s.rates.ops_per_s or 0) > 0)
    assert snapshot.server.product == "Valkey"
    assert snapshot.memory.max_bytes
    assert snapshot.clients
    assert [client.name for client in snapshot.clients if client.is_own] == ["opstui"]
    assert snapshot.slowlog is not None
    assert snapshot.refusals == ()
    assert snapshot.commands
    assert snapshot.history["memory"].last == snapshot.memory.used_bytes


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_what_another_client_does_is_seen(sandbox: BlockingSandbox, source: RedisSource) -> None:
    name = f"probe-{secrets.token_hex(4)}"
    async with other_client(sandbox, name) as client:
        await client.eval("for i = 1, 2000000 do end return ARGV[1]", 0, name)  # slower than the slow log's 2 ms
        snapshot = await eventually(source, lambda s: any(c.name == name for c in s.clients or ()))
        assert any(name in entry.command for entry in snapshot.slowlog or ())


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_a_user_without_rights_still_sees_what_he_may(sandbox: BlockingSandbox) -> None:
    user = f"probe-{secrets.token_hex(4)}"
    async with other_client(sandbox, "admin") as client:
        await client.execute_command(
            "ACL", "SETUSER", user, "on", "nopass", "+ping", "+hello", "+memory|stats", "+dbsize"
        )
        source = RedisSource("cache", RedisInstance(url=sandbox.endpoints["redis"], username=user))
        try:
            snapshot = await read_twice(source)
            before = (await client.info("stats"))["acl_access_denied_cmd"]
            assert snapshot.memory.used_bytes
            assert snapshot.clients is None
            reasons = {refusal.command: refusal.reason for refusal in snapshot.refusals}
            assert reasons["INFO everything"] == f"not permitted for user {user}: +info"
            await source.read()
            await source.read()
            after = (await client.info("stats"))["acl_access_denied_cmd"]
            assert after - before <= 12  # one connection's probes, not one per reading
        finally:
            await source.close()
            await client.execute_command("ACL", "DELUSER", user)


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_a_stopped_server_is_unreachable_and_comes_back(sandbox: BlockingSandbox, source: RedisSource) -> None:
    await source.read()
    os.kill(sandbox.pids["redis"], signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable, match="no answer"):
            await source.read()
    finally:
        os.kill(sandbox.pids["redis"], signal.SIGCONT)
    assert (await source.read()).memory.used_bytes


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_a_read_that_was_given_up_leaves_no_replies_for_the_next(
    sandbox: BlockingSandbox, source: RedisSource
) -> None:
    first = await source.read()
    os.kill(sandbox.pids["redis"], signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await source.read()
    finally:
        os.kill(sandbox.pids["redis"], signal.SIGCONT)
    assert (await source.read()).server.run_id == first.server.run_id
