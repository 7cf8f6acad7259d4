"""What a profile requires, against what its systems say: ready replicas, versions of services."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from profiles.schema import Profile
from tui.check.checks import REQUIRED, Check
from tui.check.required_cluster import CONFIG_MAPS, VARIABLES, required_in
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.text import clean
from tui.walkthroughs.judging import silence
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Place, Site

REPLICAS: Final = "required.replicas"
VERSIONS: Final = "required.versions"

_BOUND: Final = re.compile(r"\s*(>=|<=|==|>|<)?\s*v?([\d.]+)\s*")
_VERSION: Final = re.compile(r"\s*v?(\d{1,9}(?:\.\d{1,9}){0,5})(?P<rest>.*)", re.DOTALL)
_PARTS: Final = 6
_OPERATORS: Final[Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip


def required_of(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield every source that something is required of, with the name of the check."""
    for name in (REPLICAS, CONFIG_MAPS, VARIABLES):
        for source in (f"kubernetes:{cluster}" for cluster in profile.every_cluster):
            if any(required_in(source, name, profile)):
                yield source, name
    yield from ((f"service:{name}", VERSIONS) for name in profile.required.versions)


def required_checks(source: str, name: str, site: Site) -> Iterator[Check]:
    """Yield what is required of a source, judged; unknown where the system cannot tell."""
    if name == REPLICAS:
        for path, least in required_in(source, name, site.profile):
            yield _replicas(Place(source, path), least, site)
    else:
        yield _version(source, site.profile.required.versions[source.partition(":")[2]], site)


def _replicas(place: Place, least: int, site: Site) -> Check:
    source, path, threshold = place.source, place.path, f"at least {least} ready"
    if (silent := _silence(source, site)) is not None:
        return Check(REQUIRED, REPLICAS, source, silent[0], path, threshold=threshold, detail=silent[1])
    workload, cluster = site.workload(place), site.cluster(source)
    if workload is None:
        can_see = cluster is not None and cluster.sees("deployments", "statefulsets", "daemonsets", "replicasets")
        mark, detail = (Mark.FAILED, "not there") if can_see else (Mark.UNKNOWN, "cannot be seen")
        return Check(REQUIRED, REPLICAS, source, mark, path, threshold=threshold, detail=detail)
    mark = Mark.PASSED if workload.ready >= least else Mark.FAILED
    detail = clean(workload.problem, limit=500) if mark is Mark.FAILED else ""
    return Check(
        REQUIRED, REPLICAS, source, mark, path, float(workload.ready), workload.ready_words(),
        threshold=threshold, detail=detail,
    )  # fmt: skip


def _version(source: str, bound: str, site: Site) -> Check:
    silent = _silence(source, site)
    reading = site.pollers.reading(source)
    snapshot = reading.snapshot if reading is not None else None
    if silent is None and isinstance(snapshot, ServiceSnapshot):
        told, threshold = snapshot.version or "", bound.strip()
        if snapshot.status_code is None:
            mark, detail = Mark.UNKNOWN, snapshot.reason
        elif (met := is_met(told, bound)) is None:
            mark, detail = Mark.UNKNOWN, "tells no version that can be compared"
        else:
            mark, detail = (Mark.PASSED, "") if met else (Mark.FAILED, "another version runs")
        return Check(REQUIRED, VERSIONS, source, mark, shown=clean(told, limit=60), threshold=threshold, detail=detail)
    mark, detail = silent or (Mark.UNKNOWN, "no answer")
    return Check(REQUIRED, VERSIONS, source, mark, threshold=bound.strip(), detail=detail)


def _silence(source: str, site: Site) -> tuple[Mark, str] | None:
    """Return how to judge a system that says nothing: what is required of it is never skipped."""
    if (silent := silence(site.pollers.reading(source), site)) is None:
        return None
    return Mark.UNKNOWN, clean(silent[1], limit=500)


def is_met(told: str, bound: str) -> bool | None:
    """Tell whether a version meets a bound; None when it cannot be compared.

    Numbers are compared part by part, missing ones are 0. A pre-release (`2.0.0-rc1`) is older than its release.
    """
    found, wanted = _VERSION.fullmatch(told), _BOUND.fullmatch(bound)
    if found is None or wanted is None or (found["rest"] and found["rest"][0] not in "-+ ~"):
        return None
    is_release = 0 if found["rest"].startswith("-") else 1
    return _OPERATORS[wanted[1] or "=="]((*_parts(found[1]), is_release), (*_parts(wanted[2]), 1))


def _parts(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (_PARTS - len(numbers)))
