"""What a person wants to see of a cluster: which facts pass, and in what words that stands above the table. Pure."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tui.panes.pods_events import Fold
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.revisions import Revision, is_of
from tui.sources.kubernetes.selectors import Selector, field_selector, label_selector
from tui.sources.kubernetes.workloads import Condition, Workload

Fact = Pod | Workload | Node | Fold

FIELDS: Final = frozenset(
    {"metadata.name", "metadata.namespace", "spec.nodeName", "spec.unschedulable", "status.phase", "status.podIP"}
    | {"involvedObject.name", "reason", "type"}
)
"""What a field selector may name here."""

_FLAG: Final = re.compile(r"(?:^|\s)(-l|--selector|-f|--field-selector)(?:\s+|=)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person wants to see, in every view."""

    namespace: str = ""
    """Empty: all."""
    faults_only: bool = False
    workload: Workload | None = None
    """Only the pods of this one."""
    revision: Revision | None = None
    """Only the pods of this one of the workload's."""
    node: str = ""
    """Only the pods of this one."""
    kind: str = ""
    """Only workloads of this kind: `StatefulSet`."""
    labels: Selector | None = None
    fields: Selector | None = None

    def passes(self, fact: Fact, owners: Container[str]) -> bool:
        """Tell whether a fact is wanted; `owners` are the uids that own the chosen workload's pods."""
        is_fault, namespace = _judged(fact)
        if self.faults_only and not is_fault:
            return False
        if namespace is not None and self.namespace not in ("", namespace):
            return False
        match fact:
            case Pod():
                if self.workload is not None and (fact.owner is None or fact.owner.uid not in owners):
                    return False
                if self.revision and self.workload and not is_of(fact, self.revision, self.workload.uid):
                    return False
                if self.node not in ("", fact.node):
                    return False
            case Workload() if self.kind not in ("", fact.kind):
                return False
        if self.labels is not None and not (isinstance(fact, Fold) or self.labels.matches(fact.labels)):
            return False
        return self.fields is None or self.fields.matches(fields_of(fact))

    def without_drill(self) -> "Choice":
        """Return the choice with the pods of everything: of no workload, revision or node alone."""
        return replace(self, workload=None, revision=None, node="")

    def narrowing(self, view: str) -> "Choice":
        """Return what of the choice narrows the rows of a view, by its name; the rest waits for a view that it does."""
        one = view in ("rollout", "containers")
        return replace(
            self if view == "pods" else self.without_drill(),
            namespace="" if one or view == "nodes" else self.namespace,
            faults_only=self.faults_only and view != "containers",
            kind=self.kind if view == "workloads" else "",
            labels=None if one or view in ("events", "recent") else self.labels,
            fields=None if one or view == "recent" else self.fields,
        )

    def words(self) -> tuple[str, ...]:
        """Return what narrows the rows, in words."""
        return tuple(
            filter(
                None,
                (
                    self.namespace and f"namespace {self.namespace}",
                    "faults only" if self.faults_only else "",
                    f"pods of {self.workload.kind}/{self.workload.name}" if self.workload else "",
                    f"revision {self.revision.number}" if self.workload and self.revision else "",
                    self.node and f"pods on {self.node}",
                    self.kind and f"{self.kind}s",
                ),
            )
        )


def _judged(fact: Fact) -> tuple[bool, str | None]:
    """Return whether a fact needs somebody, and its namespace; None for what belongs to the cluster."""
    match fact:
        case Node():
            return fact.status != "Ready" or bool(fact.pressures), None
        case Pod():
            return fact.health not in (Health.FINE, Health.ENDED), fact.namespace
        case Workload():
            return fact.condition is Condition.UNAVAILABLE or bool(fact.problem), fact.namespace
        case Fold():
            return fact.newest.type != "Normal", fact.newest.namespace


def fields_of(fact: Fact) -> Mapping[str, str]:
    """Return the fields that a field selector may name, as kubectl names them."""
    match fact:
        case Pod():
            return {
                "metadata.name": fact.name,
                "metadata.namespace": fact.namespace,
                "spec.nodeName": fact.node,
                "status.phase": fact.phase,
                "status.podIP": fact.ip,
            }
        case Workload():
            return {"metadata.name": fact.name, "metadata.namespace": fact.namespace}
        case Node():
            unschedulable = str("SchedulingDisabled" in fact.status).lower()
            return {"metadata.name": fact.name, "spec.unschedulable": unschedulable}
        case Fold():
            return {
                "metadata.namespace": fact.newest.namespace,
                "involvedObject.name": fact.newest.object.rpartition("/")[2],
                "reason": fact.newest.reason,
                "type": fact.newest.type,
            }


@dataclass(frozen=True, slots=True)
class Typed:
    """A filter somebody typed: text for the table, selectors for the facts."""

    text: str
    labels: Selector | None = None
    fields: Selector | None = None
    error: str = ""
    """Why a selector cannot be understood; then it narrows nothing."""


def typed_filter(typed: str) -> Typed:
    """Take a typed filter apart: `text -l app=api -f status.phase!=Running`."""
    text, *rest = _FLAG.split(typed)
    labels = fields = None
    for flag, expression in zip(rest[::2], rest[1::2], strict=True):
        if not expression.strip():
            continue
        try:
            if flag in ("-l", "--selector"):
                labels = label_selector(expression.strip())
            else:
                fields = field_selector(expression.strip())
                if unknown := fields.keys - FIELDS:
                    return Typed(text.strip(), error=f"no field {min(unknown)} here: {', '.join(sorted(FIELDS))}")
        except ValueError as error:
            return Typed(text.strip(), error=str(error))
    return Typed(text.strip(), labels, fields)
