"""Looks from inside a container: what the programs say in, what it means out; then on the simulated cluster."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import PODS
from tui.sources.errors import Unreadable
from tui.sources.kubernetes import inside
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.diagnostics import Look, diagnose, subject_problem
from tui.sources.kubernetes.exec import Place

_V2 = "usage_usec 90\nuser_usec 80\nsystem_usec 10\nnr_periods 400\nnr_throttled 120\nthrottled_usec 3500000\n"
_V1 = "nr_periods 400\nnr_throttled 8\nthrottled_time 250000000\n"


def test_both_control_groups_are_read_in_seconds() -> None:
    assert inside.throttling(_V2) == inside.Throttling(400, 120, 3.5, 2)
    assert inside.throttling(_V1) == inside.Throttling(400, 8, 0.25, 1)
    assert inside.throttling("cat: no such file") is None


@pytest.mark.parametrize(
    ("said", "cores"), [("50000 100000\n", 0.5), ("max 100000\n", None), ("-1\n100000\n", None), ("", None)]
)
def test_a_limit_is_read_in_cores(said: str, cores: float | None) -> None:
    assert inside.limit_cores(said) == cores


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (_V2, "That is often"),
        (_V1, "That is little"),
        ("usage_usec 9\nnr_periods 0\nnr_throttled 0\n", "No CPU limit is set"),
    ],
)
def test_throttling_is_judged(said: str, words: str) -> None:
    found = inside.throttling(said)
    assert found is not None
    assert any(words in line for line in inside.throttling_words(found, found.since(found), 0.5))


_DF = """Filesystem           1024-blocks      Used Available Capacity Mounted on
overlay                103080888  95000000   8080888      92% /
tmpfs                      65536         0     65536       0% /dev
/dev/vdb                  100000     82000     18000      82% /var/lib/a b
none                           0         0         0        -  /proc
"""


def test_disks_that_fill_up_are_named_the_fullest_first() -> None:
    words = inside.disk_words(inside.file_systems(_DF))
    assert words == [
        "/ is FULL, or nearly: 92 % of its space is used.",
        "/var/lib/a b is filling up: 82 % of its space is used.",
        "overlay is the node's own disk: its other pods feel it too.",
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("PID USER STAT TIME RSS COMMAND\n1 app Ssl 0:01 9 x\n7 app Z 0:00 0 [x]\n", ["2 processes", "1 zombies"]),
        ("1 (a b) S 0 1\n9 (x) D) R) Z 1 1\n", ["2 processes", "1 zombies"]),
        ("PID   USER     TIME  COMMAND\n    1 root      0:00 sh\n", ["1 processes"]),
    ],
)
def test_processes_are_counted_by_whatever_tells_them(said: str, words: list[str]) -> None:
    told = inside.process_words(said)
    assert len(told) == len(words)
    assert all(line.startswith(start) for line, start in zip(told, words, strict=True))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("10.96.0.1       db\n", ["10.96.0.1"]),
        ("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tdb\nAddress: 10.1.2.3\n", ["10.1.2.3"]),
        ("fd00::1 db\n", ["fd00::1"]),
        ("not found: NXDOMAIN\n", []),
    ],
)
def test_addresses_are_found_and_the_name_server_is_none(said: str, found: list[str]) -> None:
    assert inside.addresses(said) == found


@pytest.mark.parametrize(
    ("status", "said", "complained", "words"),
    [
        (0, "503 0.001 0.002 0.030 0.031 10.1.2.3", "", ["answered 503 in 31 ms, from 10.1.2.3", "Name 1 ms", "fails"]),
        (7, "000 0.001 0.000 0.000 0.002 ", "curl: (7) Failed to connect: Connection refused", ["not be", "listens"]),
        (0, "", "  HTTP/1.1 301 Moved\n  HTTP/1.1 200 OK\n", ["answered 200"]),
        (1, "", "wget: bad address 'x'", ["could not be reached", "look DNS up"]),
        (28, "", "curl: (28) Connection timed out", ["could not be reached", "NetworkPolicy"]),
    ],
)
def test_what_http_said_is_put_in_words(status: int, said: str, complained: str, words: list[str]) -> None:
    told = inside.http_words("http://x", status, said, complained)
    assert len(told) == len(words)
    assert all(part in line for line, part in zip(told, words, strict=True))


@given(st.text(max_size=80), st.integers(0, 255))
def test_whatever_a_program_says_is_put_in_words(said: str, status: int) -> None:
    inside.process_words(said)
    inside.disk_words(inside.file_systems(said))
    inside.name_words("x", status, said, said)
    inside.http_words("http://x", status, said, said)
    inside.limit_cores(said)
    if found := inside.throttling(said):
        inside.throttling_words(found, found.since(found), None)


@pytest.mark.parametrize(
    ("look", "subject"),
    [
        (Look.DNS, "-h"), (Look.DNS, "a b"), (Look.DNS, "$(id)"), (Look.DNS, "a\nb"), (Look.DNS, ""),
        (Look.HTTP, "-o/etc/passwd"), (Look.HTTP, "file:///etc/passwd"), (Look.HTTP, "http://u:p@h/"),
        (Look.HTTP, "http://h/a b"), (Look.HTTP, "http://-h/"),
    ],
)  # fmt: skip
async def test_what_is_no_name_or_url_never_becomes_an_argument(look: Look, subject: str) -> None:
    assert subject_problem(look, subject)
    with pytest.raises(Unreadable):
        await diagnose(Connection(Kubernetes(), {}), Place("a", "b", "c", "d"), look, subject)


# On the simulated cluster


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture
async def connection(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Connection]:
    made = Connection(Kubernetes(kubeconfig=str(cluster.write_kubeconfig(tmp_path / "k"))), {})
    yield made
    await made.close()


def on_node(cluster: Cluster, node: str, app: str = "queue") -> Place:
    found = (p for p in cluster.store.things(PODS) if (p["metadata"].get("labels") or {}).get("app") == app)
    pod = next(p for p in found if p["spec"].get("nodeName") == node and p["status"].get("phase") == "Running")
    meta = pod["metadata"]
    return Place(meta["namespace"], meta["name"], meta["uid"], "app")


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
@pytest.mark.parametrize(("node", "path"), [("node-1", "/sys/fs/cgroup/cpu.stat"), ("node-3", "cpu/cpu.stat")])
async def test_cpu_is_looked_at_under_both_control_groups(
    cluster: Cluster, connection: Connection, node: str, path: str
) -> None:
    place = on_node(cluster, node)
    cluster.store.modify(
        PODS, "shop", place.pod, lambda p: p["spec"]["containers"][0].update(resources={"limits": {"cpu": "250m"}})
    )
    cluster.usage.load["shop", "queue"] = 3.0
    findings = await diagnose(connection, place, Look.CPU)
    assert findings.meaning[0].startswith("Held by its CPU limit of 0.25 cores in 37.")
    assert "That is often" in findings.meaning[-1]
    assert findings.ran[-1][0][1].startswith("/sys/fs/cgroup/cpu")
    assert any(path in line for line in findings.said)
    assert {where for where, _ in cluster.execs.seen} == {str(place)}


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_names_disks_processes_and_addresses_are_looked_at(cluster: Cluster, connection: Connection) -> None:
    place = on_node(cluster, "node-1")
    found = {look: await diagnose(connection, place, look) for look in (Look.DISK, Look.PROCESSES)}
    assert found[Look.DISK].meaning[0].startswith("There is space everywhere")
    assert found[Look.PROCESSES].meaning == ["2 processes, this look among them."]
    known = await diagnose(connection, place, Look.DNS, "payments.payments")
    assert known.meaning[0].startswith("payments.payments is 10.96.")
    unknown = await diagnose(connection, place, Look.DNS, "nonesuch")
    assert unknown.meaning[:2] == [
        "nonesuch is not known here.",
        "Asked: 10.96.0.10, with the suffixes shop.svc.cluster.local svc.cluster.local cluster.local.",
    ]
    reached = await diagnose(connection, place, Look.HTTP, "http://gateway/healthz")
    assert reached.meaning == ["http://gateway/healthz answered 200."]
    refused = await diagnose(connection, place, Look.HTTP, "http://gateway:81/")
    assert "nothing listens" in refused.meaning[-1]


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_an_image_without_programs_says_what_else_can_be_done(cluster: Cluster, connection: Connection) -> None:
    place = on_node(cluster, "node-1", "node-agent")
    with pytest.raises(Unreadable, match="has no df or busybox; kubectl debug -it -n monitoring"):
        await diagnose(connection, place, Look.DISK)
    findings = await diagnose(connection, place, Look.PROCESSES)
    assert findings.ran[-1] == (("cat", "/proc/1/stat"), 0)
    assert findings.meaning == ["1 processes, this look among them."]
