"""The sandbox inside its supervisor: what is started in which order, and stopped again."""

import asyncio
import importlib
import os
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tui.sandbox.binaries import Identity, Programs, find_programs, reachable, server_identity
from tui.sandbox.errors import SandboxError
from tui.sandbox.folder import Folder, make_folder, sweep
from tui.sandbox.servers import (
    Server,
    make_database,
    postgres_ready,
    spawn_postgres,
    spawn_valkey,
    valkey_ready,
)


class RunningSandbox:
    """Servers, services, load and scenarios of one sandbox."""

    def __init__(self, *, progress: Callable[[str], None], scenario_changed: Callable[[str, str], None]) -> None:
        self._progress = progress
        self._scenario_changed = scenario_changed
        self._began = time.monotonic()
        self._folder: Folder | None = None
        self._servers: dict[str, Server] = {}
        self._endings = AsyncExitStack()
        self.endpoints: dict[str, str] = {}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the servers, by name."""
        return {name: server.pid for name, server in self._servers.items()}

    async def start(self) -> None:
        """Start everything; `endpoints` and `pids` are complete afterwards.

        Raises:
            SandboxError: a part is missing or did not start; call `stop` all the same.
        """
        programs = find_programs()
        identity = server_identity()
        for path in sweep(identity):
            self._say(f"removed what a killed sandbox had left in {path}")
        self._folder = make_folder(identity)
        self._endings.callback(self._folder.close)
        self._endings.push_async_callback(self._stop_servers)
        base = self._folder.path
        os.environ["HOME"] = str(base)  # no ~/.pgpass, no ~/.kube
        self._say(f"folder {base}")
        # Not in a thread: it would go on filling the folder while an early end removes it.
        programs = reachable(programs, identity, base)
        self._means = programs, identity, base
        # initdb is the longest single step: everything that does not need the database goes beside it.
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_postgres(programs, identity, base))
                group.create_task(self._start_valkey(programs, identity, base))
                group.create_task(self._start_services(base))
                group.create_task(self._start_cluster(base))
                await asyncio.sleep(0)  # initdb is at work now; what is needed after it loads meanwhile
                importlib.import_module("tui.sandbox.shop")
                importlib.import_module("tui.sandbox.scenarios.stage")
        except ExceptionGroup as failed:
            for error in failed.exceptions:
                if isinstance(error, SandboxError):
                    raise error from failed
            raise
        self._start_load(base)

    async def _start_postgres(self, programs: Programs, identity: Identity, base: Path) -> None:
        data = await make_database(programs, identity, base)
        server = self._servers["postgres"] = spawn_postgres(programs, identity, base, data)
        self._record()
        await postgres_ready(server, base)
        from tui.sandbox.shop import dsn, make_shop

        version = await make_shop(base)
        self.endpoints |= {
            "postgres": dsn(base, "opstui"),
            "postgres_admin": dsn(base, "postgres"),
            "postgres_app": dsn(base, "app"),
            "postgres_pid": str(server.pid),
        }
        self._say(f"PostgreSQL {version} is up")

    async def _start_valkey(self, programs: Programs, identity: Identity, base: Path) -> None:
        server = self._servers["redis"] = spawn_valkey(programs, identity, base)
        self._record()
        await valkey_ready(server, base)
        self.endpoints |= {"redis": f"unix://{base / 'redis.sock'}?db=0", "redis_pid": str(server.pid)}
        self._say("Valkey is up")

    async def _start_services(self, base: Path) -> None:
        from tui.sandbox.edge import Edge
        from tui.sandbox.service_api import Identity, routes
        from tui.sandbox.service_logs import ServiceLogs
        from tui.sandbox.services import ServicePorts, shop_services

        self._logs = ServiceLogs(base / "logs")
        self._endings.callback(self._logs.close)
        self._services = shop_services()
        ports = ServicePorts(routes(self._services, Identity(base)))
        self._endings.push_async_callback(ports.close)
        urls = await ports.listen(self._services)
        self.endpoints |= {f"service_{name}": url for name, url in urls.items()}
        self._edge = Edge(base)
        self._endings.push_async_callback(self._edge.close)
        self.endpoints["service_edge"] = await self._edge.listen()
        self.endpoints |= {"logs": str(self._logs.folder), "base": str(base)}
        self._say(f"{len(urls) + 1} services are up")

    async def _start_cluster(self, base: Path) -> None:
        from tui.sandbox.cluster import Cluster

        self._cluster = Cluster(tls=True)
        self._endings.push_async_callback(self._cluster.stop)
        await self._cluster.start()
        # The pods named after them lead to the real servers.
        for app, port, socket in (("postgres", 5432, ".s.PGSQL.5432"), ("redis", 6379, "redis.sock")):
            connect = partial(asyncio.open_unix_connection, str(base / socket))
            self._cluster.forwards.backends["shop", app] = {port: connect}
        for name, user in (("kubeconfig", "admin"), ("kubeconfig_viewer", "viewer")):
            self.endpoints[name] = str(self._cluster.write_kubeconfig(base / f"{name}.yaml", user))
        self._say("the simulated Kubernetes cluster is up")

    def _start_load(self, base: Path) -> None:
        from tui.sandbox.scenarios.stage import Scenarios, Stage
        from tui.sandbox.traffic import Traffic

        def inside(app: str) -> tuple[int, dict[str, object]] | None:
            return service.document() if (service := self._services.get(app)) else None

        self._cluster.proxy.health = inside

        self._traffic = Traffic(base, str(base / "redis.sock"), self._services, self._logs)
        self._endings.push_async_callback(self._traffic.stop)
        self._traffic.start()
        stage = Stage(
            base, str(base / "redis.sock"), self._services, self._logs, self._traffic, self._cluster, self._edge
        )
        self._scenarios = Scenarios(stage, self._scenario_changed)
        self._endings.push_async_callback(self._scenarios.end)

    async def do(self, request: Mapping[str, Any]) -> Mapping[str, int]:
        """Carry out one request of the program that started us; return the servers' pids afterwards.

        Raises:
            SandboxError: it is not known, or cannot be done.
        """
        match request:
            case {"do": "set_component", "service": str(service), "component": str(component), "status": str(status)}:
                if service not in self._services:
                    raise SandboxError(f"no service {service!r}: there are {', '.join(self._services)}")
                self._services[service].set(component, status)
            case {"do": "scenario", "name": str(name), "duration_s": int() | float() | None as duration_s}:
                await self._scenarios.begin(name, duration_s)
            case {"do": "rotate_logs"}:
                self._logs.rotate()
            case {"do": "stop_server", "server": str(name)} if name in self._servers:
                await asyncio.to_thread(self._servers[name].stop)
            case {"do": "start_server", "server": str(name)} if name in self._servers:
                await asyncio.to_thread(self._servers[name].stop)
                await self._start_again(name)
            case _:
                raise SandboxError(f"unknown request {dict(request)!r}")
        return self.pids

    async def _start_again(self, name: str) -> None:
        programs, identity, base = self._means
        if name == "postgres":
            self._servers[name] = spawn_postgres(programs, identity, base, base / "data")
            self._record()
            await postgres_ready(self._servers[name], base)
        else:
            self._servers[name] = spawn_valkey(programs, identity, base)
            self._record()
            await valkey_ready(self._servers[name], base)

    async def stop(self) -> None:
        """Stop everything in the reverse order and remove the folder, whatever of it fails to stop."""
        await self._endings.aclose()

    async def _stop_servers(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self._servers.values()))

    def _record(self) -> None:
        if self._folder is not None:
            self._folder.record({name: server.pid for name, server in self._servers.items() if server.is_running})

    def _say(self, text: str) -> None:
        self._progress(f"{time.monotonic() - self._began:4.1f} s  {text}")
