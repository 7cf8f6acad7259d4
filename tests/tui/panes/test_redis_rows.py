from dataclasses import replace

from tui.panes import redis_detail, redis_rows
from tui.panes.redis_head import title, trouble, view_amounts
from tui.sources import redis_info, redis_lists
from tui.sources.history import Series
from tui.sources.redis_facts import Client, Keyspace, Memory, Persistence, Rates, Refusal, Replication, SlowEntry
from tui.sources.redis_info import Counted, parse_info
from tui.sources.redis_snapshot import RedisSnapshot
from widgets.cell import cell_text

NOW = 1_700_000_000.0
INFO = (
    b"redis_version:7.2.4\r\nrun_id:a\r\nuptime_in_seconds:7290\r\nrole:master\r\nconnected_clients:14\r\n"
    b"maxclients:10000\r\nblocked_clients:1\r\nused_memory:43201331\r\nmaxmemory:67108864\r\n"
    b"maxmemory_policy:allkeys-lfu\r\nmem_fragmentation_ratio:4.10\r\n"
    b"cmdstat_get:calls=100,usec=200,rejected_calls=0,failed_calls=3\r\ndb0:keys=200,expires=50,avg_ttl=90500\r\n"
)


def snapshot(
    info: bytes = INFO,
    *,
    memory: Memory | None = None,
    rates: Rates | None = None,
    persistence: Persistence | None = None,
    replication: Replication | None = None,
    clients: tuple[Client, ...] | None = (),
    refusals: tuple[Refusal, ...] = (),
) -> RedisSnapshot:
    counted = Counted(parse_info(info), 10)
    return RedisSnapshot(
        address="cache:6379",
        server=redis_info.server(counted.info),
        memory=memory or redis_info.memory(counted.info),
        rates=rates or Rates(ops_per_s=1240, hit_percent=93.1, evicted_per_s=12),
        counts=redis_info.counts(counted.info),
        persistence=persistence or redis_info.persistence(counted.info),
        replication=replication or redis_info.replication(counted.info),
        keyspace=redis_info.keyspace(counted.info),
        commands=redis_info.commands(None, counted),
        errors=(),
        clients=clients,
        clients_read_at=NOW,
        slowlog=(),
        slowlog_slower_than_us=10000,
        latency=(),
        doctor="",
        refusals=refusals,
        round_trip_ms=0.4,
    )


def texts(found: RedisSnapshot, *, is_wide: bool = False) -> dict[str, str]:
    return {label: cell_text(value) for label, value in redis_rows.head(found, lambda _: "", NOW, is_wide=is_wide)}


def test_memory_is_told_against_its_limit_in_one_unit() -> None:
    assert texts(snapshot())["memory"] == "41.2 of 64.0 MiB (64 %)"


def test_memory_without_a_limit_says_so() -> None:
    assert texts(snapshot(memory=Memory(used_bytes=2**21)))["memory"] == "2.0 MiB, no limit"


def test_a_ratio_that_says_nothing_is_not_shown() -> None:
    assert texts(snapshot())["fragmentation"] == "n/a below 100 MiB"
    large = Memory(used_bytes=2**30, fragmentation_ratio=1.62, fragmentation_bytes=600 * 2**20)
    assert texts(snapshot(memory=large))["fragmentation"] == "1.62 (600.0 MiB)"


def test_curves_stand_before_their_numbers() -> None:
    found = snapshot()
    ops = Series()
    for second in range(300):
        ops.add(NOW - 300 + second, float(second))
    found.history["ops"] = ops  # type: ignore[index]  # a dict here
    shown = texts(found)["ops/s"]
    assert shown == "▅▅▆▆▇▇▇███ 1,240"


def test_the_head_takes_its_colour_from_the_rules() -> None:
    pairs = dict(
        redis_rows.head(snapshot(), lambda metric: "warn" if metric == "memory_percent" else "", NOW, is_wide=False)
    )
    assert getattr(pairs["memory"], "tone", None) == "warn"


def test_a_refused_client_count_is_a_dash() -> None:
    assert texts(snapshot(b"redis_version:7.0.0\r\n"))["clients"] == "–"


