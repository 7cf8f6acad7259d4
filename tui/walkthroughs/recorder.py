"""Puts walks on record in the journal: nothing counts before it is on disk."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui.journal import Journal, JournalError
from tui.journal.news import News
from tui.walkthroughs.format import title_of
from tui.walkthroughs.loading import PlacedStep, Walkthrough
from tui.walkthroughs.run import WALK, Result, Run, Runs, begun_entry, event_entry, result_entry


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what happens in walks, and knows of every run on the same journal."""

    journal: Journal
    news: News
    """Hands what was written, by us and by others, to `runs`."""
    runs: Runs

    @classmethod
    def of(cls, journal: Journal, news: News) -> "Recorder":
        """Return a recorder that follows the journal; somebody must have `news` fetched before runs are known."""
        runs = Runs()
        news.subscribe(runs.take)
        return cls(journal, news, runs)

    async def begin(self, walk: Walkthrough, subject: str, *, is_automatic: bool = False) -> Run:
        """Begin a run. Raises JournalError when it cannot be put on record."""
        id_ = secrets.token_hex(8)
        await self._append(begun_entry(walk, id_, subject, is_automatic=is_automatic))
        return self._known(id_)

    async def record(self, run: Run, placed: PlacedStep, result: Result) -> Run:
        """Put on record how a step went. Raises JournalError when it cannot be."""
        await self._append(result_entry(run, result, title_of(placed.step)))
        return self._known(run.id)

    async def pause(self, run: Run, at_step: str) -> Run:
        """Put on record that a run was left at a step, to be resumed. Raises JournalError when it cannot be."""
        await self._append(event_entry(run, "paused", step=at_step))
        return self._known(run.id)

    async def resume(self, run: Run) -> Run:
        """Put on record that a run goes on. Raises JournalError when it cannot be."""
        await self._append(event_entry(run, "resumed"))
        return self._known(run.id)

    async def end(self, run: Run, *, is_whole: bool) -> Run:
        """Put on record that a run is over; `is_whole` tells whether every step was taken. Raises JournalError."""
        words = {mark.value: count for mark, count in run.counts().items()}
        more: Mapping[str, Any] = {"whole": is_whole, "verdict": run.verdict.value, "steps": words}
        await self._append(event_entry(run, "ended", **more))
        return self._known(run.id)

    async def _append(self, entry: Mapping[str, Any]) -> None:
        await self.journal.append(WALK, entry)
        await self.news.fetch()

    def _known(self, id_: str) -> Run:
        run = self.runs.get(id_)
        if run is None:
            raise JournalError(f"written, and not read back: {self.news.failure or 'was the file replaced?'}")
        return run
