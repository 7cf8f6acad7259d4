"""`python -m tests.bench`: measure what opstui costs and print each figure beside its budget.

Everything runs on this machine, with servers of its own on the loopback. What is a ratio was taken side by side in
one run. Nothing here is asserted in a test: a busy machine makes every figure worse.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench.figures import Figure, table
from tests.bench.stage import Stage

PARTS = ("start", "data", "idle", "typed", "pods", "postgres", "logs", "redis", "cancel", "keyboards", "alerts")
"""Each is a module here with a `measure(stage)`."""


def main() -> None:
    """Measure the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part only (repeatable)")
    parser.add_argument("--quick", action="store_true", help="a quarter of the runs and seconds: for a first look")
    parser.add_argument(
        "--with-peers", action="store_true", help="install pg_activity and toolong into temporary folders"
    )
    options = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="opstui-bench-") as folder:
        stage = Stage(Path(folder), quick=options.quick, with_peers=options.with_peers)
        try:
            for part in options.only or PARTS:
                figures += _measured(part, stage)
        finally:
            stage.close()
    sys.stdout.write(table(figures) + "\n")


def _measured(part: str, stage: Stage) -> Iterable[Figure]:
    started = time.monotonic()
    found: list[Figure] = []
    try:
        for one in importlib.import_module(f"tests.bench.{part}").measure(stage):
            found.append(one)
            sys.stderr.write(f"{part}: {one.what}: {one.measured}\n")
    except (TimeoutError, OSError, subprocess.SubprocessError) as error:
        found.append(Figure(f"{part}: ended early", str(error).splitlines()[0], "", met=False))
        sys.stderr.write(f"{part}: {error}\n")
    load = os.getloadavg()[0]
    found.append(Figure(f"({part}: {time.monotonic() - started:.0f} s, load of the machine {load:.1f})", ""))
    return found


if __name__ == "__main__":
    main()
