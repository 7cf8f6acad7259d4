"""Units of this machine's systemd, by one `systemctl show` for all: its `KEY=VALUE` form is made for programs."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from profiles import programs
from profiles.hosts import is_pattern
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.reading import Number
from tui.sources.text import clean

RESTARTS_WITHIN_S: Final = 600.0
_TIMEOUT_S: Final = 5.0
_MOST_BYTES: Final = 8 * 1024 * 1024
_NOT_SET: Final = (1 << 64) - 1
"""What a counter says that is not kept."""
PROPERTIES: Final = (
    "Id", "Description", "LoadState", "ActiveState", "SubState", "Type", "Result", "NRestarts", "ExecMainStatus",
    "ExecMainCode", "MainPID", "InvocationID", "ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic",
    "StateChangeTimestampMonotonic", "CPUUsageNSec", "MemoryCurrent", "MemoryMax", "UnitFileState", "NeedDaemonReload",
    "TriggeredBy", "RequiredBy", "BoundBy", "ConsistsOf", "CanStart", "CanStop", "RefuseManualStart",
    "RefuseManualStop", "FragmentPath", "Job", "StatusText", "Restart", "RemainAfterExit", "TimeoutStopUSec",
)  # fmt: skip
_NO_MANAGER: Final = ("not been booted with systemd", "Failed to connect to bus", "Failed to get D-Bus connection")
_SUFFIXES: Final = (
    ".service", ".socket", ".timer", ".target", ".mount", ".automount", ".path", ".slice", ".scope", ".swap", ".device",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit, in systemd's own words; `systemctl show` explains each property."""

    name: str
    """`Id`: `nginx.service`."""
    description: str
    load_state: str
    """loaded, not-found, masked, bad-setting, error."""
    active_state: str
    """active, reloading, inactive, failed, activating, deactivating."""
    sub_state: str
    """running, exited, dead, failed, auto-restart, …"""
    type: str
    """Of a service: simple, notify, forking, oneshot, …; empty for other units."""
    result: str
    """success, exit-code, signal, oom-kill, timeout, start-limit-hit, …"""
    exit_status: int
    """`ExecMainStatus`: exit code of the main process, or the signal that ended it (see `was_signalled`)."""
    was_signalled: bool
    """Whether `exit_status` is a signal."""
    main_pid: int
    invocation_id: str
    """New at each start: the identity of one run; empty when it never ran."""
    restarts: int
    """`NRestarts`: restarts by systemd itself since a person started it last."""
    active_since: float | None
    """`time.time()`; None when it never was active."""
    changed_at: float | None
    """`time.time()` of the last change of state."""
    memory_bytes: int | None
    """`MemoryCurrent`; None without memory accounting."""
    memory_max_bytes: int | None
    """`MemoryMax`; None without a limit."""
    cpu_ns: int | None
    """`CPUUsageNSec` since the start; None without CPU accounting."""
    cpu_percent: float | None = None
    """Of one core, between two readings; None before the second."""
    file_state: str = ""
    """`UnitFileState`: enabled, disabled, static, masked, …"""
    needs_reload: bool = False
    """Whether its file has changed on disk since systemd read it."""
    triggered_by: tuple[str, ...] = ()
    """Sockets, timers and paths that start it."""
    stops_too: tuple[str, ...] = ()
    """Units that stop when it stops: RequiredBy, BoundBy, ConsistsOf."""
    refuses: tuple[str, ...] = ()
    """Of `start` and `stop`, what systemd lets no person do."""
    job: str = ""
    """Number of a job that is queued or runs for it; empty for none."""
    status_text: str = ""
    """What the service says of itself (`sd_notify`)."""
    restart_policy: str = ""
    """`Restart`: no, on-failure, always, …"""
    file: str = ""
    """`FragmentPath`."""
    remains: bool = False
    """`RemainAfterExit`: it counts as active after its processes have ended."""
    stop_timeout_s: float = 90.0
    """`TimeoutStopUSec`: how long a stop may take before systemd kills."""
    recent_restarts: int = 0
    """Restarts by systemd within ten minutes, as far as they can be told."""

    @property
    def is_failed(self) -> bool:
        """Whether it has failed, cannot be loaded, or waits to be restarted after a failure."""
        return (
            self.active_state == "failed"
            or self.load_state in ("not-found", "bad-setting", "error")
            or self.is_crashing
        )

    @property
    def is_crashing(self) -> bool:
        """Whether its main process has ended and systemd is about to start it again."""
        return self.sub_state == "auto-restart" and self.result != "success"

    @property
    def is_inactive(self) -> bool:
        """Whether it does not run though nothing else would start it: no trigger, no one-shot that went well."""
        if self.active_state != "inactive" or self.is_failed:
            return False
        return not (self.triggered_by or (self.type == "oneshot" and self.result == "success"))

    @property
    def words(self) -> str:
        """Its state in a few words: `active (running)`, `failed (oom-kill)`, `not-found`."""
        if self.load_state not in ("loaded", "masked", ""):
            return self.load_state
        inner = self.result if self.active_state == "failed" and self.result not in ("", "success") else self.sub_state
        return f"{self.active_state} ({inner})" if inner and inner != self.active_state else self.active_state

    @property
    def exit_words(self) -> str:
        """How its main process ended last: `exit code 3`, `signal 9`; empty while it runs or when it went well."""
        if self.main_pid or not self.exit_status:
            return ""
        return f"signal {self.exit_status}" if self.was_signalled else f"exit code {self.exit_status}"


