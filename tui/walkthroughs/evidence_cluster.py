"""What a cluster says of rollouts and pods, as evidence."""

import re
from collections.abc import AsyncIterator, Iterable

from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.workloads import Condition as WorkloadCondition
from tui.sources.kubernetes.workloads import Workload
from tui.walkthroughs.format import SUBJECT, Remember
from tui.walkthroughs.judging import Asked, name_of, silence
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import Place, Site, Subject


def places(written: Iterable[str], subject: Subject, on: object, site: Site) -> list[Place]:
    """Return where workloads are: `{subject}` and patterns filled in, as far as the clusters have answered.

    Args:
        written: as a walk names them.
        subject: what the walk is about.
        on: the step's own clusters; None where it names none.
        site: where patterns are looked for.
    """
    found: list[Place] = []
    for one in written:
        sources, path = _meant(one, subject, on, site)
        for source in sources:
            if "*" not in path:
                found.append(Place(source, path))
                continue
            pattern = re.compile("[^/]*".join(map(re.escape, path.split("*"))))
            cluster = site.cluster(source)
            known = sorted(each.path for each in cluster.workloads.values()) if cluster is not None else []
            found += [Place(source, each) for each in known if pattern.fullmatch(each)]
    return list(dict.fromkeys(found))


def clusters(written: Iterable[str], subject: Subject, on: object, site: Site) -> list[str]:
    """Return the sources of the clusters that hold those workloads, as `places`."""
    return list(dict.fromkeys(source for one in written for source in _meant(one, subject, on, site)[0]))


def clusters_asked(subject: Subject, on: object, site: Site) -> tuple[str, ...]:
    """Return the sources of the clusters that a step is about which names no workload: its own, else the subject's."""
    if isinstance(on, list) and site.profile.clusters:
        return tuple(f"kubernetes:{name}" for name in on)
    return subject.clusters(site.profile)


def _meant(written: str, subject: Subject, on: object, site: Site) -> tuple[tuple[str, ...], str]:
    """Return the sources of the clusters in which a workload is meant, and its path there; empty when nothing is."""
    own = subject.workload(site.profile)
    if written == SUBJECT:
        return (subject.clusters(site.profile) if own else ()), own
    cluster, colon, path = written.rpartition(":")
    if colon:
        return (f"kubernetes:{cluster}",), path
    # As with every link of a profile: one that names no cluster means the one under `kubernetes`, or the only one.
    is_link = on is None and not own and "*" not in path
    if is_link and (meant := site.profile.cluster_meant(None)) is not None:
        return (f"kubernetes:{meant}",), path
    return clusters_asked(subject, on, site), path


async def rollout(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield for each workload whether it is rolled out whole."""
    which = asked.condition.rollout or (), asked.subject, asked.condition.on, site
    sources = clusters(*which)
    readings = {reading.source: reading for reading in await site.anew(sources)}
    silent = {source: told for source in sources if (told := silence(readings.get(source), site)) is not None}
    for source, (mark, why) in silent.items():
        yield Fact(name_of(source), "", mark, detail=why)
    found = [place for place in places(*which) if place.source not in silent]
    if not found and (not sources or len(silent) < len(sources)):
        yield Fact("rollout", "", Mark.UNKNOWN, detail="what runs it is not known: give the service a workload")
    for place in found:
        at, workload = readings[place.source].taken_at, site.workload(place)
        if workload is None:
            yield Fact(str(place), "", Mark.UNKNOWN, at=at, detail="not seen in the cluster")
        else:
            words = f"{workload.ready_words()} ready" + (f", {workload.updated} new" if workload.updated else "")
            mark = Mark.PASSED if is_rolled_out(workload) else Mark.FAILED
            yield Fact(str(place), words, mark, "all new, there and available", at, workload.problem)


def is_rolled_out(workload: Workload) -> bool:
    """Tell whether every pod is of the newest template, there and available: as kubectl rollout status."""
    if workload.observed_generation < workload.generation or workload.condition is WorkloadCondition.PROGRESSING:
        return False
    is_new = workload.updated is None or workload.updated >= workload.desired
    return is_new and not workload.missing and workload.current <= workload.desired


async def pods(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield every failing pod, and how many are not; of the subject's workload where it is one."""
    sources = clusters_asked(asked.subject, asked.condition.on, site)
    readings = {reading.source: reading for reading in await site.anew(sources)}
    own = asked.subject.workload(site.profile)
    for source in sources:
        reading, cluster = readings.get(source), site.cluster(source)
        if (silent := silence(reading, site)) is not None or cluster is None or reading is None:
            mark, words = silent or (Mark.UNKNOWN, "no answer yet")
            yield Fact(f"{name_of(source)} pods", "", mark, detail=words)
            continue
        of = [pod for pod in cluster.pods.values() if not own or getattr(cluster.workload_of(pod), "path", "") == own]
        failing = [pod for pod in of if pod.health is Health.FAILING]
        for pod in failing:
            where = str(Place(source, pod.path))
            yield Fact(where, pod.status, Mark.FAILED, at=reading.taken_at, detail=pod.last_end)
        well = len(of) - len(failing)
        if well or not failing:
            what = str(Place(source, own)) if own else f"{name_of(source)} pods"
            told = f"{well} of {len(of)} not failing"
            yield Fact(what, told, Mark.PASSED, at=reading.taken_at, number=len(failing))


def remembered(step: Remember, subject: Subject, site: Site) -> tuple[list[Fact], dict[str, int]]:
    """Return what a step that keeps replicas finds, as evidence, and the replicas by what `Place` calls a workload."""
    facts, kept = [], {}
    for place in places(step.workloads, subject, None, site):
        workload = site.workload(place)
        if workload is None:
            facts.append(Fact(str(place), "", Mark.UNKNOWN, at=site.now(), detail="not seen in the cluster"))
            continue
        kept[str(place)] = workload.desired
        facts.append(Fact(str(place), f"{workload.desired} replicas", Mark.DONE, at=site.now()))
    # What a pattern would find there is not known: then not all of it is kept.
    for source in clusters(step.workloads, subject, None, site):
        if site.cluster(source) is None:
            facts.append(Fact(name_of(source), "", Mark.UNKNOWN, at=site.now(), detail="no answer yet"))
    return facts, kept
