"""Text that tries to be markup or to command the terminal, wherever others' text is shown."""

import asyncio
import contextlib

from tui.sandbox.cluster.resources import PODS, Object
from tui.sandbox.connections import REDIS_LOST, redis_client
from tui.sandbox.scenarios.sessions import Sessions
from tui.sandbox.scenarios.stage import Stage

MARK = "hostile"
"""A word to search for."""
TEXT = f"{MARK} [/red][bold]x \x1b]0;x\x07\x1b[2J\u202eevil\u200b end"
"""Rich markup, a title change, a screen clear, a right-to-left override and a zero-width space."""
_SLOW_SCRIPT = "local began = os.clock() while os.clock() - began < 0.01 do end return 1"
"""Slow on every machine: five times what the slow log asks for."""
_LINE_EVERY_S = 1.0


async def run(stage: Stage) -> None:
    """Show `TEXT` in a query, a pod's status, a key, a slow command, log lines and a health component."""
    client = redis_client(stage.redis_path, MARK)
    api = stage.services["api"]
    api.set(TEXT, f"DOWN {TEXT}")
    try:
        pod = stage.cluster.store.insert(PODS, _pod())
        stage.cluster.recorder.warning(pod, "Evicted", TEXT, "kubelet")
        async with Sessions(stage.base) as sessions:
            session = await sessions.begin(f"{MARK}-[/red]")
            sessions.run(session, f"SELECT pg_sleep(86400) /* {TEXT} */")
            with contextlib.suppress(*REDIS_LOST):
                await client.set(f"{MARK}:{TEXT}", "x" * 200_000, ex=3600)
                await client.eval(_SLOW_SCRIPT, 1, f"{MARK}:{TEXT}")
            while True:
                stage.logs.event("api", "WARN", TEXT, {"path": f"/api/{TEXT}", "trace_id": "0" * 16})
                stage.logs.raw("search", f"2026-01-01 00:00:00,000 ERROR [searcher-1] {TEXT}")
                stage.logs.raw("gateway", f'10.4.0.9 - - "GET /{TEXT} HTTP/1.1" 400 0')
                await asyncio.sleep(_LINE_EVERY_S)
    finally:
        api.set(TEXT, "")
        stage.cluster.store.remove(PODS, "shop", MARK)
        with contextlib.suppress(*REDIS_LOST):
            await client.unlink(f"{MARK}:{TEXT}")
            await client.aclose()


def _pod() -> Object:
    """Return a pod that has ended; kubectl shows `status.reason` in the STATUS column."""
    return {
        "metadata": {
            "name": MARK,
            "namespace": "shop",
            "labels": {"app": MARK},
            "annotations": {f"example.com/{MARK}": TEXT},
        },
        "spec": {"containers": [{"name": "app", "image": "registry.example/shop/hostile:1.0.0"}]},
        "status": {"phase": "Failed", "reason": TEXT, "message": TEXT},
    }
