"""The real kubectl finds the simulated cluster in order."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import DEPLOYMENTS, NODES, PODS

pytestmark = [pytest.mark.live, pytest.mark.debian, pytest.mark.xdist_group("cluster")]


@dataclass
class Kubectl:
    """Runs kubectl against one cluster as one user."""

    program: Path
    cluster: Cluster
    folder: Path
    user: str = "admin"

    async def run(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Return exit status, standard output and standard error."""
        config = self.folder / f"kubeconfig-{self.user}"
        if not config.exists():
            self.cluster.write_kubeconfig(config, self.user)
        process = await asyncio.create_subprocess_exec(
            str(self.program),
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"KUBECONFIG": str(config), "HOME": str(self.folder), "PATH": os.environ["PATH"]},
        )
        try:
            async with asyncio.timeout(60):
                out, error = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode is not None
        return process.returncode, out.decode(), error.decode()

    async def __call__(self, *words: str, stdin: str = "") -> str:
        """Return standard output; anything but success fails the test."""
        status, out, error = await self.run(*words, stdin=stdin)
        assert status == 0, f"kubectl {' '.join(words)}: {error}"
        return out


@pytest.fixture
async def k(kubectl: Path, tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with Cluster(speed=20, tls=True) as cluster:
        yield Kubectl(kubectl, cluster, tmp_path)


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()[1:]]


async def test_get_shows_what_is_asked_for(k: Kubectl) -> None:
    lasting = {p["metadata"]["name"] for p in k.cluster.store.things(PODS) if "report" not in p["metadata"]["name"]}
    assert lasting <= {row[1] for row in rows(await k("get", "pods", "-A"))}
    assert lasting <= {row[1] for row in rows(await k("get", "pods", "-A", "--chunk-size", "5"))}
    assert len(rows(await k("get", "pods", "-n", "shop", "-l", "app=frontend"))) == 2
    failed = await k("get", "pods", "-A", "--field-selector", "status.phase=Failed")
    assert {row[3] for row in rows(failed)} == {"Error", "Evicted"}
    wide = await k("get", "pods", "-n", "shop", "queue-0", "-o", "wide")
    assert wide.split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert rows(wide)[0][-3] == "node-1"
    assert "containerStatuses" in await k("get", "pod", "-n", "shop", "queue-0", "-o", "yaml")
    kinds = "deploy,rs,sts,ds,job,cj,hpa,pdb,ing,svc,ep,cm,secret,sa,pvc,quota,no,ns,events,netpol,controllerrevisions"
    assert "node/node-1" in await k("get", kinds, "-A")


async def test_plain_http_works_too(kubectl: Path, tmp_path: Path) -> None:
    async with Cluster(demo=False) as cluster:
        assert "node-1" in await Kubectl(kubectl, cluster, tmp_path)("get", "nodes")


async def test_a_watch_shows_a_pod_come_up(k: Kubectl) -> None:
    config = k.cluster.write_kubeconfig(k.folder / "watching")
    process = await asyncio.create_subprocess_exec(
        str(k.program), "get", "pods", "-n", "shop", "-w", "--watch-only", "--no-headers",
        stdout=asyncio.subprocess.PIPE, env={"KUBECONFIG": str(config), "HOME": str(k.folder)},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while not k.cluster.server.watchers:
            await asyncio.sleep(0.02)
    k.cluster.store.modify(DEPLOYMENTS, "shop", "frontend", lambda d: d["spec"].update(replicas=3))
    words: list[str] = []
    async with asyncio.timeout(30):
        while "Running" not in words:
            words.append((await process.stdout.readline()).decode().split()[2])
    assert words[0] == "Pending"
    process.terminate()
    await process.wait()


@pytest.mark.parametrize(
    "what",
    ["pod/queue-0", "deploy/api", "sts/queue", "cj/report", "hpa/search", "svc/gateway", "ing/front", "pdb/gateway"],
)
async def test_describe_understands(k: Kubectl, what: str) -> None:
    status, out, error = await k.run("describe", "-n", "shop", what)
    assert (status, error) == (0, "")
    assert out.startswith("Name:")
    assert "<unset>" not in out.splitlines()[0]


async def test_describe_understands_nodes(k: Kubectl) -> None:
    out = await k("describe", "node", "node-2")
    assert "Allocated resources" in out
    assert "Failed to get lease" not in out


async def test_a_rollout_can_be_restarted_followed_and_undone(k: Kubectl) -> None:
    deploy = ("deploy/api", "-n", "shop")
    assert "restarted" in await k("rollout", "restart", *deploy)
    assert "successfully rolled out" in await k("rollout", "status", *deploy, "--timeout", "50s")
    history = await k("rollout", "history", *deploy)
    assert [row[0] for row in rows(history)[1:] if row] == ["11", "12", "13"]
    assert "rolled back" in await k("rollout", "undo", *deploy)
    assert "successfully rolled out" in await k("rollout", "status", *deploy, "--timeout", "50s")
    template = k.cluster.store.get(DEPLOYMENTS, "shop", "api")["spec"]["template"]
    assert "annotations" not in template["metadata"] or not template["metadata"]["annotations"]


async def test_an_image_can_be_set_and_a_rollout_paused_and_resumed(k: Kubectl) -> None:
    deploy = ("deploy/orders", "-n", "shop")
    await k("rollout", "pause", *deploy)
    await k("set", "image", *deploy, "app=registry.example/shop/orders:2.0.0")
    await k("set", "resources", *deploy, "--requests", "cpu=10m")
    await k("set", "env", *deploy, "MODE=new")
    await k("rollout", "resume", *deploy)
    assert "successfully rolled out" in await k("rollout", "status", *deploy, "--timeout", "50s")
    assert {p["spec"]["containers"][0]["image"] for p in k.cluster.pods("shop", "orders") if not
            p["metadata"].get("deletionTimestamp")} == {"registry.example/shop/orders:2.0.0"}  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "namespace"), [("sts", "queue", "shop"), ("ds", "node-agent", "monitoring")])
