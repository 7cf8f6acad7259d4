"""Appends lines to the four log files at a steady rate until it is ended: FOLDER LINES_PER_S."""

import sys
import time
from itertools import cycle, islice
from pathlib import Path

from tests.bench.log_lines import SOURCES, lines

_STEP_S = 0.02


def main(folder: Path, rate: float) -> None:
    files = [(folder / f"{name}.log").open("a") for name in SOURCES]
    whole, count = cycle(list(lines(200_000))), int(rate * _STEP_S / len(files))
    due = time.monotonic()
    while True:
        for file in files:
            file.write("".join(islice(whole, count)))
            file.flush()
        due += _STEP_S
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
