"""What a pod's containers said last, as a page, and which source of the Logs tab follows it. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from profiles.logs import LogSource
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.recent_logs import ContainerLog
from tui.sources.kubernetes.selectors import label_selector
from tui.sources.kubernetes.workloads import Workload

_STAMP: Final = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)T(?P<time>\d\d:\d\d:\d\d)(?:\.\d+)?Z ")
"""What the kubelet puts before each line: to the nanosecond it would take half of a narrow screen."""
MOST: Final = 80
"""Lines of each container: what led to its end, not its day."""


def followed_by(pod: Pod, above: Workload | None, sources: Mapping[str, LogSource]) -> Iterator[str]:
    """Yield the profile's log sources that follow this pod, by name."""
    for name, source in sources.items():
        if source.namespace not in (None, pod.namespace):
            continue
        if source.workload is not None and above is not None:
            found = source.workload == f"{above.kind.lower()}/{above.name}"
        elif source.pods is not None:
            found = _selects(source.pods, pod)
        else:
            found = source.pod is not None and fnmatchcase(pod.name, source.pod)
        if found:
            yield name


def _selects(selector: str, pod: Pod) -> bool:
    try:
        return label_selector(selector).matches(pod.labels)
    except ValueError:
        return False


def filter_of(pod: Pod, source: str) -> str:
    """Return the filter of the Logs tab that leaves the lines of one pod in a log that follows it."""
    return f'source = "{source}" and origin ~ "^{pod.name}/"'


def following(pod: Pod, above: Workload | None) -> str:
    """Return the line that the profile would need for the Logs tab to follow a pod and its like, under `logs`."""
    if above is not None:
        return f"{above.name}: {{workload: {above.kind.lower()}/{above.name}, namespace: {pod.namespace}}}"
    return f"{pod.name}: {{pod: {pod.name}, namespace: {pod.namespace}}}"


def logs_page(logs: Sequence[ContainerLog], followed: Sequence[str], missing: str = "") -> str:
    """Return the last lines of every container, the run before a restart first; newest lines at the end of each.

    `followed` are the logs of the profile that follow the pod, `missing` is the line of it that would.
    """
    lines: list[str] = []
    if followed:
        lines += [f"The Logs tab follows it as {', '.join(followed)}.", ""]
    elif missing:
        lines += ["The Logs tab does not follow it; with this line under logs: in the profile it would:", missing, ""]
    # A run that has ended says why; of a container that never restarted there is none, which is no news.
    known = [log for log in logs if not (log.is_previous and log.error)]
    for log in sorted(known, key=lambda log: not log.is_previous):
        # Its newest run may have ended: of a crashed container that is the one whose last line counts.
        which = "the run before its last restart" if log.is_previous else "its newest run"
        said = log.text.split("\n") if log.text else []
        first = _STAMP.match(said[-MOST:][0]) if said else None
        since = f", from {first['day']}" if first is not None else ""
        cut = f", the last {MOST} of {len(said)} lines read" if len(said) > MOST else ""
        shown = [_STAMP.sub(r"\g<time>Z ", line) for line in said[-MOST:]]
        lines += [f"== {log.container}, {which}{cut}{since}", *(shown or [f"({log.error or 'nothing'})"]), ""]
    return "\n".join(lines).rstrip("\n") or "it has no container yet"