async def test_sets_roll_too(k: Kubectl, kind: str, name: str, namespace: str) -> None:
    await k("rollout", "restart", f"{kind}/{name}", "-n", namespace)
    await k("rollout", "status", f"{kind}/{name}", "-n", namespace, "--timeout", "50s")
    history = await k("rollout", "history", f"{kind}/{name}", "-n", namespace)
    assert len([row for row in rows(history)[1:] if row]) == 2
    assert "rolled back" in await k("rollout", "undo", f"{kind}/{name}", "-n", namespace)


async def test_scale_respects_what_was_expected(k: Kubectl) -> None:
    await k("scale", "deploy/api", "-n", "shop", "--replicas", "5")
    status, _, error = await k.run("scale", "deploy/api", "-n", "shop", "--replicas", "6", "--current-replicas", "4")
    assert (status, "Expected replicas to be 4, was 5" in error) == (1, True)
    await k("scale", "sts/queue", "-n", "shop", "--replicas", "2", "--current-replicas", "3")


async def test_logs_can_be_read_and_followed(k: Kubectl) -> None:
    assert len((await k("logs", "-n", "shop", "deploy/search", "--tail", "3")).splitlines()) == 3
    refused, _, error = await k.run("logs", "-n", "shop", "queue-0", "--previous")
    assert (refused, "previous terminated container" in error) == (1, True)
    k.cluster.logs.rates["shop", "queue"] = 20.0
    config = k.cluster.write_kubeconfig(k.folder / "following")
    process = await asyncio.create_subprocess_exec(
        str(k.program), "logs", "-f", "-n", "shop", "queue-0", "--tail", "1", "--timestamps",
        stdout=asyncio.subprocess.PIPE, env={"KUBECONFIG": str(config), "HOME": str(k.folder)},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20):
        lines = [await process.stdout.readline() for _ in range(10)]
    assert all(b"[queue]" in line for line in lines)
    process.terminate()
    await process.wait()


async def test_top_and_events_have_something_to_say(k: Kubectl) -> None:
    assert len(rows(await k("top", "nodes"))) == 3
    assert rows(await k("top", "pods", "-n", "shop", "-l", "app=queue", "--containers"))[0][1] == "app"
    assert "Unhealthy" in await k("events", "-n", "shop", "--types", "Warning")
    assert "Readiness probe failed" in await k("events", "-n", "shop", "--for", "pod/queue-2")


async def test_a_pod_is_deleted_and_waited_for(k: Kubectl) -> None:
    uid = k.cluster.store.get(PODS, "shop", "queue-0")["metadata"]["uid"]
    assert "deleted" in await k("delete", "pod", "queue-0", "-n", "shop")
    found = k.cluster.store.find(PODS, "shop", "queue-0")
    assert found is None or found["metadata"]["uid"] != uid
    assert "force deleted" in await k("delete", "pod", "queue-1", "-n", "shop", "--force", "--grace-period", "0")
    dry = await k("delete", "deploy", "api", "-n", "shop", "--dry-run=server")
    assert "server dry run" in dry
    assert k.cluster.store.find(DEPLOYMENTS, "shop", "api") is not None


