"""A terminal in the hands of a shell in a pod, and back: on a pseudo-terminal and the simulated cluster."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from profiles.systems import Kubernetes
from tui.actions.kubernetes.shell import Shell
from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import PODS
from tui.shell import converse
from tui.sources.errors import Unreachable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.exec import Place, session
from tui.terminal import RESET

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


class Desk:
    """Somebody at a terminal, with a shell in queue-0."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.hands, self.terminal = pty.openpty()
        os.set_blocking(self.hands, False)
        self.before = termios.tcgetattr(self.terminal)
        self.resize(80, 24)
        self.shown = b""
        self.talk: asyncio.Task[str] | None = None

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.hands, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: bytes) -> None:
        os.write(self.hands, text)

    def look(self) -> bytes:
        with suppress(BlockingIOError, OSError):
            self.shown += os.read(self.hands, 65536)
        return self.shown

    async def until(self, words: bytes) -> None:
        async with asyncio.timeout(30):
            while words not in self.look():
                assert self.talk is not None
                assert not self.talk.done(), self.shown
                await asyncio.sleep(0.01)
        self.shown = b""

    async def left(self) -> str:
        assert self.talk is not None
        async with asyncio.timeout(30):
            return await self.talk

    def is_intact(self) -> bool:
        """Whether the terminal has its old modes, and was freed from what a full-screen program leaves behind."""
        deadline = time.monotonic() + 30
        while RESET.encode() not in self.look() and time.monotonic() < deadline:
            time.sleep(0.01)  # what was written to a terminal comes to its other end in the kernel's own time
        return termios.tcgetattr(self.terminal) == self.before and RESET.encode() in self.shown


@asynccontextmanager
async def seated(folder: Path) -> AsyncIterator[Desk]:
    async with Cluster(speed=20) as cluster:
        connection = Connection(Kubernetes(kubeconfig=str(cluster.write_kubeconfig(folder / "k"))), {})
        uid = cluster.store.get(PODS, "shop", "queue-0")["metadata"]["uid"]
        desk = Desk(cluster)
        place = Place("shop", "queue-0", uid, "app")
        try:
            async with session(connection, place, ["sh"], is_typed_at=True) as running:
                shell = Shell(place, "sh", running, await running.heard())
                desk.talk = asyncio.create_task(converse(shell, desk.terminal, desk.terminal))
                await desk.until(b"/ $ ")
                yield desk
        finally:
            await connection.close()
            for descriptor in (desk.hands, desk.terminal):
                with suppress(OSError):
                    os.close(descriptor)


async def test_keys_go_there_output_comes_back_and_the_terminal_is_intact(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        desk.type(b"hostname\r")
        await desk.until(b"queue-0")
        desk.type(b"\x03")  # goes to the shell: it is no signal to opstui
        await desk.until(b"^C")
        desk.type(b"exit\r")
        assert await desk.left() == ""
        assert desk.is_intact()


async def test_the_shell_knows_the_size_and_every_new_one(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        desk.type(b"stty size\r")
        await desk.until(b"24 80")
        desk.resize(133, 41)
        os.kill(os.getpid(), signal.SIGWINCH)
        async with asyncio.timeout(30):
            while desk.cluster.execs.sizes != {(133, 41)}:
                await asyncio.sleep(0.01)
        desk.type(b"exit\r")
        await desk.left()


async def test_the_terminal_is_intact_when_the_pod_dies(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        desk.cluster.store.remove(PODS, "shop", "queue-0")
        assert await desk.left() == ""
        assert desk.is_intact()


async def test_the_terminal_is_intact_when_the_line_is_cut(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        await desk.cluster.restart_server()
        with pytest.raises(Unreachable):
            await desk.left()
        assert desk.is_intact()


async def test_a_shell_that_hangs_can_be_left(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        desk.type(b"sleep 600\r")
        await desk.until(b"sleep 600")
        desk.type(b"\x1d")
        assert await desk.left() == "left by ctrl+]"
        assert desk.is_intact()


async def test_a_terminal_that_goes_ends_it(tmp_path: Path) -> None:
    async with seated(tmp_path) as desk:
        os.close(desk.hands)
        assert await desk.left() == "left: the terminal is gone"
