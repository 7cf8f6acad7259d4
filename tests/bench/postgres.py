"""The Database tab beside pg_activity, both every two seconds on the same server with many sessions."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil

from tests.bench import cost
from tests.bench.crowded_postgres import PEER_ROLE, TABLES, backends_of, crowded_postgres
from tests.bench.figures import Figure, figure
from tests.bench.peers import install
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui

SESSIONS = 500
PEER = ("pg_activity==3.6.2", "psycopg[binary]")


def measure(stage: Stage) -> Iterator[Figure]:
    """Run both at the same time: each has backends of its own, and CPU time is counted, not wall-clock."""
    peer = install(stage, "pg_activity", *PEER)
    with crowded_postgres(stage, SESSIONS) as (base, server), ExitStack() as stack:
        url = f"postgresql://opstui@/shop?host={base}&port=5432"
        ours = opstui("--profile", str(stage.profile("crowd", {"databases": {"shop": url}})))
        running = {"opstui": stack.enter_context(Screen(ours, env=stage.env))}
        running["opstui"].wait("Database")
        running["opstui"].press("3")
        running["opstui"].wait("accepting")
        if peer is not None:
            connection = ["-h", str(base), "-p", "5432", "-U", PEER_ROLE, "-d", "shop"]
            running[PEER_ROLE] = stack.enter_context(Screen([str(peer), "--refresh", "2", *connection], env=stage.env))
            running[PEER_ROLE].wait("RUNNING QUERIES")
        costs = _costs(running, server, stage.seconds(60))
    for role, (client, served, sent) in costs.items():
        name = "pg_activity" if role == PEER_ROLE else role
        yield Figure(
            f"{SESSIONS} sessions, 50 of them blocked, {TABLES:,} tables: {name}",
            f"client {client:.2f} %, server {served:.2f} % of a core, {sent:.0f} B/s to the terminal",
        )
    if PEER_ROLE not in costs:
        yield Figure(f"{SESSIONS} sessions: beside pg_activity", "peer not installed (--with-peers)")
        return
    (client, served, _), (peer_client, peer_served, _) = costs["opstui"], costs[PEER_ROLE]
    yield figure(f"{SESSIONS} sessions: client CPU", client / peer_client, "× pg_activity", 1, digits=2)
    yield figure(f"{SESSIONS} sessions: server CPU", served / peer_served, "× pg_activity", 0.5, digits=2)


def _costs(running: dict[str, Screen], server: psutil.Process, seconds: float) -> dict[str, tuple[float, float, float]]:
    """Return percent of a core of client and of its backends, and bytes per second, by role."""
    for screen in running.values():
        screen.pass_time(4)
    before, started = _cpu(running, server), time.monotonic()
    while time.monotonic() < started + seconds:
        for screen in running.values():
            screen.pass_time(0.2)
    span, after = time.monotonic() - started, _cpu(running, server)
    return {
        role: (
            100 * (after[role][0] - before[role][0]) / span,
            100 * (after[role][1] - before[role][1]) / span,
            screen.bytes_since(started) / span,
        )
        for role, screen in running.items()
    }


def _cpu(running: dict[str, Screen], server: psutil.Process) -> dict[str, tuple[float, float]]:
    return {
        role: (cost.cpu_of(screen.process), sum(cost.cpu_of(backend) for backend in backends_of(server, role)))
        for role, screen in running.items()
    }