def test_rows_are_keyed_by_what_never_changes_its_meaning() -> None:
    (client,) = redis_lists.clients(
        b"id=7 addr=h:1 name=web age=200 idle=61 flags=N cmd=get tot-mem=2048 omem=0 user=u\n"
    )
    assert list(redis_rows.client_rows((client,))) == [7]
    assert list(redis_rows.slow_rows((SlowEntry(3, NOW, 15000, "GET a", "h:1", ""),))) == [3]
    assert list(redis_rows.command_rows(snapshot().commands)) == ["get"]
    assert list(redis_rows.keyspace_rows((Keyspace("db0", 1, 0, None),))) == ["db0"]


def test_a_client_is_shown_in_words() -> None:
    (client,) = redis_lists.clients(
        b"id=7 addr=h:1 name=web age=200 idle=61 flags=b cmd=brpop tot-mem=2048 omem=0 user=u\n", 7
    )
    cells = [cell_text(cell) for cell in redis_rows.client_rows((client,))[7].cells]
    assert cells[:9] == ["7", "web (this)", "h:1", "u", "blocked", "brpop", "1m1s", "3m20s", "2.0 KiB"]
    assert "own connection" in redis_detail.client_page(client)


def test_every_view_has_as_many_cells_as_columns() -> None:
    (client,) = redis_lists.clients(b"id=7 name=web\n")
    for columns, row in (
        (redis_rows.COMMANDS, redis_rows.command_rows(snapshot().commands)["get"]),
        (redis_rows.CLIENTS, redis_rows.client_rows((client,))[7]),
        (redis_rows.SLOWLOG, redis_rows.slow_rows((SlowEntry(3, NOW, 1, "GET", "", ""),))[3]),
        (redis_rows.KEYSPACE, redis_rows.keyspace_rows(snapshot().keyspace)["db0"]),
        (redis_rows.STATE, next(iter(redis_rows.state_rows(snapshot(), NOW).values()))),
    ):
        assert len(columns) == len(row.cells) == len(row.sort or ())


def test_what_is_not_seen_is_named_with_the_reason() -> None:
    refused = snapshot(refusals=(Refusal("CLIENT LIST", "not permitted for user web: +client|list"),), clients=None)
    assert trouble(refused) == ("not seen: CLIENT LIST (not permitted for user web: +client|list)", "dim")
    assert view_amounts(refused)["clients"] == " refused"
    rows = [tuple(map(cell_text, row.cells)) for row in redis_rows.state_rows(refused, NOW).values()]
    assert ("CLIENT LIST", "not seen", "not permitted for user web: +client|list") in rows


def test_trouble_is_told_worst_first() -> None:
    full = Memory(used_bytes=64, max_bytes=64, policy="noeviction")
    loading = Persistence(is_loading=True, loaded_percent=43.0, loading_eta_s=12)
    cut_off = Replication(role="slave", master="10.0.0.1:6379", link_status="down", link_down_s=41)
    assert trouble(snapshot()) == ("", "")
    assert trouble(snapshot(memory=full))[0].startswith("OOM")
    assert "43 %, about 12s left" in trouble(snapshot(memory=full, persistence=loading))[0]
    assert trouble(snapshot(replication=cut_off))[0].startswith("MASTERDOWN: the link to 10.0.0.1:6379 is down for 41s")
    assert "maxclients" in trouble(snapshot(rates=Rates(rejected_per_s=3.0)))[0]


def test_the_title_says_who_answers() -> None:
    assert [segment.text for segment in title(snapshot())] == ["Redis 7.2.4", "master", "up 2h1m", "cache:6379"]
    replica = snapshot(replication=Replication(role="slave", master="10.0.0.1:6379"))
    assert "replica of 10.0.0.1:6379" in [segment.text for segment in title(replica)]
    assert title(snapshot(b""))[0].text == "INFO is refused"


def growing(per_s: float, seconds: int, *, maximum: int | None = 2**30) -> RedisSnapshot:
    series = Series(600)
    for second in range(0, seconds, 2):
        series.add(NOW + second, 2**29 + per_s * second)
    return replace(snapshot(memory=Memory(used_bytes=2**29, max_bytes=maximum)), history={"memory": series})


def test_growing_memory_says_how_fast_and_when_it_is_full() -> None:
    assert redis_rows.trend_words(growing(2**20, 300)) == ("+60.0 MiB/min", "full in 8m32s if it goes on so")
    assert redis_rows.trend_words(growing(-(2**20), 300)) == ("−60.0 MiB/min", "not full within days")
    assert redis_rows.trend_words(growing(2**20, 60)) == ("–", "known after two minutes")
    assert redis_rows.trend_words(growing(2**20, 300, maximum=None))[1].startswith("no maxmemory")
