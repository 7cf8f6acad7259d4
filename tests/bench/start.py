"""From exec to the first frame, beside an empty Textual app; `--version` beside a Python that does nothing."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import cost
from tests.bench.data import EVERYTHING
from tests.bench.figures import Figure, figure
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script


def measure(stage: Stage) -> Iterator[Figure]:
    """Alternate both programs, so that whatever else the machine does hits both."""
    ours = opstui("--profile", str(_small_profile(stage)))
    floor = script("empty_app")
    env = {**stage.env, "TEXTUAL_ANIMATIONS": "none"}
    runs = [(_first_frame(ours, env), _first_frame(floor, env)) for _ in range(stage.count(9))]
    ours_cpu, floor_cpu = (statistics.median(run[i][0] for run in runs) for i in (0, 1))
    ours_s, floor_s = (statistics.median(run[i][1] for run in runs) for i in (0, 1))
    yield Figure("exec → first frame, CPU", f"{1000 * ours_cpu:.0f} ms, empty app {1000 * floor_cpu:.0f} ms")
    yield figure("exec → first frame, CPU ratio", ours_cpu / floor_cpu, "× empty app", 2, digits=2)
    yield Figure("exec → first frame, wall", f"{1000 * ours_s:.0f} ms, empty app {1000 * floor_s:.0f} ms")

    yield from _settled(stage)

    nothing, version = [sys.executable, "-c", "pass"], opstui("--version")
    pairs = [(_whole(version, stage.env), _whole(nothing, stage.env)) for _ in range(stage.count(20))]
    for index, word in enumerate(("CPU", "wall")):
        ours_ms, floor_ms = (1000 * statistics.median(pair[i][index] for pair in pairs) for i in (0, 1))
        yield figure(
            f"--version − `python -c pass`, {word} ({ours_ms:.0f} − {floor_ms:.0f})", ours_ms - floor_ms, "ms", 100
        )


def _small_profile(stage: Stage) -> Path:
    return stage.profile(
        "small",
        {
            "services": {"api": "http://127.0.0.1:9/health"},
            "databases": {"shop": "host=127.0.0.1 port=9 dbname=shop user=opstui"},
            "redis": {"cache": "redis://127.0.0.1:9/0"},
        },
    )


def _first_frame(command: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    """Return CPU and wall seconds until something stands on the screen."""
    with Screen(command, env=env, size=(80, 24), cpu_at_arrival=True) as screen:
        at = screen.until(lambda: any(screen.lines), 30)
        if at is None:
            raise TimeoutError(f"{command[0]} drew nothing")
        return screen.cpu_s, at - screen.started


def _settled(stage: Stage) -> Iterator[Figure]:
    """Start on every system of the sandbox: by then all that a profile needs has been imported."""
    cpus: list[float] = []
    sizes: list[float] = []
    for _ in range(stage.count(7)):
        with Screen(opstui("--profile", str(stage.sandbox_profile)), env=stage.env) as screen:
            screen.wait(EVERYTHING, 60)
            screen.pass_time(3)
            cpus.append(cost.cpu_of(screen.process))
            sizes.append(cost.memory_mib(screen.process)[0])
    told = f"{statistics.median(cpus):.2f} s, the least {min(cpus):.2f}; RSS {statistics.median(sizes):.0f} MiB"
    yield Figure("exec → 3 s after every source is well, CPU", told)


def _whole(command: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
