"""The certificate of edge was not renewed in time: whoever checks it is refused, while the service itself is well."""

from tui.sandbox.edge import CALM_DAYS
from tui.sandbox.errors import SandboxError
from tui.sandbox.scenarios.stage import Stage, until_cancelled


async def run(stage: Stage) -> None:
    """Serve an expired certificate until the end."""
    if stage.edge is None:
        raise SandboxError("this sandbox has no edge")
    stage.edge.renew(-2.0)
    try:
        await until_cancelled()
    finally:
        stage.edge.renew(CALM_DAYS)
