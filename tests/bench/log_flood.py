"""The app without a terminal while its four log files grow by many lines at once: PROFILE FOLDER LINES FILTER. JSON.

With a rate instead of all at once: PROFILE FOLDER LINES FILTER MB_PER_S.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path

import psutil

from profiles.loader import load
from tests.bench import cost
from tests.bench.figures import percentile
from tests.bench.log_lines import SOURCES, lines
from tests.bench.loop_lag import lags_for
from tui.app import OpsApp
from tui.journal import Journal
from tui.panes.logs import LogsPane
from widgets.filter_bar import FilterBar
from widgets.log_view import LogView

DEADLINE_S = 90.0
_SETTLED_S = 3.0


async def main(profile: str, folder: Path, count: int, typed: str, mb_per_s: float) -> None:
    loaded = load(profile)
    app = OpsApp(loaded.profile, journal=Journal(folder, "flood", "staging"), log_file=str(folder / "app.log"))
    parts = [text.encode() for text in _parts(count)]
    logs = [folder / f"{name}.log" for name in SOURCES]
    me = psutil.Process()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        view, pane = app.screen.query_one(LogView), app.screen.query_one(LogsPane)
        while sum(bool(batch.following) for batch in pane.batches) < len(SOURCES):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        bar = pane.query_one("#logs-include", FilterBar)
        bar.open()
        bar.text = typed
        bar.action_keep()
        await asyncio.sleep(1)
        before, cpu = cost.memory_mib(me)[0], cost.cpu_of(me)
        lags: list[float] = []
        watching = asyncio.create_task(lags_for(DEADLINE_S, lags))
        started = time.monotonic()
        pouring = threading.Thread(target=_pour, args=(logs, parts, mb_per_s), daemon=True)
        pouring.start()
        seen, changed_at = 0, started
        while seen < count and time.monotonic() < min(started + DEADLINE_S, changed_at + 2 * _SETTLED_S):
            await asyncio.sleep(0.02)
            if (now := view.line_count + view.dropped + _dropped(pane)) != seen:
                seen, changed_at = now, time.monotonic()
        watching.cancel()
        dropped = _dropped(pane)
        found = {
            "lines": seen - dropped,
            "dropped": dropped,
            "unaccounted": count - seen,
            "seconds": changed_at - started,
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


def _dropped(pane: LogsPane) -> int:
    return sum(batch.dropped for batch in pane.batches)


def _parts(count: int) -> list[str]:
    """Return the lines, one part for each log."""
    whole = list(lines(count))
    return ["".join(whole[number :: len(SOURCES)]) for number in range(len(SOURCES))]


def _pour(logs: list[Path], parts: list[bytes], mb_per_s: float) -> None:
    files = [log.open("ab") for log in logs]
    step = int(mb_per_s * 1e6 / 20 / len(files)) if mb_per_s else max(map(len, parts))
    for start in range(0, max(map(len, parts)), step):
        began = time.monotonic()
        for file, part in zip(files, parts, strict=True):
            file.write(part[start : start + step])
            file.flush()
        time.sleep(max(0.0, began + 0.05 - time.monotonic()) if mb_per_s else 0)


if __name__ == "__main__":
    rate = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], rate))
