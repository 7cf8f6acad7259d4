"""The command that a dialog shows, run by the real kubectl, leaves the object as the verb itself does."""

import asyncio
import base64
import copy
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from profiles.declared import DeclaredPatch, Manifest
from tests.tui.actions.kubernetes.conftest import source_as
from tui.actions.action import Request, Verb
from tui.actions.kubernetes.applying import ApplyManifest, apply_requests
from tui.actions.kubernetes.asking import object_target
from tui.actions.kubernetes.certificate import CERTIFICATE, RenewCertificate, renew_request
from tui.actions.kubernetes.cordon import Cordon, Uncordon, cordon_request
from tui.actions.kubernetes.cronjob import ResumeCronJob, RunJob, SuspendCronJob, run_request, suspend_request
from tui.actions.kubernetes.drain import DrainNode, drain_request
from tui.actions.kubernetes.environment import SetEnv, env_request
from tui.actions.kubernetes.evict import EvictPod, evict_request
from tui.actions.kubernetes.image import SET_IMAGE, SetImage
from tui.actions.kubernetes.marks import ANNOTATE, LABEL, Annotate, Label, mark_request
from tui.actions.kubernetes.merging import MergePatch, merge_request
from tui.actions.kubernetes.pause import PauseRollout, ResumeRollout, pause_request
from tui.actions.kubernetes.pods import DeletePod, delete_request
from tui.actions.kubernetes.policy import DeletePolicy, RestorePolicy, delete_policy_request
from tui.actions.kubernetes.preview import differing
from tui.actions.kubernetes.resources import SET_RESOURCES, SetResources
from tui.actions.kubernetes.restart import RESTARTED_AT, RestartWorkload, restart_request
from tui.actions.kubernetes.scale import ScaleWorkload, scale_request
from tui.actions.kubernetes.secret import ShowSecret, revealed, show_request
from tui.actions.kubernetes.template import template_request
from tui.actions.kubernetes.typed import resources
from tui.actions.kubernetes.undo import UndoRollout, undo_request
from tui.sandbox.cluster import resources as kinds
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.jobs import label
from tui.sandbox.cluster.resources import Object, Resource
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.revisions import revisions
from tui.sources.kubernetes.workloads import Workload

pytestmark = [pytest.mark.live, pytest.mark.debian, pytest.mark.xdist_group("kubernetes")]

Make = Callable[["Place"], Awaitable[tuple[Verb, Request]]]


@dataclass
class Place:
    """One of two clusters that are alike, and who changes it."""

    cluster: Cluster
    source: KubernetesSource
    folder: Path

    def workload(self, name: str) -> Workload:
        return next(one for one in self.source.mirror.workloads.facts.values() if one.name == name)

    def pod(self, name: str) -> Pod:
        return next(one for one in self.source.mirror.pods.facts.values() if one.name.startswith(name))

    def node(self, name: str) -> Node:
        return next(one for one in self.source.mirror.nodes.facts.values() if one.name == name)

    def uid(self, resource: Resource, name: str) -> str:
        return str(self.cluster.store.get(resource, "shop", name)["metadata"]["uid"])


@pytest.fixture
async def places(tmp_path: Path) -> Any:
    """Two clusters that are alike: one for the verb, one for the hand."""
    async with AsyncExitStack() as stack:
        made = []
        for name in ("verb", "hand"):
            folder = tmp_path / name
            folder.mkdir(mode=0o700)
            cluster = await stack.enter_async_context(Cluster(tls=True, speed=5))
            source = source_as(cluster, folder)
            stack.push_async_callback(source.close)
            await source.read()
            made.append(Place(cluster, source, folder))
        yield made


async def by_hand(kubectl: Path, command: str, folder: Path) -> str:
    """Run a command line as a colleague would who pasted it."""
    (folder / "kubectl").symlink_to(kubectl)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    process = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment
    )
    async with asyncio.timeout(60):
        out, error = await process.communicate()
    assert process.returncode == 0, f"{command}: {error.decode()}"
    return out.decode()


def content(thing: Object | None) -> Any:
    """Return what an object says, without its bookkeeping, and without moments of our own clock."""
    if thing is None:
        return None
    told = copy.deepcopy({key: value for key, value in thing.items() if key != "status"})
    meta = told["metadata"]
    told["metadata"] = {key: meta[key] for key in ("name", "labels", "annotations") if meta.get(key)}
    # Which of the controllers' own notes stand already depends on how far they have come.
    told["metadata"].get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    template = (told.get("spec") or {}).get("template") or {}
    for annotations in (template.get("metadata", {}).get("annotations", {}),):
        if RESTARTED_AT in annotations:
            annotations[RESTARTED_AT] = "(a moment)"
    return told


