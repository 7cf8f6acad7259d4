"""A release of shop/orders that starts and is ready, but answers errors, and slowly; an undo of the rollout ends it.

The service is as bad as the part of its pods that run the new image.
"""

import asyncio
import random
import secrets

from tui.sandbox.scenarios.stage import Stage
from tui.sandbox.services import CALM_ERROR_SHARE, Component

NAMESPACE, DEPLOYMENT = "shop", "orders"
COMPONENT = "pricing"
"""What the health document says is degraded."""
_APP = (NAMESPACE, DEPLOYMENT)
_SLOWER = 14.0
_FAILURES_PER_S = 5.0
"""Each is a line of orders.log and one of the gateway's, both errors."""
_ERROR_SHARE = 0.6
_LOOK_EVERY_S = 0.25
_ERROR = 'column "loyalty_tier" of relation "customers" does not exist'
_TRACE = f"""\
Traceback (most recent call last):
  File "/srv/shop/orders/checkout.py", line 231, in place_order
    discount = await loyalty.discount(customer)
  File "/srv/shop/orders/loyalty.py", line 18, in discount
    tier = await connection.fetchval(TIER, customer.id)
asyncpg.exceptions.UndefinedColumnError: {_ERROR}"""


async def run(stage: Stage) -> None:
    """Roll the release out; over when nothing of it is left."""
    image = stage.cluster.release(NAMESPACE, DEPLOYMENT, "healthy")
    try:
        while stage.cluster.is_out(NAMESPACE, DEPLOYMENT):
            share = _show(stage, image)
            if random.random() < share * _FAILURES_PER_S * _LOOK_EVERY_S:
                _fail(stage, image)
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        stage.services[DEPLOYMENT].set(COMPONENT, "")
        stage.services[DEPLOYMENT].calm()
        stage.cluster.logs.troubles.pop(_APP, None)
        stage.cluster.heal(NAMESPACE, DEPLOYMENT)


def _show(stage: Stage, image: str) -> float:
    """Let the service answer as its pods do; return the part of them that run the release."""
    service, serving = stage.services[DEPLOYMENT], stage.cluster.serving(NAMESPACE, DEPLOYMENT)
    images = [pod["spec"]["containers"][0]["image"] for pod in serving]
    share = images.count(image) / len(images) if images else 0.0
    service.error_share = max(share * _ERROR_SHARE, CALM_ERROR_SHARE)
    service.slower_by = 1.0 + (_SLOWER - 1.0) * share
    stage.cluster.logs.troubles[_APP] = 0.02 + 0.5 * share
    if not images:
        service.components[COMPONENT] = Component("bad", details={"error": "no instance answers"})
    elif share:
        service.components[COMPONENT] = Component("degraded", details={"error": _ERROR})
    return share


def _fail(stage: Stage, image: str) -> None:
    """Log one failed order, in orders.log and at the gateway."""
    trace_id, latency_ms = secrets.token_hex(8), random.uniform(250, 900)
    fields = {
        "latency_ms": round(latency_ms, 1),
        "method": "POST",
        "path": "/api/orders",
        "status": 500,
        "version": image.rpartition(":")[2],
        "trace_id": trace_id,
    }
    stage.logs.event("orders", "ERROR", f"order failed: {_ERROR}", fields, _TRACE if random.random() < 0.1 else "")
    stage.logs.access("POST", "/api/orders", 500, 187, latency_ms, trace_id)
