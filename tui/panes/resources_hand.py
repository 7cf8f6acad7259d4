"""The commands that show by hand what the Resources tab shows."""

import shlex
from collections.abc import Iterator

from profiles.schema import Profile
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
    """Return the `kubectl top` lines for the profile's cluster and namespaces."""
    cluster = profile.kubernetes
    options = []
    if cluster is not None and cluster.kubeconfig:
        options += ["--kubeconfig", cluster.kubeconfig]
    if cluster is not None and cluster.context:
        options += ["--context", cluster.context]
    if view == "nodes":
        return [shlex.join(["kubectl", *options, "top", "nodes"])]
    scopes = [["-n", namespace] for namespace in cluster.namespaces] if cluster and cluster.namespaces else [["-A"]]
    return [shlex.join(["kubectl", *options, "top", "pods", *scope]) for scope in scopes]
