"""The CPU accounts of containers in a kubelet's page of cAdvisor metrics, taken out as the page comes in. Pure.

Such a page has megabytes on a big node, and a few hundred lines of it count here: what is not wanted is passed over
without being taken apart.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

Place = tuple[str, str, str]
"""Namespace, pod and container, as the labels of a line name them."""

_BEGIN: Final = b"\ncontainer_cpu_cfs_"
_LINE: Final = re.compile(
    rb"container_cpu_cfs_(periods|throttled_periods|throttled_seconds)_total\{(.*)\}\s+(\S+)(?:\s+(-?\d{1,15}))?\s*"
)
_LABEL: Final = re.compile(rb'\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_IS_METRICS: Final = (b"\n# TYPE ", b"\ncontainer_")
_LONGEST_LINE: Final = 16 * 1024
_MOST_COUNT: Final = 1e15
_MOST_GROUPS: Final = 5000
"""Control groups taken from one page: a node has a few hundred."""
_STRETCH: Final = 32 * 1024
"""Bytes looked through in one go."""


@dataclass(slots=True)
class Group:
    """The account of one control group: of a container from its start to its end."""

    periods: float | None = None
    """`container_cpu_cfs_periods_total`: enforcement periods so far, usually of 100 ms; only of what has a limit."""
    throttled_periods: float | None = None
    """`container_cpu_cfs_throttled_periods_total`: those in which it was held."""
    throttled_seconds: float | None = None
    """`container_cpu_cfs_throttled_seconds_total`: how long its threads were held altogether."""
    sampled_at: float | None = None
    """When cAdvisor looked, by the node's clock in seconds since 1970; None where the line does not say."""

    @property
    def is_whole(self) -> bool:
        """Whether it says enough for a share."""
        return self.periods is not None and self.throttled_periods is not None


class Page:
    """One page, fed as it arrives; what it says of pods that nobody wants is not kept."""

    def __init__(self, wanted: Container[tuple[str, str]]) -> None:
        """`wanted` are pods, by namespace and name."""
        self.is_metrics = False
        """Whether anything in it looks like a page of metrics."""
        self._wanted = wanted
        self._rest = b""
        self._is_skipping = False
        self._found: dict[Place, dict[str, Group]] = {}
        self._count = 0

    def feed(self, chunk: bytes) -> None:
        """Take in what came next."""
        if self._is_skipping:
            _, newline, chunk = chunk.partition(b"\n")
            self._is_skipping = not newline
        whole, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            # No line of metrics is so long, and nothing is collected without end.
            self._rest, self._is_skipping = b"", True
        if newline:
            self._take(b"\n" + whole + b"\n")

    def _take(self, lines: bytes) -> None:
        self.is_metrics = self.is_metrics or any(mark in lines for mark in _IS_METRICS)
        at = lines.find(_BEGIN)
        while at >= 0:
            end = lines.index(b"\n", at + 1)
            self._line(lines[at + 1 : end])
            at = lines.find(_BEGIN, end)

    def _line(self, line: bytes) -> None:
        if (found := _LINE.fullmatch(line)) is None:
            return
        labels = _labels(found[2])
        place = _word(labels, b"namespace"), _word(labels, b"pod"), _word(labels, b"container")
        # Without a container's name it is the pod as a whole; "POD" is what holds its network.
        if place[2] in ("", "POD") or place[:2] not in self._wanted:
            return
        try:
            value = float(found[3])
        except ValueError:
            return
        if not 0 <= value <= _MOST_COUNT:
            return
        groups = self._found.setdefault(place, {})
        if (group := groups.get(name := _word(labels, b"id"))) is None:
            if self._count >= _MOST_GROUPS:
                return
            self._count += 1
            group = groups[name] = Group()
        match found[1]:
            case b"periods":
                group.periods = value
                group.sampled_at = int(found[4]) / 1000 if found[4] else None
            case b"throttled_periods":
                group.throttled_periods = value
            case _:
                group.throttled_seconds = value

    def groups(self) -> dict[Place, dict[str, Group]]:
        """Return the accounts in it, by container and then by `id`: one that was started again has another one."""
        self.feed(b"\n")  # the last line may lack its end
        whole = {
            place: {name: one for name, one in found.items() if one.is_whole} for place, found in self._found.items()
        }
        return {place: found for place, found in whole.items() if found}


def stretches(chunk: bytes) -> list[bytes]:
    """Return a chunk in pieces that are looked through within a millisecond or two each."""
    return [chunk[at : at + _STRETCH] for at in range(0, len(chunk), _STRETCH)]


def _labels(text: bytes) -> dict[bytes, bytes]:
    labels, at = dict[bytes, bytes](), 0
    while (found := _LABEL.match(text, at)) is not None:
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def _word(labels: dict[bytes, bytes], name: bytes) -> str:
    raw = labels.get(name, b"").decode("utf-8", "replace")
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], raw) if "\\" in raw else raw