def made(verb_of: Callable[[KubernetesSource], Verb], request: Callable[[Place], Request]) -> Make:
    async def make(place: Place) -> tuple[Verb, Request]:
        return verb_of(place.source), request(place)

    return make


def edit(verb: str, name: str, container: str = "app", **wanted: str | None) -> Callable[[Place], Request]:
    return lambda place: template_request(verb, place.workload(name), {"container": container, **wanted})


def amounts(typed: str) -> Callable[[Place], Request]:
    return lambda place: template_request(
        SET_RESOURCES, place.workload("api"), {"container": "app", **resources(typed)}
    )


async def back(place: Place) -> tuple[Verb, Request]:
    """Roll orders back to what it had before."""
    obj = await place.source.fetch("Deployment", "shop", "orders")
    current, previous, *_ = await revisions(place.source.connection, obj)
    return UndoRollout(place.source), undo_request(place.workload("orders"), previous, current)


def held(resource: Resource, namespace: str, name: str, **fields: object) -> Callable[[Place], None]:
    """Return what puts fields into a spec on both clusters before anything is asked for."""

    def put(place: Place) -> None:
        place.cluster.store.modify(resource, namespace, name, lambda copy: copy["spec"].update(fields))

    return put


DEPLOYMENT = ("shop", "api")
CASES: dict[str, tuple[Make, Resource, str, str]] = {
    "restart": (made(RestartWorkload, lambda it: restart_request(it.workload("api"))), kinds.DEPLOYMENTS, *DEPLOYMENT),
    "scale": (made(ScaleWorkload, lambda it: scale_request(it.workload("api"), 6)), kinds.DEPLOYMENTS, *DEPLOYMENT),
    "scale to 0": (made(ScaleWorkload, lambda it: scale_request(it.workload("queue"), 0)),
                   kinds.STATEFULSETS, "shop", "queue"),
    "undo": (back, kinds.DEPLOYMENTS, "shop", "orders"),
    "pause": (made(PauseRollout, lambda it: pause_request(it.workload("api"))), kinds.DEPLOYMENTS, *DEPLOYMENT),
    "set image": (made(SetImage, edit(SET_IMAGE, "api", image="registry.example/shop/api:9.9.9")),
                  kinds.DEPLOYMENTS, *DEPLOYMENT),
    "set image of an init container": (
        made(SetImage, edit(SET_IMAGE, "api", "migrate", image="registry.example/shop/api:9.9.9")),
        kinds.DEPLOYMENTS, *DEPLOYMENT),
    "set image of a DaemonSet": (
        made(SetImage, edit(SET_IMAGE, "node-agent", image="registry.example/mon/node-agent:2.0.0")),
        kinds.DAEMONSETS, "monitoring", "node-agent"),
    "set env": (made(SetEnv, lambda it: env_request(it.workload("api"), "app", "GREETING=it's a test, $x")),
                kinds.DEPLOYMENTS, *DEPLOYMENT),
    "set resources": (made(SetResources, amounts("requests.cpu=300m limits.memory=1Gi")),
                      kinds.DEPLOYMENTS, *DEPLOYMENT),
    "take a limit away": (made(SetResources, amounts("limits.memory=-")), kinds.DEPLOYMENTS, *DEPLOYMENT),
    "take a request away and set another": (made(SetResources, amounts("requests.cpu=- requests.memory=256Mi")),
                                            kinds.DEPLOYMENTS, *DEPLOYMENT),
    "label": (made(Label, lambda it: mark_request(LABEL, it.workload("api"), "example.com/team=shop")),
              kinds.DEPLOYMENTS, *DEPLOYMENT),
    "label a node": (made(Label, lambda it: mark_request(LABEL, it.node("node-2"), "disk=ssd")),
                     kinds.NODES, "", "node-2"),
    "label again": (made(Label, lambda it: mark_request(LABEL, it.pod("queue-0"), "app=other")),
                    kinds.PODS, "shop", "queue-0"),
    "take a label away": (made(Label, lambda it: mark_request(LABEL, it.workload("api"), "app-")),
                          kinds.DEPLOYMENTS, *DEPLOYMENT),
    "annotate": (made(Annotate, lambda it: mark_request(ANNOTATE, it.workload("queue"), "example.com/why=it's ours")),
                 kinds.STATEFULSETS, "shop", "queue"),
    "cordon": (made(Cordon, lambda it: cordon_request(it.node("node-2"))), kinds.NODES, "", "node-2"),
    "suspend": (made(SuspendCronJob, lambda it: suspend_request(it.workload("settlement"))),
                kinds.CRONJOBS, "payments", "settlement"),
    "resume": (made(ResumeCronJob, lambda it: suspend_request(it.workload("prune"))),
               kinds.CRONJOBS, "monitoring", "prune"),
    "delete a policy": (
        made(DeletePolicy, lambda it: delete_policy_request("shop", "api", it.uid(kinds.POLICIES, "api"))),
        kinds.POLICIES, "shop", "api"),
    "renew": (
        made(RenewCertificate, lambda it: renew_request("shop", "shop-tls", it.uid(kinds.CERTIFICATES, "shop-tls"))),
              kinds.CERTIFICATES, "shop", "shop-tls"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_the_command_does_by_hand_what_the_verb_does(kubectl: Path, places: list[Place], name: str) -> None:
    make, resource, namespace, of = CASES[name]
    ours, theirs = places
    verb, request = await make(ours)
    await verb.execute(await verb.plan(request))
    verb, request = await make(theirs)
    action = await verb.plan(request)
    before = content(theirs.cluster.store.find(resource, namespace, of))
    await by_hand(kubectl, action.command, theirs.folder)
    after = [content(place.cluster.store.find(resource, namespace, of)) for place in places]
    assert differing(after[0] or {}, after[1] or {}) == ()
    assert before != after[1] or name == "renew", "it changed something; of a certificate only its status"


@pytest.mark.parametrize("kind", [DeletePod, EvictPod])
async def test_the_very_pod_goes_by_hand_as_by_the_verb(
    kubectl: Path, places: list[Place], kind: Callable[[KubernetesSource], Verb]
) -> None:
    for place, is_ours in zip(places, (True, False), strict=True):
        verb, pod = kind(place.source), place.pod("queue-1")
        action = await verb.plan(evict_request(pod) if verb.name == "evict" else delete_request(pod, 1))
        if is_ours:
            await verb.execute(action)
        else:
            await by_hand(kubectl, action.command, place.folder)
        found = place.cluster.store.find(kinds.PODS, "shop", "queue-1")
        assert found is None or found["metadata"]["uid"] != pod.uid or "deletionTimestamp" in found["metadata"]


async def test_what_was_held_back_is_let_go_by_hand_as_by_the_verb(kubectl: Path, places: list[Place]) -> None:
    for place in places:
        held(kinds.DEPLOYMENTS, "shop", "api", paused=True)(place)
        held(kinds.NODES, "", "node-2", unschedulable=True)(place)
        await place.cluster.until(lambda place=place: place.node("node-2").takes_pods is False)  # type: ignore[misc]
        await place.cluster.until(lambda place=place: place.workload("api").paused)  # type: ignore[misc]
    for number, (kind, resource, namespace, name) in enumerate((
        (ResumeRollout, kinds.DEPLOYMENTS, "shop", "api"), (Uncordon, kinds.NODES, "", "node-2")
    )):  # fmt: skip
        for place, is_ours in zip(places, (True, False), strict=True):
            verb: Verb = kind(place.source)
            request = pause_request(place.workload(name)) if namespace else cordon_request(place.node(name))
            action = await verb.plan(request)
            if is_ours:
                await verb.execute(action)
            else:
                folder = place.folder / str(number)
                folder.mkdir()
                await by_hand(kubectl, action.command, folder)
        told = [content(place.cluster.store.get(resource, namespace, name)) for place in places]
        assert differing(*told) == ()


def jobs_label(cluster: Cluster, name: str) -> str | None:
    """Return the uid that a Job's pods are labelled with, once its controller has seen to that."""
    return label(cluster.store.get(kinds.JOBS, "payments", name))


async def test_a_job_run_by_hand_is_the_one_that_the_verb_runs(kubectl: Path, places: list[Place]) -> None:
    jobs = []
    for place, is_ours in zip(places, (True, False), strict=True):
        verb = RunJob(place.source)
        action = await verb.plan(run_request(place.workload("settlement")))
        if is_ours:
            await verb.execute(action)
        else:
            await by_hand(kubectl, action.command, place.folder)
        name = str(action.evidence["job"])
        await place.cluster.until(lambda it=place.cluster, name=name: jobs_label(it, name) is not None)  # type: ignore[misc]
        job = place.cluster.store.get(kinds.JOBS, "payments", name)
        told = content(job)
        told["metadata"].pop("name")
        owners = [
            {key: one.get(key) for key in ("kind", "name", "controller")} for one in job["metadata"]["ownerReferences"]
        ]
        text = json.dumps({"job": told, "owners": owners})
        jobs.append(json.loads(text.replace(job["metadata"]["uid"], "UID").replace(job["metadata"]["name"], "NAME")))
    assert differing(*jobs) == ()


async def test_what_a_profile_names_is_patched_and_applied_by_hand_as_by_the_verb(
    kubectl: Path, places: list[Place]
) -> None:
    declared = {
        "sooner": DeclaredPatch(
            title="Renew sooner", resource="certificates.cert-manager.io", namespace="shop", name="shop-tls",
            patch={"spec": {"renewBefore": "720h", "duration": None, "dnsNames": ["a.example.test"]}},
        )
    }  # fmt: skip
    for place, is_ours in zip(places, (True, False), strict=True):
        file = place.folder / "page.json"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}}
        file.write_text(json.dumps({**body, "data": {"LOG_LEVEL": "debug"}}))
        file.chmod(0o600)
        manifest = Manifest(title="Verbose", file=str(file))
        merging, applying = MergePatch(place.source, declared), ApplyManifest(place.source, {"verbose": manifest})
        uid = place.uid(kinds.CERTIFICATES, "shop-tls")
        actions = [
            await merging.plan(merge_request("sooner", declared["sooner"], uid)),
            await applying.plan((await apply_requests(place.source, "verbose", manifest))[0]),
        ]
        verbs: tuple[Verb, ...] = (merging, applying)
        for number, (verb, action) in enumerate(zip(verbs, actions, strict=True)):
            if is_ours:
                await verb.execute(action)
            else:
                folder = place.folder / str(number)
                folder.mkdir()
                await by_hand(kubectl, action.command, folder)
    for resource, name in ((kinds.CERTIFICATES, "shop-tls"), (kinds.CONFIGMAPS, "settings")):
        told = [content(place.cluster.store.get(resource, "shop", name)) for place in places]
        assert differing(*told) == ()


