"""Draws the pictures of the README from the running program on the sandbox: `make screenshots`."""

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from profiles.loader import load
from tui.app import OpsApp
from tui.journal import Journal
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.environment import wall_off

HERE: Final = Path(__file__).parent
SIZE: Final = (120, 32)
_WAIT_S: Final = 60.0


async def main() -> None:
    """Start the sandbox and the program, and draw every picture."""
    wall_off(os.environ)
    sandbox = await asyncio.to_thread(BlockingSandbox.start)
    try:
        profile = load("demo", sandbox=sandbox.endpoints).profile
        with tempfile.TemporaryDirectory() as folder:
            app = OpsApp(profile, journal=Journal(Path(folder), profile.name, profile.environment), log_file="")
            async with app.run_test(size=SIZE) as pilot:
                await _draw(app, pilot, sandbox)
    finally:
        await asyncio.to_thread(sandbox.stop)


async def _draw(app: OpsApp, pilot: Pilot[int], sandbox: BlockingSandbox) -> None:
    await _seen(app, pilot, lambda text: "gateway" in text)
    await asyncio.to_thread(sandbox.scenario, "lock-pileup")
    for key in "23456":
        await pilot.press(key)
        await pilot.pause(3)
    await pilot.press("3", "tab")
    await _seen(app, pilot, lambda text: "batch-import" in text and "reprice-job" in text)
    _save(app, "database")
    await pilot.press("8")
    await _seen(app, pilot, lambda text: "Lock contention" in text)
    await pilot.press("slash", *"lock contention", "enter", "enter")
    await _seen(app, pilot, lambda text: "FAILED by the evidence" in text)
    _save(app, "checklist")
    await pilot.press("escape")
    await pilot.pause(1)
    await pilot.press("2", "tab", "slash", *"gateway", "enter")
    await pilot.pause(2)
    await pilot.press("R")
    await _seen(app, pilot, lambda text: "Type the name" in text and "closes in" in text)
    _save(app, "confirm")
    await pilot.press("escape")
    await pilot.pause(1)
    await pilot.press("slash", "escape", "shift+tab")
    await pilot.pause(1)
    _save(app, "pods")
    await asyncio.to_thread(sandbox.scenario, "redis-full")
    await pilot.press("4")
    await pilot.pause(20)
    _save(app, "redis")
    await asyncio.to_thread(sandbox.scenario, "error-burst")
    await pilot.press("5")
    await pilot.pause(20)
    _save(app, "logs")
    await pilot.press("7", "N", *"batch-import again, asked its owner", "enter")
    await pilot.pause(4)
    _save(app, "timeline")
    await pilot.press("1")
    await pilot.pause(4)
    _save(app, "services")
    await pilot.press("6", "enter")
    await pilot.pause(4)
    _save(app, "resources")
    await pilot.resize_terminal(120, 40)
    await pilot.press("tab", "tab", "tab")
    await pilot.pause(4)
    _save(app, "metrics")
    await pilot.resize_terminal(80, 24)
    await pilot.pause(4)
    _save(app, "metrics-small")


async def _seen(app: OpsApp, pilot: Pilot[int], wanted: Callable[[str], bool]) -> None:
    for _ in range(int(_WAIT_S / 0.2)):
        if wanted(_text(app)):
            return
        await pilot.pause(0.2)
    raise SystemExit(f"not seen within {_WAIT_S:g} s; the screen:\n{_text(app)}")


def _text(app: OpsApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def _save(app: OpsApp, name: str) -> None:
    # The web fonts a reader's browser would fetch are left out: a picture fetches nothing.
    svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(title="opstui"), flags=re.DOTALL)
    (HERE / f"{name}.svg").write_text(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE))


if __name__ == "__main__":
    asyncio.run(main())
