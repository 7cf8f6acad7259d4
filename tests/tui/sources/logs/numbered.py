"""Numbered lines of a simulated cluster, followed by opstui, and what it must have seen of them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profiles.logs import LogSource
from profiles.systems import Kubernetes
from tui.sandbox.cluster.books import Book
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource, PodLogs
from tui.sources.logs import LogsSource
from tui.sources.logs.line import GAP


@dataclass
class Watched:
    """What came out of a log source so far."""

    source: LogsSource
    seen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Texts by origin, `pod/container`, gaps among them."""
    problems: set[str] = field(default_factory=set)
    """Everything that was ever said to be wrong."""
    received: int = 0
    dropped: int = 0
    away_since: float | None = None

    async def read_on(self) -> None:
        while True:
            batch = await self.source.read()
            self.problems.update(batch.problems)
            self.received, self.dropped, self.away_since = batch.received, batch.dropped, batch.away_since
            for line in batch.lines:
                self.seen[line.origin].append(line.text)

    @property
    def count(self) -> int:
        return sum(map(len, self.seen.values()))

    @property
    def gaps(self) -> list[str]:
        return [text for texts in self.seen.values() for text in texts if text.startswith(GAP)]

    async def until(self, holds: Callable[[], bool], seconds: float = 15) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds():
            last = {origin: texts[-2:] for origin, texts in self.seen.items()}
            assert asyncio.get_running_loop().time() < deadline, f"{self.problems}, {last}"
            await asyncio.sleep(0.01)

    async def saw(self, texts: Callable[[], Iterable[tuple[str, str]]], seconds: float = 15) -> None:
        """Wait until each text was seen of its origin."""
        await self.until(lambda: all(text in self.seen[origin] for origin, text in texts()), seconds)


@asynccontextmanager
async def watching(
    cluster: Cluster, folder: Path, *, mirrors: bool = False, first_lines: int = 100_000, **entry: Any
) -> AsyncIterator[Watched]:
    """Follow logs of the cluster as the Logs tab does, `mirrors`: beside the Pods tab."""
    path = cluster.write_kubeconfig(folder / "kubeconfig")
    kubernetes = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
    if mirrors:
        await kubernetes.read()
    source = LogsSource(
        "numbers", LogSource(**{"namespace": "shop", **entry}), PodLogs(kubernetes), first_lines=first_lines
    )
    watched = Watched(source)
    reading = asyncio.create_task(watched.read_on())
    try:
        yield watched
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        await source.close()
        await kubernetes.close()


def missing(books: Iterable[Book], watched: Watched) -> int:
    """Return how many lines are missing; each must be at a gap that was told, and none twice or out of order."""
    written: dict[str, list[str]] = defaultdict(list)
    for book in books:
        written[f"{book.pod}/{book.container}"] += [text for _, text in book.lines]
    lost = 0
    for origin, truth in written.items():
        place = {text: number for number, text in enumerate(truth)}
        expected, is_told = 0, False
        for text in watched.seen[origin]:
            if text.startswith(GAP):
                is_told = True
                continue
            number = place[text]
            assert number >= expected, f"{origin}: {text} came twice, or late"
            assert number == expected or is_told, f"{origin}: {truth[expected:number]} are missing without a word"
            lost += number - expected
            expected, is_told = number + 1, False
        assert expected == len(truth) or is_told, f"{origin}: {truth[expected:]} are missing at the end without a word"
        lost += len(truth) - expected
    return lost
