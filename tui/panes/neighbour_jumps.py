"""From a client of a database or Redis to the pod with its address, and from a pod to what is connected from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from tui.panes.neighbours import host_of
from tui.panes.pane import Pane
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.reading import Reading
from tui.sources.redis_snapshot import RedisSnapshot
from tui.timeline.postgres import backend
from widgets.dialogs import Choice, ChooseDialog


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Something in another system that has the same address."""

    source: str
    """Name of the source that knows it."""
    about: str
    """As in `Entry.object`: `pod/shop/api-1`, `backend/4711/…`, `client/5`."""
    title: str
    note: str


def pods_behind(address: str, readings: Iterable[Reading[Any]]) -> list[Neighbour]:
    """Return the running pods that have the address of a client, on the host network several; none: empty."""
    if not (host := host_of(address)):
        return []
    return [
        Neighbour(reading.source, f"pod/{pod.path}", pod.path, f"{pod.ready}/{pod.containers} {pod.status}, {pod.node}")
        for reading in readings
        if isinstance(snapshot := reading.snapshot, KubernetesSnapshot)
        for pod in sorted(snapshot.pods.values(), key=lambda pod: pod.path)
        if pod.phase == "Running" and host_of(pod.ip) == host
    ]


def clients_from(address: str, readings: Iterable[Reading[Any]]) -> list[Neighbour]:
    """Return the sessions and connections that come from an address, those that do something first."""
    if not (host := host_of(address)):
        return []
    return [found for reading in readings for found in _clients(host, reading)]


def _clients(host: str, reading: Reading[Any]) -> Iterator[Neighbour]:
    name = reading.source.partition(":")[2]
    match reading.snapshot:
        case DatabaseSnapshot(sessions=sessions):
            own = [one for one in sessions if host_of(one.client) == host]
            for session in sorted(own, key=lambda one: one.state != "active"):
                who = f"{session.role or '–'}@{session.database or '–'}, {session.state or '–'}"
                yield Neighbour(reading.source, backend(session), f"database {name}: pid {session.pid}", who)
        case RedisSnapshot(clients=clients) if clients is not None:
            for client in sorted((one for one in clients if host_of(one.addr) == host), key=lambda one: one.idle_s):
                what = f"{client.name or client.lib or '–'}, {client.cmd}, idle for {client.idle_s} s"
                yield Neighbour(reading.source, f"client/{client.id}", f"redis {name}: id {client.id}", what)


class BehindClients(Pane):
    """A tab with clients of a server, each of which may be a pod."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "w", "workload", "Workload behind it: the pod with the client's address", show=False, id="client.workload"
        ),
    ]

    def client_address(self) -> str | None:
        """Return the address of the client under the cursor, as the server writes it; None where there is none."""
        raise NotImplementedError

    def action_workload(self) -> None:
        """Go to the pod that has the address of the client under the cursor."""
        if (address := self.client_address()) is None:
            self.post_message(self.Told("put the cursor on a client: its address says which pod it is"))
        else:
            found = pods_behind(address, self.desk.readings())
            jump(self, found, f"no pod that is seen has its address: {address or 'it has none'}")


def jump(pane: Pane, found: Sequence[Neighbour], nobody: str) -> None:
    """Go there: at once when there is one, else to the one that is chosen; `nobody` is said when there is none."""
    if not found:
        pane.post_message(pane.Told(nobody))
        return

    def go(key: str | None) -> None:
        if key is not None:
            to = found[int(key)]
            pane.post_message(pane.Jumped(to.source, to.about, pane.desk.now()))

    if len(found) == 1:
        go("0")
        return
    choices = [Choice(str(index), one.title, one.note) for index, one in enumerate(found)]
    pane.app.push_screen(ChooseDialog("Go to which of them?", choices), go)
