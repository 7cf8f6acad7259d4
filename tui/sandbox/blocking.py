"""The sandbox for programs and tests without an event loop of their own."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Self, TypeVar

from tui.sandbox.stack import Sandbox

T = TypeVar("T")


class BlockingSandbox:
    """A `Sandbox` whose event loop runs in a thread; every method waits for its answer.

    Call it through `asyncio.to_thread` from an event loop that must not wait: `start` and `stop` take seconds,
    and so does ending a scenario while PostgreSQL hangs; the rest takes milliseconds.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._thread.start()
        self._sandbox: Sandbox | None = None

    @classmethod
    def start(cls, *, scenario: str = "calm", progress: Callable[[str], None] | None = None) -> Self:
        """Start a sandbox; see `Sandbox.start`."""
        self = cls()
        try:
            show = progress or (lambda text: None)
            self._sandbox = self._wait(Sandbox.start(scenario=scenario, progress=show))
        except BaseException:
            self._end_loop()
            raise
        return self

    @property
    def endpoints(self) -> Mapping[str, str]:
        """What `${sandbox.NAME}` stands for in a profile."""
        return self._running.endpoints

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the servers: `postgres`, `redis`."""
        return self._running.pids

    @property
    def supervisor_pid(self) -> int:
        """Process id of the supervisor."""
        return self._running.supervisor_pid

    @property
    def running(self) -> str:
        """Name of the scenario that is under way; `calm` when it has ended."""
        return self._running.running

    @property
    def failure(self) -> str:
        """Why the last scenario ended early; empty when it did not."""
        return self._running.failure

    @property
    def started_in_s(self) -> float:
        """Seconds until everything was up."""
        return self._running.started_in_s

    def scenario(self, name: str, duration_s: float | None = None) -> None:
        """Begin a scenario; see `Sandbox.scenario`."""
        self._wait(self._running.scenario(name, duration_s))

    def set_component(self, service: str, component: str, status: str) -> None:
        """Change a component of a service's health; see `Sandbox.set_component`."""
        self._wait(self._running.set_component(service, component, status))

    def rotate_logs(self) -> None:
        """Rename every log file and begin it anew."""
        self._wait(self._running.rotate_logs())

    @contextlib.contextmanager
    def stopped(self, server: str) -> Iterator[None]:
        """Stop `postgres` or `redis` and start it again afterwards, with another pid."""
        self._wait(self._running.stop_server(server))
        try:
            yield
        finally:
            self._wait(self._running.start_server(server))

    def restart(self, server: str) -> None:
        """Restart `postgres` or `redis`."""
        self._wait(self._running.start_server(server))

    @contextlib.contextmanager
    def frozen(self, server: str) -> Iterator[None]:
        """Stop `postgres` or `redis` by SIGSTOP, with all its backends, and let it go on afterwards."""
        import psutil  # for tests; the command line does not pay for it

        main = psutil.Process(self.pids[server])
        main.send_signal(signal.SIGSTOP)  # first, so that it starts no further backend
        tree = [main, *main.children(recursive=True)]
        try:
            for process in tree[1:]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGSTOP)
            yield
        finally:
            for process in reversed(tree):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop everything; see `Sandbox.stop`."""
        if self._sandbox is not None:
            self._wait(self._sandbox.stop())
            self._sandbox = None
            self._end_loop()

    @property
    def _running(self) -> Sandbox:
        if self._sandbox is None:
            raise RuntimeError("the sandbox was stopped")
        return self._sandbox

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        self._wait(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _end_tasks() -> None:
    """Cancel what still runs, a start that was interrupted above all, and wait until it has cleaned up."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
