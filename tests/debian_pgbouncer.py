"""A PgBouncer as Debian installed it, for tests that need one in front of a server."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tui.sandbox.binaries import server_identity

PGBOUNCER: Final = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

needs_pgbouncer = [
    pytest.mark.live,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer"),
]
_SETTINGS: Final = """
[databases]
shop = host={postgres} port=5432 dbname=shop user=opstui
[pgbouncer]
listen_port = {port}
listen_addr = 127.0.0.1
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {pool_size}
stats_users = opstui
admin_users = admin
{more}
"""


@dataclass(frozen=True, slots=True)
class Bouncer:
    """One that runs."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    def dsn(self, database: str = "shop", user: str = "opstui") -> str:
        """Return the DSN of a database through it; `pgbouncer` is its own console."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def tcp(self, user: str = "opstui") -> str:
        """Return the DSN of its console over TCP."""
        return f"postgresql://{user}@localhost:{self.port}/pgbouncer"


@contextlib.contextmanager
def pgbouncer(postgres: str, *, pool_size: int = 3, more: str = "", files: dict[str, bytes] | None = None,
              port: int = 0) -> Iterator[Bouncer]:  # fmt: skip
    """Run one in front of the server at a socket folder; `more` are settings, `files` stand in its folder."""
    identity = server_identity()
    folder = Path(tempfile.mkdtemp(prefix="opstui-pgbouncer-", dir="/tmp"))
    port = port or _free_port()
    for name, data in (files or {}).items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    (folder / "users").write_text("".join(f'"{user}" ""\n' for user in ("opstui", "app", "admin", "stranger")))
    settings = folder / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(postgres=postgres, folder=folder, port=port, pool_size=pool_size, more=more))
    for path in (folder, *folder.iterdir()):
        os.chown(path, identity.uid, identity.gid)
    process = subprocess.Popen(
        [str(PGBOUNCER), "-q", str(settings)], stderr=subprocess.DEVNULL, cwd=folder, **identity.run_as
    )
    try:
        _wait(folder / f".s.PGSQL.{port}")
        yield Bouncer(folder, port, process)
    finally:
        process.kill()
        process.wait(timeout=30)
        shutil.rmtree(folder)


def socket_folder(dsn: str) -> str:
    """Return the folder of the socket in a DSN of the sandbox."""
    return dsn.partition("host=")[2].partition("&")[0]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(path: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
            one.connect(str(path))
            return
        if time.monotonic() > deadline:
            raise TimeoutError("PgBouncer does not accept connections")
        time.sleep(0.02)
