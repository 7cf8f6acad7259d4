"""A kill -9 between intent and outcome, and a disk that takes no more: the real program, in a pseudo-terminal."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import RULES, Terminal, opstui
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import DEPLOYMENTS

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e")]

BUSY_MACHINE_S = 40.0
_NO_LARGER_FILES = (
    "import os,resource,sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY)); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


@pytest.fixture
def profile(cluster: OwnCluster, tmp_path: Path) -> Path:
    cluster.do(lambda it: it.write_kubeconfig(tmp_path / "kubeconfig"))
    path = tmp_path / "cluster.yaml"
    kubernetes = {"kubeconfig": str(tmp_path / "kubeconfig"), "namespaces": ["shop"]}
    profile = {"name": "cluster", "environment": "staging", "kubernetes": kubernetes, "rules": RULES}
    path.write_text(json.dumps(profile))
    path.chmod(0o600)
    return path


def start(profile: Path, folder: Path, *before: str) -> Terminal:
    env = {"XDG_STATE_HOME": str(folder)}
    return Terminal([*before, *opstui("--profile", str(profile))], size=(150, 45), env=env)


def replicas(cluster: OwnCluster) -> int:
    found: list[int] = []
    cluster.do(lambda it: found.append(it.store.get(DEPLOYMENTS, "shop", "gateway")["spec"]["replicas"]))
    return found[0]


def select(screen: Terminal) -> None:
    screen.press("2")
    screen.wait("Workloads", BUSY_MACHINE_S)
    screen.press("tab")
    screen.wait(r"UP-TO-DATE")
    screen.press("/", "gateway", "enter")
    screen.wait(r"(?m)^> .*gateway")


def scale(screen: Terminal, wanted: int) -> None:
    """Scale the Deployment under the cursor, with every answer that it takes."""
    screen.press("C")
    screen.wait("replicas", BUSY_MACHINE_S)
    screen.press(str(wanted), "enter")
    screen.confirm("gateway")


def journal(folder: Path) -> list[dict[str, str]]:
    (file,) = folder.rglob("cluster.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [entry for entry in entries if entry["what"] not in ("opened", "closed")]


@pytest.mark.parametrize(
    ("fault", "ending", "changed"),
    [(FaultKind.LATE, "CONVERGED", True), (FaultKind.SILENT, "ABSENT", False)],
    ids=["it had arrived", "it had not arrived"],
)
def test_what_a_killed_opstui_had_sent_is_unknown_at_the_next_start_and_found_out(
    cluster: OwnCluster, profile: Path, tmp_path: Path, fault: FaultKind, ending: str, changed: bool
) -> None:
    before = replicas(cluster)
    with start(profile, tmp_path) as screen:
        screen.wait("✓.* k8s", BUSY_MACHINE_S)
        screen.press("2")
        screen.wait("^. gateway-", BUSY_MACHINE_S)
        # The dry run of the plan is a patch too: the fault is for the write that follows it.
        cluster.do(lambda it: it.server.faults.add(Fault(fault, verb="patch", passes=1, delay_s=60.0)))
        select(screen)
        scale(screen, before + 2)
        screen.wait(r"Scale deployment shop/gateway: sent", BUSY_MACHINE_S)
        screen.process.send_signal(signal.SIGKILL)
        screen.wait_end()
    whats = [entry["what"] for entry in journal(tmp_path)]
    assert whats[0] == "intent"
    assert "resolved" not in whats
    cluster.do(lambda it: it.clear())
    assert (replicas(cluster) == before + 2) is changed
    with start(profile, tmp_path) as screen:
        screen.wait(r"Scale deployment shop/gateway: UNKNOWN: sent at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", BUSY_MACHINE_S)
        screen.wait(rf"Scale deployment shop/gateway: {ending}", BUSY_MACHINE_S)
    (resolved,) = [entry for entry in journal(tmp_path) if entry["what"] == "resolved"]
    assert resolved["ending"] == ending.lower()
    assert (replicas(cluster) == before + 2) is changed, "finding out changes nothing"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB, where this account may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("needs to mount a small disk: only root may")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    yield folder
    subprocess.run([umount, "-l", str(folder)], check=True)


def test_on_a_full_disk_nothing_is_sent(cluster: OwnCluster, profile: Path, small_disk: Path) -> None:
    before = replicas(cluster)
    with start(profile, small_disk) as screen:
        screen.wait("✓.* k8s", BUSY_MACHINE_S)
        fill_page(next(small_disk.rglob("cluster.jsonl")))
        (small_disk / "ballast").write_bytes(b"x")
        fill(small_disk / "ballast")
        select(screen)
        scale(screen, before + 2)
        screen.wait(lambda text: refused_for_want_of_room(" ".join(text.split())), BUSY_MACHINE_S)
        assert replicas(cluster) == before
        (small_disk / "ballast").unlink()
        scale(screen, before + 2)
        screen.wait("CONVERGED", BUSY_MACHINE_S)
        assert replicas(cluster) == before + 2


def fill_page(journal: Path) -> None:
    """Add a note up to the end of the file's last page: what is left of it would hold an entry on a full disk."""
    note = json.dumps({"what": "note", "text": ""})
    room = os.sysconf("SC_PAGE_SIZE") - (journal.stat().st_size + len(note) + 1) % os.sysconf("SC_PAGE_SIZE")
    with journal.open("a") as file:
        file.write(note.replace('""', f'"{"x" * room}"') + "\n")


def refused_for_want_of_room(words: str) -> bool:
    """Whether the notice is on the screen, wherever it was wrapped."""
    return re.search("REFUSED, nothing was sent: the journal cannot be written .*No space left", words) is not None


def fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("ab", buffering=0) as file:
        for size in (4096, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break


def test_where_files_may_not_grow_nothing_is_sent(cluster: OwnCluster, profile: Path, tmp_path: Path) -> None:
    before = replicas(cluster)
    with start(profile, tmp_path, sys.executable, "-c", _NO_LARGER_FILES, "200") as screen:
        screen.wait("✓.* k8s", BUSY_MACHINE_S)
        select(screen)
        scale(screen, before + 2)
        screen.wait(r"REFUSED, nothing was sent: the journal cannot be written", BUSY_MACHINE_S)
        assert replicas(cluster) == before
