"""Two people in one tmux: how often does one confirm, by typing on, the dialog that the other has just opened?"""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.stage import Stage, opstui
from tests.e2e.tmux import Tmux
from tests.e2e.two_keyboards import TwoKeyboards, sleeping_session

TRIALS = 1000
_AT_A_TIME = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What one pair of people saw."""

    opened: int
    """Dialogs that were still open when the typing had ended, and were then cancelled."""
    sent: int
    """Changes that were confirmed."""


def measure(stage: Stage) -> Iterator[Figure]:
    """Let pairs type at the same time, each in a tmux, with a session and a journal of its own."""
    trials = stage.count(TRIALS)
    _ = stage.sandbox
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        shares = [trials // _AT_A_TIME + (n < trials % _AT_A_TIME) for n in range(_AT_A_TIME)]
        pairs = list(pool.map(lambda pair: _pair(stage, *pair), enumerate(shares)))
    opened, sent = sum(pair.opened for pair in pairs), sum(pair.sent for pair in pairs)
    yield Figure(
        "typing through a dialog that somebody else opens",
        f"{sent} confirmed of {trials}, {opened} dialogs still open after the typing",
        "0 confirmed",
        sent == 0 and opened == trials,
    )


def _pair(stage: Stage, number: int, trials: int) -> Found:
    dsn = stage.sandbox.endpoints["postgres"]
    application = f"keys-{number}"  # short enough for the column
    state = stage.folder / application
    profile = stage.profile(application, {"databases": {"shop": dsn}})
    with (
        tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as folder,  # short enough for a socket
        sleeping_session(dsn.replace("//opstui@", "//app@"), application) as session,
    ):
        tmux = Tmux(folder)
        tmux.start(opstui("--profile", str(profile)), {**stage.env, "XDG_STATE_HOME": str(state)}, str(Path.cwd()))
        both = TwoKeyboards(tmux, state, seed=number)
        opened = 0
        try:
            both.choose(application)
            while opened < trials and session.poll() is None:
                both.trial()
                opened += 1
        except AssertionError as error:  # no dialog is open any more: what the journal says is what counts
            sys.stderr.write(f"{error}\n")
        finally:
            both.close()
            tmux("kill-server")
        return Found(opened, both.whats().count("intent"))
