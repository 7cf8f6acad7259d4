"""The engine's JSON → facts. Pure; whatever is missing or odd becomes empty, never an exception."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tui.sources.docker.facts import Container, ContainerEvent, Probe, Use
from tui.sources.masking import without_secrets
from tui.sources.text import clean

_NANO: Final = 1e9
_NEVER: Final = "0001-"
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_PROBES: Final = 5
_SHORT: Final = 200
_UP: Final = re.compile(r"Up (\d+) (second|minute|hour|day|week|month|year)")
_UNITS_S: Final = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400, "month": 30 * 86400, "year": 365 * 86400,
}  # fmt: skip
_OWNERS: Final = {
    "com.docker.swarm.service.name": "the Swarm service",
    "io.kubernetes.pod.name": "the kubelet, for pod",
    "PODMAN_SYSTEMD_UNIT": "systemd's unit",
}
"""Label → who looks after a container that has it."""


def seconds(written: Any) -> float | None:
    """Return a time of the API (RFC 3339 to the nanosecond) as `time.time()`; None for never or none."""
    found = _TIME.fullmatch(written) if isinstance(written, str) else None
    if found is None or written.startswith(_NEVER):
        return None
    whole, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{whole}{'+00:00' if zone == 'Z' else zone}").astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return at + float(f"0.{fraction or 0}")


def container_id(listed: Any) -> str:
    """Return the id of an entry of `/containers/json`; empty when it has none."""
    return _text(_map(listed).get("Id"), 64)


def container_name(found: Any) -> str:
    """Return the name of an entry of the list (its own, not one by which another links to it), or of one in full."""
    document = _map(found)
    names = _list(document.get("Names")) or [document.get("Name")]
    own = [name.lstrip("/") for name in names if isinstance(name, str)]
    return _text(min(own, key=lambda name: name.count("/"), default=""), 255) or container_id(found)[:12]


def is_running(listed: Any) -> bool:
    """Tell whether an entry of `/containers/json` runs."""
    return _map(listed).get("State") == "running"


def fingerprint(listed: Any) -> tuple[str, ...]:
    """Return what of a list's entry changes only when the container does: without `Up 5 minutes`."""
    entry = _map(listed)
    brackets = re.findall(r"\([^)]*\)", str(entry.get("Status", "")))
    return (str(entry.get("State")), *brackets, str(entry.get("Image")), container_name(entry))


def uptime_s(listed: Any) -> float:
    """Return about how long an entry of the list says that it runs (`Up 5 minutes`), in seconds; 0 for any other.

    It only grows during one run: where it has shrunk, another run has begun, whatever the engine's events say.
    """
    found = _UP.match(str(_map(listed).get("Status", "")))
    return float(found[1]) * _UNITS_S[found[2]] if found else 0.0


def container(found: Any, *, is_named: bool = False) -> Container:
    """Return a container from `/containers/ID/json`."""
    document = _map(found)
    state, config, host = (_map(document.get(key)) for key in ("State", "Config", "HostConfig"))
    health, labels = _map(state.get("Health")), _map(config.get("Labels"))
    policy = _map(host.get("RestartPolicy"))
    started = state.get("StartedAt")
    command = [document.get("Path"), *_list(document.get("Args"))]
    is_running = bool(state.get("Running"))
    health_status = _text(health.get("Status"), 40)
    return Container(
        id=container_id(document),
        name=container_name(document),
        image=_text(config.get("Image"), _SHORT),
        image_id=_text(document.get("Image"), 80),
        status=_status(state),
        health="" if health_status == "none" else health_status,
        failing_streak=_int(health.get("FailingStreak")),
        exit_code=0 if is_running and not state.get("Restarting") else _int(state.get("ExitCode")),
        is_oom_killed=bool(state.get("OOMKilled")),
        error=without_secrets(_text(state.get("Error"), 500)),
        restart_count=_int(document.get("RestartCount")),
        started_at=_text(started, 40),
        started_s=seconds(started),
        finished_s=seconds(state.get("FinishedAt")),
        restart_policy=_text(policy.get("Name"), 40) or "no",
        is_named=is_named,
        project=_text(labels.get("com.docker.compose.project"), _SHORT),
        service=_text(labels.get("com.docker.compose.service"), _SHORT),
        owner=next((f"{who} {_text(labels.get(key), _SHORT)}" for key, who in _OWNERS.items() if labels.get(key)), ""),
        created_s=seconds(document.get("Created")),
        command=without_secrets(clean(" ".join(str(word) for word in command if word is not None), limit=2000)),
        environment=tuple(sorted(_text(str(word).partition("=")[0], _SHORT) for word in _list(config.get("Env")))),
        ports=tuple(_ports(_map(_map(document.get("NetworkSettings")).get("Ports")))),
        mounts=tuple(_mount(_map(mount)) for mount in _list(document.get("Mounts"))),
        networks=tuple(_text(name, _SHORT) for name in _map(_map(document.get("NetworkSettings")).get("Networks"))),
        probes=tuple(_probe(_map(probe)) for probe in _list(health.get("Log"))[-_PROBES:]),
        health_wait_s=_health_wait_s(_map(config.get("Healthcheck"))),
        stop_timeout_s=float(_int(config.get("StopTimeout"), 10)),
        memory_limit_bytes=_int(host.get("Memory")) or None,
        is_removed_on_exit=bool(host.get("AutoRemove")),
        has_terminal=bool(config.get("Tty")),
    )


