"""opstui with a mistake in its first tab: `python crashing.py WHERE ARGUMENT…`; WHERE is key or worker."""

import sys

from textual.binding import Binding

import tui.panes.services
from tui.cli import main
from tui.panes.services import ServicesPane


class MistakenPane(ServicesPane):
    """Fails with a secret in a local variable."""

    BINDINGS = [Binding("!", "fail", "Fail")]  # noqa: RUF012 -- as Textual wants it

    def action_fail(self) -> None:
        fail()

    async def fail_later(self) -> None:
        fail()

    def on_mount(self) -> None:
        if WHERE == "worker":
            self.set_timer(1, lambda: self.run_worker(self.fail_later()))


def fail() -> None:
    password = "hunter2-in-a-local"
    raise RuntimeError(f"a mistake with {len(password)} letters")


WHERE = sys.argv.pop(1)
tui.panes.services.ServicesPane = MistakenPane  # type: ignore[misc]  # the one place that changes it
main()
