"""Tasks that are to run for as long as their source is read: one that a bug ended is told of and begun again."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]


class Tasks:
    """Tasks on the running event loop, each under a key of its own."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, tuple[asyncio.Task[None], Work]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, key: Hashable, work: Work) -> None:
        """Run `work` from now on."""
        self._tasks[key] = asyncio.create_task(work()), work

    def end(self, key: Hashable) -> None:
        """Cancel a task; nobody waits for it."""
        task, _ = self._tasks.pop(key)
        task.cancel()

    def mend(self) -> None:
        """Raise the exception of a task that a bug ended, after starting it again."""
        for key, (task, work) in list(self._tasks.items()):
            if task.done():
                self.begin(key, work)
                if not task.cancelled():
                    task.result()

    async def close(self) -> None:
        """Cancel every task and wait for half a second at most."""
        tasks, self._tasks = [task for task, _ in self._tasks.values()], {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)
