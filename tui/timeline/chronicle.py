"""From readings to rows: each is compared with the one before it, and what lasts is remembered."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from tui.rules import Alert, Level
from tui.sources.docker.facts import DockerSnapshot
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.logs.line import LogBatch
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.reading import Reading
from tui.sources.redis_snapshot import RedisSnapshot
from tui.sources.systemd import SystemdSnapshot
from tui.timeline import alerts, docker, itself, kubernetes, logs, postgres, redis, services, systemd
from tui.timeline.entry import ITSELF, Entry, around, identity
from tui.timeline.model import Timeline
from tui.timeline.standing import Condition, Standing

GAP_S: Final = 3600.0
"""How far back a system's own memory is asked at the first look, where nothing is on record about it."""
_APART: Final = (alerts.KEY, itself.SILENCE)
"""Keys of what lasts that a snapshot alone does not tell."""


class Chronicle:
    """Takes readings with their alerts, and pauses; what is new in them is added to the timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._standing = Standing()
        self._before: dict[str, Any] = {}
        """The last snapshot of each source."""
        self._recorded: dict[str, float] = {}
        """When the newest entry on record about each source was."""
        self._bursts: dict[str, logs.Bursts] = {}

    def resume(self, history: Iterable[Entry]) -> None:
        """Go on where an earlier opstui ended; `history` is oldest first, and may come in parts."""
        for entry in history:
            self._standing.resume(entry)
            self._recorded[entry.source] = max(entry.newest_at, self._recorded.get(entry.source, 0.0))
            self._timeline.add([entry])

    # Readings

    def take(self, reading: Reading[Any], raised: Iterable[Alert], now: float) -> list[Entry]:
        """Take a reading and the alerts it changed; return what is new, which is in the timeline then."""
        # A system's clock may be ahead of ours; what it tells is no later than now.
        told = (entry if entry.at <= now else replace(entry, at=now) for entry in self._found(reading, raised, now))
        found = sorted(told, key=lambda entry: entry.at)
        if found:
            self._timeline.add(found)
        return found

    def _found(self, reading: Reading[Any], raised: Iterable[Alert], now: float) -> Iterator[Entry]:
        source, snapshot = reading.source, reading.snapshot
        if (silence := itself.silence(reading)) is not None:
            yield from self._standing.put(source, silence, now)
            return
        yield from self._standing.drop(source, itself.SILENCE, now)
        if snapshot is None or reading.error is not None or getattr(snapshot, "is_early", False):
            return
        before = self._before.get(source)
        if snapshot is not before:
            yield from self._compared(source, before, snapshot, now)
            self._before[source] = snapshot
        yield from self._alerts(source, snapshot, raised, now, is_first=before is None)
        yield from self._standing.settle(source, now)

    def _compared(self, source: str, before: Any, after: Any, now: float) -> Iterator[Entry]:
        is_first = before is None
        since = self._recorded.get(source, now - GAP_S) if is_first else float("-inf")
        recent = since if is_first else None
        match after:
            case KubernetesSnapshot():
                # Facts of a cluster do not know which of several it is.
                yield from (replace(one, source=source) for one in kubernetes.entries(before, after, now, since))
                yield from self._of_cluster(source, before, after, now, recent)
            case DatabaseSnapshot():
                yield from postgres.entries(source, before, after, now, since)
                yield from self._turn(source, postgres.conditions(after, now), now, recent)
            case RedisSnapshot():
                yield from redis.entries(source, before, after, now, since)
                yield from self._turn(source, redis.conditions(after, now), now, recent)
            case ServiceSnapshot():
                yield from services.entries(source, before, after, now)
                yield from self._turn(source, services.conditions(after), now, recent)
            case DockerSnapshot():
                yield from docker.entries(source, after, since)
                yield from self._turn(source, docker.conditions(after), now, recent)
            case SystemdSnapshot():
                yield from systemd.entries(source, before, after, now)
                yield from self._turn(source, systemd.conditions(after), now, recent)
            case LogBatch():
                yield from logs.entries(source, before, after, now)
                burst = self._bursts.setdefault(source, logs.Bursts()).take(after, now)
                yield from self._turn(source, [burst] if burst else [], now, None)

    def _turn(self, source: str, conditions: Iterable[Condition], now: float, recent: float | None) -> Iterator[Entry]:
        return self._standing.turn(source, conditions, now, besides=_APART, recent=recent)

    def _of_cluster(
        self,
        source: str,
        before: KubernetesSnapshot | None,
        after: KubernetesSnapshot,
        now: float,
        recent: float | None,
    ) -> Iterator[Entry]:
        found = kubernetes.lasting(before, after, lambda key: self._standing.stands(source, key))
        if before is None and all(after.health[resource].is_synced for resource in kubernetes.TOLD_OF):
            # What an earlier opstui saw last and is no longer there at all is over.
            yield from self._turn(source, [so for _, so in found if isinstance(so, Condition)], now, recent)
            return
        for key, so in found:
            if isinstance(so, Condition):
                yield from self._standing.put(source, so, now, recent=recent)
            else:
                yield from self._standing.drop(source, key, now, so)

    def _alerts(
        self, source: str, snapshot: Any, raised: Iterable[Alert], now: float, *, is_first: bool
    ) -> Iterator[Entry]:
        for alert in raised:
            if not alerts.is_told(alert):
                continue
            if alert.level is Level.OK:
                yield from self._standing.drop(source, alerts.key(alert), now)
            else:
                yield from self._standing.put(source, alerts.condition(alert, snapshot), now)
        if is_first:
            for key in self._standing.keys(source):
                if key.startswith(alerts.KEY):
                    self._standing.doubt(source, key, now)

    # People, and opstui itself

    def pause(self, is_paused: bool, by: str, now: float) -> list[Entry]:
        """Take that a person stopped every reading, or let it go on."""
        text = "reading was paused: nothing is seen until it goes on" if is_paused else "reading goes on"
        entry = Entry(identity(ITSELF, "paused", by, is_paused, around(now)), now, ITSELF, "paused", text, by=by)
        self._timeline.add([entry])
        return [entry]
