"""The Database tab: one PostgreSQL server at a time; who is connected, who waits for whom, which statements cost."""

from collections.abc import Coroutine, Hashable, Iterator
from typing import ClassVar, cast

from textual.binding import Binding, BindingType

from tui.actions.postgres.terminate import TERMINATE
from tui.panes import database_offers, database_views, tabs
from tui.panes import database_pools as pools
from tui.panes.database_changes import DatabaseChanges
from tui.panes.database_detail import session_page, statement_page
from tui.panes.database_lists import POOLS_VIEW
from tui.panes.database_plan import plan_page
from tui.panes.database_words import cannot_end
from tui.panes.neighbour_jumps import BehindClients
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.pgbouncer import PgBouncerSource
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot, Session, StatementKey
from tui.sources.postgres.plan import Plan
from widgets.cell import cell_text
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable


class DatabasePane(DatabaseChanges, BehindClients):
    """PostgreSQL: activity, blocking tree, slow queries, and what can be done about them."""

    TAB = tabs.DATABASE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "idle", "Idle: show or hide the idle and opstui's own", id="database.idle"),
        Binding("left_square_bracket", "database(-1)", "Database: the one before", show=False, id="database.previous"),
        Binding("right_square_bracket", "database(1)", "Database: the next one", show=False, id="database.next"),
        Binding("y", "copy_statement", "Copy the statement", show=False, id="database.copy_statement"),
        Binding("e", "explain", "Explain: how the server would run this statement", id="database.explain"),
    ]
    DEFAULT_CSS = """
    DatabasePane > SegmentLine { padding: 0 1; }
    DatabasePane > #database-views { margin: 0; }
    """

    def action_idle(self) -> None:
        """Show idle sessions and opstui's own statements too, or hide them."""
        self._with_idle = not self._with_idle
        self.redraw()

    def action_database(self, step: int) -> None:
        """Show another database of the profile."""
        if len(self._names) < 2:
            self.post_message(self.Told("this profile names one database"))
            return
        self._chosen = (self._chosen + step) % len(self._names)
        self.redraw()

    def action_copy_statement(self) -> None:
        """Copy the statement of the row under the cursor as the list has it."""
        if (row := self.table.cursor_row) is None:
            self.post_message(self.Told("no statement to copy"))
        else:
            self.copy(cell_text(row.cells[-1]))

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the row in full."""
        message.stop()
        if self.view == POOLS_VIEW:
            self.begin(self._open_pool(cast("pools.PoolKey", message.key)))
            return
        snapshot = self._snapshot
        if snapshot is None:
            return
        if self.view in database_views.VIEWS:
            self._open_page(snapshot, message.key)
        elif self.view == "statements":
            self._open_statement(snapshot, message.key)
        elif (session := self._session(snapshot, message.key)) is not None:
            self.run_worker(self._open_session(snapshot, session), group="detail", exclusive=True, exit_on_error=False)
        else:
            self.post_message(self.Told(cannot_end(TERMINATE, snapshot, None, database_offers.pid_of(message.key))))

    def _open_page(self, snapshot: DatabaseSnapshot, key: Hashable) -> None:
        if (page := database_views.VIEWS[self.view].page(snapshot, key)) is None:
            self.post_message(self.Told("there is no more to this row"))
        else:
            self.app.push_screen(TextDialog(*page, stem=self.view))

    def _open_statement(self, snapshot: DatabaseSnapshot, key: Hashable) -> None:
        statements = snapshot.statements
        for one in statements.top if statements else ():
            if one.key == key:
                page = statement_page(one, statements.window_s if statements else 0.0)
                self.app.push_screen(TextDialog("Statement", page, stem="statement"))

    async def _open_pool(self, key: pools.PoolKey) -> None:
        source, reading = self.desk.source(key[0]), self._bouncers[key[0]]
        if not key[1] or reading.snapshot is None or not isinstance(source, PgBouncerSource):
            self.post_message(self.Told("it does not answer, so there is no more to this row"))
            return
        try:
            detail = await self.patiently(source.detail(key[1:]), "the pool")
        except SourceError as error:
            self.post_message(self.Told(f"the pool of {key[1]}: {error}", "warn"))
            return
        page = pools.pool_page(reading.snapshot, key, detail)
        title = f"Pool of {key[2]} in {key[1]} ({key[0].partition(':')[2]})"
        self.app.push_screen(TextDialog(title, page, stem="pool"))

    async def _open_session(self, snapshot: DatabaseSnapshot, session: Session) -> None:
        source = self.desk.source(self._source)
        assert isinstance(source, PostgresSource)  # noqa: S101 — sources of this kind are
        try:
            detail = await source.detail(*session.key)
        except SourceError as error:
            self.post_message(self.Told(f"backend {session.pid}: {error}", "warn"))
            return
        address = session.client.rpartition(":")[0]
        pods = list(self._pods_at(address))
        title = f"Backend {session.pid} on {self._source.partition(':')[2]}"
        page = session_page(snapshot, session, detail, pods)
        self.app.push_screen(TextDialog(title, page, stem=f"backend-{session.pid}"))

    def _pods_at(self, address: str) -> Iterator[str]:
        """Yield the pods that have an address; of several clusters, whose addresses may be alike, each with its own."""
        every = self.desk.profile.every_cluster
        for name in every:
            cluster = self.desk.source(f"kubernetes:{name}")
            if isinstance(cluster, KubernetesSource):
                where = f" in {name or 'kubernetes'}" if len(every) > 1 else ""
                yield from (f"{pod}{where}" for pod in cluster.pods_at(address))

    def client_address(self) -> str | None:
        """Return the address of the session under the cursor."""
        snapshot, key = self._snapshot, self.table.cursor_key
        if snapshot is None or key is None or self.view not in ("activity", "blocking"):
            return None
        session = self._session(snapshot, key)
        return session.client if session is not None else None

    def action_explain(self) -> None:
        """Show the plan of the statement under the cursor; it is not run."""
        snapshot, key, source = self._snapshot, self.table.cursor_key, self.desk.source(self._source)
        if snapshot is None or key is None or not isinstance(source, PostgresSource):
            self.post_message(self.Told("no statement to explain"))
        elif self.view == "statements":
            self.begin(self._explain(source.plan_of_statement(cast("StatementKey", key)), "Plan"))
        elif (session := self._session(snapshot, key)) is not None:
            self.begin(self._explain(source.plan_of_session(*session.key), f"Plan of backend {session.pid}"))
        else:
            self.post_message(self.Told("a row here is not a statement; see Activity or Slow queries (tab)"))

    async def _explain(self, reading: Coroutine[None, None, Plan | None], title: str) -> None:
        try:
            plan = await self.patiently(reading, "the plan")
        except SourceError as error:
            self.post_message(self.Told(f"no plan: {error}", "warn"))
            return
        if plan is None:
            self.post_message(self.Told("the server no longer has that statement"))
        else:
            self.app.push_screen(TextDialog(title, plan_page(plan), stem="plan"))