async def test_a_policy_is_made_again_by_hand_from_the_manifest_that_was_kept(
    kubectl: Path, places: list[Place]
) -> None:
    _, theirs = places
    before = content(theirs.cluster.store.get(kinds.POLICIES, "shop", "api"))
    verb = DeletePolicy(theirs.source)
    deletion = await verb.plan(delete_policy_request("shop", "api", theirs.uid(kinds.POLICIES, "api")))
    await verb.execute(deletion)
    assert deletion.inverse is not None
    action = await RestorePolicy(theirs.source).plan(deletion.inverse)
    await by_hand(kubectl, action.command, theirs.folder)
    assert content(theirs.cluster.store.get(kinds.POLICIES, "shop", "api")) == before
    assert object_target(CERTIFICATE, "shop", "shop-tls", "u").kind == "certificate"


async def test_a_secrets_value_is_read_by_hand_as_it_is_shown(kubectl: Path, places: list[Place]) -> None:
    _, theirs = places
    encoded = {"a.key_with-all": base64.b64encode("käse & co".encode()).decode()}
    theirs.cluster.store.modify(kinds.SECRETS, "shop", "database", lambda copy: copy["data"].update(encoded))
    request = show_request("shop", "database", theirs.uid(kinds.SECRETS, "database"), "a.key_with-all")
    action = await ShowSecret(theirs.source).plan(request)
    assert await by_hand(kubectl, action.command, theirs.folder) == await revealed(theirs.source, request)


