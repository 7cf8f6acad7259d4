"""Renewing a certificate of cert-manager: marked for renewal, nothing is deleted."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, Look, NotSentError, Phase, Request, Sent
from tui.actions.kubernetes.asking import object_target
from tui.actions.kubernetes.patching import Change, PatchVerb
from tui.sources.kubernetes.fields import Object, part, parts, strings, text, whole
from tui.sources.kubernetes.kinds import OTHERS, Resource
from tui.sources.text import clean

RENEW: Final = "renew-certificate"
CERTIFICATE: Final = OTHERS["Certificate"]
_ISSUING: Final = "Issuing"


def renew_request(namespace: str, name: str, uid: str) -> Request:
    """Return the request to have a certificate issued anew."""
    return Request(RENEW, object_target(CERTIFICATE, namespace, name, uid))


class RenewCertificate(PatchVerb):
    """`cmctl renew`, by a JSON Patch of `/status` that tests `metadata.uid` and all conditions, and adds `Issuing`.

    Between the last test and the write there is no window: both are one transaction of the API server. The certificate
    that is in use stays until cert-manager has another.
    """

    name = RENEW
    title = "Renew"
    about = About(
        system="Kubernetes",
        targets="Certificate of cert-manager.io/v1",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="uid and all of status.conditions, tested in the same JSON Patch of the status",
        window="none: test and write are one transaction of the API server",
        command="kubectl patch certificate NAME --subresource=status --type=json -p PATCH (or cmctl renew NAME)",
        verification="status.revision has grown and it is Ready, within 5 min; an issuer that fails is not converged",
    )
    hold_s = 0.0
    _kinds = ("Certificate",)
    _subresource = "status"
    _done = "is marked for renewal"
    _deadline_s = 300.0

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        spec, status = part(obj, "spec"), part(obj, "status")
        conditions = [dict(one) for one in parts(status, "conditions")]
        if any(one.get("type") == _ISSUING and one.get("status") == "True" for one in conditions):
            raise NotSentError(f"{request.target} is being issued already")
        if not conditions:
            raise NotSentError(f"{request.target} has no status yet: is cert-manager at work?")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        issuing = {
            "type": _ISSUING,
            "status": "True",
            "reason": "ManuallyTriggered",
            "message": "Certificate re-issuance manually triggered",
            "lastTransitionTime": now,
            "observedGeneration": whole(part(obj, "metadata"), "generation"),
        }
        others = [one for one in conditions if one.get("type") != _ISSUING]
        revision = whole(status, "revision")
        issuer = strings(spec, "issuerRef")
        names = spec.get("dnsNames")
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": request.target.identity["uid"]},
                {"op": "test", "path": "/status/conditions", "value": conditions},
                {"op": "replace", "path": "/status/conditions", "value": [*others, issuing]},
            ],
            was=conditions,
            before=f"revision {revision}, valid until {text(status, 'notAfter') or 'unknown'}",
            after="being issued anew; the one in use stays until then",
            arguments=_arguments(request.target.name, conditions, issuing),
            impact=(
                f"for {', '.join(clean(str(name)) for name in names) if isinstance(names, list) else 'no DNS names'}",
                f"{issuer.get('kind', 'Issuer')} {issuer.get('name', '?')} is asked; public ones limit how often",
                f"Secret {text(spec, 'secretName')} gets it: who reads it only at its start needs a restart then",
            ),
            evidence={"revision": revision},
        )

    def _changed(self, before: Object, after: Object) -> tuple[str, ...]:
        was = parts(part(before, "status"), "conditions")
        new = [one for one in parts(part(after, "status"), "conditions") if one not in was]
        return tuple(
            f"+ status.conditions: {text(one, 'type')} {text(one, 'status')}, {text(one, 'reason')}" for one in new
        )

    def _moved(self, was: Any, obj: Object) -> str:
        now = [dict(one) for one in parts(part(obj, "status"), "conditions")]
        return "" if now == was else "its conditions changed"

    def _superseded(self, sent: Sent, obj: Object) -> str:
        return ""

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        status = part(obj, "status")
        known = {text(one, "type"): one for one in parts(status, "conditions")}
        issuing, ready = known.get(_ISSUING, {}), known.get("Ready", {})
        if issuing.get("status") == "True":
            return Look(Phase.WAITING, f"being issued: {text(issuing, 'message')}")
        if whole(status, "revision") > int(sent.evidence["revision"]):
            if ready.get("status") == "True":
                return Look(Phase.CONVERGED, f"issued anew, valid until {text(status, 'notAfter')}")
            return Look(Phase.WAITING, f"issued anew, not ready yet: {text(ready, 'message')}")
        if issuing.get("status") == "False":
            return Look(Phase.NOT_CONVERGED, f"{text(issuing, 'reason')}: {text(issuing, 'message')}")
        return Look(Phase.ABSENT, "it is not marked for renewal")


def _arguments(name: str, conditions: Sequence[Object], issuing: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what kubectl is told: to put the condition in its place, or behind the others."""
    at = next((index for index, one in enumerate(conditions) if one.get("type") == _ISSUING), "-")
    step = {"op": "add" if at == "-" else "replace", "path": f"/status/conditions/{at}", "value": issuing}
    return ("patch", "certificate", name, "--subresource=status", "--type=json", "-p", json.dumps([step]))
