"""What the tabs have in common on which something can be changed: what, by which key, and why not."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.actions.action import Request
from tui.panes.pane import Pane
from widgets.dialogs import Choice, ChooseDialog
from widgets.live_table import LiveTable

_FEW: Final = 3
"""So many targets are named one by one."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A change that a key would ask for where the cursor is; what it still lacks is asked for after the key."""

    binding: str
    """`id` of the key's binding."""
    requests: tuple[Request, ...] = ()
    """One for each target: several where rows are marked."""
    reason: str = ""
    """Why it cannot be asked for here at all; empty when it can."""
    title: str = ""
    """What the person reads, of a change without a key of its own: then `binding` ends in the name of its action."""


def _action(offer: Offer) -> str:
    return offer.binding.rpartition(".")[2]


def _about(offer: Offer) -> str:
    """Return what a change would be done to: of a pod's row it may be the pod, or what it belongs to."""
    if len(offer.requests) > 1:
        return f"{len(offer.requests)} of them"
    return str(offer.requests[0].target) if offer.requests else ""


class Offering(Pane):
    """A tab with keys that change something. Why one cannot act is known before it is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "offers", "Change: what can be done here", id="offers.list"),
    ]

    class Offered(Message):
        """Something else can be changed now than before."""

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed where the cursor is, each by its key; empty where nothing ever can."""
        raise NotImplementedError

    def barred(self, offer: Offer) -> str:
        """Return why a change that is offered cannot run now; empty when it can."""
        if offer.reason:
            return offer.reason
        return next((why for request in offer.requests if (why := self.desk.refusal(request)) is not None), "")

    def offered(self, binding: str) -> tuple[Request, ...] | None:
        """Return what a key asks for where the cursor is, which stays there; None when it cannot, after saying why."""
        self._hold()
        offer = next((offer for offer in self.offers() if offer.binding == binding), None)
        why = self.barred(offer) if offer is not None else "nothing was read yet"
        if offer is None or why:
            self.post_message(self.Told(why, "warn"))
            return None
        return offer.requests

    def barred_keys(self) -> frozenset[str]:
        """Return the ids of the keys that could change nothing where the cursor is."""
        return frozenset(offer.binding for offer in self.offers() if not offer.title and self.barred(offer))

    def action_offers(self) -> None:
        """List what can be changed where the cursor is, by its key, with what it would change, or why not."""
        self._hold()
        keys = {active.binding.id: active.binding for active in self.screen.active_bindings.values()}
        listed: list[tuple[str, Choice]] = []
        targets: dict[str, None] = {}
        for offer in self.offers():
            if not (why := self.barred(offer)):
                targets |= {str(request.target): None for request in offer.requests}
            note = why or _about(offer)
            if offer.title:
                listed.append((why, Choice(_action(offer), f"   {offer.title}", note)))
            elif (key := keys.get(offer.binding)) is not None:
                listed.append((why, Choice(key.action, f"{key.key}  {key.description.partition(':')[0]}", note)))
        # What can be done stands first: of twenty changes three fit a certificate, and a small screen shows a dozen.
        choices = [choice for _, choice in sorted(listed, key=lambda one: bool(one[0]))]
        if not choices:
            self.post_message(self.Told("nothing was read yet"))
            return
        # Whole, however long: a line of the list has no room for two names that differ at their end.
        about = "; ".join([*targets][:_FEW]) + (f" and {len(targets) - _FEW} more" if len(targets) > _FEW else "")
        title = "Change what? Nothing is sent before you confirm" + (f" · {about}" if about else "")
        self.app.push_screen(ChooseDialog(title, choices), self._run)

    def _hold(self) -> None:
        """Keep the cursor on the row that is meant: what is done to it may bring new ones, above it too."""
        for table in self.query(LiveTable):
            if table.display:
                table.hold()

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Awaitable[None]]]]:
        """Return the changes without a key of their own, for the palette: title, why not, and what asks for each."""
        for offer in self.offers():
            if offer.title:
                yield offer.title, self.barred(offer) or "x lists it too", partial(self._run, _action(offer))

    async def _run(self, action: str | None) -> None:
        if action is not None:
            await self.run_action(action)

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """Tell that other things can be done at the cursor's new place."""
        message.stop()
        self.post_message(self.Offered())

    def on_live_table_marked(self, message: LiveTable.Marked) -> None:
        """Tell that other things can be done with what is marked now."""
        message.stop()
        self.post_message(self.Offered())
