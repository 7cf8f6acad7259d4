"""Pages of the Pods tab: one object in full, as text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tui.panes.failing import clock
from tui.panes.pods_events import Fold
from tui.panes.pods_rows import HELD_BACK, cores, memory, share
from tui.panes.pods_users import uses_lines
from tui.sources.kubernetes.ages import age, age_since
from tui.sources.kubernetes.events import Event
from tui.sources.kubernetes.fields import Object, moment, part, parts, strings, text, whole
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload
from tui.sources.text import clean
from tui.units import percent, size

_EVENTS = 30


def find(snapshot: KubernetesSnapshot, kind: str, path: str) -> str | None:
    """Return the uid of what is called `namespace/name`, a node by its name; None when it is not there.

    `kind` is in small letters. Of a ReplicaSet it is the uid of what owns it, which has a row.
    """
    if kind == "node":
        return next((node.uid for node in snapshot.nodes.values() if node.name == path), None)
    if kind == "pod":
        return next((pod.uid for pod in snapshot.pods.values() if pod.path == path), None)
    family = snapshot.replica_sets if kind == "replicaset" else snapshot.workloads
    for found in family.values():
        if found.kind.lower() == kind and f"{found.namespace}/{found.name}" == path:
            return found.owner.uid if kind == "replicaset" and found.owner is not None else found.uid
    return None


def pod_page(pod: Pod, obj: Object | None, snapshot: KubernetesSnapshot, now: float, more: Iterable[str] = ()) -> str:
    """Return a pod in full.

    `obj` is the whole object, None when it could not be read; `more` are lines to stand after its containers.
    """
    usage = snapshot.metrics.pods.get(pod.path)
    cpu, used = (usage.cpu_cores, usage.memory_bytes) if usage is not None else (None, None)
    owned_by = f"{pod.owner.kind}/{pod.owner.name}" if pod.owner else "nobody: a bare pod"
    if (above := snapshot.workload_of(pod)) and pod.owner and above.uid != pod.owner.uid:
        owned_by += f" of {above.kind}/{above.name}"
    restarted = f" (last {age_since(pod.restarted_at, now)} ago)" if pod.restarts and pod.restarted_at else ""
    held_back = f"; {HELD_BACK}, see its conditions" if pod.is_held_back else ""
    lines = [
        f"status      {pod.status} ({pod.phase}), {pod.ready}/{pod.containers} ready{held_back}",
        f"restarts    {pod.restarts}{restarted}",
        f"age         {age_since(pod.created_at, now)}",
        f"node        {pod.node or 'not scheduled'}",
        f"IP          {pod.ip or 'none yet'}",
        f"owner       {owned_by}",
        f"uses        CPU {cores(usage)}{_bounds(cpu, pod.cpu_request_cores, pod.cpu_limit_cores)}",
        f"            memory {memory(usage)}{_bounds(used, pod.memory_request_bytes, pod.memory_limit_bytes)}",
        f"uid         {pod.uid}",
    ]
    if obj is not None:
        spec, status = part(obj, "spec"), part(obj, "status")
        if message := text(status, "message"):
            lines.append(f"message     {message}")
        for title, kind in (("Init containers", "init"), ("Containers", ""), ("Ephemeral containers", "ephemeral")):
            key = f"{kind}Containers" if kind else "containers"
            statuses = f"{kind}ContainerStatuses" if kind else "containerStatuses"
            if containers := parts(spec, key):
                known = {text(s, "name"): s for s in parts(status, statuses)}
                lines += ["", title, *_containers(containers, known, now)]
        lines += more
        lines += _volumes(spec)
        lines += uses_lines(pod.name, spec)
        lines += conditions_lines(status, now)
        lines += labels_lines(obj)
    lines += events_lines([event for event in snapshot.events.values() if _is_about(event, pod.uid, "pod", pod)], now)
    return "\n".join(lines)


def _bounds(used: float | None, request: float | None, limit: float | None) -> str:
    told = ((percent(share(used, request)), request, "request"), (percent(share(used, limit)), limit, "limit"))
    words = [f"{part} of its {name}" for part, bound, name in told if bound is not None and used is not None]
    missing = "" if limit is not None else "not all of it has a limit"
    return "".join(f", {word}" for word in (*words, missing) if word)


def _containers(containers: Iterable[Object], known: Mapping[str, Object], now: float) -> Iterator[str]:
    for container in containers:
        name = text(container, "name")
        yield f"  {name}  {text(container, 'image')}"
        resources = part(container, "resources")
        wanted = [
            f"{word} {_resources(part(resources, word))}" for word in ("requests", "limits") if resources.get(word)
        ]
        if wanted:
            yield f"    {'; '.join(wanted)}"
        for kind in ("startup", "readiness", "liveness"):
            if probe := part(container, f"{kind}Probe"):
                yield f"    {kind} probe: {_probe(probe)}"
        if mounts := parts(container, "volumeMounts"):
            yield f"    mounts {', '.join(_mount(mount) for mount in mounts)}"
        status = known.get(name)
        if status is None:
            yield "    no status yet"
            continue
        ready = "ready" if status.get("ready") is True else "not ready"
        yield f"    {_state(part(status, 'state'), now)}; {ready}, {whole(status, 'restartCount')} restarts"
        if last := part(status, "lastState"):
            yield f"    before that: {_state(last, now)}"


def _probe(probe: Object) -> str:
    """Return a probe in the words of kubectl describe."""
    if http := part(probe, "httpGet"):
        scheme, port = text(http, "scheme") or "HTTP", clean(str(http.get("port", "")))
        what = f"http-get {scheme.lower()}://{text(http, 'host')}:{port}{text(http, 'path')}"
    elif socket := part(probe, "tcpSocket"):
        what = f"tcp-socket {text(socket, 'host')}:{clean(str(socket.get('port', '')))}"
    elif grpc := part(probe, "grpc"):
        what = f"grpc :{whole(grpc, 'port')} {text(grpc, 'service')}".rstrip()
    else:
        words = part(probe, "exec").get("command")
        what = (
            f"exec {' '.join(clean(str(word)) for word in words)}" if isinstance(words, list) else "of a kind unknown"
        )
    delay, timeout = whole(probe, "initialDelaySeconds"), whole(probe, "timeoutSeconds", 1)
    period, failures = whole(probe, "periodSeconds", 10), whole(probe, "failureThreshold", 3)
    return f"{what} delay={delay}s timeout={timeout}s period={period}s #failure={failures}"


def _mount(mount: Object) -> str:
    return f"{text(mount, 'name')} at {text(mount, 'mountPath')}" + (" (ro)" if mount.get("readOnly") is True else "")


def _volumes(spec: Object) -> Iterator[str]:
    volumes = parts(spec, "volumes")
    if volumes:
        yield ""
        yield "Volumes"
    for volume in volumes:
        kind = next((key for key in volume if key != "name"), "unknown")
        source = part(volume, kind)
        of = next((named for key in ("claimName", "secretName", "name", "path") if (named := text(source, key))), "")
        yield f"  {text(volume, 'name')}  {clean(kind)} {of}".rstrip()


def _resources(amounts: Object) -> str:
    return ", ".join(f"{clean(str(key))} {clean(str(value))}" for key, value in amounts.items())


def _state(state: Object, now: float) -> str:
    if waiting := part(state, "waiting"):
        message = text(waiting, "message")
        return f"waiting: {text(waiting, 'reason')}" + (f": {message}" if message else "")
    if terminated := part(state, "terminated"):
        ended, begun = moment(terminated, "finishedAt"), moment(terminated, "startedAt")
        ran = f" after {age(ended - begun)}" if ended is not None and begun is not None else ""
        when = f", {age_since(ended, now)} ago" if ended is not None else ""
        message = text(terminated, "message")
        said = f": {message}" if message else ""
        signal = f", signal {whole(terminated, 'signal')}" if whole(terminated, "signal") else ""
        reason = text(terminated, "reason") or "no reason"
        return f"ended: {reason}, exit code {whole(terminated, 'exitCode')}{signal}{ran}{when}{said}"
    if running := part(state, "running"):
        return f"running for {age_since(moment(running, 'startedAt'), now)}"
    return "no state"


def conditions_lines(status: Object, now: float) -> Iterator[str]:
    """Yield the conditions of a status under their heading; nothing where there are none."""
    conditions = parts(status, "conditions")
    if conditions:
        yield ""
        yield "Conditions"
    for condition in conditions:
        said = " ".join(filter(None, (text(condition, "reason"), text(condition, "message"))))
        since = age_since(moment(condition, "lastTransitionTime"), now)
        yield f"  {text(condition, 'type'):<26} {text(condition, 'status'):<8} for {since:<8} {said}".rstrip()


def labels_lines(obj: Object) -> Iterator[str]:
    """Yield labels and annotations of an object under their headings."""
    metadata = part(obj, "metadata")
    for key in ("labels", "annotations"):
        if found := strings(metadata, key):
            yield ""
            yield key.capitalize()
            yield from (f"  {name}={value}" for name, value in sorted(found.items()))


def _is_about(event: Event, uid: str, kind: str, fact: Pod | Workload | Node) -> bool:
    if event.object_uid:
        return event.object_uid == uid
    return event.object == f"{kind}/{fact.name}" and event.namespace == getattr(fact, "namespace", event.namespace)


def events_lines(events: list[Event], now: float) -> Iterator[str]:
    """Yield events under their heading, newest first."""
    yield ""
    yield "Events, newest first" if events else "Events: none known"
    for event in sorted(events, key=lambda e: -(e.last_at or 0))[:_EVENTS]:
        times = f" ({event.count} times)" if event.count > 1 else ""
        yield f"  {age_since(event.last_at, now):>7} ago  {event.type}  {event.reason}: {event.message}{times}"


def owners_under(workload: Workload, snapshot: KubernetesSnapshot) -> frozenset[str]:
    """Return the uids that own a workload's pods: its own, its ReplicaSets', a CronJob's Jobs'."""
    below = (
        found.uid
        for family in (snapshot.replica_sets, snapshot.workloads)
        for found in family.values()
        if found.owner is not None and found.owner.uid == workload.uid
    )
    return frozenset((workload.uid, *below))


def workload_page(workload: Workload, obj: Object | None, snapshot: KubernetesSnapshot, now: float) -> str:
    """Return a workload in full, with its revisions and pods."""
    available = "" if workload.available is None else f", {workload.available} available"
    updated = "" if workload.updated is None else f", {workload.updated} up to date"
    lines = [
        f"{workload.kind:<11} {workload.namespace}/{workload.name}",
        f"state       {workload.ready_words()} ready{updated}{available} {workload.status}".rstrip(),
        *([f"problem     {workload.problem}"] if workload.problem else []),
        *([f"managed by  {workload.managed_by}"] if workload.managed_by else []),
        f"age         {age_since(workload.created_at, now)}",
        f"selector    {workload.selector or 'none'}",
        *(f"image       {name}: {image}" for name, image in zip(workload.containers, workload.images, strict=False)),
        f"uid         {workload.uid}",
    ]
    lines += [
        f"autoscaler  {found.name}: {found.min_replicas} to {found.max_replicas}, now {found.current_replicas}, "
        f"wants {found.desired_replicas}"
        for found in snapshot.autoscalers.values()
        if (found.namespace, found.target_kind, found.target_name) == (workload.namespace, workload.kind, workload.name)
    ]
    revisions = [r for r in snapshot.replica_sets.values() if r.owner is not None and r.owner.uid == workload.uid]
    if revisions:
        lines += ["", "Revisions"]
    for r in sorted(revisions, key=lambda r: -r.revision):
        made = f"{age_since(r.created_at, now):>7} ago"
        lines.append(f"  {r.revision:>4}  {r.ready}/{r.desired} ready  {made}  {', '.join(r.images)}  {r.name}")
    owners = owners_under(workload, snapshot)
    pods = sorted((p for p in snapshot.pods.values() if p.owner and p.owner.uid in owners), key=lambda p: p.name)
    lines += ["", f"Pods: {len(pods)}"]
    lines += [f"  {p.name}  {p.ready}/{p.containers}  {p.status}  {p.restarts} restarts  {p.node}" for p in pods]
    if obj is not None:
        job = part(obj, "spec", "jobTemplate")
        lines += uses_lines("", part(job or obj, "spec", "template", "spec"))
        lines += conditions_lines(part(obj, "status"), now)
        lines += labels_lines(obj)
    kind = workload.kind.lower()
    related = {workload.uid, *owners}
    lines += events_lines(
        [e for e in snapshot.events.values() if e.object_uid in related or _is_about(e, workload.uid, kind, workload)],
        now,
    )
    return "\n".join(lines)


def node_page(node: Node, obj: Object | None, snapshot: KubernetesSnapshot, now: float) -> str:
    """Return a node in full, with its pods."""
    usage = snapshot.metrics.nodes.get(node.name)
    pods = sorted((pod for pod in snapshot.pods.values() if pod.node == node.name), key=lambda p: p.path)
    lines = [
        f"status      {node.status} {' '.join(node.pressures)}".rstrip(),
        f"roles       {node.roles}",
        f"version     {node.version}, {node.os_image}",
        f"IP          {node.ip}",
        f"uses        CPU {cores(usage)} of {node.cpu_cores or 0:g} cores, memory {memory(usage)}",
        *_asked_for(node, [pod for pod in pods if pod.phase not in ("Succeeded", "Failed")]),
    ]
    if obj is not None:
        lines += [f"taint       {taint}" for taint in _taints(obj)]
        lines += conditions_lines(part(obj, "status"), now)
    lines += ["", f"Pods: {len(pods)}"]
    lines += [f"  {pod.path}  {pod.ready}/{pod.containers}  {pod.status}" for pod in pods]
    if obj is not None:
        lines += labels_lines(obj)
    lines += events_lines([e for e in snapshot.events.values() if _is_about(e, node.uid, "node", node)], now)
    return "\n".join(lines)


def _asked_for(node: Node, pods: Sequence[Pod]) -> Iterator[str]:
    """Yield how much of a node its pods ask for: what keeps others from it, whatever is used."""
    cpu = sum(pod.cpu_request_cores or 0.0 for pod in pods)
    memory_bytes = sum(pod.memory_request_bytes or 0.0 for pod in pods)
    yield f"asked for   CPU {cpu * 1000:.0f}m, {percent(share(cpu, node.cpu_cores))} of what is allocatable"
    yield f"            memory {size(memory_bytes)}, {percent(share(memory_bytes, node.memory_bytes))}"


def _taints(node: Object) -> Iterator[str]:
    """Yield a node's taints as kubectl writes them: `key=value:NoSchedule`."""
    for taint in parts(part(node, "spec"), "taints"):
        value = f"={text(taint, 'value')}" if text(taint, "value") else ""
        yield f"{text(taint, 'key')}{value}:{text(taint, 'effect')}"


def event_page(fold: Fold, now: float) -> str:
    """Return a fold of events in full."""
    event = fold.newest
    first = f"{clock(event.first_at)} ({age_since(event.first_at, now)} ago)" if event.first_at else "unknown"
    last = f"{clock(event.last_at)} ({age_since(event.last_at, now)} ago)" if event.last_at else "unknown"
    return "\n".join(
        (
            f"{event.type} {event.reason}",
            f"object      {event.namespace}/{event.object}",
            f"first seen  {first}",
            f"last seen   {last}",
            f"count       {fold.count} in {fold.events} events",
            f"reporter    {event.reporter}",
            "",
            event.message.replace("↵", "\n"),
        )
    )
