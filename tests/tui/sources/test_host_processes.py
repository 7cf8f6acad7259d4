"""The processes of this host, looked at only on request."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from tui.panes.resources_processes import process_lines, process_rows
from tui.sources.host import HostSource
from tui.sources.host_processes import Process, Processes
from widgets.cell import cell_text

SPIN = "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass"


def test_cpu_is_known_from_the_second_look_on_and_secrets_never() -> None:
    spinning = subprocess.Popen([sys.executable, "-c", SPIN, "--password=hunter22-hunter22"])
    try:
        processes = Processes()
        assert all(process.cpu_percent is None for process in processes.look(psutil))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            time.sleep(0.05)
            found = {process.pid: process for process in processes.look(psutil)}
            if spinning.pid in found and (found[spinning.pid].cpu_percent or 0) > 5:
                break
        one = found[spinning.pid]
        assert (one.cpu_percent or 0) > 5
        assert one.rss_bytes > 2**20
        assert "hunter22" not in one.command
        assert one.user in ("root", "nobody") or one.user
        assert processes.total >= len(found)
    finally:
        spinning.kill()
        spinning.wait()


async def test_nothing_is_looked_at_until_somebody_looks() -> None:
    source = HostSource()
    try:
        assert (await source.read()).processes is None
        source.look_at_processes(wanted=True)
        seen = (await source.read()).processes
        assert seen is not None
        assert os.getpid() in {process.pid for process in seen}
        source.look_at_processes(wanted=False)
        assert (await source.read()).processes is None
    finally:
        await source.close()


async def test_a_look_that_hangs_costs_the_processes_and_not_the_meters(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr("tui.sources.host._LOOK_S", 0.05)
    released = threading.Event()
    monkeypatch.setattr(Processes, "look", lambda self, psutil: released.wait(20) and ())
    source = HostSource()
    source.look_at_processes(wanted=True)
    try:
        for _ in range(2):
            snapshot = await source.read()
            assert snapshot.processes is None
            assert snapshot.memory.total_bytes > 0
    finally:
        released.set()
        await source.close()


def test_rows_and_the_whole_of_one() -> None:
    stuck = Process(7, 1_700_000_000.0, "app", 12.5, 2**30, 4, "disk-sleep", "java -jar a.jar")
    (row,) = process_rows([stuck], 2**32).values()
    cells = ["7", "app", "12", "1.0 GiB", "25", "4", "disk-sleep", "java -jar a.jar"]
    assert [cell_text(cell) for cell in row.cells] == cells
    assert row.cells[6].tone == "warn"  # type: ignore[union-attr]
    assert ("Began", "2023-11-14 22:13:20Z") in process_lines(stuck)
