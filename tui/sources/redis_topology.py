"""Who belongs together: the nodes of a cluster, the masters that a sentinel watches. Pure."""

from dataclasses import dataclass

from tui.sources.redis_info import Info, integer
from tui.sources.text import clean

SLOTS = 16384


@dataclass(frozen=True, slots=True)
class Node:
    """One server that another one knows of."""

    id: str
    """CLUSTER NODES: its name, which outlives restarts; at a sentinel the master's name."""
    address: str
    role: str
    """`master` or `replica`."""
    master_id: str
    """Of a replica: whose; empty for a master."""
    state: str
    """`ok`, or what CLUSTER NODES or the sentinel says against it: `fail?`, `fail`, `handshake`, `odown`…"""
    slots: int
    """How many hash slots it serves."""
    is_self: bool
    """Whether it is the one that was asked."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """CLUSTER INFO."""

    state: str
    """`ok` or `fail`; empty when unknown."""
    slots_ok: int | None
    """Slots whose node answers."""


def cluster_info(raw: bytes) -> Cluster:
    """Return CLUSTER INFO."""
    info: dict[str, str] = {}
    for line in raw.removeprefix(b"txt:").decode(errors="replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            info[name] = clean(value.strip())
    return Cluster(info.get("cluster_state", ""), integer(info, "cluster_slots_ok"))


def cluster_nodes(raw: bytes) -> tuple[Node, ...]:
    """Return the lines of CLUSTER NODES, masters first, each with its replicas behind it; a broken line is left out."""
    found = [
        node
        for line in raw.removeprefix(b"txt:").decode(errors="replace").splitlines()
        if (node := _node(clean(line))) is not None
    ]
    masters = sorted((node for node in found if not node.master_id), key=lambda node: node.address)
    replicas = sorted((node for node in found if node.master_id), key=lambda node: node.address)
    ordered = [one for master in masters for one in (master, *(r for r in replicas if r.master_id == master.id))]
    return (*ordered, *(one for one in replicas if one not in ordered))


def _node(line: str) -> Node | None:
    parts = line.split(" ")
    if len(parts) < 8:
        return None
    name, address, flags, master, _ping, _pong, _epoch, link, *slots = parts
    known = flags.split(",")
    against = [flag for flag in known if flag not in ("myself", "master", "slave", "nofailover", "noflags")]
    if link != "connected" and "myself" not in known and not against:
        against = [link]
    return Node(
        name,
        address.partition("@")[0],
        "replica" if "slave" in known else "master",
        "" if master == "-" else master,
        ", ".join(against) or "ok",
        sum(_count(one) for one in slots),
        "myself" in known,
        "slots are being moved" if any(one.startswith("[") for one in slots) else "",
    )


def _count(slots: str) -> int:
    """Return how many slots `0-5460` or `7` are; none of one that is being moved (`[93->-…]`)."""
    first, dash, last = slots.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return 0
    return int(last) - int(first) + 1 if dash else 1


def watched(info: Info) -> tuple[Node, ...]:
    """Return the masters of a sentinel's INFO: `master0:name=…,status=ok,address=…,slaves=…,sentinels=…`."""
    found = []
    for name, value in info.items():
        if name.startswith("master") and name[6:].isdecimal():
            pairs = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
            note = f"{pairs.get('slaves', '?')} replicas, {pairs.get('sentinels', '?')} sentinels"
            state, place = pairs.get("status", "?"), pairs.get("address", "?")
            found.append(Node(pairs.get("name", "?"), place, "master", "", state, 0, False, note))
    return tuple(found)
