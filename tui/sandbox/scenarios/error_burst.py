"""The payment provider is gone: payments is DOWN, requests fail, logs fill with errors, all is slow."""

import asyncio
import random
import secrets

from tui.sandbox.scenarios.stage import Stage
from tui.sandbox.service_logs import TRACES

LINES_PER_S = 30.0
_SLOWER = {"payments": 20.0, "orders": 12.0, "gateway": 10.0, "api": 6.0}
_ERROR_SHARE = 0.3
_APP = ("payments", "payments")
"""Namespace and app of the pods behind the service."""


async def run(stage: Stage) -> None:
    """Break payments, log failures, and mend it at the end."""
    stage.services["payments"].set("provider", "DOWN")
    stage.services["gateway"].set("upstreams", "degraded")
    for service in stage.services.values():
        service.error_share = _ERROR_SHARE
    pods = stage.cluster
    pods.logs.rates[_APP], pods.logs.troubles[_APP], pods.usage.load[_APP] = 5.0, 0.6, 2.5
    for name, times in _SLOWER.items():
        stage.services[name].slower_by = times
    try:
        while True:
            _fail(stage)
            await asyncio.sleep(random.expovariate(LINES_PER_S / 2))
    finally:
        stage.services["payments"].set("provider", "")
        stage.services["gateway"].set("upstreams", "")
        for changed in (pods.logs.rates, pods.logs.troubles, pods.usage.load):
            changed.pop(_APP, None)
        for service in stage.services.values():
            service.calm()


def _fail(stage: Stage) -> None:
    """Log one failed payment: in payments.log or orders.log, and at the gateway."""
    trace_id = secrets.token_hex(8)
    path = f"/api/orders/{random.randrange(5000, 9000)}/payment"
    latency_ms = random.uniform(900, 3000)
    service = random.choice(("payments", "payments", "orders"))
    message = random.choice(
        ("capture failed: provider did not answer", "circuit breaker open: provider", "payment timed out")
    )
    fields = {"latency_ms": round(latency_ms, 1), "method": "POST", "path": path, "status": 502, "trace_id": trace_id}
    stage.logs.event(service, "ERROR", message, fields, TRACES[service] if random.random() < 0.1 else "")
    stage.logs.access("POST", path, 502, 187, latency_ms, trace_id)
