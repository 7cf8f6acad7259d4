"""Which of several clusters a change is for: facts of a cluster do not know, whoever shows them does."""

from dataclasses import replace

from tui.actions.action import Request


def in_cluster(request: Request, source: str) -> Request:
    """Return the request for the same object in the cluster of that source, the only one its identity is good for."""
    if request.target.source == source:
        return request
    return replace(request, target=replace(request.target, source=source))
