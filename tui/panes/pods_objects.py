"""What can be done with single objects of the view of any kind: NetworkPolicies, Secrets, Certificates."""

import base64
import binascii
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Final

from profiles.declared import DeclaredPatch
from tui.actions.action import NotSentError, Request, Target
from tui.actions.asking import seconds_or_none
from tui.actions.kubernetes.applying import APPLY, apply_requests
from tui.actions.kubernetes.certificate import renew_request
from tui.actions.kubernetes.locating import found_at, resource_named
from tui.actions.kubernetes.merging import merge_request
from tui.actions.kubernetes.policy import delete_policy_request
from tui.actions.kubernetes.secret import SECRET, revealed, show_request
from tui.actions.perform import Ending, Outcome
from tui.panes.offering import Offer
from tui.panes.pods_actions import PodsActions
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import part, text
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
        if not offers:
            return ()
        return (*offers, *(self._object_offer(kind) for kind in _OF_KINDS), *self._declared())

    def _declared(self) -> Iterator[Offer]:
        """Yield what the profile names: patches and manifests."""
        if (entry := self.entry) is None:
            return
        for index, (name, patch) in enumerate(entry.patches.items()):
            yield Offer(f"pods.declared_patch({index})", (merge_request(name, patch, ""),), title=patch.title)
        for index, manifest in enumerate(entry.manifests.values()):
            target = Target(KubernetesSource.name, "manifest", manifest.title, "", {})
            yield Offer(f"pods.declared_manifest({index})", (Request(APPLY, target),), title=manifest.title)

    # What the profile names

    def action_declared_patch(self, index: int) -> None:
        """Ask to send one of the profile's patches."""
        entry, source = self.entry, self.source
        if self.offered(f"pods.declared_patch({index})") and entry is not None and source is not None:
            name, patch = list(entry.patches.items())[index]
            self.begin(self._ask_declared(self._patch_requests(source, name, patch), patch.title))

    def action_declared_manifest(self, index: int) -> None:
        """Ask to apply one of the profile's manifests."""
        entry, source = self.entry, self.source
        if self.offered(f"pods.declared_manifest({index})") and entry is not None and source is not None:
            name, manifest = list(entry.manifests.items())[index]
            self.begin(self._ask_declared(apply_requests(source, name, manifest), manifest.title))

    async def _ask_declared(self, requests: Coroutine[None, None, list[Request]], title: str) -> None:
        try:
            found = await self.patiently(requests, title)
        except (NotSentError, SourceError) as error:
            self.post_message(self.Told(f"{title}: {error}", "warn"))
        else:
            self.post_message(self.Requested(found))

    async def _patch_requests(self, source: KubernetesSource, name: str, patch: DeclaredPatch) -> list[Request]:
        request = merge_request(name, patch, "")
        obj = await found_at(source, await resource_named(source, patch.resource), request.target)
        if obj is None:
            raise NotSentError(f"there is no {request.target}")
        return [merge_request(name, patch, text(part(obj, "metadata"), "uid"))]

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
