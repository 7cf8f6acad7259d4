"""A release of shop/api whose containers crash: CrashLoopBackOff, a rollout that stands still, slower answers."""

from tui.sandbox.scenarios.stage import Stage, until_cancelled

NAMESPACE, DEPLOYMENT = "shop", "api"
_SLOWER = 3.0


async def run(stage: Stage) -> None:
    """Roll out the bad release; at the end bring the good one back, unless somebody has."""
    stage.cluster.crash_loop(NAMESPACE, DEPLOYMENT)
    stage.services["api"].slower_by = _SLOWER
    try:
        await until_cancelled()
    finally:
        stage.services["api"].slower_by = 1.0
        stage.cluster.heal(NAMESPACE, DEPLOYMENT)
