"""What the Services tab asks only when a key wants it: an inspection, a probe now; and where keys lead."""

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from profiles.schema import Profile
from tui.panes.listing import Listing
from tui.panes.offering import Offer
from tui.panes.services_board import SEND
from tui.panes.services_rows import state_words
from tui.sources.errors import SourceError
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.facts import LOGIN
from widgets.dialogs import TextDialog

if TYPE_CHECKING:  # imported where a key needs them: the first frame does not
    from tui.sources.http import HttpSource
    from tui.sources.kubernetes.proxied import PodAnswer


CHOOSE_PROBE: Final = "choose a probe: see Probes (tab)"


class Asking(Listing):
    """The keys that ask a service something at once, and those that lead to what stands behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "inspect", "Inspect: phases, certificates, from inside", id="services.inspect"),
        Binding("n", "probe_now", "Now: send the probe under the cursor", show=False, id="services.probe_now"),
        Binding("m", "pin", "Pin the series: chart it in Resources", show=False, id="services.pin"),
        Binding("w", "go('workload')", "Workload behind it", show=False, id="services.workload"),
        Binding("t", "go('logs')", "Its logs", show=False, id="services.logs"),
        Binding("d", "go('database')", "Database behind it", show=False, id="services.database"),
        Binding("r", "go('redis')", "Redis behind it", show=False, id="services.redis"),
    ]

    @property
    def current(self) -> str | None:
        """The service that the row under the cursor is about; None without a row."""
        raise NotImplementedError

    @property
    def probe(self) -> tuple[str, str] | None:
        """Service and name of the probe under the cursor; None where no probe is."""
        raise NotImplementedError

    @property
    def snapshots(self) -> dict[str, ServiceSnapshot]:
        """The newest snapshot of each service that was read."""
        raise NotImplementedError

    def source_of(self, name: str | None) -> "HttpSource | None":
        """Return a service's source."""
        from tui.sources.http import HttpSource

        source = self.desk.source(f"service:{name}")
        return source if isinstance(source, HttpSource) else None

    def action_go(self, where: str) -> None:
        """Open what stands behind the service under the cursor: its workload, logs, database or Redis."""
        name = self.current or ""
        entry = self.desk.profile.services.get(name)
        wanted = getattr(entry, where) if entry is not None else None
        if wanted is None:
            self.post_message(self.Told(f"the profile names no {where} for {name or 'this row'}"))
        elif where == "workload":
            namespace, kind, of = wanted.split("/", 2)
            self.post_message(self.Jumped(self._cluster_of(name), f"{kind}/{namespace}/{of}", self.desk.now()))
        else:
            self.post_message(self.Jumped(f"{where}:{wanted}", wanted if where == "logs" else "", self.desk.now()))

    def _cluster_of(self, name: str) -> str:
        """Return the source of the cluster that runs a service."""
        entry = self.desk.profile.services.get(name)
        return f"kubernetes:{self.desk.profile.cluster_meant(entry.cluster if entry is not None else None) or ''}"

    def action_inspect(self) -> None:
        """Ask the service under the cursor once in full, from outside and from inside."""
        if (source := self.source_of(self.current)) is not None:
            self.begin(self._inspect(source, self.current or ""))

    async def _inspect(self, source: "HttpSource", name: str) -> None:
        from tui.panes.services_pages import inspection_page

        try:
            pods = await self._from_inside(name)
            health, chain = await self.patiently(source.inspect(), f"{name} in full")
        except SourceError as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
            return
        page = inspection_page(health, chain, self.snapshots.get(name), pods, self.desk.now())
        self.app.push_screen(TextDialog(f"Service {name}, looked at once", page, stem=f"service-{name}"))

    async def _from_inside(self, name: str) -> "list[PodAnswer] | str":
        """Return what the service's pods answer, or why they were not asked."""
        from tui.sources.kubernetes import KubernetesSource
        from tui.sources.kubernetes.proxied import ask_pods

        entry, cluster = self.desk.profile.services.get(name), self.desk.source(self._cluster_of(name))
        if entry is None or entry.inside is None or entry.workload is None or not isinstance(cluster, KubernetesSource):
            return "not asked: the profile has no inside for it"
        asked = ask_pods(cluster, entry.workload, entry.inside, entry.timeout)
        try:
            return await self.patiently(asked, f"the pods of {name}")
        except SourceError as error:
            return f"not asked: {error}"

    def action_probe_now(self) -> None:
        """Send the probe under the cursor now, if it reads only."""
        if (found := self.probe) is None:
            self.post_message(self.Told(CHOOSE_PROBE))
            return
        (service, name), source = found, self.source_of(found[0])
        entry = self.desk.profile.services[service].probes.get(name)
        if name == LOGIN and entry is None:
            self.post_message(self.Told("a login is done when a probe needs it"))
        elif entry is not None and entry.writes:
            self.post_message(self.Told("it could change something: E sends it, after you confirm", "warn"))
        elif source is not None:
            self.begin(self._probe_now(source, name))

    async def _probe_now(self, source: "HttpSource", name: str) -> None:
        try:
            result = await self.patiently(source.send_probe(name), f"the answer to {name}")
        except SourceError as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
            return
        word, tone = state_words(result)
        self.post_message(self.Told(f"{name}: {word}{f', {result.reason}' if result.reason else ''}", tone))
        self.app.call_next(self.app.run_action, "refresh")

    def action_pin(self) -> None:
        """Pin the series under the cursor, so that it is read on and charted, or let it go."""
        key, snapshot = self.table.cursor_key, self.snapshots.get(self.current or "")
        known = (*snapshot.stats, *snapshot.pinned) if snapshot is not None and isinstance(key, tuple) else ()
        stat = next((stat for stat in known if isinstance(key, tuple) and (stat.path, stat.key) == key[1:]), None)
        source = self.source_of(self.current)
        if self.view != "stats" or source is None or stat is None:
            self.post_message(self.Told("choose a series: see Stats (tab)"))
            return
        try:
            is_pinned = source.stats.pin(stat)
        except ValueError as error:
            self.post_message(self.Told(str(error), "warn"))
            return
        told = "is charted in Resources from now on, until opstui ends" if is_pinned else "is let go"
        self.post_message(self.Told(f"{stat.key} {told}"))
        self.app.call_next(self.app.run_action, "refresh")

    # Keys that change something

    def send_offers(self) -> tuple[Offer, ...]:
        """Return the probe under the cursor if it writes; nothing where no probe of the profile does."""
        from tui.actions.services.probe import probe_request

        if not has_writing_probes(self.desk.profile):
            return ()
        if (found := self.probe) is None:
            return (Offer(SEND, reason=CHOOSE_PROBE),)
        service, name = found
        entry = self.desk.profile.services.get(service)
        probe = entry.probes.get(name) if entry is not None else None
        if entry is None or probe is None or not probe.writes:
            return (Offer(SEND, reason=f"{name} only reads: n sends it now"),)
        return (Offer(SEND, (probe_request(service, entry, name),)),)


def has_writing_probes(profile: Profile) -> bool:
    """Tell whether the profile has a probe that only a person sends."""
    return any(probe.writes for entry in profile.services.values() for probe in entry.probes.values())
