"""How much memory many lines take in the store of the Logs tab, made as the tab makes them: LINES. Prints JSON."""

import json
import sys
from itertools import islice

import psutil

from tests.bench import cost
from tests.bench.log_lines import lines
from tui.panes.log_memory import MAX_LINES, HeldLines
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from widgets.log_store import LogStore

_BATCH = 5_000


def main(count: int) -> None:
    me, store, intake, parser = (
        psutil.Process(),
        LogStore(count, HeldLines()),
        Intake(),
        LineParser("flood", "flood.log"),
    )
    before, size, coming = cost.memory_mib(me)[0], 0, lines(count)
    while batch := list(islice(coming, _BATCH)):
        size += sum(map(len, batch))
        intake.parse(parser, [line.rstrip("\n") for line in batch], 0)
        store.extend(intake.take())
    found = {
        "gained_mib": cost.memory_mib(me)[0] - before,
        "line_bytes": size / count,
        "kept_by_default": MAX_LINES,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
