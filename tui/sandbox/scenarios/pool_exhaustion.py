"""A new deployment whose pods leak database sessions until the server has none left for anybody else.

Scaling it to 0, restarting it or deleting its pods closes their sessions; pods that come later are well. The leak
ends for good, too, when somebody terminates one of its sessions. The deployment stays until the scenario ends.
"""

import asyncio

import asyncpg

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.population import template
from tui.sandbox.cluster.resources import DEPLOYMENTS
from tui.sandbox.connections import LOST, Connection
from tui.sandbox.scenarios.sessions import Sessions
from tui.sandbox.scenarios.stage import Stage, until_cancelled

NAMESPACE, DEPLOYMENT = "shop", "reporting-worker"
"""The latter is the application name of its sessions as well."""
REPLICAS = 2
_MOST_PER_POD = 60
_BURST_PER_POD = 35
_BURST_EVERY_S, _TRICKLE_EVERY_S = 0.05, 0.5
"""First fast, for nobody likes to wait; then slowly, so that the warning comes before the alarm."""
_STARVED = "checkout"
"""The application whose sessions come up for renewal meanwhile; those of the service orders."""
_LAST_WORDS = "SELECT count(*), sum(total_cents) FROM orders WHERE placed_at > now() - interval '1 day'"


async def run(stage: Stage) -> None:
    """Deploy the leaking worker, let it leak, and take it away at the end."""
    _deploy(stage)
    try:
        await stage.cluster.until(lambda: len(stage.cluster.serving(NAMESPACE, DEPLOYMENT)) == REPLICAS)
        async with Sessions(stage.base) as sessions:
            await _Leak(stage, sessions).run()
        await until_cancelled()
    finally:
        found = stage.cluster.store.find(DEPLOYMENTS, NAMESPACE, DEPLOYMENT)
        if found is not None:
            writes.discard(stage.cluster.store, DEPLOYMENTS, found, {})


def _deploy(stage: Stage) -> None:
    resources = {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "96Mi"}}
    body = template(DEPLOYMENT, f"registry.example/shop/{DEPLOYMENT}:0.3.0", resources=resources)
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": {"app": DEPLOYMENT}}, "template": body}
    meta = {"name": DEPLOYMENT, "namespace": NAMESPACE, "labels": {"app": DEPLOYMENT}}
    deployment = {"metadata": meta, "spec": spec}
    fill(DEPLOYMENTS, deployment)
    stage.cluster.store.insert(DEPLOYMENTS, deployment)


class _Leak:
    """The sessions of the pods that leak, by their uids."""

    def __init__(self, stage: Stage, sessions: Sessions) -> None:
        self._stage = stage
        self._sessions = sessions
        self._held: dict[str, list[Connection]] = {
            pod["metadata"]["uid"]: [] for pod in stage.cluster.serving(NAMESPACE, DEPLOYMENT)
        }
        self._is_leaking = True

    async def run(self) -> None:
        """Leak; over when the last leaked session is gone."""
        while self._held and (self._is_leaking or any(self._held.values())):
            self._end_of_pods()
            self._terminated()
            is_fast = self._is_leaking and await self._leak()
            await asyncio.sleep(_BURST_EVERY_S if is_fast else _TRICKLE_EVERY_S)

    def _end_of_pods(self) -> None:
        """Close the sessions of pods that are no longer there."""
        serving = {pod["metadata"]["uid"] for pod in self._stage.cluster.serving(NAMESPACE, DEPLOYMENT)}
        for uid in self._held.keys() - serving:
            for connection in self._held.pop(uid):
                connection.terminate()

    def _terminated(self) -> None:
        """Notice that somebody has ended sessions; the workers give up then."""
        for uid, connections in self._held.items():
            left = [connection for connection in connections if not connection.is_closed()]
            self._is_leaking = self._is_leaking and len(left) == len(connections)
            self._held[uid] = left

    async def _leak(self) -> bool:
        """Open one more session, or starve the application of its own; return whether there is no time to lose."""
        if await self._open():
            return any(len(held) < _BURST_PER_POD for held in self._held.values())
        if self._stage.services["orders"].components["db"].observed == "bad":
            return False
        # What the application gives back in the ordinary way must be taken before it asks for it again.
        self._stage.traffic.recycle(_STARVED)
        return True

    async def _open(self) -> bool:
        """Open one more session for the pod with the fewest; return False when the server has no place for it."""
        uid, held = min(self._held.items(), key=lambda item: len(item[1]), default=("", []))
        if not uid or len(held) >= _MOST_PER_POD:
            return True
        try:
            connection = await self._sessions.open(DEPLOYMENT, "reporting")
            held.append(connection)
            await connection.fetchrow(_LAST_WORDS)
        except asyncpg.TooManyConnectionsError:
            return False
        except LOST:
            return True  # somebody has just terminated it: seen next time
        return True