@dataclass(frozen=True, slots=True)
class SystemdSnapshot:
    """The units of the profile at one moment."""

    units: Mapping[str, Unit]
    """By name."""
    unmatched: tuple[str, ...] = ()
    """Patterns of the profile that no loaded unit matches."""

    def numbers(self) -> Iterator[Number]:
        """Return for each unit whether it failed or is inactive without reason, restarts, memory and CPU."""
        for one in self.units.values():
            yield Number("failed", float(one.is_failed), one.name)
            yield Number("inactive", float(one.is_inactive), one.name)
            yield Number("restarts", float(one.recent_restarts), one.name)
            if one.memory_bytes is not None:
                yield Number("memory_bytes", float(one.memory_bytes), one.name)
                if one.memory_max_bytes:
                    yield Number("memory_percent", 100.0 * one.memory_bytes / one.memory_max_bytes, one.name)
            if one.cpu_percent is not None:
                yield Number("cpu_percent", one.cpu_percent, one.name)


def full_name(unit: str) -> str:
    """Return a unit's name with its type, as systemd completes it."""
    return unit if unit.endswith(_SUFFIXES) else f"{unit}.service"


def parse_show(output: str, now: float, monotonic: float) -> list[Unit]:
    """Return the units of `systemctl show`: blocks of `KEY=VALUE`, parted by empty lines.

    Args:
        output: what it printed.
        now: `time.time()` of it.
        monotonic: CLOCK_MONOTONIC of it in seconds, which the timestamps count by.
    """
    blocks: list[dict[str, str]] = [{}]
    for line in output.split("\n"):
        key, equals, value = line.partition("=")
        if not line.strip():
            blocks.append({})
        elif equals and key not in blocks[-1]:
            blocks[-1][key] = value
    return [_unit(block, now - monotonic) for block in blocks if block.get("Id")]


def _unit(found: Mapping[str, str], boot: float) -> Unit:
    def text(key: str) -> str:
        return clean(found.get(key, ""), limit=500)

    def count(key: str) -> int | None:
        value = found.get(key, "")
        return int(value) if value.isascii() and value.isdecimal() and int(value) < _NOT_SET else None

    def moment(key: str) -> float | None:
        micros = count(key)
        return boot + micros / 1e6 if micros else None

    def names(*keys: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for key in keys for name in text(key).split()))

    refused = (
        ("start", found.get("CanStart") == "no" or found.get("RefuseManualStart") == "yes"),
        ("stop", found.get("CanStop") == "no" or found.get("RefuseManualStop") == "yes"),
    )
    return Unit(
        name=text("Id"),
        description=text("Description"),
        load_state=text("LoadState"),
        active_state=text("ActiveState"),
        sub_state=text("SubState"),
        type=text("Type"),
        result=text("Result"),
        exit_status=count("ExecMainStatus") or 0,
        was_signalled=found.get("ExecMainCode") in ("2", "3"),  # CLD_KILLED, CLD_DUMPED
        main_pid=count("MainPID") or 0,
        invocation_id=text("InvocationID"),
        restarts=count("NRestarts") or 0,
        active_since=moment("ActiveEnterTimestampMonotonic"),
        changed_at=moment("StateChangeTimestampMonotonic"),
        memory_bytes=count("MemoryCurrent"),
        memory_max_bytes=count("MemoryMax"),
        cpu_ns=count("CPUUsageNSec"),
        file_state=text("UnitFileState"),
        needs_reload=found.get("NeedDaemonReload") == "yes",
        triggered_by=names("TriggeredBy"),
        stops_too=names("RequiredBy", "BoundBy", "ConsistsOf"),
        refuses=tuple(word for word, is_refused in refused if is_refused),
        job=text("Job"),
        status_text=text("StatusText"),
        restart_policy=text("Restart"),
        file=text("FragmentPath"),
        remains=found.get("RemainAfterExit") == "yes",
        stop_timeout_s=_span_s(found.get("TimeoutStopUSec", "")),
    )


