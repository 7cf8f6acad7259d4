"""Searches a log file back as the Logs tab does: FILE FILTER. Prints JSON."""

import json
import sys
import time

import psutil

from tests.bench import cost
from tui.sources.logs.files import FileFollower
from tui.sources.logs.intake import Intake
from tui.sources.logs.past import Past, Reading
from tui.sources.logs.sieve import sieve_of
from tui.sources.logs.stack import Stack, new_filter


def main(path: str, typed: str) -> None:
    intake, began, cpu_s = Intake(), time.monotonic(), cost.cpu_of(psutil.Process())
    follower = FileFollower("big", path, intake)
    follower.scan()
    opened_s = time.monotonic() - began
    stack = Stack((new_filter(typed, time.time()),))
    reading, found = Reading([Past("big", follower.begun)], stack.judge(), sieve_of(stack)), 0
    while not reading.is_over:
        found += len(reading.take(2_000))
        time.sleep(0.001)
    passes = stack.judge()
    found += sum(1 for line in intake.take() if passes is None or passes(line))
    answer = {
        "found": found,
        "opened_s": opened_s,
        "seconds": time.monotonic() - began,
        "cpu_s": cost.cpu_of(psutil.Process()) - cpu_s,
        "mib": cost.memory_mib(psutil.Process())[0],
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
