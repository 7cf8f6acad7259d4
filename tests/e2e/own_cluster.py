"""A simulated cluster of a test's own, to be made to misbehave and to be changed."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from tui.sandbox.cluster.cluster import Cluster


class OwnCluster:
    """A simulated cluster on an event loop of its own, to be made to misbehave."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start it; its controllers and pods live `speed` times faster than the clock."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._cluster = Cluster(speed=speed)
        self._wait(self._cluster.start())

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def do(self, work: Callable[[Cluster], object]) -> None:
        """Change it, on its own event loop."""

        async def at_once() -> None:
            work(self._cluster)

        self._wait(at_once())

    def reconnect(self) -> None:
        """Tear down every connection, so that clients come again."""
        self._wait(self._cluster.restart_server())

    def stop(self) -> None:
        async def stop() -> None:
            await self._cluster.stop()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._wait(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
