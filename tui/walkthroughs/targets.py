"""What an action of a walk may be done to: live facts → requests, as the keys of the tabs would make them."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tui.actions.action import Request
from tui.actions.asking import matching
from tui.actions.kubernetes.pause import pause_request
from tui.actions.kubernetes.pods import delete_request
from tui.actions.kubernetes.restart import restart_request
from tui.actions.kubernetes.scale import SCALABLE, scale_request
from tui.actions.kubernetes.undo import UNDO, UNDOABLE, undo_request
from tui.actions.postgres.cancel import CANCEL, cancel_request
from tui.actions.postgres.terminate import TERMINATE_MATCHING, matching_requests, terminate_request
from tui.actions.redis.kill import kill_request
from tui.actions.redis.setting import setting_request
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.revisions import Revision, revisions
from tui.sources.kubernetes.workloads import Workload
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.redis import RedisSource
from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import size, span
from tui.walkthroughs.evidence_cluster import paths
from tui.walkthroughs.format import SUBJECT, Act
from tui.walkthroughs.loading import system_kind
from tui.walkthroughs.site import KUBERNETES, Site, Subject, broken_workloads

_MOST: Final = 50
_LONG_S: Final = 1.0
"""From when on a statement counts as long."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing an action may be done to."""

    key: str
    label: str
    note: str
    """What tells it from the others: its statement, its revision, what is wrong with it."""
    request: Request


@dataclass(frozen=True, slots=True)
class Asked:
    """An action and what it is to be done to."""

    act: Act
    subject: Subject
    remembered: dict[str, int]
    """Replicas by `namespace/kind/name`, as an earlier step kept them."""
    typed: str = ""
    """What the person gave where the action asks: replicas, or a value."""


def asks_for(act: Act) -> str:
    """Return what the person must give before targets can be found: `replicas`, `value`; empty when nothing."""
    if act.verb == "scale" and act.replicas == "asked":
        return "replicas"
    return "value" if act.verb == "config-set" and act.value is None else ""


async def candidates(asked: Asked, site: Site) -> tuple[Candidate, ...]:
    """Return what the action may be done to now, the likeliest first; nothing when there is nothing.

    Raises:
        SourceError: the system could not be asked.
    """
    kind = system_kind(asked.act)
    names = [f"{kind}:"] if kind == "kubernetes" else _names(asked, kind, site)
    for reading in await site.anew(names):
        if reading.error is not None:
            raise reading.error
    finders = {"kubernetes": _of_cluster, "database": _of_databases, "redis": _of_redis}
    return tuple([found async for found in finders[kind](asked, names, site)][:_MOST])


def _names(asked: Asked, kind: str, site: Site) -> list[str]:
    on = asked.act.on
    if isinstance(on, list):
        return [f"{kind}:{name}" for name in on]
    if asked.subject.kind == kind:
        return [f"{kind}:{asked.subject.name}"]
    return [] if on == SUBJECT else [r.source for r in site.pollers.readings({kind})]


# The cluster


async def _of_cluster(asked: Asked, names: list[str], site: Site) -> AsyncIterator[Candidate]:
    act = asked.act
    if act.verb == "delete-pod":
        for candidate in _pods(asked, site):
            yield candidate
        return
    workloads = list(_workloads(asked, site))
    source = site.pollers.source(KUBERNETES)
    if act.verb == UNDO:
        if isinstance(source, KubernetesSource):
            for workload in workloads:
                if workload.kind in UNDOABLE:
                    for candidate in await _revisions(workload, source, is_only=len(workloads) == 1):
                        yield candidate
        return
    for workload in workloads:
        request = _workload_request(asked, workload)
        if request is not None:
            note = f"{workload.ready_words()} ready{f', {workload.problem}' if workload.problem else ''}"
            yield Candidate(workload.uid, workload.path, note, request)


def _workloads(asked: Asked, site: Site) -> Iterator[Workload]:
    cluster = site.cluster
    if cluster is None:
        return
    act, own = asked.act, asked.subject.workload(site.profile)
    match act.pick:
        case "subject" | "named":
            named = [own] if act.pick == "subject" else paths(act.workloads, asked.subject, site)
            yield from (found for path in named if path and (found := site.workload(path)) is not None)
        case "failing":
            yield from sorted(broken_workloads(cluster), key=lambda one: one.path != own)
        case "changed":
            since = site.now() - act.within
            newest = [
                (replica_set.created_at, workload)
                for replica_set in cluster.replica_sets.values()
                if replica_set.owner is not None
                and (workload := cluster.workloads.get(replica_set.owner.uid)) is not None
                and replica_set.revision == workload.revision > 1
                and (replica_set.created_at or 0.0) >= since
            ]
            newest.sort(key=lambda pair: (pair[1].path != own, -(pair[0] or 0.0)))
            yield from (workload for _, workload in newest)


def _workload_request(asked: Asked, workload: Workload) -> Request | None:
    act = asked.act
    match act.verb:
        case "restart":
            return restart_request(workload)
        case "pause-rollout" | "resume-rollout":
            is_wanted = workload.kind == "Deployment" and workload.paused == (act.verb == "resume-rollout")
            return pause_request(workload) if is_wanted else None
        case "scale" if workload.kind in SCALABLE:
            replicas = _replicas(asked, workload)
            if replicas is None or replicas == workload.desired:
                return None
            return scale_request(workload, replicas, act.temporary)
    return None


def _replicas(asked: Asked, workload: Workload) -> int | None:
    wanted = asked.act.replicas
    if wanted == "remembered":
        return asked.remembered.get(workload.path)
    if wanted == "asked":
        return int(asked.typed) if asked.typed.isdecimal() else None
    return wanted if isinstance(wanted, int) else None


