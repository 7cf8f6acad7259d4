"""The simulated server answers a recorded conversation as the real one did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

from tui.sandbox.cluster import Cluster

ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
EXCHANGES: list[dict[str, Any]] = json.loads((ZOO / "exchanges.json").read_text())
RECORDED_UID = "da857ef4-a480-4ac7-9022-fe7c248140c6"
OWN_CLOCK = ("resourceVersion", "creationTimestamp", "managedFields")
"""What every server tells in its own way, and the recording leaves out."""


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """What must be alike: all of a refusal, all of an object but its versions, moments and how far it got."""
    if answer["kind"] == "Status":
        return answer
    if answer["kind"] == "SelfSubjectAccessReview":
        return {**answer, "status": {"allowed": answer["status"]["allowed"]}}
    meta = {k: v for k, v in answer["metadata"].items() if k not in OWN_CLOCK}
    return {**answer, "metadata": meta, "status": answer["status"].get("selector")}


async def test_every_exchange_ends_as_it_did_with_a_real_server() -> None:
    uid = RECORDED_UID
    async with Cluster(demo=False) as cluster, aiohttp.ClientSession() as http:
        for exchange in EXCHANGES:
            asked = json.dumps(exchange).replace(RECORDED_UID, uid)
            request, wanted = json.loads(asked)["request"], json.loads(asked)["response"]
            if request["method"] == "PATCH":
                await cluster.settled("shop", "probe")
            async with http.request(
                request["method"],
                cluster.url + request["path"],
                headers={"Authorization": f"Bearer {cluster.users['admin'].token}"}
                | ({"Content-Type": request["content_type"]} if request["content_type"] else {}),
                data=None if request["body"] is None else json.dumps(request["body"]),
            ) as response:
                answer = await response.json()
                if exchange["what"] == "create a Deployment":
                    uid = answer["metadata"]["uid"]
                    wanted["metadata"]["uid"] = uid
                assert (exchange["what"], response.status) == (exchange["what"], exchange["status"])
                assert (exchange["what"], comparable(answer)) == (exchange["what"], comparable(wanted))
