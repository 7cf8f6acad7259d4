"""The keys of the Database tab that change something: what they still need is asked for, then the change."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.asking import matching
from tui.actions.postgres.terminate import STATES, matching_requests
from tui.panes import database_offers
from tui.panes.database_lists import DatabaseLists
from tui.panes.offering import Offer, Offering
from widgets.dialogs import InputDialog


class DatabaseChanges(DatabaseLists, Offering):
    """Cancel and terminate; several at once where rows are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("C", "cancel_query", "Cancel query", id=database_offers.CANCEL_QUERY),
        Binding("T", "terminate_backend", "Terminate backend", id=database_offers.TERMINATE_BACKEND),
        Binding(
            "M",
            "terminate_matching",
            "Terminate matching: idle or active for too long",
            show=False,
            id=database_offers.TERMINATE_MATCHING,
        ),
    ]

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the sessions that are marked, or of the one under the cursor."""
        if (snapshot := self._snapshot) is None:
            return ()
        cursor = (self.table.cursor_key,) if self.table.cursor_key is not None else ()
        return database_offers.offers(self._source, snapshot, self.view, tuple(self.table.marked) or cursor)

    def action_cancel_query(self) -> None:
        """Ask to cancel the statement of the session under the cursor, or of those that are marked."""
        self._ask(database_offers.CANCEL_QUERY)

    def action_terminate_backend(self) -> None:
        """Ask to terminate the session under the cursor, or those that are marked."""
        self._ask(database_offers.TERMINATE_BACKEND)

    def _ask(self, binding: str) -> None:
        # From now on the cursor stays with this session: what was asked about must not lie under another row's.
        pinned = self.table.cursor_key
        self.table.cursor_key = pinned
        if requests := self.offered(binding):
            self.post_message(self.Requested(requests))

    def action_terminate_matching(self) -> None:
        """Ask which sessions, by state and how long they have been in it, are to be terminated."""
        snapshot, source = self._snapshot, self._source
        if self.offered(database_offers.TERMINATE_MATCHING) is None or snapshot is None:
            return
        dialog = InputDialog(
            f"Terminate sessions of {source.partition(':')[2]}",
            text=f"a state and for how long: {', '.join(STATES)}\nnothing is sent before you have seen every one",
            value="idle > 1h",
            problem=lambda typed: database_offers.matching_words(self._snapshot or snapshot, source, typed),
        )
        self.app.push_screen(dialog, lambda typed: self._terminate_matching(source, typed))

    def _terminate_matching(self, source: str, typed: str | None) -> None:
        snapshot = self._readings[source].snapshot
        if typed is not None and snapshot is not None:
            found = matching_requests(source, snapshot.server, snapshot.sessions, *matching(typed))
            if found:
                self.post_message(self.Requested(found))
            else:
                self.post_message(self.Told("no client's session matches that any more", "warn"))
