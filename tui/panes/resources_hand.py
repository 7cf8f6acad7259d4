"""The commands that show by hand what the Resources tab shows."""

import shlex
from collections.abc import Iterator

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.sources.http_shown import shown_url


def metric_commands(profile: Profile) -> Iterator[str]:
    """Yield how each metric of the profile is read by hand; secrets are left out."""
    for metric in profile.metrics.values():
        if metric.prometheus is not None:
            server = profile.prometheus[metric.on or next(iter(profile.prometheus))]
            url = f"{shown_url(server.url, server.url).rstrip('/')}/api/v1/query"
            yield shlex.join(["curl", "-sG", url, "--data-urlencode", f"query={metric.prometheus}"])
        elif metric.json_ is not None:
            yield " | ".join(map(shlex.join, (_curl(metric.json_), ["jp", metric.path or ""])))
        elif metric.text is not None:
            yield " | ".join(map(shlex.join, (_curl(metric.text), ["grep", f"^{metric.series}"])))
        elif metric.sql is not None:
            yield shlex.join(["psql", "-c", metric.sql])
        elif metric.redis is not None:
            yield shlex.join(["redis-cli", *metric.redis])


def _curl(url: str) -> list[str]:
    return ["curl", "-s", shown_url(url, url)]


def kubectl_top(profile: Profile, view: str) -> list[str]:
    """Return the `kubectl top` lines for the profile's clusters and namespaces."""
    every = profile.every_cluster.values() or (Kubernetes(),)
    return [shlex.join(["kubectl", *words]) for cluster in every for words in _top(cluster, view)]


def _top(cluster: Kubernetes, view: str) -> Iterator[list[str]]:
    options = ["--kubeconfig", cluster.kubeconfig] if cluster.kubeconfig else []
    options += ["--context", cluster.context] if cluster.context else []
    if view == "nodes":
        yield [*options, "top", "nodes"]
        return
    for scope in [["-n", namespace] for namespace in cluster.namespaces] or [["-A"]]:
        yield [*options, "top", "pods", *scope]
