"""How long a typed character takes to appear, and how late the event loop is."""

import contextlib
import json
import random
import subprocess
from collections.abc import Iterator, Sequence

from tests.bench import cost
from tests.bench.data import EVERYTHING, SEEN
from tests.bench.figures import Figure, figure, percentile
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script

LOST_MS = 3000.0
_LETTERS = "bjqvwxyz"
_CLEAR = "\x15"
"""Ctrl+U: Textual's Input deletes everything to the left."""


def measure(stage: Stage) -> Iterator[Figure]:
    """Type into a filter that hides nothing, so that every row stays to be drawn."""
    count = stage.count(160)
    with Screen(script("empty_app", "input"), env=stage.env) as floor:
        floor.wait("ready")
        yield _words("typed → shown, an empty Textual app's Input", type_characters(floor, count // 2))
    with Screen(opstui("--profile", str(stage.sandbox_profile), "--refresh", "1"), env=stage.env) as screen:
        screen.wait(EVERYTHING)
        _open_every_tab(screen)
        yield from _typed("everything refreshes", screen, "2", count)
        with stage.sandbox.frozen("postgres"):
            screen.wait("pg✗", 15)
            yield from _typed("PostgreSQL stopped, Pods", screen, "2", count // 2)
            yield from _typed("PostgreSQL stopped, Database", screen, "3", count // 2)
    yield from loop_lag(stage, "everything refreshes", frozen=False)
    yield from loop_lag(stage, "PostgreSQL stopped", frozen=True)


def loop_lag(stage: Stage, when: str, *, frozen: bool) -> Iterator[Figure]:
    """Run the app without a terminal beside a task that only wakes up again and again."""
    command = script("loop_lag", str(stage.sandbox_profile), str(stage.seconds(10)))
    with stage.sandbox.frozen("postgres") if frozen else contextlib.nullcontext():
        done = subprocess.run(command, env=stage.env, check=True, stdout=subprocess.PIPE, text=True)
    lags: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    yield figure(
        f"event-loop lag p99, {when} (bare loop {percentile(lags['bare'], 99):.1f}, max {max(lags['app']):.0f})",
        percentile(lags["app"], 99), "ms", 50,
    )  # fmt: skip
    yield figure(f"event-loop lag max while tabs are opened first, {when}", max(lags["opening"]), "ms")


def _open_every_tab(screen: Screen) -> None:
    for key, (_name, pattern) in SEEN.items():
        screen.press(key)
        with contextlib.suppress(TimeoutError):  # what it costs is measured all the same
            screen.wait(pattern, 10)
        screen.pass_time(0.5)


def _typed(when: str, screen: Screen, tab: str, count: int) -> Iterator[Figure]:
    screen.press(tab)
    screen.pass_time(2)
    screen.press("/")
    screen.pass_time(0.5)
    waits = type_characters(screen, count)
    screen.press("\x07")  # the second key of Escape
    screen.pass_time(0.5)
    yield _words(f"typed → shown, {when}", waits)
    yield figure(f"typed → shown p95, {when}", percentile(waits, 95), "ms", 50)
    yield figure(f"typed → shown p99, {when}", percentile(waits, 99), "ms", 100)


def _words(what: str, waits: Sequence[float]) -> Figure:
    points = ", ".join(f"p{p} {percentile(waits, p):.1f}" for p in (50, 95, 99))
    lost = sum(wait >= LOST_MS for wait in waits)
    return Figure(what, f"{points}, max {max(waits):.0f} ms, {lost} of {len(waits)} lost")


def type_characters(screen: Screen, count: int, own: list[float] | None = None) -> list[float]:
    """Type characters one at a time, each once the one before is seen; return milliseconds until each is seen.

    `own`, when given, gets the same without the time that the program waited for a CPU: what other programs cost.
    """
    chance = random.Random(1)
    waits: list[float] = []
    while len(waits) < count:
        typed = "!"
        screen.press("!")
        screen.until(lambda: any(line.rstrip("▊▎ ").endswith("!") for line in screen.lines), 3)
        for _ in range(16):
            typed += chance.choice(_LETTERS)
            screen.pass_time(chance.uniform(0.01, 0.06))
            waited = cost.waited_of(screen.process)
            pressed = screen.press(typed[-1])
            seen = screen.until(lambda word=typed: screen.shows(word), LOST_MS / 1000)  # type: ignore[misc]
            waits.append(1000 * (seen - pressed) if seen is not None else LOST_MS)
            if own is not None:
                own.append(max(0.0, waits[-1] - 1000 * (screen.waited_s - waited)))
        screen.press(_CLEAR)
        screen.until(lambda word=typed[:3]: not screen.shows(word), 3)  # type: ignore[misc]
    return waits[:count]
