"""Starting and stopping PostgreSQL and Valkey on private sockets."""

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tui.sandbox import environment
from tui.sandbox.binaries import Identity, Programs
from tui.sandbox.errors import SandboxError
from tui.sandbox.folder import kill_tree

POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "cluster_name": "shop",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_planning": "on",
    "compute_query_id": "on",
    "fsync": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_prepared_transactions": "5",
    "min_wal_size": "2MB",
    "max_wal_size": "64MB",
    "track_io_timing": "on",
    "autovacuum_naptime": "15s",
    "deadlock_timeout": "1s",
    # A statement ends with its client: one left behind would keep an alert up long after whoever sent it.
    "client_connection_check_interval": "1s",
    "jit": "off",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d/%a ",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
}
VALKEY_SETTINGS: Mapping[str, str] = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "slowlog-log-slower-than": "2000",
    "latency-monitor-threshold": "10",
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lfu",
}
MAXMEMORY_BYTES = 64 * 1024 * 1024

_STARTUP_PACKET = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"


class Server:
    """One started server process, ours to signal and to reap."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, polite: signal.Signals) -> None:
        self.name = name
        self._process = process
        self._log = log
        self._polite = polite

    @property
    def pid(self) -> int:
        """Process id of the server's main process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the main process has not ended."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise `SandboxError` with the end of the server's log if it has ended by itself."""
        status = self._process.poll()
        if status is not None:
            raise SandboxError(f"{self.name} ended with status {status}: {last_lines(self._log)}")

    def stop(self, wait_s: float = 5.0) -> None:
        """End the server with its children, by force if it does not hurry."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            server = psutil.Process(self._process.pid)
            self._process.send_signal(self._polite)
            for member in (server, *server.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    member.send_signal(signal.SIGCONT)  # whoever stopped it is not there to let it go on
            try:
                self._process.wait(timeout=wait_s)
            except subprocess.TimeoutExpired:
                kill_tree(server)
                self._process.wait(timeout=1)


@contextlib.contextmanager
def _starting(name: str) -> Iterator[None]:
    """Put a refusal to execute, for example on a file system mounted noexec, into words."""
    try:
        yield
    except OSError as error:
        raise SandboxError(f"{name} cannot be started: {error.strerror} ({error.filename})") from error


def last_lines(path: Path, count: int = 5) -> str:
    """Return the last lines of a server's log on one line."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"no log ({error.strerror})"
    return " | ".join(lines[-count:]) or "its log is empty"


async def make_database(programs: Programs, identity: Identity, base: Path) -> Path:
    """Run `initdb` and return the data folder (about a second)."""
    data = base / "data"
    with _starting("initdb"):
        process = await asyncio.create_subprocess_exec(
            str(programs.initdb), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
            "--no-sync", "--wal-segsize=1", "--no-data-checksums", "--no-instructions",
            env=environment.SERVERS, cwd=base, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **identity.run_as,
        )  # fmt: skip
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the postgres that it runs
        await process.wait()
        raise
    if process.returncode:
        raise SandboxError(f"initdb failed: {' | '.join(output.decode(errors='replace').splitlines()[-5:])}")
    return data


def spawn_postgres(programs: Programs, identity: Identity, base: Path, data: Path) -> Server:
    """Start `postgres` on a socket in `base`; wait for it with `postgres_ready`."""
    settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(base)}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(programs.postgres), "-D", str(data), *arguments]
    return _spawn("PostgreSQL", command, identity, base, signal.SIGINT)


def spawn_valkey(programs: Programs, identity: Identity, base: Path) -> Server:
    """Start Valkey on the socket `redis.sock` in `base`; wait for it with `valkey_ready`."""
    settings = {
        **VALKEY_SETTINGS,
        "unixsocket": str(base / "redis.sock"),
        "dir": str(base),
        "logfile": str(base / "valkey-server.log"),
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return _spawn("Valkey", [str(programs.valkey), *arguments], identity, base, signal.SIGTERM)


def _spawn(name: str, command: Sequence[str], identity: Identity, base: Path, polite: signal.Signals) -> Server:
    path = base / f"{name.lower()}.log"
    with open(path, "ab") as log, _starting(name):
        process = subprocess.Popen(
            command,
            env=environment.SERVERS,
            cwd=base,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **identity.run_as,
        )
    return Server(name, process, path, polite)


async def postgres_ready(server: Server, base: Path, deadline_s: float = 20.0) -> None:
    """Wait until PostgreSQL accepts sessions; connecting alone succeeds while it still starts."""
    packet = struct.pack("!I", len(_STARTUP_PACKET) + 4) + _STARTUP_PACKET
    await _answers(server, base / ".s.PGSQL.5432", packet, b"R", deadline_s)


async def valkey_ready(server: Server, base: Path, deadline_s: float = 10.0) -> None:
    """Wait until Valkey answers PING."""
    await _answers(server, base / "redis.sock", b"PING\r\n", b"+", deadline_s)


async def _answers(server: Server, socket: Path, question: bytes, good: bytes, deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        server.check()
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_unix_connection(str(socket))
                try:
                    writer.write(question)
                    if await reader.readexactly(1) == good:
                        return
                finally:
                    writer.close()
        await asyncio.sleep(0.01)
    raise SandboxError(f"{server.name} did not answer within {deadline_s:.0f} s")
