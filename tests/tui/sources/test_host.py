import asyncio
from pathlib import Path

import pytest

from tui.sources import host_counters, host_limits
from tui.sources.history import Series, recent
from tui.sources.host import HostSource
from tui.sources.host_counters import Counters, CpuTimes
from tui.sources.host_facts import Cgroup, Cpu, HostMemory, HostSnapshot, Mount
from tui.sources.host_limits import Place


def counters(at: float, **found: object) -> Counters:
    fields: dict[str, object] = {"cores": (), "disks": {}, "interfaces": {}} | found
    return Counters(at, **fields)  # type: ignore[arg-type]  # each test names the one field it is about


def test_cpu_is_what_was_neither_idle_nor_waiting() -> None:
    before = counters(0, cores=(CpuTimes(100, 50, 10, 0), CpuTimes(100, 100, 0, 0)))
    after = counters(2, cores=(CpuTimes(102, 51, 10.5, 0.2), CpuTimes(102, 102, 0, 0)))
    cpu = host_counters.cpu(before, after, (1.0, 2.0, 3.0))
    assert cpu.percent == 25
    assert cpu.per_core_percent == (50, 0)
    assert cpu.iowait_percent == 12.5
    assert cpu.steal_percent == 5
    assert cpu.load_per_cpu == 0.5


def test_the_first_look_knows_no_shares() -> None:
    cpu = host_counters.cpu(None, counters(0, cores=(CpuTimes(1, 1),)), None)
    assert (cpu.percent, cpu.per_core_percent, cpu.load_per_cpu) == (None, (None,), None)


def test_a_core_that_was_taken_away_begins_anew() -> None:
    before = counters(0, cores=(CpuTimes(1, 1), CpuTimes(1, 1)))
    assert host_counters.cpu(before, counters(1, cores=(CpuTimes(2, 1),)), None).percent is None


def test_disks_are_whole_ones_and_their_rates_are_per_second() -> None:
    names = ("sda", "sda1", "nvme0n1", "nvme0n1p2", "loop0", "zram0", "dm-0", "vda")
    before = counters(0, disks=dict.fromkeys(names, (0, 0, 0)))
    after = counters(2, disks=dict.fromkeys(names, (2048, 4096, 500)))
    found = host_counters.disks(before, after)
    assert [disk.name for disk in found] == ["nvme0n1", "sda", "vda"]
    assert (found[0].read_bytes_per_s, found[0].write_bytes_per_s, found[0].busy_percent) == (1024, 2048, 25)


def test_interfaces_that_never_carried_anything_are_left_out_and_the_loopback_is_last() -> None:
    before = counters(0, interfaces={"lo": (1, 1, 0), "eth0": (100, 200, 1)})
    after = counters(2, interfaces={"lo": (1, 1, 0), "eth0": (300, 200, 5), "eth1": (0, 0, 0), "veth1": (9, 9, 0)})
    found = host_counters.interfaces(before, after)
    assert [interface.name for interface in found] == ["eth0", "lo"]
    assert (found[0].received_bytes_per_s, found[0].sent_bytes_per_s, found[0].problems_per_s) == (100, 0, 2)


def test_a_counter_that_began_anew_has_no_rate() -> None:
    before = counters(0, interfaces={"eth0": (100, 100, 0)})
    (found,) = host_counters.interfaces(before, counters(2, interfaces={"eth0": (5, 100, 0)}))
    assert found.received_bytes_per_s is None


def test_network_file_systems_are_named_and_never_asked() -> None:
    places = [
        Place("/dev/vda", "/", "ext4"),
        Place("/dev/vda", "/var/lib/docker", "ext4"),
        Place("nas:/export", "/mnt/nas", "nfs4"),
        Place("me@host:", "/mnt/ssh", "fuse.sshfs"),
        Place("proc", "/proc", "proc"),
        Place("overlay", "/var/lib/docker/overlay2/x/merged", "overlay"),
        Place("tmpfs", "/run/user/0", "tmpfs"),
        Place("tmpfs", "/dev/shm", "tmpfs"),
        Place("/dev/loop0", "/snap/core", "squashfs"),
    ]
    measured, network = host_limits.measurable(places)
    assert [place.mountpoint for place in measured] == ["/", "/dev/shm"]
    assert network == ("/mnt/nas", "/mnt/ssh")


