"""What a profile requires of a cluster's configuration: read once, when it is judged, names only."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final

from tui.check.checks import REQUIRED, Check
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.settings import keys_of, variables_of
from tui.sources.text import clean
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import KUBERNETES, Site

CONFIG_MAPS: Final = "required.config_maps"
VARIABLES: Final = "required.variables"

_PATIENCE_S: Final = 8.0
_MOST_NAMED: Final = 8
_BY_LOWER_CASE: Final = {kind.lower(): kind for kind in KINDS}


async def required_settings(name: str, site: Site) -> Sequence[Check]:
    """Return what is required of ConfigMaps or of variables, judged; unknown where the cluster cannot tell.

    Args:
        name: `CONFIG_MAPS` or `VARIABLES`.
        site: whose profile requires it.
    """
    required = site.profile.required
    wanted: Mapping[str, Sequence[str]] = required.config_maps if name == CONFIG_MAPS else required.variables
    source = site.pollers.source(KUBERNETES)
    if not isinstance(source, KubernetesSource):
        return [_check(name, path, Mark.UNKNOWN, "the profile names no cluster") for path in wanted]
    judge = _config_map if name == CONFIG_MAPS else _variables
    return await asyncio.gather(*(_in_time(name, path, judge(source, path, needed)) for path, needed in wanted.items()))


async def _in_time(name: str, path: str, judging: Awaitable[tuple[Mark, str]]) -> Check:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            mark, detail = await judging
    except TimeoutError:
        mark, detail = Mark.UNKNOWN, f"no answer within {_PATIENCE_S:g} s"
    except SourceError as error:
        is_gone = error.message.endswith("not found")
        mark, detail = (Mark.FAILED, "not there") if is_gone else (Mark.UNKNOWN, str(error))
    return _check(name, path, mark, detail)


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


def _check(name: str, path: str, mark: Mark, detail: str) -> Check:
    return Check(REQUIRED, name, KUBERNETES, mark, path, detail=clean(detail, limit=500))
