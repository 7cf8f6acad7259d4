"""The keys of the Database tab that change something: what they still need is asked for, then the change."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.asking import TEMPORARY_HINT, matching, split_temporary
from tui.actions.postgres.index import index_request
from tui.actions.postgres.index_statement import parsed, problem
from tui.actions.postgres.parameter import DEFAULT, left_alone, parameter_request
from tui.actions.postgres.terminate import STATES, matching_requests
from tui.panes import database_offers
from tui.panes.database_lists import DatabaseLists
from tui.panes.offering import Offer, Offering
from tui.sources.errors import SourceError
from tui.sources.postgres import PostgresSource
from widgets.dialogs import ChooseDialog, InputDialog


class DatabaseChanges(DatabaseLists, Offering):
    """Sessions ended, tables vacuumed, indexes built, parameters set; several at once where rows are marked."""

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
        Binding("V", "vacuum", "Vacuum and analyze", show=False, id=database_offers.VACUUM_TABLE),
        Binding("I", "index", "Index: create or rebuild, concurrently", show=False, id=database_offers.BUILD_INDEX),
        Binding("E", "set", "Edit a parameter (ALTER SYSTEM)", show=False, id=database_offers.SET_PARAMETER),
        Binding(
            "R",
            "reset_statements",
            "Reset the statistics of statements",
            show=False,
            id=database_offers.RESET_STATEMENTS,
        ),
        Binding(
            "O",
            "enable_statements",
            "On: enable pg_stat_statements",
            show=False,
            id=database_offers.ENABLE_STATEMENTS,
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

    def action_vacuum(self) -> None:
        """Ask to vacuum the table under the cursor, or those that are marked."""
        self._ask(database_offers.VACUUM_TABLE)

    def action_reset_statements(self) -> None:
        """Ask to forget what the statements have cost so far."""
        self._ask(database_offers.RESET_STATEMENTS)

    def action_enable_statements(self) -> None:
        """Ask to have statements counted."""
        self._ask(database_offers.ENABLE_STATEMENTS)

    def action_index(self) -> None:
        """Ask which index is to be built or rebuilt."""
        snapshot, source = self._snapshot, self._source
        if self.offered(database_offers.BUILD_INDEX) is None or snapshot is None:
            return
        dialog = InputDialog(
            f"Build an index in {snapshot.server.database} ({source.partition(':')[2]})",
            text="one CREATE INDEX CONCURRENTLY, or REINDEX INDEX or TABLE CONCURRENTLY, sent as typed\n"
            "nothing is sent before you confirm",
            value=database_offers.index_template(snapshot, self.view, self.table.cursor_key),
            problem=problem,
        )
        self.app.push_screen(dialog, lambda typed: self._build_index(source, typed))

    def _build_index(self, source: str, typed: str | None) -> None:
        snapshot = self._readings[source].snapshot
        if typed is not None and snapshot is not None:
            self.post_message(self.Requested([index_request(source, snapshot.server, parsed(typed))]))

    def action_set(self) -> None:
        """Ask which parameter is to have which value."""
        source = self.desk.source(self._source)
        if self.offered(database_offers.SET_PARAMETER) is not None and isinstance(source, PostgresSource):
            self.begin(self._set(source))

    async def _set(self, source: PostgresSource) -> None:
        name = source.name.partition(":")[2]
        try:
            found = await self.patiently(source.parameters(), f"the parameters of {name}")
        except SourceError as error:
            self.post_message(self.Told(f"the parameters of {name} cannot be read: {error}", "warn"))
            return
        pointed = self.table.cursor_key if self.view == "settings" else None
        chosen = pointed if isinstance(pointed, str) else None
        if chosen is None:
            choices = database_offers.parameter_choices(found)
            chosen = await self.app.push_screen_wait(ChooseDialog(f"Set what of {name}, for everybody?", choices))
        one = next((one for one in found if one.name == chosen), None)
        if one is None:
            return
        if reason := left_alone(one.name):
            self.post_message(self.Told(reason, "warn"))
            return
        dialog = InputDialog(
            f"{one.name} of {name}",
            text=f"{one.about}\nit is {one.value or 'empty'}; {DEFAULT} takes it out of ALTER SYSTEM's file\n"
            f"{TEMPORARY_HINT}; nothing is sent before you confirm",
            value=one.value,
            problem=database_offers.parameter_problem,
        )
        typed = await self.app.push_screen_wait(dialog)
        snapshot = self._readings[source.name].snapshot
        if typed is not None and snapshot is not None:
            value, for_s = split_temporary(typed)
            request = parameter_request(source.name, snapshot.server, one.name, value, for_s)
            self.post_message(self.Requested([request]))
