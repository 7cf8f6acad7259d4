"""Everything about a workload in one text, to hand on: described, as YAML, its events and logs; secrets masked."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from tui.panes import pods_detail
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.object_yaml import yaml_words
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.recent_logs import LINES, ContainerLog, recent_logs
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.veil import veiled
from tui.sources.kubernetes.workloads import Workload
from tui.sources.masking import without_secrets

MOST_PODS: Final = 10
"""Pods described and read; of more, those that fail come first."""
_RULE: Final = "=" * 100


def pods_of(workload: Workload, snapshot: KubernetesSnapshot) -> list[Pod]:
    """Return a workload's pods, those that need somebody first."""
    owners = pods_detail.owners_under(workload, snapshot)
    found = [pod for pod in snapshot.pods.values() if pod.owner is not None and pod.owner.uid in owners]
    order = (Health.FAILING, Health.WAITING)
    return sorted(found, key=lambda pod: (order.index(pod.health) if pod.health in order else len(order), pod.name))


async def bundle(source: KubernetesSource, workload: Workload, now: float, snapshot: KubernetesSnapshot) -> str:
    """Read all about a workload and return it as one text; what could not be read is said in its place."""
    pods = pods_of(workload, snapshot)
    some = pods[:MOST_PODS]
    objects = await asyncio.gather(
        _fetched(source, workload.kind, workload.namespace, workload.name),
        *(_fetched(source, "Pod", pod.namespace, pod.name) for pod in some),
    )
    logs = await recent_logs(source.connection, some)
    return await asyncio.to_thread(_text, workload, pods, objects, logs, snapshot, now)


async def _fetched(source: KubernetesSource, kind: str, namespace: str, name: str) -> Object | str:
    try:
        found: Object = veiled(await source.fetch(kind, namespace, name))
    except SourceError as error:
        return error.message
    return found


def _text(
    workload: Workload,
    pods: Sequence[Pod],
    objects: Sequence[Object | str],
    logs: Sequence[ContainerLog],
    snapshot: KubernetesSnapshot,
    now: float,
) -> str:
    own, *of_pods = objects
    name = f"{workload.kind} {workload.namespace}/{workload.name}"
    lines = [
        f"{name} on {snapshot.context or snapshot.server}, {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S}Z",
        ("1 pod" if len(pods) == 1 else f"{len(pods)} pods")
        + (f", of which {MOST_PODS} follow, failing ones first" if len(pods) > MOST_PODS else ""),
        "What calls itself a secret, or looks like one, is masked: read it before you hand it on all the same.",
        *_section(f"{name}: described", pods_detail.workload_page(workload, _known(own), snapshot, now), _missing(own)),
    ]
    for pod, obj in zip(pods, of_pods, strict=False):
        page = pods_detail.pod_page(pod, _known(obj), snapshot, now)
        lines += _section(f"Pod {pod.path}: described", page, _missing(obj))
    for log in logs:
        which = f"Pod {log.pod}, container {log.container}"
        title = f"{which}: the run before the last restart" if log.is_previous else f"{which}: log"
        said = f"not read: {log.error}" if log.error else log.text or "(nothing)"
        lines += _section(f"{title}, at most {LINES} lines", said)
    lines += _section(f"{name}: YAML", _yaml(own))
    for pod, obj in zip(pods, of_pods, strict=False):
        lines += _section(f"Pod {pod.path}: YAML", _yaml(obj))
    # Line by line: what calls itself a secret must not take the next line for its value.
    return "".join(f"{without_secrets(line)}\n" for line in lines)


def _known(obj: Object | str) -> Object | None:
    return None if isinstance(obj, str) else obj


def _missing(obj: Object | str) -> str:
    return f"\n\nThe whole object could not be read: {obj}" if isinstance(obj, str) else ""


def _yaml(obj: Object | str) -> str:
    return f"not read: {obj}" if isinstance(obj, str) else yaml_words(obj).rstrip()


def _section(title: str, text: str, more: str = "") -> Iterator[str]:
    yield from ("", _RULE, title, _RULE, *f"{text}{more}".split("\n"))
