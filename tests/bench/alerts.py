"""Every trouble of the sandbox: which alerts it raises, after how long, and whether they end with it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.stage import Stage
from tests.tui.check.alerts_of_scenarios import EXPECTED, played, watched


def measure(stage: Stage) -> Iterator[Figure]:
    """Play all scenarios one after the other."""
    for name in EXPECTED:
        raised_s, cleared_s, seen = asyncio.run(_played(name, stage))
        must, may = EXPECTED[name]
        others = sorted(seen - must - may)
        yield Figure(
            f"{name}: {', '.join(sorted(must))}",
            f"up after {raised_s:.1f} s, gone {cleared_s:.1f} s after its end"
            + (f"; besides: {', '.join(others)}" if others else ""),
            "these and no others",
            not others,
        )


async def _played(name: str, stage: Stage) -> tuple[float, float, frozenset[str]]:
    async with watched(stage.sandbox, Path(stage.folder)) as site:
        return await played(name, stage.sandbox, site)
