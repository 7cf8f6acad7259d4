"""The processes of payments are wedged: its pods run but are not ready, and its health check answers 503.

New pods are well: a restart of the workload, or deleting the wedged pods, ends it.
"""

import asyncio
import random
import secrets

from tui.sandbox.cluster.resources import DEPLOYMENTS
from tui.sandbox.scenarios.stage import Stage
from tui.sandbox.services import CALM_ERROR_SHARE, Component

NAMESPACE, DEPLOYMENT = "payments", "payments"
COMPONENT = "workers"
"""What the health document says is down."""
_LOOK_EVERY_S = 0.25
_LINES_PER_S = 0.5


async def run(stage: Stage) -> None:
    """Wedge the pods; over when every pod of the deployment serves again."""
    service = stage.services[DEPLOYMENT]
    wedged = stage.cluster.wedge(NAMESPACE, DEPLOYMENT)
    try:
        while _is_wedged(stage, wedged):
            _show(stage)
            if random.random() < _LINES_PER_S * _LOOK_EVERY_S:
                _complain(stage)
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        service.set(COMPONENT, "")
        service.calm()
        stage.cluster.heal(NAMESPACE, DEPLOYMENT)


def _counts(stage: Stage) -> tuple[int, int]:
    """Return how many pods serve, and how many there should be."""
    found = stage.cluster.store.find(DEPLOYMENTS, NAMESPACE, DEPLOYMENT)
    return len(stage.cluster.serving(NAMESPACE, DEPLOYMENT)), found["spec"].get("replicas", 1) if found else 0


def _is_wedged(stage: Stage, wedged: tuple[str, ...]) -> bool:
    serving, wanted = _counts(stage)
    left = any(pod["metadata"]["uid"] in wedged for pod in stage.cluster.pods(NAMESPACE, DEPLOYMENT))
    return left or serving < max(wanted, 1)


def _show(stage: Stage) -> None:
    """Let the service answer as the pods that serve can."""
    serving, wanted = _counts(stage)
    service = stage.services[DEPLOYMENT]
    words = f"{serving} of {wanted} instances answer; the worker pool of the others is blocked"
    service.components[COMPONENT] = Component("degraded" if serving else "bad", details={"error": words})
    service.error_share = CALM_ERROR_SHARE if serving else 1.0
    service.slower_by = min(max(wanted, 1) / max(serving, 1), 2.0)


def _complain(stage: Stage) -> None:
    if not stage.cluster.serving(NAMESPACE, DEPLOYMENT):
        fields = {"queued": random.randrange(200, 400), "trace_id": secrets.token_hex(8)}
        stage.logs.event(DEPLOYMENT, "ERROR", "no free worker: all 32 have been busy for over 60 s", fields)