def _status(state: Mapping[str, Any]) -> str:
    # Podman's older words for what Docker calls created, exited and paused.
    word = _text(state.get("Status"), 40)
    return {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}.get(
        word, word
    )


def _ports(ports: Mapping[str, Any]) -> Iterator[str]:
    for inner, outer in sorted(ports.items()):
        bound = [_map(binding) for binding in _list(outer)]
        if not bound:
            yield _text(inner, 40)
        for binding in bound:
            host = _text(binding.get("HostIp"), 60) or "0.0.0.0"  # noqa: S104 -- what the engine means by nothing
            yield f"{f'[{host}]' if ':' in host else host}:{_text(binding.get('HostPort'), 10)} → {_text(inner, 40)}"


def _mount(mount: Mapping[str, Any]) -> str:
    kind, source = _text(mount.get("Type"), 40), _text(mount.get("Name") or mount.get("Source"), _SHORT)
    read_only = "" if mount.get("RW", True) else " (read-only)"
    return f"{kind} {source} → {_text(mount.get('Destination'), _SHORT)}{read_only}"


def _probe(probe: Mapping[str, Any]) -> Probe:
    output = without_secrets(clean(str(probe.get("Output") or "").strip(), limit=1000))
    return Probe(seconds(probe.get("End")) or 0.0, _int(probe.get("ExitCode")), output)


def _health_wait_s(check: Mapping[str, Any]) -> float:
    if not check or _list(check.get("Test"))[:1] in ([], ["NONE"]):
        return 0.0
    # What the engine takes where nothing, or 0, is given.
    interval, timeout = ((_int(check.get(key)) or 30 * _NANO) / _NANO for key in ("Interval", "Timeout"))
    return _int(check.get("StartPeriod")) / _NANO + (_int(check.get("Retries")) or 3) * (interval + timeout)


def event(found: Any) -> ContainerEvent | None:
    """Return an event of `/events` about a container; None for any other."""
    document = _map(found)
    if document.get("Type") != "container":
        return None
    actor = _map(document.get("Actor"))
    told = _map(actor.get("Attributes"))
    action, _, detail = _text(document.get("Action") or document.get("status"), _SHORT).partition(":")
    nano = _int(document.get("timeNano")) or int(_int(document.get("time")) * _NANO)
    code = told.get("exitCode", told.get("containerExitCode"))
    return ContainerEvent(
        at=nano / _NANO,
        nano=nano,
        # Podman's words for what Docker calls die.
        action={"died": "die"}.get(action, action),
        id=_text(actor.get("ID") or document.get("id"), 64),
        name=_text(told.get("name"), 255),
        detail=detail.strip() or _text(told.get("health_status"), 40),
        exit_code=_int(code) if code is not None else None,
        signal=_text(told.get("signal"), 20),
    )


def cpu_counters(stats: Any) -> tuple[float, float, int] | None:
    """Return CPU time of a container and of the machine in nanoseconds, and how many CPUs there are."""
    cpu = _map(_map(stats).get("cpu_stats"))
    used, system = _int(_map(cpu.get("cpu_usage")).get("total_usage"), -1), _int(cpu.get("system_cpu_usage"), -1)
    cpus = _int(cpu.get("online_cpus")) or len(_list(_map(cpu.get("cpu_usage")).get("percpu_usage"))) or 1
    return None if used < 0 or system < 0 else (float(used), float(system), cpus)


def use(stats: Any, before: tuple[float, float, int] | None, memory_limit: int | None) -> Use:
    """Return what a container uses, from one `/stats` answer and the counters of the one before.

    The limit is its own, not that of `/stats`: without one an engine tells the machine's memory there.
    """
    memory = _map(_map(stats).get("memory_stats"))
    parts = _map(memory.get("stats"))
    usage = _int(memory.get("usage"), -1)
    cache = _int(parts.get("total_inactive_file", parts.get("inactive_file")))
    now, percent = cpu_counters(stats), None
    if now is not None and before is not None and now[1] > before[1] and now[0] >= before[0]:
        percent = 100.0 * (now[0] - before[0]) / (now[1] - before[1]) * now[2]
    held = max(0, usage - cache) if usage >= 0 else None
    return Use(percent, held, memory_limit)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: Any, default: int = 0) -> int:
    try:
        return default if value is None or isinstance(value, bool) else int(value)
    except (ValueError, TypeError, OverflowError):
        return default


def _text(value: Any, limit: int) -> str:
    return clean(value, limit=limit) if isinstance(value, str) else ""
