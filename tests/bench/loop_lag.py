"""Runs the whole app headless beside a task that wakes every 5 ms, and prints how late it woke, in milliseconds."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from profiles.loader import load
from tui.app import OpsApp
from tui.journal import Journal
from tui.wishes import Wishes

_STEP_S = 0.005


async def lags_for(seconds: float, lags: list[float] | None = None) -> list[float]:
    """Return how late each waking was; in `lags`, when given, as they are measured."""
    lags = [] if lags is None else lags
    end = time.monotonic() + seconds
    while (started := time.monotonic()) < end:
        await asyncio.sleep(_STEP_S)
        lags.append(1000 * (time.monotonic() - started - _STEP_S))
    return lags


async def main(profile: str, seconds: float) -> None:
    loaded = load(profile)
    state = Path(profile).parent
    journal = Journal(state, loaded.profile.name, loaded.profile.environment)
    app = OpsApp(loaded.profile, journal=journal, log_file=str(state / "lag.log"), wishes=Wishes(refresh_s=1.0))
    bare = await lags_for(2)
    async with app.run_test(size=(120, 40)) as pilot:
        opening: list[float] = []
        for key in "123456":
            watch = asyncio.create_task(lags_for(1.5))
            await pilot.press(key)
            opening += await watch
        lags: list[float] = []
        for key in "2345":
            await pilot.press(key)
            await asyncio.sleep(0.3)
            lags += await lags_for(seconds / 4)
        sys.stdout.write(json.dumps({"bare": bare, "opening": opening, "app": lags}) + "\n")
        sys.stdout.flush()
        os._exit(0)  # how it ends is not measured here


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
