"""The `/proxy` subresource of pods: the API server asks a pod for us."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import PODS, Object
from tui.sandbox.cluster.shapes import is_ready
from tui.sandbox.cluster.store import Store

PORT = "8080"
"""The port on which the pods' apps listen."""
Health = Callable[[str], tuple[int, dict[str, object]] | None]
"""Returns status and health document of an app by its label; None of one that answers nothing."""


class PodProxy:
    """Answers for pods; `health` says what their apps would."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.health: Health = lambda app: None

    async def answer(self, call: Call) -> web.Response:
        """Answer `GET pods/NAME:PORT/proxy/health` as the pod would.

        Raises:
            ApiError: 404, no such pod; 503, nothing listens there.
        """
        name, _, port = call.name.removeprefix("https:").partition(":")
        pod = self._store.get(PODS, call.namespace, name)
        found = self.health(pod["metadata"].get("labels", {}).get("app", ""))
        if found is None or port != PORT or not _runs(pod):
            address = f"{pod.get('status', {}).get('podIP', '')}:{port or 80}"
            told = f"error trying to reach service: dial tcp {address}: connect: connection refused"
            raise ApiError(503, "ServiceUnavailable", told)
        if call.rest.partition("?")[0] != "health":
            return web.Response(status=404, text="404: Not Found")
        if not is_ready(pod):
            return web.json_response({"status": "DOWN", "components": {"workers": {"status": "DOWN"}}}, status=503)
        status, document = found
        return web.json_response(document, status=status)


def _runs(pod: Object) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return any("running" in status.get("state", {}) for status in statuses)
