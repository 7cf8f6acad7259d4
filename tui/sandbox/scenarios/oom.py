"""A release of shop/search that leaks: its memory grows to the limit, its containers are OOMKilled, again and again.

An undo of the rollout ends it. A restart gives a respite only: the new pods run the same image.
"""

import asyncio
import random
import secrets

from tui.sandbox.scenarios.stage import Stage
from tui.sandbox.services import CALM_ERROR_SHARE

NAMESPACE, DEPLOYMENT = "shop", "search"
COMPONENT = "queries"
"""What the health document says is down while no pod serves."""
_SLOWEST = 4.0
_PRESSING = 0.8
"""From this part of the limit on, collecting garbage is felt."""
_LOOK_EVERY_S = 0.25
_LINES_PER_S = 0.8


async def run(stage: Stage) -> None:
    """Roll the release out; over when nothing of it is left."""
    stage.cluster.release(NAMESPACE, DEPLOYMENT, "oom")
    service = stage.services[DEPLOYMENT]
    try:
        while stage.cluster.is_out(NAMESPACE, DEPLOYMENT) or not stage.cluster.serving(NAMESPACE, DEPLOYMENT):
            filled = _show(stage)
            if random.random() < _LINES_PER_S * _LOOK_EVERY_S:
                _complain(stage, filled)
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        service.set(COMPONENT, "")
        service.calm()
        stage.cluster.heal(NAMESPACE, DEPLOYMENT)


def _show(stage: Stage) -> float:
    """Let the service answer as its pods can; return how full the fullest of them is, 0 to 1."""
    service, serving = stage.services[DEPLOYMENT], stage.cluster.serving(NAMESPACE, DEPLOYMENT)
    service.set(COMPONENT, "" if serving else "DOWN")
    service.error_share = CALM_ERROR_SHARE if serving else 1.0
    now = stage.cluster.clock.now()
    filled = max((stage.cluster.usage.filled(pod, now) or 0.0 for pod in serving), default=0.0)
    service.slower_by = 1.0 + (_SLOWEST - 1.0) * max(filled - _PRESSING, 0.0) / (1.0 - _PRESSING)
    return filled


def _complain(stage: Stage, filled: float) -> None:
    """Write to search.log what its pods would."""
    if not stage.cluster.serving(NAMESPACE, DEPLOYMENT):
        stage.logs.text("ERROR", f"no shard answers: connection refused trace={secrets.token_hex(8)}")
    elif filled > _PRESSING:
        took_ms = random.uniform(300, 1500) * filled
        stage.logs.text("WARN", f"heap at {100 * filled:.0f} % of its limit, full collection took {took_ms:.0f} ms")
