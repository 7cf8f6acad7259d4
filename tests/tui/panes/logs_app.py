"""An app with nothing but the Logs tab, for tests of what it shows and says."""

import asyncio
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.panes.logs import LogsPane
from tui.panes.pane import Pane
from widgets.log_view import LogView
from widgets.segment_line import SegmentLine


class LogsApp(App[None]):
    """Has the tab open, with the keyboard in its lines."""

    def __init__(self, pane: LogsPane) -> None:
        """Take the tab, not mounted yet."""
        super().__init__()
        self.pane = pane
        self.told: list[str] = []
        """What the pane said, oldest first."""

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus_first()

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    @property
    def view(self) -> LogView:
        return self.pane.query_one(LogView)

    @property
    def raws(self) -> list[str]:
        """The lines that pass the filters, as they came."""
        return [line.raw for line in self.view.visible_lines()]

    def words(self, which: str) -> str:
        """Return what stands above the lines, drawn anew: `title` or `stack`."""
        self.pane.tick()
        return self.pane.query_one(f"#logs-{which}", SegmentLine).words


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not condition():
            await pilot.pause(0.02)
