"""Events, as the components of a real cluster write them."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from tui.sandbox.cluster.clock import micro_stamp, stamp
from tui.sandbox.cluster.resources import EVENTS, Object
from tui.sandbox.cluster.store import Store

KEPT = timedelta(hours=1)
"""How long a server keeps events."""
LIMIT = 3_000
"""Events kept at most, so that a busy cluster stays small."""


class Recorder:
    """Writes events; one that repeats itself counts up instead."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}
        self._order: deque[tuple[datetime, tuple[str, ...]]] = deque()
        self._number = store.random.getrandbits(40)

    def normal(
        self, about: Object, reason: str, message: str, component: str, host: str = "", field_path: str = ""
    ) -> None:
        """Write an event of type Normal."""
        self.record(about, "Normal", reason, message, component, host=host, field_path=field_path)

    def warning(
        self, about: Object, reason: str, message: str, component: str, host: str = "", field_path: str = ""
    ) -> None:
        """Write an event of type Warning."""
        self.record(about, "Warning", reason, message, component, host=host, field_path=field_path)

    def record(
        self,
        about: Object,
        kind: str,
        reason: str,
        message: str,
        component: str,
        *,
        host: str = "",
        field_path: str = "",
        when: datetime | None = None,
        count: int = 1,
        first: datetime | None = None,
    ) -> None:
        """Write one event, or count up the one that says the same of the same object."""
        meta = about["metadata"]
        moment = when or self._store.clock.now()
        key = (meta["uid"], reason, message, field_path)
        known = self._known.get(key)
        if known is not None and self._again(known, moment):
            return
        self._forget(moment)
        self._number += 1
        namespace = meta.get("namespace", "") or "default"
        name = f"{meta['name']}.{self._number:016x}"
        involved = {
            "kind": about["kind"],
            "namespace": meta.get("namespace", ""),
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        if field_path:
            involved["fieldPath"] = field_path
        event: Object = {
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(first or moment)},
            "involvedObject": {k: v for k, v in involved.items() if v},
            "reason": reason,
            "message": message,
            **_times(component, host, first or moment, moment, count),
            "type": kind,
        }
        self._store.insert(EVENTS, event)
        self._known[key] = (namespace, name)
        self._order.append((moment, key))

    def _again(self, known: tuple[str, str], moment: datetime) -> bool:
        def count_up(event: Object) -> None:
            event["count"] = event.get("count", 1) + 1
            event["lastTimestamp"] = stamp(moment)
            event.setdefault("firstTimestamp", event["metadata"]["creationTimestamp"])

        return self._store.modify(EVENTS, *known, count_up) is not None

    def _forget(self, now: datetime) -> None:
        while self._order and (self._order[0][0] < now - KEPT or len(self._order) >= LIMIT):
            _, key = self._order.popleft()
            known = self._known.pop(key, None)
            if known is not None:
                self._store.remove(EVENTS, *known)


def _times(component: str, host: str, first: datetime, last: datetime, count: int) -> dict[str, Any]:
    if component == "default-scheduler":
        return {
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": micro_stamp(last),
            "action": "Binding",
            "reportingComponent": component,
            "reportingInstance": f"{component}-sandbox",
        }
    source = {"component": component, **({"host": host} if host else {})}
    return {
        "source": source,
        "firstTimestamp": stamp(first),
        "lastTimestamp": stamp(last),
        "count": count,
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": host,
    }
