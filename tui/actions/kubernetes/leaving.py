"""Which pods of a node a drain takes away, and which stay. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.actions.kubernetes.impact import covering_budgets
from tui.sources.kubernetes.fields import Object, owner, part, parts, strings, text, whole

_MIRROR: Final = "kubernetes.io/config.mirror"
_OVER: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Leaver:
    """A pod that is to leave its node."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    is_ending: bool
    """Whether it is being deleted already."""
    keeps_data: bool
    """Whether it has an emptyDir, whose content goes with it."""
    is_bare: bool
    """Whether nothing makes it again, though it has not ended."""

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Leaving:
    """The pods of a node, as a drain sees them."""

    leavers: tuple[Leaver, ...]
    """By path."""
    daemons: int
    """Pods of DaemonSets, which stay: they would come back at once."""
    mirrors: int
    """Mirrors of static pods, which only the kubelet ends."""

    @property
    def waiting(self) -> tuple[Leaver, ...]:
        """Those of which nobody has asked yet that they go."""
        return tuple(one for one in self.leavers if not one.is_ending)

    def staying_words(self) -> str:
        """Say who stays; empty when nobody does."""
        daemons = f"{self.daemons} of DaemonSets" if self.daemons else ""
        mirrors = f"{self.mirrors} static" if self.mirrors else ""
        return ", ".join(filter(None, (daemons, mirrors)))


def leaving(pods: Iterable[Object]) -> Leaving:
    """Sort the pods of a node as `kubectl drain --ignore-daemonsets` does."""
    leavers, daemons, mirrors = [], 0, 0
    for pod in pods:
        metadata = part(pod, "metadata")
        owned_by = owner(metadata)
        is_over = text(part(pod, "status"), "phase") in _OVER
        if _MIRROR in part(metadata, "annotations"):
            mirrors += 1
        elif owned_by is not None and owned_by.kind == "DaemonSet" and not is_over:
            daemons += 1
        else:
            leavers.append(
                Leaver(
                    namespace=text(metadata, "namespace"),
                    name=text(metadata, "name"),
                    uid=text(metadata, "uid"),
                    labels=strings(metadata, "labels"),
                    is_ending=metadata.get("deletionTimestamp") is not None,
                    keeps_data=not is_over
                    and any("emptyDir" in volume for volume in parts(part(pod, "spec"), "volumes")),
                    is_bare=owned_by is None and not is_over,
                )
            )
    return Leaving(tuple(sorted(leavers, key=lambda one: one.path)), daemons, mirrors)


def budget_lines(leavers: Sequence[Leaver], budgets: Sequence[Object]) -> list[str]:
    """Say which disruption budgets these pods fall under, and how many of them may go at once."""
    lines = []
    for budget in budgets:
        namespace, name = (text(part(budget, "metadata"), key) for key in ("namespace", "name"))
        here = [
            one
            for one in leavers
            if one.namespace == namespace and any(True for _ in covering_budgets([budget], one.labels))
        ]
        if here:
            allowed = whole(part(budget, "status"), "disruptionsAllowed")
            waits = "" if allowed >= len(here) else "; the others wait their turn" if allowed else "; they wait"
            lines.append(
                f"PodDisruptionBudget {namespace}/{name} allows {allowed} now, {len(here)} of its pods are here{waits}"
            )
    return lines
