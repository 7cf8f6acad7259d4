"""The app without a terminal while a file grows by many lines at once: PROFILE LOG LINES. Prints JSON."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import psutil

from profiles.loader import load
from tests.bench import cost
from tests.bench.figures import percentile
from tests.bench.log_lines import lines
from tests.bench.loop_lag import lags_for
from tui.app import OpsApp
from tui.journal import Journal
from widgets.log_view import LogView

DEADLINE_S = 90.0


async def main(profile: str, log: Path, count: int) -> None:
    loaded = load(profile)
    app = OpsApp(loaded.profile, journal=Journal(log.parent, "flood", "staging"), log_file=str(log.parent / "app.log"))
    text = "".join(lines(count))
    me = psutil.Process()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        view = app.screen.query_one(LogView)
        await asyncio.sleep(2)
        await pilot.press("slash", *"orders/[0-9]*7", "enter")
        await asyncio.sleep(1)
        before, cpu = cost.memory_mib(me)[0], cost.cpu_of(me)
        with log.open("a") as file:
            file.write(text)
        del text
        lags: list[float] = []
        watching = asyncio.create_task(lags_for(DEADLINE_S, lags))
        started = time.monotonic()
        while (absorbed := view.line_count + view.dropped) < count and time.monotonic() < started + DEADLINE_S:
            await asyncio.sleep(0.02)
        seconds = time.monotonic() - started
        watching.cancel()
        found = {
            "lines": absorbed,
            "dropped": count - absorbed,
            "seconds": seconds,
            "cpu_s": cost.cpu_of(me) - cpu,
            "held": view.line_count,
            "passing": view.visible_count,
            "lag_p99_ms": percentile(lags, 99),
            "lag_max_ms": max(lags),
            "gained_mib": cost.memory_mib(me)[0] - before,
        }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
