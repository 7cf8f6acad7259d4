"""Two people in one tmux: one asks for a change while the other is typing."""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg

from tests.e2e.terminal import ROOT, Terminal
from tests.e2e.tmux import BUSY_MACHINE_S, Tmux

_LETTERS: Final = "yyyyyyjkhltdrunw"
"""What is typed: `y`, which confirms, as often as all others; none of them asks for a change itself."""
_GAPS_S: Final = (0.02, 0.3)
"""Between two keys: a burst, or somebody who searches for the next one; never so long that it would be a pause."""
_BEFORE_S: Final = (0.0, 0.5)
_AFTER_S: Final = 1.0
"""How long the typing goes on after the key that asks for the change: longer than the dialog takes to open."""


@contextlib.contextmanager
def sleeping_session(dsn: str, application: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one long statement in a session of its own; its process ends as soon as the statement does."""
    arguments = [sys.executable, "-P", "-m", __name__, dsn, application]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


class TwoKeyboards:
    """opstui in tmux with two clients attached, on a profile with one database whose Activity view is open."""

    def __init__(self, tmux: Tmux, state: Path, seed: int) -> None:
        self._tmux = tmux
        self._state = state
        self._random = random.Random(seed)
        attach = [*tmux.command, "attach-session"]
        self.clients = [Terminal(attach, size=(120, 40)) for _ in range(2)]

    def close(self) -> None:
        """Detach both."""
        for client in self.clients:
            client.close()

    def choose(self, application: str) -> None:
        """Put the cursor on the one session of an application."""
        self._tmux.wait("Database")
        self._tmux("send-keys", "3")
        self._tmux.wait("accepting")
        self._tmux.wait(application)
        self._tmux("send-keys", "/", application)
        self._tmux.wait(rf"(?m)^ ?> .*{application}[\s\S]*/{application}[\s\S]*Clear the filter")
        self._tmux("send-keys", "Enter")
        self._tmux.wait("C Cancel")

    def trial(self) -> None:
        """Let one ask to cancel the statement while the other types, and close the dialog that must still be there.

        Raises:
            AssertionError: no dialog was open when the typing had ended: it was answered, or never opened.
        """
        asking, typing = self.clients
        asks_at = time.monotonic() + self._random.uniform(*_BEFORE_S)
        has_asked = False
        while (now := time.monotonic()) < asks_at + _AFTER_S:
            if now >= asks_at and not has_asked:
                has_asked = True
                asking.send("C")
            typing.send(self._random.choice(_LETTERS))
            time.sleep(self._random.uniform(*_GAPS_S))  # the typing itself
        self._tmux.wait(r"y: do it", BUSY_MACHINE_S)
        asking.send("\x07")
        self._tmux.wait(r"\A(?![\s\S]*do nothing)", BUSY_MACHINE_S)

    def whats(self) -> list[str]:
        """Return what the journal says of changes, oldest first."""
        files = [file for file in self._state.rglob("*.jsonl") if not file.name.endswith(".timeline.jsonl")]
        found = [json.loads(line)["what"] for file in files for line in file.read_text().splitlines()]
        return [what for what in found if what not in ("opened", "closed")]


async def _sleep(dsn: str, application: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"application_name": application})
    await connection.execute("SELECT pg_sleep(86400)")


if __name__ == "__main__":
    asyncio.run(_sleep(*sys.argv[1:]))
