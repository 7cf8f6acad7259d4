"""What a profile requires of a cluster's configuration: read once, when it is judged, names only."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, Final

from profiles.schema import Profile
from tui.check.checks import REQUIRED, Check
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.settings import keys_of, variables_of
from tui.sources.text import clean
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Site

CONFIG_MAPS: Final = "required.config_maps"
VARIABLES: Final = "required.variables"

_PATIENCE_S: Final = 8.0
_MOST_NAMED: Final = 8
_BY_LOWER_CASE: Final = {kind.lower(): kind for kind in KINDS}


def required_in(source: str, name: str, profile: Profile) -> Iterator[tuple[str, Any]]:
    """Yield what is required of a cluster, by path, with what is required of each.

    Args:
        source: the cluster.
        name: `required.replicas`, `CONFIG_MAPS` or `VARIABLES`.
        profile: that requires it.
    """
    for cluster, path, wanted in profile.required.in_clusters(name.partition(".")[2]):
        if source == f"kubernetes:{profile.cluster_meant(cluster)}":
            yield path, wanted


async def required_settings(source: str, name: str, site: Site) -> Sequence[Check]:
    """Return what is required of a cluster's ConfigMaps or variables, judged; unknown where it cannot tell.

    Args:
        source: the cluster.
        name: `CONFIG_MAPS` or `VARIABLES`.
        site: whose profile requires it.
    """
    wanted = list(required_in(source, name, site.profile))
    cluster = site.pollers.source(source)
    if not isinstance(cluster, KubernetesSource):
        return [_check(source, name, path, Mark.UNKNOWN, "the profile names no cluster") for path, _ in wanted]
    judge = _config_map if name == CONFIG_MAPS else _variables
    judged = (_in_time(source, name, path, judge(cluster, path, needed)) for path, needed in wanted)
    return await asyncio.gather(*judged)


async def _in_time(source: str, name: str, path: str, judging: Awaitable[tuple[Mark, str]]) -> Check:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            mark, detail = await judging
    except TimeoutError:
        mark, detail = Mark.UNKNOWN, f"no answer within {_PATIENCE_S:g} s"
    except SourceError as error:
        is_gone = error.message.endswith("not found")
        mark, detail = (Mark.FAILED, "not there") if is_gone else (Mark.UNKNOWN, str(error))
    return _check(source, name, path, mark, detail)


async def _config_map(source: KubernetesSource, path: str, needed: Sequence[str]) -> tuple[Mark, str]:
    namespace, _, map_name = path.partition("/")
    missing = set(needed) - await keys_of(source.connection.get, "ConfigMap", namespace, map_name)
    return (Mark.FAILED, f"has no {_named(missing)}") if missing else (Mark.PASSED, "")


async def _variables(source: KubernetesSource, path: str, needed: Sequence[str]) -> tuple[Mark, str]:
    namespace, kind, workload = path.split("/")
    if (proper := _BY_LOWER_CASE.get(kind.lower())) is None:
        return Mark.UNKNOWN, f"{clean(kind, limit=40)} is no kind of workload"
    found, unseen = await variables_of(source.connection.get, proper, namespace, workload)
    if missing := set(needed) - found:
        told = f"has no {_named(missing)}"
        return (Mark.UNKNOWN, f"{told}, as far as can be seen: {'; '.join(unseen)}") if unseen else (Mark.FAILED, told)
    return Mark.PASSED, ""


def _named(names: set[str]) -> str:
    shown = sorted(names)[:_MOST_NAMED]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return clean(", ".join(shown), limit=300) + more


def _check(source: str, name: str, path: str, mark: Mark, detail: str) -> Check:
    return Check(REQUIRED, name, source, mark, path, detail=clean(detail, limit=500))
