"""A log source of the profile: whatever it follows, its lines come in batches."""

import asyncio
import contextlib
import glob
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from profiles.logs import LogFilter, LogSource
from tui.sources.errors import Unreadable
from tui.sources.logs.command import CommandFollower
from tui.sources.logs.containers import ContainerFollower, ContainerLogs
from tui.sources.logs.files import FIRST_LINES, FileFollower
from tui.sources.logs.follower import Follower
from tui.sources.logs.intake import Intake
from tui.sources.logs.line import LogBatch
from tui.sources.logs.many import ManyFollower
from tui.sources.logs.packed import PackedFollower, is_packed
from tui.sources.logs.pods import PodFollower, PodLogs
from tui.sources.logs.stdin import STDIN, StdinFollower, StreamFollower
from tui.sources.logs.watch import watches_of
from tui.sources.masking import without_secrets

if TYPE_CHECKING:
    from tui.sources.logs.past import Past

QUIET_S: Final = 2.0
"""A read without new lines returns after this long."""
GAP_S: Final = 0.1
"""Batches come at most ten times a second."""


def is_of_files(entry: LogSource) -> bool:
    """Tell whether a log is of files that are followed, not read once or piped in."""
    return entry.file not in (None, STDIN) and not (
        is_packed(entry.file or "") and not glob.has_magic(entry.file or "")
    )


class LogsSource:
    """Follows one log; every line is in exactly one batch."""

    def __init__(
        self,
        name: str,
        entry: LogSource,
        pod_logs: PodLogs | None = None,
        container_logs: ContainerLogs | None = None,
        *,
        masks: bool = False,
        first_lines: int = FIRST_LINES,
        filters: Mapping[str, LogFilter] | None = None,
        stdin: int | None = None,
    ) -> None:
        """Make the source; nothing is followed yet.

        Args:
            name: what the profile calls it.
            entry: what is followed.
            pod_logs: reads the logs of pods; None where there is no cluster.
            container_logs: reads the logs of containers; None where the profile names no engine.
            masks: takes what looks like a secret out of every line.
            first_lines: how many lines of what was there before are read, of each file, or of all pods together.
            filters: those of the profile; lines are counted for the ones with a threshold.
            stdin: descriptor of what is piped into opstui; None when nothing is.
        """
        self._watches = watches_of(name, filters or {})
        self._first_lines = first_lines
        self.name = f"logs:{name}"
        self.interval_s = GAP_S
        self.timeout_s = QUIET_S + 3.0
        self._log = name
        self._entry = entry
        self._zone = ZoneInfo(entry.zone) if entry.zone else None
        self._pod_logs = pod_logs
        self._container_logs = container_logs
        self._stdin = stdin
        self._shown = without_secrets if masks else None
        self._intake = Intake(self._wake, shown=self._shown, watches=self._watches)
        self._follower: Follower | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()
        self._returned_at = 0.0

    async def read(self) -> LogBatch:
        """Return the lines since the last read: as soon as there are some, else after 2 s without any.

        Raises:
            Denied: no file may be read.
            Unreachable: the program cannot be started, or the cluster does not answer.
            Unreadable: the profile names pods, but no cluster.
        """
        follower = self._following()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                await self._arrived.wait()
        if (gap := self._returned_at + GAP_S - time.monotonic()) > 0:
            await asyncio.sleep(gap)
        # Nothing below waits, so a read that is cancelled has not taken any line yet.
        self._arrived.clear()
        self._returned_at = time.monotonic()
        lines = self._intake.take()
        if not lines and follower.failure is not None:
            raise follower.failure
        lines_per_s, errors_per_s = self._intake.rates()
        return LogBatch(
            self._log,
            lines,
            self._intake.received,
            self._intake.dropped,
            self._intake.bytes,
            lines_per_s,
            errors_per_s,
            follower.following,
            (*follower.problems, *(watch.problem for watch in self._watches if watch.problem)),
            self._intake.gaps,
            tuple((watch.name, watch.count()) for watch in self._watches),
            follower.ended if isinstance(follower, StreamFollower) else "",
            follower.away_since if isinstance(follower, ManyFollower) else None,
            follower.older_bytes if isinstance(follower, FileFollower) else 0,
        )

    @property
    def has_caught_up(self) -> bool:
        """Whether the next read brings the last of what was there before; False as long as that cannot be told."""
        return self._follower is not None and self._follower.has_caught_up

    def past(self, *, is_deep: bool = True) -> "Past | None":
        """Return what reads the log's files before the lines that are shown; None where it is not of files.

        `is_deep`: through rotated and packed generations as well.
        """
        from tui.sources.logs.past import Past  # with what unpacks files, which no start should pay

        follower = self._follower
        if not isinstance(follower, FileFollower):
            return None
        return Past(self._log, follower.begun, self._shown, is_deep=is_deep, zone=self._zone)

    async def close(self) -> None:
        """Stop following; a program that was started is ended."""
        follower, self._follower = self._follower, None
        self._loop = None
        if follower is not None:
            await follower.close()

    def _following(self) -> Follower:
        if self._follower is None:
            self._loop = asyncio.get_running_loop()
            self._follower = self._new_follower()
            self._follower.start()
        return self._follower

    def _new_follower(self) -> Follower:
        entry = self._entry
        if entry.file == STDIN:
            return StdinFollower(self._log, self._stdin, self._intake, self._zone)
        if entry.file is not None and is_packed(entry.file) and not glob.has_magic(entry.file):
            return PackedFollower(self._log, entry.file, self._intake, self._zone)
        if entry.file is not None:
            return FileFollower(self._log, entry.file, self._intake, zone=self._zone, first_lines=self._first_lines)
        if entry.command is not None:
            if not entry.command:
                raise Unreadable("the command is empty", "give program and arguments in the profile")
            return CommandFollower(self._log, entry.command, self._intake, self._zone)
        if entry.docker is not None:
            if self._container_logs is None:
                raise Unreadable("the profile names containers but no engine", "add docker: {local: {}} to the profile")
            lines = self._first_lines
            return ContainerFollower(self._log, self._container_logs, entry.docker, self._intake, first_lines=lines)
        if self._pod_logs is None or entry.namespace is None:
            raise Unreadable("the profile names pods but no cluster", "add kubernetes: to the profile")
        return PodFollower(self._log, self._pod_logs, entry, self._intake, first_lines=self._first_lines)

    def _wake(self) -> None:
        # From any thread; the loop may be gone already when a follower outlives it for a moment.
        # Lines are put before this is asked and taken after it is cleared, so a waking left out loses none.
        if (loop := self._loop) is not None and not self._arrived.is_set():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._arrived.set)
