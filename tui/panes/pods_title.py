"""What the line above the tables of the Pods tab says of a cluster, and the notice when not all of it is seen. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from profiles.systems import Kubernetes
from tui.panes.failing import clock
from tui.panes.pods_choice import Choice
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from widgets.segment_line import Segment


def place_segments(every: Sequence[str], cluster: str, words: str) -> list[Segment]:
    """Return which of several clusters this is, by the words people have for it; nothing where there is only one."""
    if len(every) < 2:
        return []
    place = f"{every.index(cluster) + 1}/{len(every)} ([ ])"
    return [Segment(f" {words} ", "accent", reverse=True), Segment(place, "dim", priority=1)]


def title_segments(snapshot: KubernetesSnapshot | None, choice: Choice, within: str = "") -> list[Segment]:
    """Return which cluster this is, who we are there, and what part of it is shown.

    `within` is the namespace of the one thing that is open: its name alone does not say which it is.
    """
    if snapshot is None:
        return [Segment("waiting", "dim")]
    watched = f"namespaces {', '.join(snapshot.namespaces)}" if snapshot.namespaces else "all namespaces"
    one = within or choice.namespace
    return [
        Segment(snapshot.context),
        Segment(snapshot.server_version, "dim", priority=3),
        Segment(f"as {snapshot.user}" if snapshot.user else "", "dim", priority=2),
        Segment(f"namespace {one}", "accent") if one else Segment(watched, "dim", priority=2),
        *(Segment(words, "accent") for words in replace(choice, namespace="").words()),
    ]


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
