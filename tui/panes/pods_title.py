"""What the line above the tables of the Pods tab says of a cluster, and the notice when not all of it is seen. Pure."""

from profiles.schema import Kubernetes
from tui.panes.failing import clock
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from widgets.segment_line import Segment


def guard_segments(entry: Kubernetes | None) -> list[Segment]:
    """Return that this cluster is held tighter than the profile; nothing where it is not."""
    if entry is None or not (entry.guards.locked or entry.guards.read_only):
        return []
    return [Segment("LOCKED" if entry.guards.locked else "READ-ONLY UNTIL ARMED", "warn")]


def partial_words(snapshot: KubernetesSnapshot) -> str:
    """Return what of the cluster is not seen, and since when; empty when all is."""
    if not snapshot.notes:
        return ""
    since = [health.since for health in snapshot.health.values() if health.since is not None]
    when = f" (since {clock(min(since))})" if since else ""
    return f"partial: {'; '.join(snapshot.notes)}{when}"