async def test_what_has_no_replicas_is_scaled_up_by_hand_as_by_the_verb(kubectl: Path, places: list[Place]) -> None:
    told = []
    for place, is_ours in zip(places, (True, False), strict=True):
        held(kinds.STATEFULSETS, "shop", "queue", replicas=0)(place)
        await place.cluster.until(lambda place=place: place.workload("queue").desired == 0)  # type: ignore[misc]
        verb = ScaleWorkload(place.source)
        action = await verb.plan(scale_request(place.workload("queue"), 2))
        if is_ours:
            await verb.execute(action)
        else:
            await by_hand(kubectl, action.command, place.folder)
        told.append(content(place.cluster.store.get(kinds.STATEFULSETS, "shop", "queue")))
    assert differing(*told) == ()


async def test_a_node_is_drained_by_hand_of_what_the_verb_drains_it_of(kubectl: Path, places: list[Place]) -> None:
    def on_node(cluster: Cluster, node: str) -> list[str]:
        pods = (pod for pod in cluster.store.things(kinds.PODS) if pod["spec"].get("nodeName") == node)
        return sorted(pod["metadata"]["labels"]["app"] for pod in pods)

    left = []
    for place, is_ours in zip(places, (True, False), strict=True):
        # A budget that allows nothing would hold both for ever.
        place.cluster.store.remove(kinds.BUDGETS, "payments", "ledger")
        # Nothing makes this one again: both refuse it.
        for pod in list(place.cluster.store.things(kinds.PODS)):
            if not pod["metadata"].get("ownerReferences"):
                place.cluster.store.remove(kinds.PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        assert set(on_node(place.cluster, "node-2")) > {"node-agent"}
        verb = DrainNode(place.source)
        action = await verb.plan(drain_request(place.node("node-2")))
        if is_ours:
            await verb.execute(action)
            async with asyncio.timeout(60):
                async for _ in verb.steps(action):
                    pass
        else:
            await by_hand(kubectl, action.command, place.folder)
        left.append((on_node(place.cluster, "node-2"), content(place.cluster.store.get(kinds.NODES, "", "node-2"))))
    assert left[0] == left[1]
    assert left[0][0] == ["node-agent"]
