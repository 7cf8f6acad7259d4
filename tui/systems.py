"""From a profile to the systems it names: their sources, and the verbs that change them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from profiles.schema import Profile
from profiles.via import Via
from tui.actions.action import NO_SYSTEM, Verb
from tui.actions.catalogue import container_verbs, kubernetes_verbs, postgres_verbs, redis_verbs, unit_verbs
from tui.actions.hooks import TellOthers
from tui.actions.scripts import RunScript
from tui.actions.services.probe import SendProbe
from tui.sources import redis_connection
from tui.sources.docker.logs import container_logs
from tui.sources.docker.source import DockerSource
from tui.sources.host import HostSource
from tui.sources.http import HttpSource
from tui.sources.kubernetes import KubernetesSource, PodLogs
from tui.sources.kubernetes.forward import Forward
from tui.sources.kubernetes.serving import serving
from tui.sources.logs import LogsSource
from tui.sources.metrics import MetricSource
from tui.sources.pgbouncer import PgBouncerSource
from tui.sources.postgres import connection as postgres_connection
from tui.sources.postgres.source import PostgresSource
from tui.sources.reading import Source
from tui.sources.redis import RedisSource
from tui.sources.systemd import SystemdSource

_OF_USE: Final = ("container.cpu_percent", "container.memory_percent", "container.memory_bytes")
"""Rules that need to know what containers use."""


@dataclass(frozen=True, slots=True)
class Systems:
    """Everything a profile names, ready to be read and changed; nothing is connected yet."""

    sources: tuple[Source[Any], ...]
    verbs: dict[tuple[str, str], Verb]
    """By the verb's name and the name of the source whose targets it changes."""
    optional: frozenset[str]
    """Names of the sources that need not be there."""


def systems_of(profile: Profile, *, masks: bool = False, stdin: int | None = None) -> Systems:
    """Make the sources and verbs of a profile; imports no client library and opens no connection.

    `masks` keeps secrets and people's data out of every fact, for a screen that several people see; `stdin` is the
    descriptor of what is piped into opstui.
    """
    clusters = {name: KubernetesSource(entry, name=name) for name, entry in profile.every_cluster.items()}

    def meant(named: str | None) -> KubernetesSource | None:
        return clusters.get(name) if (name := profile.cluster_meant(named)) is not None else None

    databases = {
        name: PostgresSource(name, entry, masks=masks, forward=_forward(entry.via, meant, postgres_connection.SOCKET))
        for name, entry in profile.databases.items()
    }
    caches = {
        name: RedisSource(name, entry, masks=masks, forward=_forward(entry.via, meant, redis_connection.SOCKET))
        for name, entry in profile.redis.items()
    }
    bouncers = [PgBouncerSource(name, entry) for name, entry in profile.pgbouncer.items()]
    is_judged = any(rule in profile.rules for rule in _OF_USE)
    engines = {name: DockerSource(name, entry, measures=is_judged) for name, entry in profile.docker.items()}
    units = SystemdSource(profile.systemd) if profile.systemd else None
    services = {name: HttpSource(name, entry, masks=masks) for name, entry in profile.services.items()}
    verbs: list[tuple[str, Verb]] = [
        *(
            (cluster.name, verb)
            for name, cluster in clusters.items()
            for verb in kubernetes_verbs(cluster, profile.every_cluster[name], masks=masks)
        ),
        *((database.name, verb) for database in databases.values() for verb in postgres_verbs(database)),
        *((cache.name, verb) for cache in caches.values() for verb in redis_verbs(cache)),
        *((engine.name, verb) for engine in engines.values() for verb in container_verbs(engine)),
        *((SystemdSource.name, verb) for verb in (unit_verbs(units) if units else ())),
    ]
    verbs += [(source.name, SendProbe(source, profile.services[name])) for name, source in services.items()]
    if profile.hooks:
        verbs.append((NO_SYSTEM, TellOthers(profile)))
    if profile.scripts:
        verbs.append((NO_SYSTEM, RunScript(profile)))
    sources: list[Source[Any]] = [
        *services.values(),
        *engines.values(),
        *([units] if units else []),
        *clusters.values(),
        *databases.values(),
        *bouncers,
        *caches.values(),
        *(
            LogsSource(
                name,
                entry,
                PodLogs(cluster) if (cluster := meant(entry.cluster)) is not None else None,
                container_logs(profile, entry),
                masks=masks,
                filters=profile.filters,
                stdin=stdin,
            )
            for name, entry in profile.logs.items()
        ),
        *_metrics(profile, databases, caches),
        HostSource(),
    ]
    return Systems(tuple(sources), {(verb.name, source): verb for source, verb in verbs}, frozenset(_optional(profile)))


def _forward(via: Via | None, meant: Callable[[str | None], KubernetesSource | None], socket: str) -> Forward | None:
    """Return the way to a server that is behind a pod; None for one that is reached as it stands."""
    cluster = meant(via.cluster) if via is not None else None
    if via is None or cluster is None:
        return None
    namespace, kind, name = via.target

    def by_hand(port: int) -> str:
        return cluster.kubectl(namespace, "port-forward", f"{kind}/{name}", f"{port}:{via.port}")

    resolve = partial(serving, cluster.connection, namespace, kind, name, via.port)
    where = f"{kind} {namespace}/{name}:{via.port}"
    return Forward(cluster.connection, resolve, socket, where=where, by_hand=by_hand)


def _metrics(
    profile: Profile, databases: Mapping[str, PostgresSource], caches: Mapping[str, RedisSource]
) -> Iterator[MetricSource]:
    for name, metric in profile.metrics.items():
        match metric.way:
            case "prometheus":
                server = metric.on or next(iter(profile.prometheus))
                yield MetricSource(name, metric, server=(server, profile.prometheus[server]))
            case "sql":
                on = metric.on or next(iter(profile.databases))
                asked = (f"database {on}", partial(databases[on].value, metric.sql or ""))
                yield MetricSource(name, metric, asked=asked)
            case "redis":
                on = metric.on or next(iter(profile.redis))
                yield MetricSource(name, metric, asked=(f"redis {on}", partial(caches[on].value, *metric.redis or ())))
            case _:
                yield MetricSource(name, metric)


def _optional(profile: Profile) -> Iterator[str]:
    for kind, entries in (
        ("kubernetes", profile.every_cluster),
        ("service", profile.services),
        ("database", profile.databases),
        ("pgbouncer", profile.pgbouncer),
        ("redis", profile.redis),
        ("container", profile.docker),
    ):
        yield from (f"{kind}:{name}" for name, entry in entries.items() if entry.optional)
