"""Any kind of object as the server prints it: the choice of a kind, columns and rows. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from tui.sources.kubernetes.discovery import ApiResource, Discovery
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.tables import Line, Printed, ResourceTable
from widgets.cell import Cell, Column, Row, Tone
from widgets.choose_dialog import Choice as Option

_WIDE: Final = 120
_FIRST: Final = (
    "services", "endpointslices.discovery.k8s.io", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io",
    "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy", "resourcequotas", "persistentvolumeclaims",
    "configmaps", "secrets", "certificates.cert-manager.io",
)  # fmt: skip
"""What is looked at most, before the others."""
_HIDDEN: Final = frozenset({"componentstatuses", "bindings"})
_NO_PODS: Final = "no pods"
_BAD: Final = frozenset(
    {"False", "Unknown", "Failed", "Lost", "Pending", "Error", "Degraded", "Missing", "OutOfSync", "Unavailable"}
    | {"no pods"}
)
_SERVING: Final = frozenset({"Running", "Pending"})
_JUDGED: Final = ("Ready", "Status", "Phase", "State", "Health", "Health Status", "Synced", "Sync Status", "Available")


def options(discovery: Discovery) -> list[Option]:
    """Return every kind that can be looked at, by the names kubectl takes."""
    known = {resource.full_name: resource for resource in discovery.resources if resource.name not in _HIDDEN}
    ordered = [*(name for name in _FIRST if name in known), *(name for name in known if name not in _FIRST)]
    return [Option(name, " ".join((name, *known[name].short_names)), _note(known[name])) for name in ordered]


def _note(resource: ApiResource) -> str:
    where = "" if resource.is_namespaced else ", of the cluster"
    return f"{resource.kind} {resource.version}{where}"


def with_ready_pods(table: ResourceTable, pods: Iterable[Pod]) -> ResourceTable:
    """Return a table of services with how many of the pods of their selectors are ready; any other as it is.

    The server prints of a service all but the one thing that a 503 is about: whether anybody is behind it.
    """
    names = [column.name for column in table.columns]
    if table.resource.full_name != "services" or "Selector" not in names:
        return table
    wanted = [_pairs(line.cells[names.index("Selector")]) for line in table.lines]
    # One pair of each selector finds the few pods that the others have to be compared with.
    first = {(line.namespace, pairs[0]): list[Pod]() for line, pairs in zip(table.lines, wanted, strict=True) if pairs}
    for pod in pods:
        if pod.phase in _SERVING:
            for label, value in pod.labels.items():
                if (found := first.get((pod.namespace, f"{label}={value}"))) is not None:
                    found.append(pod)
    lines = []
    for line, pairs in zip(table.lines, wanted, strict=True):
        chosen = first.get((line.namespace, pairs[0]), ()) if pairs else ()
        chosen = [pod for pod in chosen if {*pairs} <= {f"{key}={value}" for key, value in pod.labels.items()}]
        ready = sum(pod.health is Health.FINE for pod in chosen)
        cell = "" if not pairs else f"{ready}/{len(chosen)}" if chosen else _NO_PODS
        lines.append(replace(line, cells=(line.cells[0], cell, *line.cells[1:])))
    column = Printed("Ready", is_wide=False, is_number=False, description="pods of its selector that are ready")
    return replace(table, columns=(table.columns[0], column, *table.columns[1:]), lines=tuple(lines))


def _pairs(selector: str) -> tuple[str, ...]:
    return tuple(pair for pair in selector.split(",") if "=" in pair)


def kind_columns(table: ResourceTable, width: int) -> tuple[Column, ...]:
    """Return the columns for a table on a screen of this width: what does not fit goes, `-o wide` first."""
    return tuple(_columns(table, width))


def _columns(table: ResourceTable, width: int) -> Iterator[Column]:
    most = 40 if width >= _WIDE else 22
    if table.resource.is_namespaced:
        widest = _fitting("NAMESPACE", (line.namespace for line in table.lines), most)
        yield Column("namespace", "NAMESPACE", widest, keeps_end=True)
    for index, printed in enumerate(table.columns):
        title = printed.name.upper()
        if index == 0:
            yield Column("0", title, min_width=20, max_width=63, keeps_end=True)
            continue
        fitting = _fitting(title, (line.cells[index] for line in table.lines), most)
        # What a printer puts first matters most; the age is short and always asked for.
        priority = 4 if printed.is_wide else 0 if printed.name == "Age" else min(index, 3)
        yield Column(str(index), title, fitting, "right" if printed.is_number else "left", priority)


def _fitting(title: str, cells: Iterable[str], most: int) -> int:
    return min(most, max(len(title), *(len(cell) for cell in cells), 0))


def kind_rows(table: ResourceTable, passes: Callable[[Line], bool]) -> dict[str, Row]:
    """Return the rows of those objects that pass, by uid."""
    return {line.key: _row(table, line) for line in table.lines if passes(line)}


def is_fault(table: ResourceTable, line: Line) -> bool:
    """Tell whether the server's own cells say that something is wrong with an object."""
    return any(_tone(printed.name, cell) for printed, cell in zip(table.columns, line.cells, strict=True))


def _tone(column: str, cell: str) -> Tone:
    if column not in _JUDGED:
        return ""
    ready, slash, wanted = cell.partition("/")
    if slash and ready.isdecimal() and wanted.isdecimal():
        return "warn" if int(ready) < int(wanted) else ""
    return "warn" if cell in _BAD else ""


def _row(table: ResourceTable, line: Line) -> Row:
    cells: list[str | Cell] = [line.namespace] if table.resource.is_namespaced else []
    sort: list[str | float | None] = [f"{line.namespace}/{line.name}"] if table.resource.is_namespaced else []
    for printed, cell in zip(table.columns, line.cells, strict=True):
        cells.append(Cell(cell, _tone(printed.name, cell)))
        if printed.name == "Age":
            sort.append(None if line.created_at is None else -line.created_at)
        elif printed.is_number:
            sort.append(float(cell) if cell.isdecimal() else None)
        else:
            sort.append(cell.lower())
    labels = " ".join(f"{key}={value}" for key, value in line.labels.items())
    return Row(tuple(cells), tuple(sort), "", f"{line.namespace}/{line.name} {labels}")
