"""Runs a simulated cluster with many pods by itself, so that it can be told from its client: PODS KUBECONFIG.

Commands come as lines on standard input: `churn N` changes N pods a second from now on, `counts` answers with the
requests so far, by method and path (watches apart), as one line of JSON. It ends at end-of-file.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from unittest.mock import patch

from aiohttp import web

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.api import ApiServer
from tui.sandbox.cluster.bulk import Churn


async def main(pods: int, kubeconfig: Path) -> None:
    counts: Counter[str] = Counter()
    handle = ApiServer.handle

    async def counted(server: ApiServer, http: web.Request) -> web.StreamResponse:
        watches = http.query.get("watch") in ("true", "1")
        counts[f"{'WATCH' if watches else http.method} {http.path}"] += 1
        return await handle(server, http)

    with patch.object(ApiServer, "handle", counted):
        async with Cluster(demo=False, tls=True) as cluster:
            await cluster.populate(pods)
            cluster.write_kubeconfig(kubeconfig)
            _say("ready")
            churn: Churn | None = None
            reader = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
            while line := (await reader.readline()).decode().split():
                match line:
                    case ["churn", number]:
                        if churn is not None:
                            await churn.stop()
                        churn = cluster.churn(float(number)) if float(number) else None
                        _say("ready")
                    case _:
                        _say(json.dumps({"counts": counts, "changes": churn.changes if churn is not None else 0}))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
