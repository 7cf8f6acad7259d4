"""What a cluster says of rollouts and pods, as evidence."""

import re
from collections.abc import AsyncIterator, Iterable

from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.workloads import Condition as WorkloadCondition
from tui.sources.kubernetes.workloads import Workload
from tui.walkthroughs.format import SUBJECT
from tui.walkthroughs.judging import Asked, silence
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import KUBERNETES, Site, Subject


def paths(written: Iterable[str], subject: Subject, site: Site) -> list[str]:
    """Return workloads by path: `{subject}` and patterns filled in."""
    found: list[str] = []
    cluster = site.cluster
    known = sorted(one.path for one in cluster.workloads.values()) if cluster is not None else []
    for path in written:
        if path == SUBJECT:
            path = subject.workload(site.profile)
        if "*" in path:
            pattern = re.compile("[^/]*".join(map(re.escape, path.split("*"))))
            found += [one for one in known if pattern.fullmatch(one)]
        elif path:
            found.append(path)
    return list(dict.fromkeys(found))


async def rollout(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield for each workload whether it is rolled out whole."""
    (reading,) = await site.anew([KUBERNETES]) or (None,)
    if (silent := silence(reading, site)) is not None:
        yield Fact("k8s", "", silent[0], detail=silent[1])
        return
    at = reading.taken_at if reading is not None else None
    written = asked.condition.rollout or ()
    found = paths(written, asked.subject, site)
    if not found:
        yield Fact("rollout", "", Mark.UNKNOWN, detail="what runs it is not known: give the service a workload")
    for path in found:
        workload = site.workload(path)
        if workload is None:
            yield Fact(path, "", Mark.UNKNOWN, at=at, detail="not seen in the cluster")
        else:
            words = f"{workload.ready_words()} ready" + (f", {workload.updated} new" if workload.updated else "")
            mark = Mark.PASSED if is_rolled_out(workload) else Mark.FAILED
            yield Fact(path, words, mark, "all new, there and available", at, workload.problem)


def is_rolled_out(workload: Workload) -> bool:
    """Tell whether every pod is of the newest template, there and available: as kubectl rollout status."""
    if workload.observed_generation < workload.generation or workload.condition is WorkloadCondition.PROGRESSING:
        return False
    is_new = workload.updated is None or workload.updated >= workload.desired
    return is_new and not workload.missing and workload.current <= workload.desired


async def pods(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield every failing pod, and how many are not; of the subject's workload where it is one."""
    (reading,) = await site.anew([KUBERNETES]) or (None,)
    cluster = site.cluster
    if (silent := silence(reading, site)) is not None or cluster is None:
        mark, words = silent or (Mark.UNKNOWN, "no answer yet")
        yield Fact("k8s pods", "", mark, detail=words)
        return
    at = reading.taken_at if reading is not None else None
    own = asked.subject.workload(site.profile)
    pods = [pod for pod in cluster.pods.values() if not own or getattr(cluster.workload_of(pod), "path", "") == own]
    failing = [pod for pod in pods if pod.health is Health.FAILING]
    for pod in failing:
        yield Fact(pod.path, pod.status, Mark.FAILED, at=at, detail=pod.last_end)
    well = len(pods) - len(failing)
    if well or not failing:
        yield Fact(own or "k8s pods", f"{well} of {len(pods)} not failing", Mark.PASSED, at=at, number=len(failing))
