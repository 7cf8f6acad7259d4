"""What an action of a walk may be done to: live facts → requests, as the keys of the tabs would make them."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tui.actions.action import Request
from tui.actions.asking import matching
from tui.actions.kubernetes.clusters import in_cluster
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
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.redis import RedisSource
from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import size, span
from tui.walkthroughs.evidence_cluster import clusters, clusters_asked, places
from tui.walkthroughs.format import SUBJECT, Act
from tui.walkthroughs.judging import name_of
from tui.walkthroughs.loading import system_kind
from tui.walkthroughs.site import Place, Site, Subject, broken_workloads

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
    """Replicas by `namespace/kind/name`, with the name of the cluster before it, as an earlier step kept them."""
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
    names = _clusters(asked, site) if kind == "kubernetes" else _names(asked, kind, site)
    for reading in await site.anew(names):
        if reading.error is not None:
            raise reading.error
        if reading.snapshot is None:
            raise SourceError(f"{name_of(reading.source)}: no answer yet")
    finders = {"kubernetes": _of_cluster, "database": _of_databases, "redis": _of_redis}
    return tuple([found async for found in finders[kind](asked, names, site)][:_MOST])


def _names(asked: Asked, kind: str, site: Site) -> list[str]:
    on = asked.act.on
    if isinstance(on, list):
        return [f"{kind}:{name}" for name in on]
    if asked.subject.kind == kind:
        return [f"{kind}:{asked.subject.name}"]
    return [] if on == SUBJECT else [r.source for r in site.pollers.readings({kind})]


# Clusters


def _clusters(asked: Asked, site: Site) -> list[str]:
    act = asked.act
    if act.pick in ("subject", "named"):
        found = clusters(_written(act), asked.subject, act.on, site)
    else:
        found = list(clusters_asked(asked.subject, act.on, site))
    if unknown := [source for source in found if site.pollers.reading(source) is None]:
        raise SourceError(f"{unknown[0]}: the profile names no such system")
    return found


def _written(act: Act) -> list[str]:
    return [SUBJECT] if act.pick == "subject" else act.workloads


async def _of_cluster(asked: Asked, names: list[str], site: Site) -> AsyncIterator[Candidate]:
    act = asked.act
    if act.verb == "delete-pod":
        for candidate in _pods(asked, names, site):
            yield candidate
        return
    workloads = list(_workloads(asked, names, site))
    for place, workload in workloads:
        source = site.pollers.source(place.source)
        if act.verb == UNDO:
            if isinstance(source, KubernetesSource) and workload.kind in UNDOABLE:
                for candidate in await _revisions(place, workload, source, is_only=len(workloads) == 1):
                    yield candidate
            continue
        request = _workload_request(asked, place, workload)
        if request is not None:
            note = f"{workload.ready_words()} ready{f', {workload.problem}' if workload.problem else ''}"
            yield _candidate_in(place, workload.uid, note, request)


def _candidate_in(place: Place, uid: str, note: str, request: Request, more: str = "") -> Candidate:
    """Return a candidate in its cluster: uids may be the same in two."""
    return Candidate(f"{place.source} {uid}", f"{place}{more}", note, in_cluster(request, place.source))


def _workloads(asked: Asked, names: list[str], site: Site) -> Iterator[tuple[Place, Workload]]:
    act, own = asked.act, asked.subject.workload(site.profile)
    if act.pick in ("subject", "named"):
        for place in places(_written(act), asked.subject, act.on, site):
            if (found := site.workload(place)) is not None:
                yield place, found
        return
    lately: list[tuple[float, Place, Workload]] = []
    for source in names:
        if (cluster := site.cluster(source)) is None:
            continue
        if act.pick == "failing":
            lately += [(-one.missing, Place(source, one.path), one) for one in broken_workloads(cluster)]
        elif act.pick == "changed":
            lately += [(-at, Place(source, one.path), one) for at, one in _changed(cluster, site.now() - act.within)]
    lately.sort(key=lambda each: (each[1].path != own, each[0]))
    yield from ((place, workload) for _, place, workload in lately)


def _changed(cluster: KubernetesSnapshot, since: float) -> Iterator[tuple[float, Workload]]:
    for replica_set in cluster.replica_sets.values():
        owner, made_at = replica_set.owner, replica_set.created_at or 0.0
        workload = cluster.workloads.get(owner.uid) if owner is not None else None
        if workload is not None and replica_set.revision == workload.revision > 1 and made_at >= since:
            yield made_at, workload


def _workload_request(asked: Asked, place: Place, workload: Workload) -> Request | None:
    act = asked.act
    match act.verb:
        case "restart":
            return restart_request(workload)
        case "pause-rollout" | "resume-rollout":
            is_wanted = workload.kind == "Deployment" and workload.paused == (act.verb == "resume-rollout")
            return pause_request(workload) if is_wanted else None
        case "scale" if workload.kind in SCALABLE:
            replicas = _replicas(asked, place)
            if replicas is None or replicas == workload.desired:
                return None
            return scale_request(workload, replicas, act.temporary)
    return None


def _replicas(asked: Asked, place: Place) -> int | None:
    wanted = asked.act.replicas
    if wanted == "remembered":
        return asked.remembered.get(str(place))
    if wanted == "asked":
        return int(asked.typed) if asked.typed.isdecimal() else None
    return wanted if isinstance(wanted, int) else None


async def _revisions(place: Place, workload: Workload, source: KubernetesSource, *, is_only: bool) -> list[Candidate]:
    obj = await source.fetch(workload.kind, workload.namespace, workload.name)
    known = await revisions(source.connection, {**obj, "kind": workload.kind})
    current = next((one for one in known if one.is_current), None)
    others = [one for one in known if not one.is_current]
    # Of several workloads each goes back by one; of a single one, any revision may be chosen.
    return [
        _candidate_in(
            place,
            f"{workload.uid} {one.uid}",
            _revision_words(one, current),
            undo_request(workload, one, current),
            f" → revision {one.number}",
        )
        for one in (others if is_only else others[:1])
    ]


def _revision_words(revision: Revision, current: Revision | None) -> str:
    now = f"; now {', '.join(current.images)}" if current is not None else ""
    cause = f"{revision.change_cause}, " if revision.change_cause else ""
    return f"{cause}{', '.join(revision.images)}{now}"


def _pods(asked: Asked, names: list[str], site: Site) -> Iterator[Candidate]:
    own = asked.subject.workload(site.profile)
    clusters = [(source, cluster) for source in names if (cluster := site.cluster(source)) is not None]
    found = [(source, pod, cluster.workload_of(pod)) for source, cluster in clusters for pod in cluster.pods.values()]
    for source, pod, workload in sorted(found, key=lambda each: -each[1].restarts):
        if pod.health is Health.FAILING and (not own or (workload is not None and workload.path == own)):
            note = f"{pod.status}, {pod.restarts} restarts"
            yield _candidate_in(Place(source, pod.path), pod.uid, note, delete_request(pod))


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
