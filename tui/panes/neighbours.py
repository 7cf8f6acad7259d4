"""Who is who across systems, by address: the pod behind a database's or Redis' client, and the clients of a pod. Pure.

An address says who connects only where nothing rewrites it on the way; what stands here says so where it may not.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.reading import Reading
from tui.sources.redis_snapshot import RedisSnapshot

_MOST = 8


def host_of(address: str) -> str:
    """Return the IP address of `address:port`, `[address]:port` or a bare one; empty for anything else."""
    for written in (address, address.rpartition(":")[0].strip("[]")):
        try:
            found = ip_address(written)
        except ValueError:
            continue
        mapped = getattr(found, "ipv4_mapped", None)
        return str(mapped or found)
    return ""


def behind(address: str, readings: Iterable[Reading[Any]]) -> str:
    """Return which pod, or else which node, has the address of a client; empty where no cluster knows it."""
    if not (host := host_of(address)):
        return ""
    clusters = [
        (r.source.partition(":")[2], r.snapshot) for r in readings if isinstance(r.snapshot, KubernetesSnapshot)
    ]
    # Several clusters may give their pods the same addresses: then each that knows this one says so.
    told = ((name or snapshot.context, _known(host, snapshot)) for name, snapshot in clusters)
    return "; ".join(f"{words} in {name}" if len(clusters) > 1 else words for name, words in told if words)


def _known(host: str, snapshot: KubernetesSnapshot) -> str:
    """Return which pod, or else which node, of a cluster has an address; empty where it has none."""
    node = next((one.name for one in snapshot.nodes.values() if one.ip == host), "")
    pods = [pod for pod in snapshot.pods.values() if pod.ip == host and pod.phase == "Running"]
    if node:
        # Pods on the host network share the node's address, and it is what a NAT shows.
        return f"node {node}: one of its own programs, of its pods on the host network, or any behind its address"
    if len(pods) == 1:
        (pod,) = pods
        above = snapshot.workload_of(pod)
        of = f" of {above.kind}/{above.name}" if above is not None else ""
        return f"pod {pod.path}{of}, {pod.ready}/{pod.containers} {pod.status}, on {pod.node}"
    if pods:
        return f"one of the pods {', '.join(sorted(pod.path for pod in pods)[:_MOST])}"
    return ""


def clients_at(address: str, readings: Iterable[Reading[Any]]) -> list[str]:
    """Return the sessions and connections that come from an address, with what they do; empty where there are none."""
    if not (host := host_of(address)):
        return []
    return [line for reading in readings for line in _clients(host, reading)]


def _clients(host: str, reading: Reading[Any]) -> Iterator[str]:
    snapshot, name = reading.snapshot, reading.source.partition(":")[2]
    match snapshot:
        case DatabaseSnapshot():
            sessions = [one for one in snapshot.sessions if host_of(one.client) == host]
            if sessions:
                yield f"database {name}: {len(sessions)} sessions"
            for session in sorted(sessions, key=lambda one: (one.state != "active", -(one.transaction_s or 0)))[:_MOST]:
                open_for = f", in a transaction for {session.transaction_s:.0f} s" if session.transaction_s else ""
                waits = f", waits behind {', '.join(map(str, session.blockers))}" if session.blockers else ""
                who = f"{session.role or '–'}@{session.database or '–'} {session.application}".rstrip()
                yield f"  pid {session.pid}  {who}  {session.state or '–'}{open_for}{waits}"
        case RedisSnapshot(clients=clients) if clients is not None:
            found = [one for one in clients if host_of(one.addr) == host]
            if found:
                yield f"redis {name}: {len(found)} clients"
            for client in sorted(found, key=lambda one: one.idle_s)[:_MOST]:
                yield f"  id {client.id}  {client.name or client.lib or '–'}  {client.cmd}, idle for {client.idle_s} s"
