"""How much memory many lines take in the store of the Logs tab, made as the tab makes them: LINES. Prints JSON."""

import inspect
import json
import sys
from itertools import islice

import psutil

from tests.bench import cost
from tests.bench.log_lines import lines
from tui.panes.log_lines import shown_lines
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from widgets.log_store import LogStore
from widgets.log_view import LogView

_BATCH = 5_000


def main(count: int) -> None:
    me, store, intake, parser = psutil.Process(), LogStore(count), Intake(), LineParser("flood", "flood.log")
    before, size, coming = cost.memory_mib(me)[0], 0, lines(count)
    while batch := list(islice(coming, _BATCH)):
        size += sum(map(len, batch))
        intake.parse(parser, [line.rstrip("\n") for line in batch], 0)
        store.extend(shown_lines(intake.take(), "accent", by_origin=False))
    found = {
        "gained_mib": cost.memory_mib(me)[0] - before,
        "line_bytes": size / count,
        "kept_by_default": inspect.signature(LogView).parameters["max_lines"].default,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
