"""More requests for shop/search than its CPU limit allows: its containers are held, and its answers wait.

Raising the limit to twice what it was ends it, or taking it away.
"""

from tui.sandbox.cluster.holding import limit_millis
from tui.sandbox.cluster.resources import DEPLOYMENTS
from tui.sandbox.scenarios.stage import Stage

NAMESPACE, DEPLOYMENT = "shop", "search"
_SHARE = 0.55
_LOAD = 3.0
_SLOWER_BY = 12.0
_LONGEST_S = 86_400.0


async def run(stage: Stage) -> None:
    """Hold the pods; over when their limit was raised."""
    cluster, service, app = stage.cluster, stage.services[DEPLOYMENT], (NAMESPACE, DEPLOYMENT)
    enough = 2 * _limit(stage)
    cluster.throttle(NAMESPACE, DEPLOYMENT, _SHARE)
    cluster.usage.load[app] = _LOAD
    service.slower_by = _SLOWER_BY
    try:
        await cluster.until(lambda: not 0 < _limit(stage) < enough, _LONGEST_S)
    finally:
        cluster.throttle(NAMESPACE, DEPLOYMENT, None)
        cluster.usage.load.pop(app, None)
        service.calm()


def _limit(stage: Stage) -> int:
    deployment = stage.cluster.store.get(DEPLOYMENTS, NAMESPACE, DEPLOYMENT)
    return limit_millis(deployment["spec"]["template"]["spec"]["containers"][0])
