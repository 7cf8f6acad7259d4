from tui.sources import redis_info
from tui.sources.redis_facts import ClientCounts, Memory, Rates
from tui.sources.redis_info import Counted, parse_info
from tui.sources.redis_snapshot import RedisSnapshot

VALKEY = b"""# Server\r
redis_version:7.2.4\r
server_name:valkey\r
valkey_version:9.1.2\r
server_mode:standalone\r
run_id:aaaa\r
process_id:71\r
uptime_in_seconds:90\r
\r
# Clients\r
connected_clients:12\r
maxclients:10000\r
blocked_clients:1\r
# Memory\r
used_memory:43201331\r
used_memory_rss:58000000\r
maxmemory:67108864\r
maxmemory_policy:allkeys-lfu\r
mem_fragmentation_ratio:1.41\r
mem_fragmentation_bytes:16000000\r
# Stats\r
instantaneous_ops_per_sec:40\r
total_commands_processed:1000\r
keyspace_hits:100\r
keyspace_misses:50\r
evicted_keys:7\r
rejected_connections:0\r
# Replication\r
role:master\r
connected_slaves:1\r
slave0:ip=10.0.0.7,port=6379,state=online,offset=900,lag=1\r
master_repl_offset:1000\r
# Commandstats\r
cmdstat_get:calls=100,usec=200,usec_per_call=2.00,rejected_calls=0,failed_calls=0\r
cmdstat_config|get:calls=4,usec=100,usec_per_call=25.00,rejected_calls=1,failed_calls=2\r
# Errorstats\r
errorstat_OOM:count=3\r
# Latencystats\r
latency_percentiles_usec_get:p50=1.0,p99=9.5,p99.9=12.0\r
# Keyspace\r
db0:keys=120,expires=20,avg_ttl=90500\r
db3:keys=1,expires=0,avg_ttl=0\r
"""


def later(**fields: str) -> bytes:
    raw = VALKEY.decode()
    for name, value in fields.items():
        lines = [line for line in raw.split("\r\n") if not line.startswith(f"{name}:")]
        raw = "\r\n".join([*lines, f"{name}:{value}"])
    return raw.encode()


def counted(raw: bytes, at: float) -> Counted:
    return Counted(parse_info(raw), at)


def test_valkey_is_not_taken_for_the_redis_version_it_imitates() -> None:
    server = redis_info.server(parse_info(VALKEY))
    assert (server.product, server.version, server.run_id) == ("Valkey", "9.1.2", "aaaa")


def test_a_redis_6_is_called_redis() -> None:
    server = redis_info.server(parse_info(b"redis_version:6.2.14\r\nredis_mode:cluster\r\n"))
    assert (server.product, server.version, server.mode) == ("Redis", "6.2.14", "cluster")


def test_memory_is_in_bytes_and_in_percent_of_maxmemory() -> None:
    memory = redis_info.memory(parse_info(VALKEY))
    assert memory.used_bytes == 43_201_331
    assert memory.percent is not None
    assert round(memory.percent) == 64
    assert memory.policy == "allkeys-lfu"
    assert not memory.is_fragmentation_meaningful


def test_without_maxmemory_there_is_no_percentage() -> None:
    memory = redis_info.memory(parse_info(b"used_memory:10\r\nmaxmemory:0\r\n"))
    assert memory.max_bytes is None
    assert memory.percent is None


def test_fields_a_version_does_not_send_are_none() -> None:
    empty = parse_info(b"")
    assert redis_info.memory(empty) == Memory()
    assert redis_info.counts(empty) == ClientCounts()
    assert redis_info.keyspace(empty) == ()
    assert redis_info.commands(None, Counted(empty, 0)) == ()


def test_a_full_server_that_evicts_nothing_refuses_writes() -> None:
    assert Memory(used_bytes=64, max_bytes=64, policy="noeviction").refuses_writes
    assert not Memory(used_bytes=64, max_bytes=64, policy="allkeys-lru").refuses_writes
    assert not Memory(used_bytes=63, max_bytes=64, policy="noeviction").refuses_writes


def test_rates_are_growth_over_the_time_between() -> None:
    rates = redis_info.rates(
        counted(VALKEY, 10),
        counted(
            later(total_commands_processed="1100", keyspace_hits="109", keyspace_misses="51", evicted_keys="27"), 12
        ),
    )
    assert rates.ops_per_s == 50
    assert rates.hit_percent == 90
    assert rates.evicted_per_s == 10


def test_nothing_looked_up_is_no_hit_ratio() -> None:
    assert redis_info.rates(counted(VALKEY, 10), counted(VALKEY, 12)).hit_percent is None


