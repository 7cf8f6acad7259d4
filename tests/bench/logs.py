"""Lines from a file to the Logs tab, with a filter on; and the memory that many lines take."""

import json
import subprocess
from collections.abc import Iterator

from tests.bench.figures import Figure, figure
from tests.bench.stage import Stage, script

LINES = 400_000
HELD = 1_000_000


def measure(stage: Stage) -> Iterator[Figure]:
    """Run the app without a terminal in a process of its own, on a file that grows at once."""
    log = stage.folder / "flood.log"
    log.write_text("")
    profile = stage.profile("flood", {"logs": {"flood": str(log)}})
    lines = LINES // 4 if stage.quick else LINES
    command = script("log_flood", str(profile), str(log), str(lines))
    done = subprocess.run(command, env=stage.env, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    rate = found["lines"] / found["seconds"]
    yield Figure(
        f"log view: {lines:,} lines at once, filter on (end to end)",
        f"{rate:,.0f} lines/s, {found['dropped']:,} dropped, {found['held']:,} held at the end, "
        f"{found['passing']:,} of them pass; {1e6 * found['cpu_s'] / found['lines']:.1f} µs of CPU a line",
        "≥ 50,000 lines/s", rate >= 50_000 and not found["dropped"],
    )  # fmt: skip
    yield figure(
        f"log view: event-loop lag meanwhile, p99 (longest {found['lag_max_ms']:.0f} ms)", found["lag_p99_ms"], "ms", 50
    )
    yield figure("log view: memory the tab gained by them", found["gained_mib"], "MiB", digits=0)
    done = subprocess.run(script("log_memory", str(HELD)), env=stage.env, check=True, stdout=subprocess.PIPE, text=True)
    memory = json.loads(done.stdout)
    yield figure(
        f"log view: {HELD:,} lines in its store ({memory['line_bytes']:.0f} bytes each in the file)",
        memory["gained_mib"], "MiB", 300, digits=0,
    )  # fmt: skip
    if memory["kept_by_default"] < HELD:
        yield Figure(f"log view: lines the Logs tab keeps (asked for: {HELD:,})", f"{memory['kept_by_default']:,}")
