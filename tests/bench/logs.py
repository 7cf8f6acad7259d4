"""Lines from four files to the Logs tab, with filters on; what keys cost meanwhile, and the memory that lines take."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench import log_peers
from tests.bench.figures import Figure, figure, percentile
from tests.bench.log_lines import SOURCES
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script
from tests.bench.typed import type_characters

LINES = 400_000
HELD = 1_000_000
FILTERS = {
    "no filter": "",
    "an expression": "orders/[0-9]*7",
    "fields": "took_ms > 500 and level >= info",
}
TORRENT_MB_PER_S = 100.0
TORRENT_LINES = 4_000_000
TYPED_AT_LINES_PER_S = 50_000
LINE_BYTES = 121
_ALONE = "without waiting for a CPU"


def measure(stage: Stage) -> Iterator[Figure]:
    """Run the app without a terminal in a process of its own, on files that grow at once."""
    for name, typed in FILTERS.items():
        found = _flood(stage, LINES // 4 if stage.quick else LINES, typed, 0)
        rate = found["lines"] / found["seconds"]
        yield Figure(
            f"log view: {found['lines']:,} lines at once from four files, {name} (end to end)",
            f"{rate:,.0f} lines/s, {found['dropped']:,} dropped, {found['held']:,} held at the end, "
            f"{found['passing']:,} of them pass; {1e6 * found['cpu_s'] / found['lines']:.1f} µs of CPU a line, "
            f"{found['gained_mib']:.0f} MiB gained",
            "≥ 50,000 lines/s", rate >= 50_000 and not found["dropped"],
        )  # fmt: skip
        yield figure(
            f"log view: event-loop lag meanwhile, p99, {name} (longest {found['lag_max_ms']:.0f} ms)",
            found["lag_p99_ms"], "ms", 50,
        )  # fmt: skip
    yield from _torrent(stage)
    yield from _typed(stage)
    done = subprocess.run(script("log_memory", str(HELD)), env=stage.env, check=True, stdout=subprocess.PIPE, text=True)
    memory = json.loads(done.stdout)
    yield figure(
        f"log view: {HELD:,} lines in its store ({memory['line_bytes']:.0f} bytes each in the file)",
        memory["gained_mib"], "MiB", 300, digits=0,
    )  # fmt: skip
    if memory["kept_by_default"] < HELD:
        yield Figure(f"log view: lines the Logs tab keeps (asked for: {HELD:,})", f"{memory['kept_by_default']:,}")
    yield from log_peers.measure(stage)


def _logs(stage: Stage) -> dict[str, str]:
    logs = {name: stage.folder / f"{name}.log" for name in SOURCES}
    for log in logs.values():
        log.write_text("")
    return {name: str(log) for name, log in logs.items()}


def _flood(stage: Stage, lines: int, typed: str, mb_per_s: float) -> dict[str, Any]:
    profile = stage.profile("flood", {"logs": _logs(stage)})
    command = script("log_flood", str(profile), str(stage.folder), str(lines), typed, str(mb_per_s))
    done = subprocess.run(command, env=stage.env, check=True, stdout=subprocess.PIPE, text=True, timeout=180)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _torrent(stage: Stage) -> Iterator[Figure]:
    lines = TORRENT_LINES // 4 if stage.quick else TORRENT_LINES
    found = _flood(stage, lines, "orders/[0-9]*7", TORRENT_MB_PER_S)
    yield Figure(
        f"log view: {lines:,} lines at {TORRENT_MB_PER_S:g} MB/s",
        f"{found['lines']:,} taken, {found['dropped']:,} dropped and counted, {found['unaccounted']:,} unaccounted for",
        "0 unaccounted for", found["unaccounted"] == 0,
    )  # fmt: skip
    yield figure(
        f"log view: event-loop lag meanwhile, p99 (longest {found['lag_max_ms']:.0f} ms)", found["lag_p99_ms"], "ms", 50
    )


def _typed(stage: Stage) -> Iterator[Figure]:
    with Screen(script("empty_app", "input"), env=stage.env) as floor:
        floor.wait("ready")
        own: list[float] = []
        yield Figure(
            "log view: typed → shown, an empty Textual app's Input without lines",
            f"{_points(type_characters(floor, stage.count(80), own))} ({_points(own)} {_ALONE})",
        )
    for name, typed in FILTERS.items():
        yield from _typed_while(stage, TYPED_AT_LINES_PER_S, name, typed)
    yield from _typed_while(stage, TORRENT_MB_PER_S * 1e6 / LINE_BYTES, "an expression", FILTERS["an expression"])


def _points(waits: Sequence[float]) -> str:
    return ", ".join(f"p{percent} {percentile(waits, percent):.0f} ms" for percent in (50, 95, 99))


def _typed_while(stage: Stage, rate: float, name: str, typed: str) -> Iterator[Figure]:
    """Type an exclusion while lines come and another filter is on."""
    profile = stage.profile("typed-logs", {"logs": _logs(stage)})
    pour = [sys.executable, "-P", "-m", "tests.bench.log_pour", str(stage.folder), str(rate)]
    own: list[float] = []
    with subprocess.Popen(pour, env=stage.env) as pouring:
        try:
            with Screen(opstui("--profile", str(profile)), env=stage.env) as screen:
                screen.wait("Logs")
                screen.press("5")
                screen.wait("following")
                if typed:
                    screen.press("/")
                    screen.pass_time(0.5)
                    screen.press(typed)
                    screen.pass_time(1)
                    screen.press("\r")
                    screen.pass_time(0.5)
                screen.press("x")
                screen.pass_time(2)
                waits = type_characters(screen, stage.count(160), own)
        finally:
            pouring.terminate()
    for percent, budget in ((95, 50), (99, 100)):
        yield figure(
            f"log view: typed → shown p{percent} at {rate:,.0f} lines/s, {name} "
            f"({percentile(own, percent):.0f} ms {_ALONE})",
            percentile(waits, percent), "ms", budget,
        )  # fmt: skip
