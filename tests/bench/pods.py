"""Thousands of pods that change all the time, and a cluster of the same size in which nothing does."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import cost
from tests.bench.figures import Figure, figure, percentile
from tests.bench.idle import watch
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script
from tests.bench.typed import type_characters

PODS = 5_000
CHANGES_PER_S = 50
_PROBES = ("/version", "/readyz", "/livez")
ROWS = r"bulk-\d+ +service-\d+"


class CrowdedCluster:
    """The cluster's process, spoken to by lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, line: str) -> str:
        """Send a command and return the answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("the cluster has no pipes")
        if line:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        if not (answer := self._process.stdout.readline()):
            raise OSError("the cluster's process has ended")
        return answer

    def lists(self) -> dict[str, int]:
        """Return how often each path was read otherwise than by a watch."""
        counts: dict[str, int] = json.loads(self.ask("counts"))["counts"]
        return {path: number for path, number in counts.items() if not path.startswith("WATCH ")}

    def changes(self) -> int:
        """Return how many pods were changed since the last `churn`."""
        return int(json.loads(self.ask("counts"))["changes"])


@contextmanager
def crowded_cluster(stage: Stage, kubeconfig: Path) -> Iterator[CrowdedCluster]:
    """Run the cluster in a process of its own."""
    with subprocess.Popen(
        script("cluster_process", str(PODS), str(kubeconfig)),
        env=stage.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            cluster = CrowdedCluster(process)
            cluster.ask("")
            yield cluster
        finally:
            process.terminate()


def measure(stage: Stage) -> Iterator[Figure]:
    """Open the Pods tab on it."""
    kubeconfig = stage.folder / "crowded-kubeconfig.yaml"
    profile = stage.profile("crowded", {"kubernetes": {"kubeconfig": str(kubeconfig)}})
    with (
        crowded_cluster(stage, kubeconfig) as cluster,
        Screen(opstui("--profile", str(profile)), env=stage.env) as screen,
    ):
        frame = screen.until(lambda: any(screen.lines), 30)
        if frame is None:
            raise TimeoutError("opstui drew nothing")
        screen.press("2")
        rows = screen.wait(ROWS, 60)
        yield figure(f"{PODS:,} pods: first frame → first rows", rows - frame, "s", digits=2)
        screen.wait(rf"Pods {PODS} ", 60)
        screen.pass_time(4)
        yield from _steady(stage, cluster, screen, 0)
        cluster.ask(f"churn {CHANGES_PER_S}")
        screen.pass_time(4)
        yield from _steady(stage, cluster, screen, CHANGES_PER_S)
        rss, pss = cost.memory_mib(screen.process)
        yield figure(f"{PODS:,} pods: RSS (PSS {pss:.0f} MiB)", rss, "MiB", 200, digits=0)
        screen.press("/")
        screen.pass_time(0.5)
        waits = type_characters(screen, stage.count(96))
        points = ", ".join(f"p{p} {percentile(waits, p):.0f}" for p in (50, 95, 99))
        yield Figure(f"{PODS:,} pods, {CHANGES_PER_S} changes/s: typed → shown", f"{points}, max {max(waits):.0f} ms")


def _steady(stage: Stage, cluster: CrowdedCluster, screen: Screen, changes_per_s: int) -> Iterator[Figure]:
    name = f"{PODS:,} pods, {changes_per_s} changes/s"
    before, changed, started = cluster.lists(), cluster.changes(), time.monotonic()
    [(percent, sent)] = watch([screen], stage.seconds(24))
    span, after, changed = time.monotonic() - started, cluster.lists(), cluster.changes() - changed
    told = f" (made: {changed / span:.0f}/s)" if changes_per_s else ""
    yield figure(f"{name}: CPU{told}", percent, "% of a core", 15 if changes_per_s else 2)
    yield figure(f"{name}: to the terminal", sent, "B/s", 10_000 if changes_per_s else 300, digits=0)
    asked = {path: number - before.get(path, 0) for path, number in after.items() if number > before.get(path, 0)}
    metrics = sum(number for path, number in asked.items() if "metrics.k8s.io" in path)
    probes = sum(number for path, number in asked.items() if path.split()[1] in _PROBES)
    lists = sum(asked.values()) - metrics - probes
    yield Figure(
        f"{name}: list calls",
        f"{60 * lists / span:.0f} a minute; {60 * metrics / span:.0f} of metrics.k8s.io, which has no watch, "
        f"{60 * probes / span:.0f} small probes",
        "0 a minute", lists == 0,
    )  # fmt: skip
