"""What an idle screen costs once every tab has been opened."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench import cost
from tests.bench.data import EVERYTHING, SEEN
from tests.bench.figures import Figure, figure
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui

SIZES = ((80, 24), (120, 40))


def measure(stage: Stage) -> Iterator[Figure]:
    """Watch both sizes at the same time: CPU time is counted, not wall-clock."""
    with ExitStack() as stack:
        command = opstui("--profile", str(stage.sandbox_profile))
        screens = [stack.enter_context(Screen(command, env=stage.env, size=size)) for size in SIZES]
        for screen in screens:
            screen.wait(EVERYTHING.split()[0])
            for key, (_, pattern) in SEEN.items():
                screen.press(key)
                screen.wait(pattern)
        for key, tab in (("1", "Services"), ("3", "Database"), ("7", "Timeline")):
            for screen in screens:
                screen.press(key)
            for screen in screens:
                screen.pass_time(2)
            for (columns, rows), (percent, sent) in zip(SIZES, watch(screens, stage.seconds(32)), strict=True):
                yield figure(f"idle, {tab}, {columns}×{rows}: CPU", percent, "% of a core", 2)
                yield figure(f"idle, {tab}, {columns}×{rows}: to the terminal", sent, "B/s", 300, digits=0)


def watch(screens: list[Screen], seconds: float) -> list[tuple[float, float]]:
    """Return percent of a core and bytes per second of each."""
    for screen in screens:
        screen.pass_time(0.0)
    started = time.monotonic()
    before = [cost.cpu_of_tree(screen.process) for screen in screens]
    while time.monotonic() < started + seconds:
        for screen in screens:
            screen.pass_time(0.1)
    span = time.monotonic() - started
    after = [cost.cpu_of_tree(screen.process) for screen in screens]
    return [
        (100 * (cpu - cpu_before) / span, screen.bytes_since(started) / span)
        for screen, cpu_before, cpu in zip(screens, before, after, strict=True)
    ]
