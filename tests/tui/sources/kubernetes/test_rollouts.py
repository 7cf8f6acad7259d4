"""How a rollout stands: objects of a real API server in, kubectl's sentences out; then beside the real kubectl."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.kubernetes.revisions import Revision, is_of, revisions
from tui.sources.kubernetes.rollouts import Rollout, Stage, parse_rollout

_ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
_PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


def recorded(kind: str, name: str) -> Any:
    rows = json.loads((_ZOO / f"{_PLURALS[kind]}.json").read_text())["rows"]
    return next(row["object"] for row in rows if row["object"]["metadata"]["name"] == name)


def zoo(kind: str, name: str) -> Rollout:
    return parse_rollout(kind, recorded(kind, name))


def deployment(status: dict[str, Any], **spec: Any) -> Rollout:
    obj = {"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 3, **spec}, "status": status}
    return parse_rollout("Deployment", obj)


def progressing(reason: str, status: str = "True") -> list[dict[str, Any]]:
    updated = "2026-11-22T10:00:00Z"
    return [{"type": "Progressing", "status": status, "reason": reason, "message": "", "lastUpdateTime": updated}]


def test_what_is_rolled_out_is_done() -> None:
    found = zoo("Deployment", "catalog")
    assert (found.stage, found.words) == (Stage.DONE, 'deployment "catalog" successfully rolled out')
    assert (found.desired, found.updated, found.ready, found.unavailable, found.old) == (6, 6, 6, 0, 0)
    assert found.gives_up_at is None
    assert zoo("DaemonSet", "node-agent").words == 'daemon set "node-agent" successfully rolled out'
    assert zoo("StatefulSet", "queue").words == "partitioned roll out complete: 3 new pods have been updated..."


def test_pods_that_went_later_are_no_rollout_under_way() -> None:
    found = zoo("Deployment", "fraud-scorer")
    assert found.stage is Stage.FALLEN
    assert found.gives_up_at is None
    assert found.words.startswith('Waiting for deployment "fraud-scorer" rollout to finish:')


def test_a_quota_that_stops_it_is_stuck_and_told_in_the_systems_words() -> None:
    found = zoo("Deployment", "over-quota")
    assert found.stage is Stage.STUCK
    assert "exceeded quota" in next(one.message for one in found.conditions if one.type == "ReplicaFailure")


def test_the_deadline_counts_from_the_last_thing_that_moved() -> None:
    moving = {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3}
    found = deployment({**moving, "conditions": progressing("ReplicaSetUpdated")}, progressDeadlineSeconds=90)
    assert found.stage is Stage.MOVING
    assert found.gives_up_at == 1_795_341_600.0 + 90
    assert found.old == 3
    assert found.words.endswith("1 out of 3 new replicas have been updated...")
    late = deployment({**moving, "conditions": progressing("ProgressDeadlineExceeded", "False")})
    assert (late.stage, late.gives_up_at) == (Stage.STUCK, None)
    assert late.words == 'error: deployment "web" exceeded its progress deadline'
    for_ever = deployment({**moving, "conditions": progressing("ReplicaSetUpdated")}, progressDeadlineSeconds=2**31 - 1)
    assert (for_ever.deadline_s, for_ever.gives_up_at) == (None, None)


def test_a_change_that_the_controller_has_not_seen_takes_the_verdict_of_before_away() -> None:
    found = deployment({"observedGeneration": 1, "conditions": progressing("ProgressDeadlineExceeded", "False")})
    assert found.stage is Stage.MOVING
    assert found.words == "Waiting for deployment spec update to be observed..."


def test_a_paused_deployment_is_paused() -> None:
    found = deployment({"observedGeneration": 2, "replicas": 3, "availableReplicas": 3}, paused=True)
    assert found.stage is Stage.PAUSED


def test_pods_belong_to_their_revision_by_owner_or_by_hash() -> None:
    pods = [parse_pod(row["object"]) for row in json.loads((_ZOO / "pods.json").read_text())["rows"]]

    def kept(name: str, uid: str = "") -> Revision:
        return Revision(1, name, uid, None, "", (), {}, is_current=True)

    agents = recorded("DaemonSet", "node-agent")["metadata"]["uid"]
    assert sum(is_of(pod, kept("node-agent-7f5477fb45"), agents) for pod in pods) == 5
    assert not any(is_of(pod, kept("node-agent-5477fb45"), agents) for pod in pods), "the end of a hash is none"
    queue = recorded("StatefulSet", "queue")["metadata"]["uid"]
    assert sum(is_of(pod, kept("queue-5bf86db47c"), queue) for pod in pods) == 3
    web = next(pod for pod in pods if pod.name.startswith("web-") and pod.owner)
    assert web.owner is not None
    assert is_of(web, kept("anything", web.owner.uid), "")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    ("conditions", "replicas", "updateStrategy", "strategy", "rollingUpdate", "observedGeneration", "partition")
)


@given(st.sampled_from(sorted(_PLURALS)), st.dictionaries(_KEYS, _ANY), st.dictionaries(_KEYS, _ANY), _ANY)
def test_whatever_an_object_holds_it_is_judged(kind: str, spec: Any, status: Any, metadata: Any) -> None:
    found = parse_rollout(kind, {"metadata": metadata, "spec": spec, "status": status})
    assert found.words
    assert found.unavailable >= 0 or kind != "StatefulSet"


# Beside the real kubectl

_DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/orders"
_MERGE = "application/merge-patch+json"


def _image(image: str) -> Any:
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}


@pytest.mark.live
@pytest.mark.debian
@pytest.mark.xdist_group("kubernetes")
async def test_kubectl_says_the_same_at_every_stage(kubectl: Path, tmp_path: Path) -> None:
    async with Cluster(speed=20) as cluster:
        config = cluster.write_kubeconfig(tmp_path / "config")
        source = KubernetesSource(Kubernetes(kubeconfig=str(config)), environ={})

        async def says(*words: str) -> str:
            process = await asyncio.create_subprocess_exec(
                str(kubectl), *words, "-n", "shop",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                env={"KUBECONFIG": str(config), "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            )  # fmt: skip
            out, _ = await process.communicate()
            return out.decode().strip()

        async def same(kind: str, name: str, ending: str) -> Rollout:
            """Wait until it stands still at that, and compare."""
            async with asyncio.timeout(60):
                while ending not in (found := parse_rollout(kind, await source.fetch(kind, "shop", name))).words:
                    await asyncio.sleep(0.02)
            assert await says("rollout", "status", "--watch=false", f"{kind.lower()}/{name}") == found.words
            return found

        async def patch(path: str, body: Any, form: str = "application/strategic-merge-patch+json") -> None:
            assert (await source.connection.call("PATCH", path, body=body, content_type=form)).is_ok

        try:
            await same("Deployment", "orders", "successfully rolled out")
            cluster.behaviours.set_image("registry.example/shop/orders:broken", "image-pull")
            await patch(_DEPLOYMENT, {"metadata": {"annotations": {"kubernetes.io/change-cause": "try it"}}}, _MERGE)
            await patch(_DEPLOYMENT, _image("registry.example/shop/orders:broken"))
            stands = await same("Deployment", "orders", "1 out of 3 new replicas have been updated")
            assert stands.stage is Stage.MOVING
            assert stands.gives_up_at is not None
            history = await says("rollout", "history", "deployment/orders")
            whole = await source.fetch("Deployment", "shop", "orders")
            known = await revisions(source.connection, {**whole, "kind": "Deployment"})
            told = [line.split(None, 1) for line in history.splitlines() if line[:1].isdecimal()]
            assert told == [[str(one.number), one.change_cause or "<none>"] for one in reversed(known)]
            assert known[0].change_cause == "try it"
            await patch(_DEPLOYMENT, {"spec": {"progressDeadlineSeconds": 4}}, _MERGE)
            assert (await same("Deployment", "orders", "exceeded its progress deadline")).stage is Stage.STUCK
            queue = "/apis/apps/v1/namespaces/shop/statefulsets/queue"
            await same("StatefulSet", "queue", "partitioned roll out complete: 3")
            cluster.behaviours.set("shop", "queue", "image-pull")
            await patch(queue, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, _MERGE)
            await same("StatefulSet", "queue", "Waiting for 1 pods to be ready...")
            await patch(queue, {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}, _MERGE)
            assert (await same("StatefulSet", "queue", "only available for RollingUpdate")).stage is Stage.BY_HAND
        finally:
            await source.close()
