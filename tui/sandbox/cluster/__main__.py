"""`python -m tui.sandbox.cluster`: run the simulated cluster alone."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tui.sandbox.cluster.cluster import Cluster


async def _run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Cluster(port=options.port, tls=not options.plain, speed=options.speed, seed=options.seed) as cluster:
        cluster.write_kubeconfig(options.kubeconfig, options.user)
        if options.pods:
            await cluster.populate(options.pods)
        if options.churn:
            cluster.churn(options.churn)
        sys.stdout.write(f"{cluster.url}\nexport KUBECONFIG={options.kubeconfig}\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tui.sandbox.cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen (default: any free port)")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="file to write, mode 0600")
    parser.add_argument("--user", default="admin", choices=["admin", "viewer", "shop-only"])
    parser.add_argument("--plain", action="store_true", help="serve plain HTTP instead of HTTPS")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than the wall clock")
    parser.add_argument("--pods", type=int, default=0, help="add so many running pods")
    parser.add_argument("--churn", type=float, default=0.0, help="change so many pods a second")
    parser.add_argument("--seed", type=int, default=1, help="makes names and uids the same in every run")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
