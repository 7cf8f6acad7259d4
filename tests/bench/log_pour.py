"""Appends lines to the four log files at a steady rate until it is ended: FOLDER LINES_PER_S."""

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

from tests.bench.log_lines import SOURCES, lines

_STEP_S = 0.02


def batched(every: Iterable[str], count: int) -> Iterator[list[str]]:
    """Yield so many at a time."""
    coming = iter(every)
    while batch := list(islice(coming, count)):
        yield batch


def main(folder: Path, rate: float) -> None:
    files = [(folder / f"{name}.log").open("a") for name in SOURCES]
    count = int(rate * _STEP_S / len(files))
    whole = cycle(["".join(part) for part in batched(lines(200_000), count)])
    due = time.monotonic()
    while True:
        for file in files:
            file.write(next(whole))
            file.flush()
        due += _STEP_S
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