async def test_a_node_is_cordoned_drained_and_opened_again(k: Kubectl) -> None:
    budget = k.cluster.pods("payments", "ledger")
    node = next(n for n in ("node-1", "node-2", "node-3") if n not in {p["spec"]["nodeName"] for p in budget})
    assert "cordoned" in await k("cordon", node)
    assert f"{node}" in (await k("get", "nodes", "--field-selector", "spec.unschedulable=true"))
    assert "drained" in await k("drain", node, "--ignore-daemonsets", "--force", "--timeout", "50s")
    left = [p for p in k.cluster.store.things(PODS) if p["spec"].get("nodeName") == node]
    assert {p["metadata"]["labels"]["app"] for p in left} == {"node-agent"}
    assert "uncordoned" in await k("uncordon", node)
    assert "unschedulable" not in k.cluster.store.get(NODES, "", node)["spec"]


async def test_a_budget_holds_a_drain_up(k: Kubectl) -> None:
    node = k.cluster.pods("payments", "ledger")[0]["spec"]["nodeName"]
    status, _, error = await k.run("drain", node, "--ignore-daemonsets", "--force", "--timeout", "4s")
    assert status == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in error


async def test_rights_are_told_as_they_are(k: Kubectl) -> None:
    assert (await k("auth", "can-i", "delete", "pods", "-n", "shop")).strip() == "yes"
    viewer = Kubectl(k.program, k.cluster, k.folder, "viewer")
    status, out, _ = await viewer.run("auth", "can-i", "patch", "deployments", "--subresource", "scale", "-n", "shop")
    assert (status, out.strip()) == (1, "no")
    assert "sandbox:viewer" in await viewer("auth", "whoami")
    status, _, error = await viewer.run("delete", "pod", "queue-0", "-n", "shop")
    assert (status, 'User "sandbox:viewer" cannot delete resource "pods"' in error) == (1, True)
    shop = Kubectl(k.program, k.cluster, k.folder, "shop-only")
    assert len(rows(await shop("get", "pods"))) > 10
    assert (await shop.run("get", "pods", "-A"))[0] == 1


async def test_a_kubelets_page_and_who_wrote_a_deployment_are_told(k: Kubectl) -> None:
    page = await k("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics/cadvisor")
    assert "\ncontainer_cpu_cfs_throttled_periods_total{" in page
    viewer = Kubectl(k.program, k.cluster, k.folder, "viewer")
    assert (await viewer.run("auth", "can-i", "get", "nodes", "--subresource", "proxy"))[:2] == (1, "no\n")
    status, _, error = await viewer.run("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics/cadvisor")
    assert (status, "forbidden" in error.lower()) == (1, True)
    await k("set", "image", "-n", "shop", "deploy/api", "app=registry.example/shop/api:2.14.1")
    told = json.loads(await k("get", "-n", "shop", "deploy/api", "-o", "json", "--show-managed-fields"))
    assert "kubectl-set" in {one["manager"] for one in told["metadata"]["managedFields"]}


async def test_manifests_are_applied_compared_and_patched(k: Kubectl) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m", "namespace": "shop"},
        "data": {"a": "1"},
    }
    assert "created" in await k("apply", "-f", "-", stdin=json.dumps(manifest))
    manifest["data"] = {"a": "2"}
    assert "configured" in await k("apply", "-f", "-", stdin=json.dumps(manifest))
    assert "unchanged" in await k("apply", "-f", "-", stdin=json.dumps(manifest))
    status, diff, _ = await k.run("diff", "-f", "-", stdin=json.dumps({**manifest, "data": {"a": "3"}}))
    assert (status, '+  a: "3"' in diff) == (1, True)
    await k("patch", "cm", "m", "-n", "shop", "--type", "json", "-p", '[{"op":"remove","path":"/data/a"}]')
    await k("label", "cm", "m", "-n", "shop", "a=b")
    await k("annotate", "cm", "m", "-n", "shop", "a=b")
    await k("delete", "cm", "m", "-n", "shop")


async def test_kinds_are_created_by_name(k: Kubectl) -> None:
    await k("create", "namespace", "team")
    await k("create", "deployment", "web", "--image", "registry.example/web:1", "--replicas", "2", "-n", "team")
    await k("create", "configmap", "settings", "--from-literal", "a=b", "-n", "team")
    await k("wait", "--for", "condition=Available", "deploy/web", "-n", "team", "--timeout", "50s")
    await k("create", "job", "now", "--from", "cronjob/report", "-n", "shop")
    await k("wait", "--for", "condition=Complete", "job/now", "-n", "shop", "--timeout", "50s")
    await k("create", "cronjob", "often", "--image", "registry.example/c:1", "--schedule", "* * * * *", "-n", "team")
    await k("run", "once", "--image", "registry.example/once:1", "--restart", "Never", "-n", "team")
    await k("expose", "deploy/web", "--port", "80", "-n", "team")
    assert await k("get", "cm", "settings", "-n", "team", "-o", "jsonpath={.data.a}") == "b"
    await k("delete", "namespace", "team", "--timeout", "50s")
    assert "team" not in await k("get", "namespaces")
