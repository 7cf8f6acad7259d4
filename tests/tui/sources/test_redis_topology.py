"""A cluster of three and a master behind sentinels, real ones: who belongs together, and who is the master now."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import MovedError

from profiles.sentinel import sentinels_of
from profiles.systems import RedisInstance
from tests.redis_servers import Server, free_ports, server, until
from tui.sources import redis_topology
from tui.sources.errors import SourceError, Unreachable
from tui.sources.redis import NODES, RedisSource
from tui.sources.redis_cli import redis_cli
from tui.sources.redis_sampler import KeySampler
from tui.sources.redis_snapshot import RedisSnapshot

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@contextlib.contextmanager
def cluster(version: str = "valkey-9") -> Iterator[list[Server]]:
    """Run three masters that share all slots."""
    more = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "yes")
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(server(version, *more, port=port)) for port in free_ports(3)]
        for place, node in enumerate(nodes):
            first, last = 16384 * place // 3, 16384 * (place + 1) // 3 - 1
            node.admin().execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            for other in nodes[:place]:
                node.admin().execute_command("CLUSTER", "MEET", "127.0.0.1", other.port)
        for node in nodes:
            admin = node.admin()
            until(lambda admin=admin: admin.cluster("INFO")["cluster_state"] == "ok", "no cluster")  # type: ignore[misc]
        yield nodes


async def seen(source: RedisSource, view: str = NODES) -> RedisSnapshot:
    await source.read()
    source.look_at(view)
    return await source.read()


def numbers(snapshot: RedisSnapshot) -> dict[str, float]:
    return {number.metric: number.value for number in snapshot.numbers()}


async def test_a_node_of_a_cluster_of_three_knows_the_others_and_says_when_one_is_lost() -> None:
    with cluster() as nodes:
        source = RedisSource("cache", RedisInstance(url=nodes[0].url))
        found = await seen(source)
        assert [(node.role, node.state) for node in found.nodes] == [("master", "ok")] * 3
        assert sum(node.slots for node in found.nodes) == redis_topology.SLOTS
        assert [node.address for node in found.nodes if node.is_self] == [f"127.0.0.1:{nodes[0].port}"]
        assert numbers(found)["cluster_failing"] == 0
        nodes[2].stop()
        async with asyncio.timeout(20):
            while numbers(found := await seen(source))["cluster_failing"] == 0:
                await asyncio.sleep(0.05)
        (lost,) = (node for node in found.nodes if node.address.endswith(f":{nodes[2].port}"))
        assert lost.state in ("fail?", "fail")
        assert found.memory.used_bytes, "the node that answers is still read in full"
        await source.close()


async def test_each_node_is_walked_over_by_itself() -> None:
    with cluster() as nodes:
        for admin in [node.admin() for node in nodes]:
            for number in range(300):
                with contextlib.suppress(MovedError):  # the slot is another node's
                    admin.set(f"user:{number}", "x")
        samplers = [KeySampler(RedisInstance(url=node.url), keys_per_s=1e9) for node in nodes]
        for sampler in samplers:
            sampler.start()
        async with asyncio.timeout(20):
            while any(sampler.is_running for sampler in samplers):
                await asyncio.sleep(0.01)
        walked = [sampler.facts() for sampler in samplers]
        assert sum(one.space.seen for one in walked if one) == 300
        assert all(one is not None and one.has_error and not one.stopped_by for one in walked)


async def test_hash_tags_keep_a_part_of_a_node_from_stating_an_error() -> None:
    with cluster() as nodes:
        for admin in [node.admin() for node in nodes]:
            for number in range(400):
                with contextlib.suppress(MovedError):
                    admin.set(f"{{user{number % 9}}}:{number}", "x")
        node = max(nodes, key=lambda one: int(one.admin().dbsize()))

        pauses = itertools.count()

        async def pause(seconds: float) -> None:
            if next(pauses) == 3:
                sampler.stop()
            await asyncio.sleep(0)

        sampler = KeySampler(RedisInstance(url=node.url), pause=pause)
        sampler.start()
        async with asyncio.timeout(20):
            while sampler.is_running:
                await asyncio.sleep(0.01)
        found = sampler.facts()
        assert found is not None
        assert 0 < found.space.seen < found.space.total
        assert not found.has_error


@contextlib.contextmanager
def watched() -> Iterator[tuple[list[Server], list[Server]]]:
    """Run a master, its replica and two sentinels that agree on them; yields the servers and the sentinels."""
    ports = free_ports(4)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(server("valkey-9", port=port)) for port in ports[:2]]
        servers[1].admin().execute_command("REPLICAOF", "127.0.0.1", ports[0])
        until(lambda: servers[0].admin().info("replication")["connected_slaves"] == 1, "no replica")
        sentinels = [stack.enter_context(sentinel(port, ports[0])) for port in ports[2:]]
        for one in sentinels:
            until(lambda one=one: b"slaves=1,sentinels=2" in raw_info(one), "the sentinels do not know each other")  # type: ignore[misc]
        yield servers, sentinels


def raw_info(one: Server) -> bytes:
    admin = one.admin()
    admin.set_response_callback("INFO", lambda reply, **_: reply)
    return bytes(admin.execute_command("INFO", "sentinel"))


@contextlib.contextmanager
def sentinel(port: int, master: int) -> Iterator[Server]:
    with server("valkey-9") as lent:  # a folder and a program of the same kind; the server itself is not used
        lent.stop()
        settings = lent.folder / "sentinel.conf"
        settings.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {lent.folder}\nsentinel monitor cache-main 127.0.0.1 {master} 2\n"
            "sentinel down-after-milliseconds cache-main 1000\nsentinel failover-timeout cache-main 5000\n"
        )
        lent.folder.chmod(0o777)
        settings.chmod(0o666)
        found = Server(lent.program, lent.folder, (str(settings), "--sentinel"), port)
        try:
            found.start()
            yield found
        finally:
            found.stop()


async def test_the_master_is_found_through_sentinels_and_found_again_after_it_died() -> None:
    with watched() as (servers, sentinels):
        places = ",".join(f"127.0.0.1:{one.port}" for one in sentinels)
        source = RedisSource("cache", RedisInstance(url=f"redis+sentinel://{places}/cache-main"))
        found = await source.read()
        assert found.address == f"127.0.0.1:{servers[0].port}"
        assert found.replication.role == "master"
        assert "replica_lag_bytes" in numbers(found)
        servers[0].stop()
        with pytest.raises(SourceError):
            await source.read()
        async with asyncio.timeout(30):
            while found.address != f"127.0.0.1:{servers[1].port}":
                with contextlib.suppress(SourceError):
                    found = await source.read()
                await asyncio.sleep(0.1)
        assert found.replication.role == "master"
        sentinels[0].stop()
        await source.close()
        assert (await source.read()).address == f"127.0.0.1:{servers[1].port}", "the second sentinel is asked"
        await source.close()


async def test_a_sentinel_itself_shows_what_it_watches_and_what_is_down() -> None:
    with watched() as (servers, sentinels):
        source = RedisSource("guard", RedisInstance(url=sentinels[0].url))
        found = await seen(source)
        (master,) = found.nodes
        assert (master.id, master.state, master.note) == ("cache-main", "ok", "1 replicas, 2 sentinels")
        assert numbers(found)["masters_down"] == 0
        assert found.server.mode == "sentinel"
        servers[0].stop()
        async with asyncio.timeout(20):
            while numbers(found)["masters_down"] == 0 and found.nodes[0].address == master.address:
                found = await seen(source)
                await asyncio.sleep(0.02)
        await source.close()


async def test_a_name_no_sentinel_knows_and_sentinels_that_do_not_answer_are_said() -> None:
    (port,) = free_ports(1)
    source = RedisSource("cache", RedisInstance(url=f"redis+sentinel://127.0.0.1:{port}/cache-main"))
    with pytest.raises(Unreachable, match=f"sentinel nothing listens at 127.0.0.1:{port}"):
        await source.read()
    with server("valkey-9", port=port), pytest.raises(Unreachable, match="not offered by this server"):
        await source.read()


def test_an_address_names_sentinels_master_and_database() -> None:
    found = sentinels_of("rediss+sentinel://ops@a,[::1]:5,b:26380/cache%20main/3")
    assert found.addresses == (("a", 26379), ("::1", 5), ("b", 26380))
    assert (found.master, found.db, found.username, found.is_tls) == ("cache main", 3, "ops", True)
    for wrong in ("redis+sentinel://a", "redis+sentinel:///m", "redis+sentinel://a:b/m", "redis+sentinel://a/m/x"):
        with pytest.raises(ValueError, match="sentinel"):
            sentinels_of(wrong)


def test_by_hand_the_sentinel_is_asked_first() -> None:
    entry = RedisInstance(url="redis+sentinel://s-1:26379,s-2/main/2", username="ops")
    assert redis_cli(entry, "PING") == (
        "set -- $(redis-cli -h s-1 -p 26379 SENTINEL GET-MASTER-ADDR-BY-NAME main); "
        'redis-cli -h "$1" -p "$2" -n 2 --user ops PING'
    )


NODES_TEXT = b"""\
07c3 127.0.0.1:30004@31004,host-4 slave e7d1 0 1426238317239 4 connected
67ed 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected 5461-10922 [93->-e7d1]
e7d1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 7000
6ec2 127.0.0.1:30005@31005 master,fail? - 1426238318243 1426238316232 5 disconnected
broken
"""


def test_replicas_stand_behind_their_masters_and_what_is_wrong_is_in_the_servers_words() -> None:
    nodes = redis_topology.cluster_nodes(NODES_TEXT)
    assert [(node.address[-1], node.role, node.state, node.slots) for node in nodes] == [
        ("1", "master", "ok", 5462),
        ("4", "replica", "ok", 0),
        ("2", "master", "ok", 5462),
        ("5", "master", "fail?", 0),
    ]
    assert nodes[2].note == "slots are being moved"


@given(st.binary(max_size=300))
def test_whatever_comes_as_nodes_is_read_and_harmless(raw: bytes) -> None:
    for node in redis_topology.cluster_nodes(raw):
        assert "\x1b" not in f"{node}"
    redis_topology.cluster_info(raw)