def test_the_root_of_a_container_is_measured() -> None:
    measured, _ = host_limits.measurable([Place("overlay", "/", "overlay")])
    assert [place.mountpoint for place in measured] == ["/"]


def test_a_mount_that_is_gone_is_left_out(tmp_path: Path) -> None:
    assert host_limits.measure(Place("x", str(tmp_path / "gone"), "ext4")) is None


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def test_the_tightest_limit_up_the_tree_counts(tmp_path: Path) -> None:
    root, process = tmp_path / "cgroup", tmp_path / "self"
    process.write_text("0::/kube/pod/app\n")
    stat = "anon 1\ninactive_file 200\n"
    group(root / "kube" / "pod", memory_max="2000", memory_current="1200", memory_stat=stat, cpu_max="150000 100000")
    group(root / "kube" / "pod" / "app", memory_max="max", memory_current="900", cpu_max="max 100000")
    found = host_limits.cgroup(root, process)
    assert found == Cgroup(memory_max_bytes=2000, memory_current_bytes=1000, cpu_max=1.5)
    assert found.memory_percent == 50
    assert found.is_limited


def test_without_version_2_there_are_no_limits_we_read(tmp_path: Path) -> None:
    process = tmp_path / "self"
    process.write_text("4:memory:/x\n")
    assert host_limits.cgroup(tmp_path, process) == Cgroup()
    assert not host_limits.cgroup(tmp_path, tmp_path / "none").is_limited


def snapshot(*mounts: Mount) -> HostSnapshot:
    return HostSnapshot(
        hostname="h",
        uptime_s=1,
        cpu=Cpu(2, 50.0, (), load_1m=3.0),
        memory=HostMemory(100, 25),
        mounts=mounts,
        unmeasured=(),
        disks=(),
        interfaces=(),
        cgroup=Cgroup(),
    )


def test_rules_see_each_mount_by_name() -> None:
    root, data = Mount("/", "/dev/vda", "ext4", 100, 10, 90.0, 5.0), Mount("/data", "/d", "xfs", 100, 50, 50.0, None)
    numbers = {(number.metric, number.object): number.value for number in snapshot(root, data).numbers()}
    assert numbers == {
        ("cpu_percent", ""): 50,
        ("memory_percent", ""): 75,
        ("load_per_cpu", ""): 1.5,
        ("disk_percent", "/"): 90,
        ("disk_percent", "/data"): 50,
        ("inodes_percent", "/"): 5,
    }


async def test_this_host_is_read_and_its_history_grows() -> None:
    source = HostSource()
    first = await source.read()
    second = await source.read()
    await source.close()
    assert second.memory.total_bytes > 0
    assert second.cpu.count >= 1
    assert any(mount.mountpoint == "/" for mount in second.mounts)
    assert len(list(second.history["memory"])) == 2
    assert first.hostname == second.hostname


def test_the_numbers_of_a_device_that_is_gone_for_good_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    source, now = HostSource(), 1000.0
    monkeypatch.setattr("tui.sources.host.time.time", lambda: now)
    for number in range(50):
        mount = Mount(f"/mnt/{number}", "/dev/x", "ext4", 1, 1, 0.0, None)
        source._remember(snapshot(mount))
        now += 300
    kept = [key for key in source._history if key.startswith("disk ")]
    assert kept == [f"disk /mnt/{number}" for number in range(43, 50)]


async def test_a_read_that_was_given_up_does_not_pile_up() -> None:
    source = HostSource()
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert (await source.read()).memory.total_bytes > 0
    await source.close()


def series(*samples: tuple[float, float | None]) -> Series:
    found = Series()
    for at, value in samples:
        found.add(at, value)
    return found


def test_recent_values_are_means_over_steps_that_do_not_slide() -> None:
    kept = series((100, 1.0), (104, 3.0), (110, 5.0))
    assert recent(kept, 119, 30, 3) == [None, 2.0, 5.0]
    assert recent(kept, 111, 30, 3) == recent(kept, 119, 30, 3)


def test_a_short_pause_repeats_the_value_and_a_long_one_is_a_gap() -> None:
    kept = series((100, 1.0), (200, 2.0))
    assert recent(kept, 209, 120, 12) == [None, 1.0, 1.0, 1.0, 1.0, None, None, None, None, None, None, 2.0]
