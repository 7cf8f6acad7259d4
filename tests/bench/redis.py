"""A walk over a million keys beside `redis-cli --bigkeys` and `--memkeys`, while others use the server.

Each kind of company is there in turn, again and again, and medians are compared. Then 100 skewed data sets are walked
over in part, and the ranges stated are compared with what the server itself says of every key.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from profiles.systems import RedisInstance
from tests.bench.figures import Figure, figure
from tests.bench.stage import Stage
from tests.redis_servers import Server, server
from tests.skewed_keys import Key, lies_inside, skewed
from tui.sources.redis_sampler import KeySampler, Sampling
from tui.sources.redis_space import prefix_of, shown

KEYS: Final = 1_000_000
_REQUESTS: Final = 200_000
_CLIENTS: Final = 8
_DATA_SETS: Final = 100
_BIGGEST: Final = 200_000
"""Bytes of one value at most, where sizes are skewed."""


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield what others notice of the walk, what it costs, and how often its stated error held."""
    if shutil.which("redis-benchmark") and shutil.which("redis-cli"):
        yield from _company(stage)
    else:
        yield Figure("Redis key sampling beside others", "redis-benchmark is not installed", "≥ 0.97 ×")
    yield from _errors(max(10, int(stage.seconds(_DATA_SETS))))


def _company(stage: Stage) -> Iterator[Figure]:
    with server("valkey-9", "--enable-debug-command", "local") as found:
        for prefix, count, size in (("session", 600_000, 120), ("user", 300_000, 300), ("cart", 100_000, 40)):
            found.admin().execute_command("DEBUG", "POPULATE", count * KEYS // 1_000_000, prefix, size)
        beside = {
            "nothing": None,
            "opstui": [sys.executable, "-m", "tests.bench.redis_walk", found.url],
            "--bigkeys": ["redis-cli", "-s", str(found.socket), "--bigkeys"],
            "--memkeys": ["redis-cli", "-s", str(found.socket), "--memkeys"],
        }
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in beside}
        walks: list[tuple[float, float, float]] = []
        for _ in range(max(3, int(stage.seconds(7)))):
            for name, command in beside.items():
                with _running(command) as walked:
                    seen[name].append(_load(found))
                walks += walked
    rates = {name: median(rate for rate, _ in runs) for name, runs in seen.items()}
    tails = {name: median(p99 for _, p99 in runs) for name, runs in seen.items()}
    for name in beside:
        yield Figure(f"GETs beside {name}", f"{rates[name]:,.0f}/s, p99 {tails[name]:.3f} ms")
    # Each run against the one before it: a shared machine is faster and slower by the minute.
    share = median(ours[0] / alone[0] for ours, alone in zip(seen["opstui"], seen["nothing"], strict=True))
    yield Figure("a concurrent load beside opstui's walk", f"{share:.3f} × its throughput", "≥ 0.97 ×", share >= 0.97)
    yield figure("its p99", tails["opstui"] / tails["--bigkeys"], "× beside redis-cli --bigkeys", 1, digits=2)
    pace = median(count / seconds for count, seconds, _ in walks)
    yield Figure("the walk over 1 M keys", f"{pace:,.0f} keys/s", "≤ 2,000 keys/s", pace <= 2050)
    yield Figure("its own CPU while it walks", f"{median(100 * cpu / span for _, span, cpu in walks):.1f} % of a core")


@contextlib.contextmanager
def _running(command: list[str] | None) -> Iterator[list[tuple[float, float, float]]]:
    """Run somebody beside, begun anew whenever it ends, until the block ends; collect what our walk says of itself."""
    walked: list[tuple[float, float, float]] = []
    if command is None:
        yield walked
        return
    # A peer that is through with its walk before the load is begins again.
    forever = command if "-m" in command else ["sh", "-c", 'while "$@"; do :; done', "sh", *command]
    process = subprocess.Popen(forever, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield walked
    finally:
        process.send_signal(signal.SIGTERM)
        if "-m" not in command:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0].decode()
        if "-m" in command and len(parts := output.split()) == 3:
            walked.append((float(parts[0]), float(parts[1]), float(parts[2])))


def _load(found: Server) -> tuple[float, float]:
    """Return requests per second and p99 in ms of GETs on random keys."""
    program = shutil.which("redis-benchmark") or "redis-benchmark"
    options = ["-s", str(found.socket), "-c", str(_CLIENTS), "-n", str(_REQUESTS), "-r", str(KEYS), "--csv"]
    command = [program, *options, "get", "session:__rand_int__"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    head, row = (line for line in said.splitlines() if line.startswith('"'))
    values = dict(zip(head.strip('"').split('","'), row.strip('"').split('","'), strict=True))
    return float(values["rps"]), float(values["p99_latency_ms"])


def _errors(sets: int) -> Iterator[Figure]:
    right, parts = 0, []
    with server("valkey-9") as found:
        for seed in range(sets):
            keys = skewed(seed, 2000)
            admin = _filled(found, keys)
            walked = asyncio.run(_part(found, chunks=random.Random(seed).randrange(5, 80)))
            true: dict[str, tuple[int, int]] = {}
            for key in admin.scan_iter(count=1000):
                name = shown(prefix_of(key))
                count, held = true.get(name, (0, 0))
                true[name] = count + 1, held + admin.memory_usage(key, samples=5)
            right += lies_inside(walked.space, true)
            parts.append(walked.space.seen / walked.space.total)
    yield Figure(
        f"{sets} skewed data sets, {100 * median(parts):.0f} % of the keys seen: every prefix inside the stated error",
        f"{right} of {sets}",
        "≥ 95 %",
        right >= 0.95 * sets,
    )


def _filled(found: Server, keys: list[Key]) -> Any:
    admin = found.admin()
    admin.flushall()
    pipe = admin.pipeline(transaction=False)
    for name, size in keys:
        pipe.set(name, b"x" * min(size, _BIGGEST))
    pipe.execute()
    return admin


async def _part(found: Server, chunks: int) -> Sampling:
    """Walk over a part of the keys, and stop as a key would."""
    left = iter(range(chunks))

    async def pause(seconds: float) -> None:
        if next(left, None) is None:
            sampler.stop()
        await asyncio.sleep(0)

    sampler = KeySampler(RedisInstance(url=found.url), pause=pause)
    sampler.start()
    while sampler.is_running:
        await asyncio.sleep(0.002)
    walked = sampler.facts()
    await sampler.close()
    if walked is None:
        raise OSError("the walk did not begin")
    return walked
