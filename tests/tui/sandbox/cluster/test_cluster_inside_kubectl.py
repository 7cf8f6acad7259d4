"""The real kubectl reaches into the simulated pods: exec, port-forward, and a custom resource."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import PODS

pytestmark = [pytest.mark.live, pytest.mark.debian, pytest.mark.xdist_group("cluster")]


class Kubectl:
    """Runs kubectl against one cluster as one user."""

    def __init__(self, program: Path, cluster: Cluster, folder: Path, user: str = "admin") -> None:
        self.cluster = cluster
        self.program = str(program)
        config = cluster.write_kubeconfig(folder / f"kubeconfig-{user}", user)
        self.environment = {"KUBECONFIG": str(config), "HOME": str(folder), "PATH": os.environ["PATH"]}

    async def __call__(self, *words: str, stdin: str | None = None) -> tuple[int | None, str, str]:
        """Return exit status, standard output and standard error."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            *words,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        async with asyncio.timeout(60):
            out, error = await process.communicate(None if stdin is None else stdin.encode())
        return process.returncode, out.decode(), error.decode()


@pytest.fixture
async def k(kubectl: Path, tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with Cluster(speed=20, tls=True) as cluster:
        yield Kubectl(kubectl, cluster, tmp_path)


QUEUE = ("-n", "shop", "queue-0", "--")


async def test_exec_gives_output_errors_and_the_exit_status_of_the_program(k: Kubectl) -> None:
    assert await k("exec", *QUEUE, "hostname") == (0, "queue-0\n", "")
    status, out, error = await k("exec", *QUEUE, "cat", "/etc/hostname", "/nonesuch")
    assert (status, out) == (1, "queue-0\n")
    assert error.startswith("cat: can't open '/nonesuch': No such file or directory\n")
    assert (await k("exec", *QUEUE, "sh", "-c", "exit 7"))[0] == 7
    status, _, error = await k("exec", *QUEUE, "nonesuch")
    assert (status, '"nonesuch": executable file not found in $PATH' in error) == (1, True)
    assert k.cluster.execs.open == 0


async def test_exec_hands_its_standard_input_on_with_its_end(k: Kubectl) -> None:
    assert await k("exec", "-i", *QUEUE, "cat", stdin="one\ntwo\n") == (0, "one\ntwo\n", "")


async def test_exec_needs_create_on_the_subresource(k: Kubectl, kubectl: Path, tmp_path: Path) -> None:
    viewer = Kubectl(kubectl, k.cluster, tmp_path, "viewer")
    status, _, error = await viewer("exec", *QUEUE, "id")
    assert (status, 'cannot create resource "pods/exec"' in error) == (1, True)
    assert not k.cluster.execs.seen


class Typist:
    """kubectl on a pseudo-terminal, typed at."""

    def __init__(self, k: Kubectl, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(91, 33)
        self.process = subprocess.Popen(
            [k.program, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=k.environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.shown = ""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    async def until(self, pattern: str) -> None:
        async with asyncio.timeout(30):
            while not re.search(pattern, self.shown):
                try:
                    self.shown += os.read(self._ours, 4096).decode(errors="replace")
                except BlockingIOError:
                    await asyncio.sleep(0.02)
        self.shown = ""

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            while (status := self.process.poll()) is None:
                await asyncio.sleep(0.02)
        os.close(self._ours)
        return status


async def test_an_interactive_shell_knows_the_size_of_the_terminal_and_gives_its_exit_status(k: Kubectl) -> None:
    typist = Typist(k, "exec", "-it", *QUEUE, "sh")
    await typist.until(r"/ \$ $")
    typist.type("stty size\r")
    await typist.until(r"33 91\r\n/ \$ $")
    typist.resize(120, 40)
    for _ in range(50):  # kubectl notices by a signal; what the program knows follows a moment later
        typist.type("stty size\r")
        await typist.until(r"\d+ \d+\r\n/ \$ $")
        if k.cluster.execs.sizes == {(120, 40)}:
            break
    assert k.cluster.execs.sizes == {(120, 40)}
    typist.type("exit 3\r")
    assert await typist.ended() == 3


async def test_a_shell_ends_with_its_pod(k: Kubectl) -> None:
    typist = Typist(k, "exec", "-it", *QUEUE, "sh")
    await typist.until(r"/ \$ $")
    k.cluster.store.remove(PODS, "shop", "queue-0")
    assert await typist.ended() == 137


async def forwarding(k: Kubectl, ports: str) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        k.program, "port-forward", "-n", "shop", "queue-0", "--address", "127.0.0.1", ports,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=k.environment,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
    found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+) ->", line)
    assert found, line
    return process, int(found[1])


async def test_port_forward_carries_several_connections_at_once_to_a_lent_server(k: Kubectl) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while content := await reader.read(65536):
            writer.write(content.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    k.cluster.forwards.backends["shop", "queue"] = {5672: lambda: asyncio.open_connection("127.0.0.1", port)}
    process, local = await forwarding(k, ":5672")

    async def talk(word: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", local)
        writer.write(word * 20_000)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async with asyncio.timeout(60):
        answers = await asyncio.gather(talk(b"a"), talk(b"bc"), talk(b"def"))
    assert tuple(answers) == (b"A" * 20_000, b"BC" * 20_000, b"DEF" * 20_000)
    process.terminate()
    await process.wait()
    server.close()


async def test_port_forward_says_when_nothing_listens(k: Kubectl) -> None:
    process, local = await forwarding(k, ":9999")
    reader, writer = await asyncio.open_connection("127.0.0.1", local)
    writer.write(b"x")
    async with asyncio.timeout(30):
        assert await reader.read() == b""
        assert process.stderr is not None
        assert b"connect: connection refused" in await process.stderr.readline()
        await process.wait()
    writer.close()


async def test_a_custom_resource_is_listed_patched_and_described(k: Kubectl) -> None:
    status, out, _ = await k("get", "certificates", "-A")
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["NAMESPACE", "NAME", "READY", "SECRET", "AGE"]
    assert ["payments", "webhooks-tls", "False", "webhooks-tls", "60d"] in rows
    assert "shop-tls" in (await k("get", "cert", "-n", "shop", "-o", "wide"))[1]
    assert (await k("get", "crd"))[1].splitlines()[1].split()[0] == "certificates.cert-manager.io"
    assert (await k("describe", "cert", "shop-tls", "-n", "shop"))[0] == 0
    body = '{"spec":{"renewBefore":"360h"}}'
    patch = ("patch", "cert", "shop-tls", "-n", "shop", "-p", body)
    assert (await k(*patch, "--type", "merge"))[0] == 0
    status, _, error = await k(*patch)
    assert (status, "strategic merge patch is not supported" in error or "unknown format" in error) == (1, True)
