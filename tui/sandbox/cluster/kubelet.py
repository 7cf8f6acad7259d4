"""The kubelets: the life of a pod on its node, from the first container to the last."""

from __future__ import annotations

from collections.abc import Callable

from tui.sandbox.cluster import nodes, writes
from tui.sandbox.cluster import pod_status as status
from tui.sandbox.cluster.behaviour import Behaviour, Behaviours
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import NODES, PODS, Object
from tui.sandbox.cluster.shapes import set_condition
from tui.sandbox.cluster.store import Change, Store

FIRST_BACK_OFF_S = 10.0
LONGEST_BACK_OFF_S = 300.0
PROBE_S = 10.0
TOLERATION_S = 300.0
HEARTBEAT_S = 300.0


class Kubelet:
    """All kubelets in one; pods whose status somebody else wrote are left alone until they are deleted."""

    def __init__(self, store: Store, recorder: Recorder, behaviours: Behaviours) -> None:
        self._store = store
        self._recorder = recorder
        self._behaviours = behaviours
        self._clock = store.clock
        self._mine: set[str] = set()
        self._stopping: set[str] = set()
        self._images: set[tuple[str, str]] = set()
        self.down: set[str] = set()
        """Nodes whose kubelet does not answer."""
        store.listen(PODS, self._on_pod)

    def adopt(self) -> None:
        """Take on what runs already (a population)."""
        for pod in self._store.things(PODS):
            self._mine.add(pod["metadata"]["uid"])
            for container in pod["spec"]["containers"]:
                self._images.add((pod["spec"].get("nodeName", ""), container.get("image", "")))

    def beat(self) -> None:
        """Renew the nodes' heartbeats, now and every five minutes."""
        for node in list(self._store.things(NODES)):
            if node["metadata"]["name"] not in self.down:
                nodes.beat(self._store, node["metadata"]["name"], self._clock.stamp())
        self._clock.after(HEARTBEAT_S, self.beat)

    def crash(self, pod: Object, container: str = "") -> None:
        """End a running container now; afterwards it fares as the pod's behaviour says."""
        self._mine.add(pod["metadata"]["uid"])
        self._exit(pod["metadata"]["uid"], _key(pod), container or pod["spec"]["containers"][0]["name"], -1)

    def wedge(self, pod: Object) -> None:
        """Let the readiness probe of a pod's first container fail now; afterwards it fares as its behaviour says."""
        uid, key, name = pod["metadata"]["uid"], _key(pod), pod["spec"]["containers"][0]["name"]
        self._mine.add(uid)
        self._change(pod, lambda copy: status.container_status(copy, name).update(ready=False))
        self._probe(uid, key, name, self._run_number(uid, key, name))

    def lose(self, pod: Object) -> None:
        """Mark a pod whose node does not answer: unready now, deleted (but never gone) after 5 minutes."""
        now = self._clock.stamp()

        def mark(copy: Object) -> None:
            set_condition(copy["status"], "Ready", "False", now)

        self._store.modify(PODS, *_key(pod), mark)
        self._clock.after(TOLERATION_S, self._evict_lost, pod["metadata"]["uid"], _key(pod))

    def regain(self, pod: Object) -> None:
        """Take a pod back whose node answers again."""
        if "deletionTimestamp" in pod["metadata"]:
            self._stop(pod)
        else:
            self._change(pod, lambda copy: None)

    def _evict_lost(self, uid: str, key: tuple[str, str]) -> None:
        pod = self._store.find(PODS, *key)
        if pod is not None and pod["metadata"]["uid"] == uid and pod["spec"].get("nodeName") in self.down:
            self._recorder.normal(
                pod, "TaintManagerEviction", f"Marking for deletion Pod {key[0]}/{key[1]}", "taint-eviction-controller"
            )
            writes.discard(self._store, PODS, pod, {})

    # -- arrival ------------------------------------------------------------------------------------------

    def _on_pod(self, change: Change) -> None:
        pod = change.entry.thing
        uid = pod["metadata"]["uid"]
        if change.type == "DELETED":
            self._mine.discard(uid)
            self._stopping.discard(uid)
        elif "deletionTimestamp" in pod["metadata"]:
            if uid not in self._stopping and pod["spec"].get("nodeName") not in self.down:
                self._stop(pod)
        elif uid not in self._mine and pod["spec"].get("nodeName") and _is_fresh(pod):
            self._mine.add(uid)
            self._clock.after(0.15, self._admit, uid, _key(pod))

    def _admit(self, uid: str, key: tuple[str, str]) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        node = self._store.find(NODES, "", pod["spec"]["nodeName"])
        address = nodes.internal_ip(node) if node else "10.0.0.1"
        self._change(pod, lambda copy: status.begin(copy, address, self._clock.stamp()))
        self._clock.after(0.5, self._connect, uid, key)

    def _connect(self, uid: str, key: tuple[str, str]) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        node = self._store.find(NODES, "", pod["spec"]["nodeName"])
        address = nodes.pod_ip(node or {"spec": {}}, self._store)

        def connect(copy: Object) -> None:
            copy["status"]["podIP"], copy["status"]["podIPs"] = address, [{"ip": address}]

        self._change(pod, connect)
        self._next_init(uid, key, 0)

    def _next_init(self, uid: str, key: tuple[str, str], number: int) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        inits = pod["spec"].get("initContainers") or ()
        if number >= len(inits):
            for container in pod["spec"]["containers"]:
                self._pull(uid, key, container["name"])
            return
        container = inits[number]
        is_sidecar = container.get("restartPolicy") == "Always"
        self._started_events(pod, container["name"], container.get("image", ""), "initContainers")
        self._change(
            pod, lambda copy: status.set_running(copy, container["name"], self._clock.stamp(), is_ready=is_sidecar)
        )
        if is_sidecar:
            self._next_init(uid, key, number + 1)
        else:
            self._clock.after(1.5, self._end_init, uid, key, number)

    def _end_init(self, uid: str, key: tuple[str, str], number: int) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        name = pod["spec"]["initContainers"][number]["name"]

        def end(copy: Object) -> None:
            status.set_ended(copy, name, self._clock.stamp(), 0, "Completed")
            status.container_status(copy, name)["ready"] = True

        self._change(pod, end)
        self._next_init(uid, key, number + 1)

    # -- images -------------------------------------------------------------------------------------------

    def _pull(self, uid: str, key: tuple[str, str], name: str, attempt: int = 0) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        behaviour, image = self._behaviours.of(pod, name), _image(pod, name)
        path = f"spec.containers{{{name}}}"
        if behaviour.pull == "missing":
            self._fail_pull(pod, name, image, attempt)
        elif behaviour.pull == "unconfigured":
            message = f'configmap "{pod["metadata"]["labels"].get("app", "app")}-settings" not found'
            self._change(pod, lambda copy: status.set_waiting(copy, name, "CreateContainerConfigError", message))
            self._warn(pod, "Failed", f"Error: {message}", path)
            self._clock.after(PROBE_S, self._pull, uid, key, name, attempt + 1)
        elif (pod["spec"]["nodeName"], image) in self._images:
            self._say(pod, "Pulled", f'Container image "{image}" already present on machine', path)
            self._start(uid, key, name)
        else:
            self._say(pod, "Pulling", f'Pulling image "{image}"', path)
            self._clock.after(behaviour.pull_s, self._pulled, uid, key, name, behaviour.pull_s)

    def _pulled(self, uid: str, key: tuple[str, str], name: str, took_s: float) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        image = _image(pod, name)
        self._images.add((pod["spec"]["nodeName"], image))
        text = f'Successfully pulled image "{image}" in {took_s * 1000:.0f}ms ({took_s * 1000:.0f}ms including waiting)'
        self._say(pod, "Pulled", text, f"spec.containers{{{name}}}")
        self._start(uid, key, name)

    def _fail_pull(self, pod: Object, name: str, image: str, attempt: int) -> None:
        path = f"spec.containers{{{name}}}"
        why = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
        self._change(pod, lambda copy: status.set_waiting(copy, name, "ErrImagePull", why))
        self._say(pod, "Pulling", f'Pulling image "{image}"', path)
        self._warn(pod, "Failed", f'Failed to pull image "{image}": {why}', path)
        self._warn(pod, "Failed", "Error: ErrImagePull", path)
        self._clock.after(3.0, self._back_off_pull, pod["metadata"]["uid"], _key(pod), name, attempt)

    def _back_off_pull(self, uid: str, key: tuple[str, str], name: str, attempt: int) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        image, path = _image(pod, name), f"spec.containers{{{name}}}"
        message = f'Back-off pulling image "{image}"'
        self._change(pod, lambda copy: status.set_waiting(copy, name, "ImagePullBackOff", message))
        self._say(pod, "BackOff", message, path)
        self._warn(pod, "Failed", "Error: ImagePullBackOff", path)
        self._clock.after(back_off_s(attempt), self._pull, uid, key, name, attempt + 1)

    # -- running ------------------------------------------------------------------------------------------

    def _start(self, uid: str, key: tuple[str, str], name: str) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        behaviour = self._behaviours.of(pod, name)
        has_probe = any(c["name"] == name and "readinessProbe" in c for c in pod["spec"]["containers"])
        is_ready = not has_probe and behaviour.ready_s is not None
        self._started_events(pod, name, "", "containers")
        self._change(pod, lambda copy: status.set_running(copy, name, self._clock.stamp(), is_ready=is_ready))
        run = self._run_number(uid, key, name)
        if not is_ready:
            first_s = PROBE_S if behaviour.ready_s is None else behaviour.ready_s
            self._clock.after(first_s, self._probe, uid, key, name, run)
        if behaviour.run_s is not None:
            self._clock.after(behaviour.run_s, self._exit, uid, key, name, run)

    def _probe(self, uid: str, key: tuple[str, str], name: str, run: int) -> None:
        pod = self._alive(uid, key)
        if pod is None or run != self._run_number(uid, key, name):
            return
        entry = status.container_status(pod, name)
        if "running" not in entry["state"] or entry["ready"]:
            return
        if self._behaviours.of(pod, name).ready_s is None:
            text = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            self._warn(pod, "Unhealthy", text, f"spec.containers{{{name}}}")
            self._clock.after(PROBE_S, self._probe, uid, key, name, run)
        else:
            self._change(pod, lambda copy: status.container_status(copy, name).update(ready=True))

    def _exit(self, uid: str, key: tuple[str, str], name: str, run: int) -> None:
        pod = self._alive(uid, key)
        if pod is None or (run >= 0 and run != self._run_number(uid, key, name)):
            return
        entry = status.container_status(pod, name)
        if "running" not in entry["state"]:
            return
        behaviour = self._behaviours.of(pod, name)
        if behaviour.run_s is None:
            behaviour = Behaviour(exit_code=1, reason="Error")
        self._change(
            pod,
            lambda copy: status.set_ended(copy, name, self._clock.stamp(), behaviour.exit_code, behaviour.reason),
        )
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy == "Always" or (policy == "OnFailure" and behaviour.exit_code):
            self._clock.after(1.0, self._restart, uid, key, name, entry["restartCount"])

    def _restart(self, uid: str, key: tuple[str, str], name: str, restarts: int) -> None:
        pod = self._alive(uid, key)
        if pod is None:
            return
        if restarts == 0:
            self._pull(uid, key, name)
            return
        delay_s = back_off_s(restarts - 1)
        where = f"pod={key[1]}_{key[0]}({uid})"
        message = f"back-off {delay_s:.0f}s restarting failed container={name} {where}"

        def wait(copy: Object) -> None:
            status.keep_last(status.container_status(copy, name))
            status.set_waiting(copy, name, "CrashLoopBackOff", message)

        self._change(pod, wait)
        text = f"Back-off restarting failed container {name} in pod {key[1]}_{key[0]}({uid})"
        self._warn(pod, "BackOff", text, f"spec.containers{{{name}}}")
        self._clock.after(delay_s, self._pull, uid, key, name)

    # -- departure ----------------------------------------------------------------------------------------

    def _stop(self, pod: Object) -> None:
        uid, key = pod["metadata"]["uid"], _key(pod)
        self._stopping.add(uid)
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds", 30))
        asked = self._behaviours.of(pod).stop_s if pod["spec"].get("containers") else 0.0
        for container in pod["spec"].get("containers") or ():
            path = f"spec.containers{{{container['name']}}}"
            self._say(pod, "Killing", f"Stopping container {container['name']}", path)
        self._clock.after(grace if asked is None else min(asked, grace), self._end, uid, key)

    def _end(self, uid: str, key: tuple[str, str]) -> None:
        pod = self._store.find(PODS, *key)
        if pod is None or pod["metadata"]["uid"] != uid:
            return

        def end(copy: Object) -> None:
            for entry in copy["status"].get("containerStatuses") or ():
                if "running" in entry["state"]:
                    status.set_ended(copy, entry["name"], self._clock.stamp(), 0, "Completed")

        if pod["status"].get("containerStatuses") and pod["status"].get("phase") == "Running":
            self._change(pod, end)
        self._clock.after(0.3, self._remove, uid, key)

    def _remove(self, uid: str, key: tuple[str, str]) -> None:
        pod = self._store.find(PODS, *key)
        if pod is not None and pod["metadata"]["uid"] == uid and not pod["metadata"].get("finalizers"):
            self._store.remove(PODS, *key)

    # -- inside -------------------------------------------------------------------------------------------

    def _alive(self, uid: str, key: tuple[str, str]) -> Object | None:
        pod = self._store.find(PODS, *key)
        if pod is None or pod["metadata"]["uid"] != uid or "deletionTimestamp" in pod["metadata"]:
            return None
        is_over = pod["status"].get("phase") in ("Succeeded", "Failed")
        return None if is_over or pod["spec"].get("nodeName") in self.down else pod

    def _run_number(self, uid: str, key: tuple[str, str], name: str) -> int:
        pod = self._alive(uid, key)
        return status.container_status(pod, name)["restartCount"] if pod else -1

    def _change(self, pod: Object, change: Callable[[Object], None]) -> None:
        def apply(copy: Object) -> None:
            change(copy)
            status.conclude(copy, self._clock.stamp())

        self._store.modify(PODS, *_key(pod), apply)

    def _started_events(self, pod: Object, name: str, image: str, kind: str) -> None:
        path = f"spec.{kind}{{{name}}}"
        if image:
            self._say(pod, "Pulled", f'Container image "{image}" already present on machine', path)
        self._say(pod, "Created", f"Created container: {name}", path)
        self._say(pod, "Started", f"Started container {name}", path)

    def _say(self, pod: Object, reason: str, message: str, path: str) -> None:
        host = pod["spec"].get("nodeName", "")
        self._recorder.normal(pod, reason, message, "kubelet", host=host, field_path=path)

    def _warn(self, pod: Object, reason: str, message: str, path: str) -> None:
        host = pod["spec"].get("nodeName", "")
        self._recorder.warning(pod, reason, message, "kubelet", host=host, field_path=path)


def back_off_s(failures: int) -> float:
    """Return how long a kubelet waits after so many failures: 10 s, doubling, at most 5 minutes."""
    return min(FIRST_BACK_OFF_S * float(1 << min(failures, 10)), LONGEST_BACK_OFF_S)


def _key(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _image(pod: Object, name: str) -> str:
    return str(next(c.get("image", "") for c in pod["spec"]["containers"] if c["name"] == name))


def _is_fresh(pod: Object) -> bool:
    state = pod.get("status") or {}
    return state.get("phase") == "Pending" and not state.get("startTime")