async def _revisions(workload: Workload, source: KubernetesSource, *, is_only: bool) -> list[Candidate]:
    obj = await source.fetch(workload.kind, workload.namespace, workload.name)
    known = await revisions(source.connection, {**obj, "kind": workload.kind})
    current = next((one for one in known if one.is_current), None)
    others = [one for one in known if not one.is_current]
    # Of several workloads each goes back by one; of a single one, any revision may be chosen.
    return [
        Candidate(
            f"{workload.uid} {one.uid}",
            f"{workload.path} → revision {one.number}",
            _revision_words(one, current),
            undo_request(workload, one, current),
        )
        for one in (others if is_only else others[:1])
    ]


def _revision_words(revision: Revision, current: Revision | None) -> str:
    now = f"; now {', '.join(current.images)}" if current is not None else ""
    cause = f"{revision.change_cause}, " if revision.change_cause else ""
    return f"{cause}{', '.join(revision.images)}{now}"


def _pods(asked: Asked, site: Site) -> Iterator[Candidate]:
    cluster = site.cluster
    own = asked.subject.workload(site.profile)
    for pod in sorted(cluster.pods.values() if cluster else (), key=lambda one: -one.restarts):
        workload = cluster.workload_of(pod) if cluster else None
        if pod.health is Health.FAILING and (not own or (workload is not None and workload.path == own)):
            yield Candidate(pod.uid, pod.path, f"{pod.status}, {pod.restarts} restarts", delete_request(pod))


# PostgreSQL


async def _of_databases(asked: Asked, names: list[str], site: Site) -> AsyncIterator[Candidate]:
    for name in names:
        reading = site.pollers.reading(name)
        snapshot = reading.snapshot if reading is not None else None
        if isinstance(snapshot, DatabaseSnapshot):
            for candidate in _sessions(asked, name, snapshot):
                yield candidate


def _sessions(asked: Asked, source: str, snapshot: DatabaseSnapshot) -> Iterator[Candidate]:
    act, server = asked.act, snapshot.server
    found = [session for session in _picked(act, source, snapshot) if session.is_client and not session.is_own]
    if act.application is not None:
        wanted = asked.subject.name if act.application == SUBJECT else act.application
        found = [session for session in found if session.application == wanted]
    if act.verb == TERMINATE_MATCHING:
        requests = {
            (request.target.name): request
            for request in matching_requests(source, server, found, *matching(act.matching or ""))
        }
        for session in found:
            if (request := requests.get(str(session.pid))) is not None:
                yield _candidate(session, snapshot, request)
        return
    make: Callable[[Session], Request] = (
        (lambda session: cancel_request(source, server, session))
        if act.verb == CANCEL
        else (lambda session: terminate_request(source, server, session))
    )
    for session in found:
        if act.verb != CANCEL or session.is_active:
            yield _candidate(session, snapshot, make(session))


def _picked(act: Act, source: str, snapshot: DatabaseSnapshot) -> Iterable[Session]:
    match act.pick:
        case "root blockers":
            roots = [place for place in snapshot.tree if place.under is None and place.waiting and place.pid]
            sessions = [snapshot.session(place.pid) for place in sorted(roots, key=lambda place: -place.waiting)]
            return [session for session in sessions if session is not None]
        case "longest":
            running = [one for one in snapshot.sessions if one.is_active and (one.query_s or 0.0) >= _LONG_S]
            return sorted(running, key=lambda session: -(session.query_s or 0.0))
        case "matching":
            requests = matching_requests(source, snapshot.server, snapshot.sessions, *matching(act.matching or ""))
            pids = {request.target.name for request in requests}
            return [session for session in snapshot.sessions if str(session.pid) in pids]
    return []


def _candidate(session: Session, snapshot: DatabaseSnapshot, request: Request) -> Candidate:
    waiting = next((place.waiting for place in snapshot.tree if place.pid == session.pid), 0)
    blocks = f", {waiting} wait for it" if waiting else ""
    lasts = f" {span(session.time_s)}" if session.time_s is not None else ""
    label = f"{session.pid} {session.application or session.role or '?'}: {session.state or '?'}{lasts}{blocks}"
    return Candidate(f"{session.pid} {session.backend_start}", label, session.query, request)


# Redis


async def _of_redis(asked: Asked, names: list[str], site: Site) -> AsyncIterator[Candidate]:
    act = asked.act
    for name in names:
        reading, source = site.pollers.reading(name), site.pollers.source(name)
        snapshot = reading.snapshot if reading is not None else None
        if not isinstance(snapshot, RedisSnapshot) or not isinstance(source, RedisSource):
            continue
        if act.verb == "config-set":
            settings = await source.settings()
            parameter, wanted = act.setting or "", act.value if act.value is not None else asked.typed
            seen = settings.get(parameter)
            if seen is None:
                raise SourceError(f"{name.partition(':')[2]} has no setting {parameter} that may be changed")
            if seen != wanted:
                request = setting_request(name, snapshot, parameter, seen, wanted, act.temporary)
                yield Candidate(
                    name, f"{name.partition(':')[2]} {parameter}", f"{seen or '(empty)'} → {wanted}", request
                )
            continue
        for client in sorted(snapshot.clients or (), key=lambda one: -(one.tot_mem_bytes or one.omem_bytes)):
            if not client.is_own:
                held = size(client.tot_mem_bytes if client.tot_mem_bytes is not None else client.omem_bytes)
                label = f"{client.id} {client.name or client.addr}"
                yield Candidate(
                    f"{name} {client.id}", label, f"{held}, {client.cmd}", kill_request(name, snapshot, client)
                )
