"""Thousands of pods that change all the time or not at all, in the Pods tab and, on the same cluster, in korvid."""

import json
import math
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import cost
from tests.bench.figures import Figure, figure, percentile
from tests.bench.idle import watch
from tests.bench.peers import install
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script
from tests.bench.typed import type_characters

PODS = 5_000
CHANGES_PER_S = 50
PEER = ("korvid==0.6.0",)
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


@dataclass(frozen=True, slots=True)
class Program:
    """A program that shows pods."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    keys: str
    """What opens the pods of every namespace, once something is drawn."""
    all_rows: str
    """What the screen says once every pod is there; empty: its rows must do."""


@dataclass(slots=True)
class Costs:
    """What it cost, by changes a second where that matters."""

    first_rows_s: float = 0.0
    cpu_percent: dict[int, float] = field(default_factory=dict)
    sent_per_s: dict[int, float] = field(default_factory=dict)
    asked: dict[int, str] = field(default_factory=dict)
    lists_per_min: dict[int, float] = field(default_factory=dict)
    made_per_s: float = 0.0
    rss_mib: float = 0.0
    pss_mib: float = 0.0
    waits_ms: list[float] = field(default_factory=list)
    own_ms: list[float] = field(default_factory=list)
    """The same without what the program waited for a CPU: what other programs on this machine cost it."""


def measure(stage: Stage) -> Iterator[Figure]:
    """Open the pods of every namespace, on the same cluster in one program after the other."""
    kubeconfig = stage.folder / "crowded-kubeconfig.yaml"
    profile = stage.profile("crowded", {"kubernetes": {"kubeconfig": str(kubeconfig)}})
    ours = Program("opstui", tuple(opstui("--profile", str(profile))), stage.env, "2", rf"Pods {PODS} ")
    peer = install(stage, "korvid", *PEER)
    with crowded_cluster(stage, kubeconfig) as cluster:
        costs = _costs(stage, cluster, ours)
        yield from _figures(costs)
        if peer is None:
            yield Figure(f"{PODS:,} pods: beside korvid", "peer not installed (--with-peers)")
            return
        cluster.ask("churn 0")
        env = {**stage.env, "KUBECONFIG": str(kubeconfig)}
        yield from _beside(costs, _costs(stage, cluster, Program("korvid", (str(peer), "--readonly"), env, "0", "")))


def _costs(stage: Stage, cluster: CrowdedCluster, program: Program) -> Costs:
    costs = Costs()
    with Screen(program.command, env=program.env) as screen:
        frame = screen.until(lambda: any(screen.lines), 30)
        if frame is None:
            raise TimeoutError(f"{program.name} drew nothing")
        screen.until(lambda: any("NAME" in line or "Services" in line for line in screen.lines), 30)
        screen.press(program.keys)
        costs.first_rows_s = screen.wait(ROWS, 90) - frame
        if program.all_rows:
            screen.wait(program.all_rows, 60)
        else:
            screen.pass_time(15)
        screen.pass_time(4)
        for changes_per_s in (0, CHANGES_PER_S):
            cluster.ask(f"churn {changes_per_s}")
            screen.pass_time(4)
            _steady(stage, cluster, screen, changes_per_s, costs)
        costs.rss_mib, costs.pss_mib = cost.memory_mib(screen.process)
        screen.press("/")
        screen.pass_time(0.5)
        costs.waits_ms = type_characters(screen, stage.count(96), costs.own_ms)
    return costs


def _steady(stage: Stage, cluster: CrowdedCluster, screen: Screen, changes_per_s: int, costs: Costs) -> None:
    before, changed, started = cluster.lists(), cluster.changes(), time.monotonic()
    [(percent, sent)] = watch([screen], stage.seconds(24))
    span, after, changed = time.monotonic() - started, cluster.lists(), cluster.changes() - changed
    costs.cpu_percent[changes_per_s], costs.sent_per_s[changes_per_s] = percent, sent
    costs.made_per_s = changed / span
    asked = {path: number - before.get(path, 0) for path, number in after.items() if number > before.get(path, 0)}
    metrics = sum(number for path, number in asked.items() if "metrics.k8s.io" in path)
    probes = sum(number for path, number in asked.items() if path.split()[1] in _PROBES)
    lists = sum(asked.values()) - metrics - probes
    costs.lists_per_min[changes_per_s] = 60 * lists / span
    costs.asked[changes_per_s] = (
        f"{60 * lists / span:.0f} a minute; {60 * metrics / span:.0f} of metrics.k8s.io, which has no watch, "
        f"{60 * probes / span:.0f} small probes"
    )


def _figures(costs: Costs) -> Iterator[Figure]:
    yield figure(f"{PODS:,} pods: first frame → first rows", costs.first_rows_s, "s", digits=2)
    for changes, percent in costs.cpu_percent.items():
        name = f"{PODS:,} pods, {changes} changes/s"
        told = f" (made: {costs.made_per_s:.0f}/s)" if changes else ""
        yield figure(f"{name}: CPU{told}", percent, "% of a core", 15 if changes else 2)
        yield figure(f"{name}: to the terminal", costs.sent_per_s[changes], "B/s", 10_000 if changes else 300, digits=0)
        yield Figure(f"{name}: list calls", costs.asked[changes], "0 a minute", costs.lists_per_min[changes] == 0)
    yield figure(f"{PODS:,} pods: RSS (PSS {costs.pss_mib:.0f} MiB)", costs.rss_mib, "MiB", 200, digits=0)
    busy = f"{PODS:,} pods, {CHANGES_PER_S} changes/s"
    yield Figure(f"{busy}: typed → shown", _points(costs.waits_ms))
    yield Figure(f"{busy}: typed → shown, without waits for a CPU", _points(costs.own_ms))
    for point, budget in ((95, 50), (99, 100)):
        yield figure(f"{busy}: typed → shown p{point}", percentile(costs.waits_ms, point), "ms", budget, digits=0)


def _beside(ours: Costs, peer: Costs) -> Iterator[Figure]:
    name = f"{PODS:,} pods"
    yield Figure(f"{name}, korvid: first frame → first rows", f"{peer.first_rows_s:.2f} s")
    for changes, percent in peer.cpu_percent.items():
        yield Figure(
            f"{name}, {changes} changes/s, korvid: CPU, to the terminal, list calls",
            f"{percent:.1f} % of a core, {peer.sent_per_s[changes]:.0f} B/s, {peer.asked[changes]}",
        )
    yield Figure(f"{name}, korvid: RSS (PSS {peer.pss_mib:.0f} MiB)", f"{peer.rss_mib:.0f} MiB")
    yield Figure(f"{name}, {CHANGES_PER_S} changes/s, korvid: typed → shown", _points(peer.waits_ms))
    busy = CHANGES_PER_S
    for what, one, other in (
        ("first frame → first rows", ours.first_rows_s, peer.first_rows_s),
        (f"CPU at {busy} changes/s", ours.cpu_percent[busy], peer.cpu_percent[busy]),
        (f"bytes to the terminal at {busy} changes/s", ours.sent_per_s[busy], peer.sent_per_s[busy]),
        ("RSS", ours.rss_mib, peer.rss_mib),
        ("typed → shown p95", percentile(ours.waits_ms, 95), percentile(peer.waits_ms, 95)),
    ):
        yield figure(f"{name}: {what}", one / other if other else math.inf, "× korvid", 1, digits=3)


def _points(waits_ms: Sequence[float]) -> str:
    points = ", ".join(f"p{p} {percentile(waits_ms, p):.0f}" for p in (50, 95, 99))
    return f"{points}, max {max(waits_ms):.0f} ms"
