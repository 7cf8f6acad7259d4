"""PostgreSQL servers of the versions that Debian installed here, for tests that need another one than the sandbox's."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tui.sandbox.binaries import server_identity

FOUND: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""The folders of their programs."""

needs_debian = [
    pytest.mark.live,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(not FOUND, reason="needs one of Debian's postgresql-NN packages"),
]
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_SETTINGS: Final = {"fsync": "off", "shared_buffers": "16MB"}


class DebianPostgres:
    """One version's programs, and a folder of its own for data and sockets."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._identity = server_identity()
        os.chown(folder, self._identity.uid, self._identity.gid)

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of its programs to its end. Raises CalledProcessError when it fails."""
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder, env=_ENVIRONMENT, check=True, capture_output=True, **self._identity.run_as,
        )  # fmt: skip

    def make(self) -> Path:
        """Make a cluster and return its data folder."""
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        return data

    def copy(self, data: Path, name: str) -> Path:
        """Copy the data folder of a stopped server, as whoever clones one does."""
        copied = self.folder / name
        shutil.copytree(data, copied)
        for path in (copied, *copied.rglob("*")):
            os.chown(path, self._identity.uid, self._identity.gid)
        return copied

    @contextlib.contextmanager
    def serving(self, data: Path, port: int = 5432, listen: str = "") -> Iterator[str]:
        """Run the server on a data folder, also at an address to `listen` at; yield the superuser's DSN."""
        own = {"unix_socket_directories": str(self.folder), "port": str(port), "listen_addresses": listen}
        settings = {**_SETTINGS, **own}
        process = subprocess.Popen(
            [self._programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
            cwd=self.folder, env=_ENVIRONMENT, stderr=subprocess.DEVNULL, **self._identity.run_as,
        )  # fmt: skip
        try:
            self._wait(port)
            yield f"postgresql://postgres@/postgres?host={self.folder}&port={port}"
        finally:
            process.send_signal(signal.SIGINT)  # fast: no waiting for clients
            process.wait(timeout=20)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.run("pg_isready", "-q", "-h", self.folder, "-p", str(port))
                return
            if time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL does not accept connections")
            time.sleep(0.05)


@contextlib.contextmanager
def debian_postgres(programs: Path) -> Iterator[DebianPostgres]:
    """Lend a folder, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="opstui-pg-", dir="/tmp") as folder:
        yield DebianPostgres(programs, Path(folder))
