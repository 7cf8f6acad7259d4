"""What can be done with single objects of the view of any kind: NetworkPolicies, Secrets, Certificates."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from tui.actions.action import NotSentError, Request
from tui.actions.asking import seconds_or_none
from tui.actions.kubernetes.certificate import renew_request
from tui.actions.kubernetes.policy import delete_policy_request
from tui.actions.kubernetes.secret import SECRET, revealed, show_request
from tui.actions.perform import Ending, Outcome
from tui.panes.offering import Offer
from tui.panes.pods_actions import PodsActions
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import part
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.tables import Line
from tui.sources.text import clean
from widgets.dialogs import Choice, ChooseDialog, InputDialog, TextDialog

_OF_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "networkpolicies.networking.k8s.io": ("pods.delete_policy", "Delete NetworkPolicy for a while"),
    "certificates.cert-manager.io": ("pods.renew", "Renew certificate"),
    "secrets": ("pods.show_value", "Show one value of a Secret"),
}
"""By the kind's full name: the offer's id, and what the person reads."""


class PodsObjects(PodsActions):
    """Delete a NetworkPolicy and make it again, renew a certificate, show a Secret's value."""

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the facts that are chosen, and of the object under the cursor."""
        offers = super().offers()
        return (*offers, *(self._object_offer(kind) for kind in _OF_KINDS)) if offers else ()

    def _object_offer(self, kind: str) -> Offer:
        binding, title = _OF_KINDS[kind]
        line = self._line(kind)
        if line is None:
            return Offer(binding, reason=f"choose one first: r, then {kind.partition('.')[0]}", title=title)
        return Offer(binding, (_request(kind, line),), title=title)

    def _line(self, kind: str) -> Line | None:
        """Return the object under the cursor when it is of this kind."""
        if self.extra is not self.kinds or self.kinds.resource.full_name != kind:
            return None
        return self.kinds.line(self.table.cursor_key)

    # NetworkPolicies and certificates

    def action_delete_policy(self) -> None:
        """Ask for how long the NetworkPolicy under the cursor is to be gone."""
        requests = self._asked("pods.delete_policy")
        if not requests:
            return
        target = requests[0].target

        def typed(answer: str | None) -> None:
            if answer is not None:
                uid, for_s = str(target.identity["uid"]), seconds_or_none(answer) or 0.0
                self.post_message(self.Requested([delete_policy_request(target.where, target.name, uid, for_s)]))

        dialog = InputDialog(
            f"Delete NetworkPolicy {target.where}/{target.name} for how long?",
            text="its manifest is kept, and U makes it again; nothing is sent before you confirm",
            placeholder="15m; empty: reminded of without a time",
            problem=lambda value: "" if not value or seconds_or_none(value) else "a duration: 15m, 1h; or nothing",
        )
        self.app.push_screen(dialog, typed)

    def action_renew(self) -> None:
        """Ask to have the certificate under the cursor issued anew."""
        self._request("pods.renew")

    # Secrets

    def action_show_value(self) -> None:
        """Ask which key of the Secret under the cursor to show."""
        requests, source = self._asked("pods.show_value"), self.source
        if requests and source is not None:
            self.begin(self._choose_key(source, requests[0]))

    async def _choose_key(self, source: KubernetesSource, request: Request) -> None:
        target = request.target
        name = f"Secret {target.where}/{target.name}"
        try:
            obj = await self.patiently(source.fetch_at(SECRET.path(target.where, target.name)), name)
        except SourceError as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
            return
        sizes = {str(key): _size(value) for key, value in part(obj, "data").items()}
        if not sizes:
            self.post_message(self.Told(f"{name} has no keys"))
            return
        choices = [Choice(key, clean(key), f"{size} bytes") for key, size in sizes.items()]
        title = f"Show which value of {name}? It is put on record that you saw it"
        key = await self.app.push_screen_wait(ChooseDialog(title, choices))
        if key is not None:
            wanted = show_request(target.where, target.name, str(target.identity["uid"]), key)
            self.post_message(self.Requested([wanted], self._shown))

    def _shown(self, ended: Sequence[tuple[Request, Outcome | None]]) -> None:
        source = self.source
        for request, outcome in ended:
            if source is not None and outcome is not None and outcome.ending is Ending.CONVERGED:
                self.begin(self._reveal(source, request))

    async def _reveal(self, source: KubernetesSource, request: Request) -> None:
        name = f"{clean(str(request.wanted['key']))} of Secret {request.target.where}/{request.target.name}"
        try:
            value = await self.patiently(revealed(source, request), name)
        except (NotSentError, SourceError) as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
        else:
            self.app.push_screen(TextDialog(name, value, stem=request.target.name))


def _request(kind: str, line: Line) -> Request:
    if kind == "secrets":
        return show_request(line.namespace, line.name, line.uid, "")
    make = renew_request if kind.startswith("certificates") else delete_policy_request
    return make(line.namespace, line.name, line.uid)


def _size(value: object) -> int:
    try:
        return len(base64.b64decode(str(value)))
    except binascii.Error:
        return 0
