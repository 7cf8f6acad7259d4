import pytest

from tui.sources import redis_lists
from tui.sources.errors import Unreadable

REDIS_7 = (
    b"id=7 addr=10.0.0.9:51234 laddr=10.0.0.1:6379 fd=8 name=web-1 age=90 idle=3 flags=N db=2 sub=1 psub=1 ssub=0 "
    b"multi=-1 qbuf=0 qbuf-free=0 argv-mem=10 obl=0 oll=0 omem=20504 tot-mem=45000 events=r cmd=client|list "
    b"user=web redir=-1 resp=3 lib-name=redis-py lib-ver=8.1.0\n"
)
REDIS_6 = b"id=3 addr=127.0.0.1:6000 fd=8 name= age=1 idle=0 flags=b db=0 sub=0 psub=0 omem=0 events=r cmd=brpop\n"


def test_a_client_is_read_from_its_line() -> None:
    (client,) = redis_lists.clients(REDIS_7, own_id=7)
    assert (client.id, client.addr, client.name, client.user, client.db) == (7, "10.0.0.9:51234", "web-1", "web", 2)
    assert (client.age_s, client.idle_s, client.cmd, client.sub) == (90, 3, "client|list", 2)
    assert (client.omem_bytes, client.tot_mem_bytes, client.lib) == (20504, 45000, "redis-py 8.1.0")
    assert client.is_own


def test_older_versions_leave_fields_out() -> None:
    (client,) = redis_lists.clients(REDIS_6)
    assert (client.tot_mem_bytes, client.user, client.lib, client.kind) == (None, "", "", "blocked")


def test_a_socket_whose_path_holds_spaces_stays_whole() -> None:
    (client,) = redis_lists.clients(b"id=1 addr=/tmp/my dir/v.sock:0 name=x age=1\n")
    assert (client.addr, client.name) == ("/tmp/my dir/v.sock:0", "x")


def test_a_line_without_an_id_cannot_be_read() -> None:
    with pytest.raises(Unreadable):
        redis_lists.clients(b"hello there\n")


def test_control_characters_in_a_name_are_made_visible() -> None:
    (client,) = redis_lists.clients(b"id=1 name=\x1b]0;x\x07[/red] age=1\n")
    assert client.name == "␛]0;x␇[/red]"


@pytest.mark.parametrize(
    ("flags", "kind"), [("N", "normal"), ("S", "replica"), ("O", "monitor"), ("Pb", "blocked"), ("PU", "pub/sub")]
)
def test_flags_are_told_in_a_word(flags: str, kind: str) -> None:
    (client,) = redis_lists.clients(f"id=1 flags={flags}\n".encode())
    assert client.kind == kind


def test_slow_entries_keep_their_command_on_one_clean_line() -> None:
    (entry,) = redis_lists.slowlog([[14, 1700000000, 15000, [b"SET", b"a b", b"\x1b[31m", b"\xff"], b"h:1", b"web"]])
    assert entry.command == 'SET "a b" ␛[31m �'
    assert (entry.id, entry.took_us, entry.addr, entry.client_name) == (14, 15000, "h:1", "web")


def test_slow_entries_of_redis_3_have_no_client() -> None:
    (entry,) = redis_lists.slowlog([[1, 2, 3, [b"GET"]]])
    assert (entry.addr, entry.client_name) == ("", "")


@pytest.mark.parametrize("reply", [[[1, 2]], [7], [[b"x", 2, 3, []]], 5])
def test_slow_entries_of_another_shape_cannot_be_read(reply: object) -> None:
    with pytest.raises(Unreadable):
        redis_lists.slowlog(reply)


def test_latency_events_are_read() -> None:
    (event,) = redis_lists.latency([[b"command", 1700000000, 12, 250]])
    assert (event.event, event.latest_ms, event.max_ms) == ("command", 12, 250)


def test_maps_of_both_protocols_are_the_same() -> None:
    assert redis_lists.mapping({b"a": 1}) == redis_lists.mapping([b"a", 1]) == {"a": 1}


def test_memory_stats_stand_in_for_info() -> None:
    memory = redis_lists.memory_stats([b"total.allocated", 1000, b"dataset.bytes", 10, b"fragmentation", b"1.5"])
    assert (memory.used_bytes, memory.dataset_bytes, memory.fragmentation_ratio) == (1000, 10, 1.5)
    assert memory.max_bytes is None


def test_on_a_shared_screen_the_slow_log_tells_how_many_arguments_there_were_not_which() -> None:
    reply = [[1, 1700000000, 12000, [b"SET", b"user:7:token", b"hunter2"], b"10.0.0.1:1", b"web"], [0, 1, 2, [b"PING"]]]
    shown = redis_lists.slowlog(reply, masks=True)
    assert [entry.command for entry in shown] == ["SET (2 arguments)", "PING"]
