"""What programs find inside a simulated container: its files, processes, disks and neighbours."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.clock import parse_time
from tui.sandbox.cluster.holding import Account, limit_millis
from tui.sandbox.cluster.problems import bad_request
from tui.sandbox.cluster.programs import Container
from tui.sandbox.cluster.resources import PODS, SERVICES, Object
from tui.sandbox.cluster.shapes import is_active, is_ready
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage

_V1_NODES = frozenset({"node-3"})
"""Nodes of old, with cgroup v1."""
_BARE = frozenset({"ps", "sh", "wget", "df", "stty"})
"""What images without a distribution lack."""
_BARE_APPS = frozenset({"node-agent"})
_PERIOD_US = 100_000
_SUFFIXES = (".svc.cluster.local", ".svc", "")


def container_name(pod: Object, asked: str) -> str:
    """Return the container that is meant, the only one where none is named.

    Raises:
        ApiError: 400, there is no such container, or there are several.
    """
    names = [c["name"] for c in pod["spec"].get("containers") or ()]
    inits = [c["name"] for c in pod["spec"].get("initContainers") or ()]
    pod_name = pod["metadata"]["name"]
    if not asked:
        if len(names) == 1:
            return str(names[0])
        text = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
        raise bad_request(text + (f" or one of the init containers: [{' '.join(inits)}]" if inits else ""))
    debuggers = [c["name"] for c in pod["spec"].get("ephemeralContainers") or ()]
    if asked not in names + inits + debuggers:
        raise bad_request(f"container {asked} is not valid for pod {pod_name}")
    return asked


def container_status(pod: Object, name: str) -> dict[str, Any]:
    """Return a container's entry in the pod's status; empty where there is none yet."""
    status = pod.get("status") or {}
    kinds = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return next((entry for kind in kinds for entry in status.get(kind) or () if entry["name"] == name), {})


def running_since(pod: Object, name: str) -> str:
    """Return when the container that runs now was started; empty when none runs."""
    running = (container_status(pod, name).get("state") or {}).get("running") or {}
    return str(running.get("startedAt", ""))


def inside(store: Store, usage: Usage, pod: Object, name: str) -> Container:
    """Return what programs see of a running container."""
    meta, now = pod["metadata"], store.clock.now()
    spec = next(c for c in pod["spec"]["containers"] + (pod["spec"].get("initContainers") or []) if c["name"] == name)
    app = (meta.get("labels") or {}).get("app", "")
    alive_s = (now - (parse_time(running_since(pod, name)) or now)).total_seconds()
    millis = usage.cpu_millis(pod, now)
    is_v1 = pod["spec"].get("nodeName") in _V1_NODES
    cpu_us = int(millis * 1000 * alive_s)
    limit = limit_millis(spec)
    account = usage.holding.account(pod, spec, running_since(pod, name))
    files = _cgroup(is_v1, cpu_us, limit, account, int(usage.memory_bytes(pod, now)))
    search = f"{meta['namespace']}.svc.cluster.local svc.cluster.local cluster.local"
    files |= {
        "/etc/hostname": f"{meta['name']}\n",
        "/etc/hosts": f"127.0.0.1\tlocalhost\n{(pod.get('status') or {}).get('podIP', '')}\t{meta['name']}\n",
        "/etc/os-release": 'ID=alpine\nPRETTY_NAME="Alpine Linux v3.22"\n',
        "/etc/resolv.conf": f"search {search}\nnameserver 10.96.0.10\noptions ndots:5\n",
        "/proc/1/stat": f"1 ({app or name}) S 0 1 1 0 -1 4194560 0 0 0 0 {cpu_us // 10_000} 0 0 0 20 0 9 0 1 0 9000\n",
    }

    def resolve(host: str) -> str | None:
        service = _service(store, host, meta["namespace"])
        return None if service is None else _address(store, service)

    def reach(host: str, port: int) -> str:
        service = _service(store, host, meta["namespace"])
        if service is None or port not in {p["port"] for p in service["spec"].get("ports") or ()}:
            return "Connection refused"
        return "" if _serving(store, service) else "Connection refused"

    clock = f"{cpu_us // 60_000_000}:{cpu_us // 1_000_000 % 60:02d}"
    return Container(
        hostname=meta["name"],
        image=spec.get("image", ""),
        files=files,
        variables={"HOSTNAME": meta["name"], "KUBERNETES_SERVICE_HOST": "10.96.0.1", "PATH": "/usr/bin:/bin"}
        | {entry["name"]: entry.get("value", "") for entry in spec.get("env") or ()},
        processes=((1, "app", clock, f"/usr/bin/{app or name} --listen :8080"), (29, "app", "0:00", "ps")),
        disks=(
            ("overlay", 103_080_888, 41_232_356, "/"),
            ("tmpfs", 65_536, 0, "/dev"),
            ("/dev/vda1", 103_080_888, 41_232_356, "/etc/hosts"),
            ("tmpfs", 16_384, 12, "/run/secrets/kubernetes.io/serviceaccount"),
        ),
        resolve=resolve,
        reach=reach,
        missing=_BARE if app in _BARE_APPS else frozenset(),
    )


def _cgroup(is_v1: bool, cpu_us: int, limit: int, account: Account, memory: int) -> dict[str, str]:
    """Return the accounts of a control group."""
    quota = limit * _PERIOD_US // 1000
    periods, held = int(account.periods), int(account.held)
    if is_v1:
        return {
            "/sys/fs/cgroup/cpu/cpu.stat": f"nr_periods {periods}\nnr_throttled {held}\n"
            f"throttled_time {held * 31_000_000}\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": f"{quota or -1}\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": f"{_PERIOD_US}\n",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes": f"{memory}\n",
        }
    return {
        "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
        "/sys/fs/cgroup/cpu.stat": f"usage_usec {cpu_us}\nuser_usec {cpu_us * 4 // 5}\nsystem_usec {cpu_us // 5}\n"
        f"nr_periods {periods}\nnr_throttled {held}\nthrottled_usec {held * 31_000}\n",
        "/sys/fs/cgroup/cpu.max": f"{quota or 'max'} {_PERIOD_US}\n",
        "/sys/fs/cgroup/memory.current": f"{memory}\n",
        "/sys/fs/cgroup/memory.max": "max\n",
    }


def _service(store: Store, host: str, namespace: str) -> Object | None:
    for suffix in _SUFFIXES:
        if host.endswith(suffix):
            name, _, elsewhere = host.removesuffix(suffix).partition(".")
            return store.find(SERVICES, elsewhere or namespace, name)
    return None


def _serving(store: Store, service: Object) -> list[Object]:
    wanted = (service["spec"].get("selector") or {}).items()
    pods = store.things(PODS, service["metadata"]["namespace"]) if wanted else ()
    return [p for p in pods if wanted <= (p["metadata"].get("labels") or {}).items() and is_active(p) and is_ready(p)]


def _address(store: Store, service: Object) -> str | None:
    address = str(service["spec"].get("clusterIP", ""))
    if address and address != "None":
        return address
    found = _serving(store, service)
    return str(found[0]["status"]["podIP"]) if found else None
