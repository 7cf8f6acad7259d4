"""The view of one pod's containers in the Pods tab: what each does, uses and may use."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_drilled import DrilledView
from tui.panes.pods_extra import Means
from tui.panes.pods_held import Account, Accounts
from tui.panes.pods_rows import NEAR_LIMIT, cores, memory, share
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.containers import Container, Role, parse_container_usage, parse_containers
from tui.sources.kubernetes.inside import OFTEN_PERCENT, meaning
from tui.sources.kubernetes.metrics import GROUP, Usage
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.units import percent
from widgets.cell import Cell, Column, Row, Tone
from widgets.live_table import LiveTable
from widgets.segment_line import Segment, SegmentLine

_WIDE: Final = 120
_INSIDE: Final = "t: from inside · T: a shell · m: its last lines"
_SAID: Final = "m: what it said last"
"""Nobody can look into what does not run."""
_ENDED_WELL: Final = frozenset({"Completed"})


@dataclass(frozen=True, slots=True)
class _Read:
    containers: tuple[Container, ...]
    usage: Mapping[str, Usage]
    """Empty where nobody tells, and of a pod that does not run long enough."""


class ContainersView(DrilledView[Pod, _Read]):
    """The containers of one pod."""

    def __init__(self, means: Means, accounts: Accounts) -> None:
        table = LiveTable(self.columns(80), id="pods-containers", empty="reading its containers")
        # What does not fit into the row under the cursor.
        lines = [SegmentLine(id="containers-under", separator="  ")]
        super().__init__(means, table=table, lines=lines)
        self._accounts = accounts
        self._is_new = True
        """Whether the cursor is yet to be put on the first container in trouble."""
        self._unavailable = ""

    def _forget(self) -> None:
        self._is_new = True

    @property
    def title(self) -> str:
        """The pod's name."""
        return f"Pod/{self.subject.name}" if self.subject is not None else "containers"

    @property
    def notice(self) -> str:
        """Why it could not be read, or that nobody tells what is used."""
        if self._found.error is not None:
            return f"{self.title}: {self._found.error}"
        held = self._accounts.trouble(() if self.subject is None else (self.subject,))
        told = (f"CPU, MEM: {self._unavailable}" if self._unavailable else "", f"HELD: {held}" if held else "")
        return "\n".join(filter(None, told))

    @property
    def taken_at(self) -> float | None:
        """When the pod was read last."""
        return self._found.taken_at

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        is_wide = width >= _WIDE
        return (
            Column("name", "CONTAINER", 20 if is_wide else 14, keeps_end=True),
            Column("ready", "READY", 5),
            Column("state", "STATE", 20 if is_wide else 16),
            Column("restarts", "RESTARTS", 8, "right"),
            Column("age", "AGE", 6, "right", priority=2),
            Column("cpu", "CPU", 6, "right"),
            Column("cpu_request", "%C/R", 6, "right", priority=3),
            Column("cpu_limit", "%C/L", 5, "right", priority=1),
            Column("held", "HELD", 8, "right", priority=2),
            Column("memory", "MEM", 9, "right"),
            Column("memory_request", "%M/R", 6, "right", priority=3),
            Column("memory_limit", "%M/L", 5, "right", priority=1),
            Column("probes", "PROBES", 29, priority=5),
            Column("image", "IMAGE", 36, priority=4),
        )

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw the containers, and read the pod again when the watches tell of it."""
        if (pod := self.subject) is None:
            return
        self._unavailable = snapshot.metrics.unavailable
        if (found := self._follow(snapshot.pods.get(pod.uid))) is not None:
            now = self._now()
            rows = {}
            for one in found.containers:
                account = self._accounts.get(pod, one.name)
                rows[one.name] = container_row(one, found.usage.get(one.name), account, now)
            self.table.show(rows)
            if self._is_new:
                self._is_new = False
                self.table.cursor_key = next((c.name for c in found.containers if not is_well(c)), None)
            self.describe()

    def describe(self) -> None:
        """Say more about the container under the cursor."""
        found, pod, now = self._found.value, self.subject, self._now()
        under = next((one for one in found.containers if one.name == self.table.cursor_key), None) if found else None
        if under is None or pod is None:
            return
        self.lines[0].show(self.as_last_seen(line_of(under, self._accounts.get(pod, under.name), now)))

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show the same by hand."""
        name = self.subject.name if self.subject is not None else ""
        return [("describe", "pod", name), ("top", "pod", name, "--containers")]

    def worst_first(self) -> str:
        """Sort by state, or as they start."""
        self.table.sort_by("state" if self.table.sort_column != "state" else "name")
        return f"sorted by {self.table.sort_column}"

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return the pod, whichever row it is: what can be done is done to it."""
        return snapshot.pods.get(self.subject.uid) if self.subject is not None else None

    async def _read(self) -> _Read:
        source, pod, obj = await self._fetched()
        answer = await source.connection.call("GET", f"{GROUP}/namespaces/{pod.namespace}/pods/{pod.name}")
        return _Read(parse_containers(obj), parse_container_usage(answer.body) if answer.is_ok else {})


def is_well(container: Container) -> bool:
    """Tell whether a container runs, or has ended as it should."""
    return container.is_running or container.state in _ENDED_WELL


def container_row(container: Container, usage: Usage | None, account: Account | None, now: float) -> Row:
    """Return a container's row.

    `usage` is None where nobody tells what it uses, `account` where nobody has looked how often its CPU limit held it.
    """
    is_fine = is_well(container)
    tone: Tone = "" if is_fine else "critical" if container.message or container.restarts else "warn"
    cpu, used = (usage.cpu_cores, usage.memory_bytes) if usage is not None else (None, None)
    of_limit = share(cpu, container.cpu_limit_cores)
    memory_of_limit = share(used, container.memory_limit_bytes)
    cells: tuple[str | Cell, ...] = (
        container.name + (f" ({container.role})" if container.role is not Role.MAIN else ""),
        Cell("yes" if container.is_ready else "no", "" if container.is_ready or is_fine else "warn"),
        Cell(container.state, tone),
        str(container.restarts),
        age_since(container.since, now) if container.since is not None else "",
        cores(usage),
        percent(share(cpu, container.cpu_request_cores)),
        Cell(percent(of_limit), "warn" if (of_limit or 0) >= NEAR_LIMIT else ""),
        _held(container, account),
        memory(usage),
        percent(share(used, container.memory_request_bytes)),
        Cell(percent(memory_of_limit), "warn" if (memory_of_limit or 0) >= NEAR_LIMIT else ""),
        container.probes or "none",
        container.image,
    )
    return Row(cells, tone="dim" if container.state in _ENDED_WELL else "")


def line_of(container: Container, account: Account | None, now: float) -> list[Segment]:
    """Return what there is to say about a container beside its row."""
    last = container.last_end and f"before: {container.last_end} {age_since(container.last_ended_at, now)} ago"
    held = f"held by its CPU limit {account.words(now)}" if account is not None else ""
    means = meaning(account.percent) if account is not None and account.since_start.periods else ""
    return [
        Segment(container.name),
        # How it ended says more than for how long the kubelet waits before it tries again.
        Segment(last, "warn"),
        Segment(
            f"now: {container.message}" if last and container.message else container.message,
            "" if is_well(container) else "critical",
        ),
        Segment(held),
        Segment(means, "dim", priority=1),
        Segment("" if container.message or last else container.image, "dim", priority=2),
        Segment(_INSIDE if container.is_running else _SAID, "dim", priority=1, right=True),
    ]


def _held(container: Container, account: Account | None) -> Cell:
    if account is not None and (account.since_start.periods or container.cpu_limit_cores is not None):
        return Cell(percent(account.percent), "warn" if account.percent >= OFTEN_PERCENT else "")
    return Cell("no limit" if container.cpu_limit_cores is None else "t looks", "dim")
