"""What cert-manager does with a certificate that is marked for renewal: issues it anew, or says why it cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.resources import CERTIFICATES, Object
from tui.sandbox.cluster.store import Change, Key, Store

_TAKES_S = 4.0
_LASTS = timedelta(days=90)
_BEFORE = timedelta(days=30)


class Issuing:
    """Ends every `Issuing` condition: a certificate that is Ready gets another, one that is not fails again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._busy: set[Key] = set()
        store.listen(CERTIFICATES, self._on_certificate)

    def _on_certificate(self, change: Change) -> None:
        key = change.entry.key
        if change.type != "DELETED" and key not in self._busy and _is_issuing(change.entry.thing):
            self._busy.add(key)
            self._store.clock.after(_TAKES_S, self._end, key)

    def _end(self, key: Key) -> None:
        self._busy.discard(key)
        thing = self._store.find(CERTIFICATES, *key)
        if thing is not None and _is_issuing(thing):
            self._store.modify(CERTIFICATES, *key, self._issue)

    def _issue(self, copy: Object) -> None:
        status, now = copy["status"], self._store.clock.now()
        ready: Object = next((one for one in status["conditions"] if one["type"] == "Ready"), {})
        others = [one for one in status["conditions"] if one["type"] != "Issuing"]
        if ready.get("status") != "True":
            told = "The certificate request has failed to complete and will be retried"
            failed = {"type": "Issuing", "status": "False", "reason": "Failed", "message": told}
            status["conditions"] = [*others, {**failed, "lastTransitionTime": stamp(now)}]
            return
        status["conditions"] = others
        status["revision"] = int(status.get("revision", 0)) + 1
        status |= {
            "notBefore": stamp(now),
            "notAfter": stamp(now + _LASTS),
            "renewalTime": stamp(now + _LASTS - _BEFORE),
        }


def _is_issuing(thing: dict[str, Any]) -> bool:
    conditions = (thing.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Issuing" and one["status"] == "True" for one in conditions)