def test_a_restarted_server_begins_its_rates_anew() -> None:
    rates = redis_info.rates(counted(VALKEY, 10), counted(later(run_id="bbbb", total_commands_processed="9999"), 12))
    assert rates == Rates(ops_per_s=40)


def test_commands_are_ordered_by_calls_per_second() -> None:
    more = "calls=104,usec=300,usec_per_call=2.00,rejected_calls=1,failed_calls=2"
    first, second = redis_info.commands(
        counted(VALKEY, 10), counted(later(**{"cmdstat_config|get": more.replace("=300", "=1100")}), 12)
    )
    assert (first.name, first.calls_per_s, first.usec_per_call) == ("config|get", 50, 10)
    assert (first.rejected, first.failed) == (1, 2)
    assert first.busy_percent == 0.05
    assert (second.name, second.calls_per_s, second.usec_per_call, second.p99_us) == ("get", 0, 2, 9.5)


def test_a_command_called_for_the_first_time_has_a_rate() -> None:
    new = redis_info.commands(counted(VALKEY, 10), counted(later(cmdstat_set="calls=6,usec=60"), 12))
    assert new[0].name == "set"
    assert new[0].calls_per_s == 3


def test_errors_count_from_the_reading_before() -> None:
    (error,) = redis_info.errors(counted(VALKEY, 10), counted(later(errorstat_OOM="count=13"), 12))
    assert (error.name, error.count, error.per_s) == ("OOM", 13, 5)


def test_replicas_and_their_lag_are_read() -> None:
    (replica,) = redis_info.replication(parse_info(VALKEY)).replicas
    assert (replica.addr, replica.offset_lag_bytes, replica.lag_s, replica.state) == ("10.0.0.7:6379", 100, 1, "online")


def test_a_replica_names_its_master() -> None:
    info = parse_info(b"role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n")
    replication = redis_info.replication(info)
    assert (replication.master, replication.link_status) == ("10.0.0.1:6379", "down")


def test_keyspace_lists_each_database() -> None:
    first, second = redis_info.keyspace(parse_info(VALKEY))
    assert (first.db, first.keys, first.expires, first.avg_ttl_s) == ("db0", 120, 20, 90.5)
    assert (second.db, second.avg_ttl_s) == ("db3", None)


def test_escape_sequences_in_info_are_made_visible() -> None:
    assert redis_info.memory(parse_info(b"maxmemory_policy:\x1b]0;x\x07\r\n")).policy == "␛]0;x␇"


def snapshot(memory: Memory) -> RedisSnapshot:
    info = Counted({}, 0)
    return RedisSnapshot(
        address="h:1",
        server=redis_info.server({}),
        memory=memory,
        rates=Rates(evicted_per_s=2.0, rejected_per_s=0.0),
        counts=ClientCounts(connected=50, max=100),
        persistence=redis_info.persistence({}),
        replication=redis_info.replication({}),
        keyspace=(),
        commands=redis_info.commands(None, info),
        errors=(),
        clients=None,
        clients_read_at=None,
        slowlog=None,
        slowlog_slower_than_us=None,
        latency=(),
        doctor="",
        refusals=(),
        round_trip_ms=0.5,
    )


def test_rules_see_memory_only_where_there_is_a_limit() -> None:
    with_limit = {n.metric: n.value for n in snapshot(Memory(used_bytes=32, max_bytes=64)).numbers()}
    assert with_limit == {"memory_percent": 50, "evicted_per_s": 2, "rejected_per_s": 0, "clients_percent": 50}
    without = {n.metric for n in snapshot(Memory(used_bytes=32)).numbers()}
    assert "memory_percent" not in without


def test_rules_see_fragmentation_only_of_a_hundred_mebibytes_and_more() -> None:
    small = {n.metric for n in snapshot(Memory(used_bytes=2**20, fragmentation_ratio=6.0)).numbers()}
    large = {n.metric for n in snapshot(Memory(used_bytes=2**28, fragmentation_ratio=1.6)).numbers()}
    assert "fragmentation" not in small
    assert "fragmentation" in large


def test_the_name_of_an_error_that_a_script_made_up_is_cleaned() -> None:
    (error,) = redis_info.errors(
        None, counted(b"# Errorstats\r\nerrorstat_\x1b]0;x\x07\xe2\x80\xae[/red]:count=1\r\n", 0.0)
    )
    assert error.name == "␛]0;x␇\\u202e[/red]"


def test_a_ratio_to_nothing_is_none() -> None:
    info = parse_info(b"mem_fragmentation_ratio:nan\r\nused_cpu_sys:-inf\r\n")
    assert redis_info.decimal(info, "mem_fragmentation_ratio") is None
    assert redis_info.decimal(info, "used_cpu_sys") is None
