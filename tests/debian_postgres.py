"""PostgreSQL servers of other versions than the sandbox's: Debian's, and those that `tests.fetch_postgres` fetched."""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

from tui.sandbox.binaries import can_reach, server_identity

FETCHED: Final = Path(__file__).parents[1] / ".venv" / "postgresql"
"""Where `tests.fetch_postgres` puts them."""
VERSIONS: Final = ("13", "14", "15", "16", "17")
_REQUIRED: Final = "15"
"""What `.ci/run` installs from Debian; the others are tested where they are to be had."""


def _programs(major: str) -> Path | None:
    places = (Path("/usr/lib/postgresql") / major / "bin", FETCHED / major / "bin")
    return next((place for place in places if (place / "postgres").exists()), None)


FOUND: Final = [found for major in VERSIONS if (found := _programs(major)) is not None]
"""The folders of their programs, oldest first."""
DEBIAN: Final = Path("/usr/lib/postgresql") / _REQUIRED / "bin"

live = [pytest.mark.live, pytest.mark.xdist_group("live")]
needs_debian = [
    *live,
    pytest.mark.debian,
    pytest.mark.skipif(not DEBIAN.exists(), reason=f"needs Debian's postgresql-{_REQUIRED}"),
]


def version_params(*needed: str) -> list[ParameterSet]:
    """Return the folder of programs of every version as a parameter; skipped where it is missing, or one it needs."""
    return [_param(major, needed) for major in VERSIONS]


def _param(major: str, needed: tuple[str, ...]) -> ParameterSet:
    programs = _programs(major)
    marks = [*needs_debian] if major == _REQUIRED else [*live]
    if programs is None:
        reason = f"needs PostgreSQL {major}: Debian's postgresql-{major}, or `make postgres-versions`"
        return pytest.param(Path(), marks=[*marks, pytest.mark.skip(reason=reason)], id=major)
    missing = [name for name in needed if not (programs / name).exists()]
    if missing:
        marks.append(pytest.mark.skip(reason=f"this build of PostgreSQL {major} lacks {', '.join(missing)}"))
    return pytest.param(programs, marks=marks, id=major)


_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_SETTINGS: Final = {"fsync": "off", "shared_buffers": "16MB"}
_FIRST: Final[dict[Path, Path]] = {}
"""By where its programs are installed: the data folder of a cluster that no server has run on."""


class DebianPostgres:
    """One version's programs, and a folder of its own for data and sockets."""

    def __init__(self, programs: Path, folder: Path, installed: Path) -> None:
        self._programs = programs
        self._installed = installed
        self.folder = folder
        self._identity = server_identity()
        # A fetched build brings its own libpq, and would otherwise find the system's.
        libraries = {} if programs.is_relative_to("/usr") else {"LD_LIBRARY_PATH": str(programs.parent / "lib")}
        self._environment = {**_ENVIRONMENT, **libraries}
        os.chown(folder, self._identity.uid, self._identity.gid)

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of its programs to its end. Raises CalledProcessError when it fails."""
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder, env=self._environment, check=True, capture_output=True, **self._identity.run_as,
        )  # fmt: skip

    def make(self) -> Path:
        """Make a cluster with a system identifier of its own and return its data folder."""
        data = self.folder / "data"
        self._initdb(data)
        return data

    def made(self) -> Path:
        """Return the data folder of a new cluster: a copy of the one that this version made first in this process.

        Its system identifier is that of the other copies; it costs a fifth of making one.
        """
        if self._installed not in _FIRST:
            folder = Path(tempfile.mkdtemp(prefix="opstui-pg-", dir="/tmp"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.chown(folder, self._identity.uid, self._identity.gid)
            self._initdb(folder / "data")
            _FIRST[self._installed] = folder / "data"
        return self.copy(_FIRST[self._installed], "data")

    def _initdb(self, data: Path) -> None:
        self.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")

    def copy(self, data: Path, name: str) -> Path:
        """Copy the data folder of a stopped server, as whoever clones one does."""
        copied = self.folder / name
        subprocess.run(["/bin/cp", "-a", data, copied], check=True, capture_output=True)
        return copied

    @contextlib.contextmanager
    def serving(self, data: Path, port: int = 5432, listen: str = "") -> Iterator[str]:
        """Run the server on a data folder, also at an address to `listen` at; yield the superuser's DSN."""
        own = {"unix_socket_directories": str(self.folder), "port": str(port), "listen_addresses": listen}
        settings = {**_SETTINGS, **own}
        process = subprocess.Popen(
            [self._programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
            cwd=self.folder, env=self._environment, stderr=subprocess.DEVNULL, **self._identity.run_as,
        )  # fmt: skip
        try:
            self._wait(port, process)
            yield f"postgresql://postgres@/postgres?host={self.folder}&port={port}"
        finally:
            process.send_signal(signal.SIGINT)  # fast: no waiting for clients
            process.wait(timeout=20)

    def _wait(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it answers a startup packet with anything but "starting up"."""
        deadline, place = time.monotonic() + 30, str(self.folder / f".s.PGSQL.{port}")
        body = b"user\0postgres\0database\0postgres\0\0"
        while process.poll() is None:
            with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
                one.settimeout(5)
                one.connect(place)
                one.sendall(struct.pack("!ii", 8 + len(body), 196608) + body)
                answer = one.recv(1000)
                if answer[:1] == b"R" or (answer[:1] == b"E" and b"57P03" not in answer):
                    return
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        raise TimeoutError("PostgreSQL does not accept connections")


@contextlib.contextmanager
def debian_postgres(programs: Path) -> Iterator[DebianPostgres]:
    """Lend a folder, removed afterwards; programs that the server's user cannot reach are copied there."""
    with tempfile.TemporaryDirectory(prefix="opstui-pg-", dir="/tmp") as folder:
        identity, installed = server_identity(), programs
        if not can_reach(programs / "postgres", identity):
            shutil.copytree(programs.parent, Path(folder) / "programs", symlinks=True)
            programs = Path(folder) / "programs" / "bin"
        yield DebianPostgres(programs, Path(folder), installed)