_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _span_s(written: str) -> float:
    """Return a span as `systemctl show` writes it (`1min 30s`) in seconds; 90 for what cannot be read."""
    total = 0.0
    for part in written.split():
        digits = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        with contextlib.suppress(ValueError, KeyError):
            total += float(digits) * _UNITS[part[len(digits) :]]
    return total or 90.0


async def systemctl(*arguments: str, timeout_s: float = _TIMEOUT_S) -> programs.Finished:
    """Run `systemctl` with these arguments, never with a shell, a terminal or a question for a password.

    Raises:
        Unreachable: it is not there, did not end in time, or no systemd manager answers it.
    """
    command = ("systemctl", "--no-ask-password", "--no-pager", *arguments)
    try:
        finished = await programs.run(command, timeout_s=timeout_s, most=_MOST_BYTES, keeps_end=True)
    except programs.ProgramError as error:
        raise Unreachable(
            f"systemctl: {error}", "this machine has no systemd; take systemd out of the profile"
        ) from error
    except TimeoutError:
        raise Unreachable(f"systemctl did not end within {timeout_s:g} s") from None
    if finished.status and any(words in said(finished) for words in _NO_MANAGER):
        raise Unreachable("no systemd manager runs here (a container?)", "take systemd out of the profile")
    return finished


def said(finished: programs.Finished) -> str:
    """Return what a program said, cleaned, on one line."""
    return clean(finished.output.decode("utf-8", "replace").strip(), limit=500)


class SystemdSource:
    """The units that a profile names."""

    name: Final = "unit:"

    def __init__(
        self,
        names: Sequence[str],
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """Name the units or patterns; nothing is asked yet."""
        self.interval_s = 5.0
        self.timeout_s = _TIMEOUT_S + 2.0
        self._names = tuple(names)
        self._now = now
        self._monotonic = monotonic or (lambda: time.clock_gettime(time.CLOCK_MONOTONIC))
        self._before: dict[str, tuple[float, Unit]] = {}
        self._restarts: dict[str, deque[tuple[float, int]]] = {}

    async def read(self) -> SystemdSnapshot:
        """Return the units' present state.

        Raises:
            Unreachable: no systemd manager answers (containers, other init systems).
            Denied: the bus refused us.
            Unreadable: the output is not `KEY=VALUE` blocks.
        """
        now = self._now()
        units = {one.name: self._aged(one, now) for one in await self.show(self._names)}
        self._before = {name: (now, one) for name, one in units.items()}
        known = set(self._before)
        self._restarts = {name: seen for name, seen in self._restarts.items() if name in known}
        patterns = [name for name in self._names if is_pattern(name)]
        unmatched = tuple(p for p in patterns if not any(fnmatchcase(name, full_name(p)) for name in units))
        return SystemdSnapshot(units, unmatched)

    async def show(self, names: Sequence[str]) -> list[Unit]:
        """Return units by name or pattern as they are now. Raises SourceError."""
        finished = await systemctl("show", f"--property={','.join(PROPERTIES)}", "--", *map(full_name, names))
        if finished.status:
            words = said(finished)
            if "denied" in words.lower():
                raise Denied(f"systemctl show: {words}")
            raise Unreadable(f"systemctl show: {words or f'exit code {finished.status}'}")
        output = finished.output.decode("utf-8", "replace")
        # Thousands of units would take longer than nobody who types should feel.
        if len(output) > 256 * 1024:
            return await asyncio.to_thread(parse_show, output, self._now(), self._monotonic())
        return parse_show(output, self._now(), self._monotonic())

    async def close(self) -> None:
        """Nothing stays open."""

    def _aged(self, unit: Unit, now: float) -> Unit:
        seen = self._restarts.setdefault(unit.name, deque())
        before = self._before.get(unit.name)
        cpu_percent = None
        if before is None:
            is_recent = unit.changed_at is not None and now - unit.changed_at < RESTARTS_WITHIN_S
            more = int(unit.restarts > 0 and is_recent)
        else:
            at, old = before
            more = unit.restarts - old.restarts
            if unit.cpu_ns is not None and old.cpu_ns is not None and unit.cpu_ns >= old.cpu_ns and now > at:
                cpu_percent = (unit.cpu_ns - old.cpu_ns) / 1e7 / (now - at)
        if more > 0:
            seen.append((now, more))
        while seen and now - seen[0][0] >= RESTARTS_WITHIN_S:
            seen.popleft()
        return replace(unit, cpu_percent=cpu_percent, recent_restarts=sum(count for _, count in seen))


def unit_or_error(units: Sequence[Unit], name: str) -> Unit:
    """Return the only unit that was asked for. Raises Unreadable when systemd told of another or none."""
    found = next((one for one in units if one.name == name), None)
    if found is None:
        told: SourceError = Unreadable(f"systemctl told nothing of {clean(name, limit=200)}")
        raise told
    return found
