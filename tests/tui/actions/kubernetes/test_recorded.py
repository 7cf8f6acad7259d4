"""The verbs beside exchanges recorded with a real API server: what they send, and how they read what it answered."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profiles.declared import DeclaredPatch, Manifest
from tests.tui.actions.kubernetes.conftest import patch, pods, source_as
from tui.actions.action import Action, GoneError, NotSentError, Phase, Request, Verb
from tui.actions.kubernetes.applying import ApplyManifest, apply_requests
from tui.actions.kubernetes.evict import EvictPod, evict_request
from tui.actions.kubernetes.image import SET_IMAGE, SetImage
from tui.actions.kubernetes.marks import LABEL, Label, mark_request
from tui.actions.kubernetes.merging import MergePatch, merge_request
from tui.actions.kubernetes.pause import PauseRollout, pause_request
from tui.actions.kubernetes.pods import DeletePod, delete_request
from tui.actions.kubernetes.policy import DeletePolicy, RestorePolicy, delete_policy_request
from tui.actions.kubernetes.restart import RestartWorkload, restart_request
from tui.actions.kubernetes.scale import ScaleWorkload, scale_request
from tui.actions.kubernetes.template import template_request
from tui.sandbox.cluster import patches
from tui.sandbox.cluster.api import Write
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import DEPLOYMENTS, POLICIES
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.workloads import Workload

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
Exchange = Mapping[str, Any]
RECORDED: Mapping[str, Exchange] = {one["what"]: one for one in json.loads((_ZOO / "exchanges.json").read_text())}
PROBE = "/apis/apps/v1/namespaces/shop/deployments/probe"
DECLARED = {
    "hold": DeclaredPatch(
        title="Hold it", resource="deployments.apps", namespace="shop", name="probe", patch={"spec": {"paused": True}}
    )
}


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    """The recorded Deployment on the simulated cluster, and who watches it."""
    made = source_as(cluster, tmp_path)
    created = RECORDED["create a Deployment"]["request"]
    answer = await made.connection.call(created["method"], created["path"], body=created["body"])
    assert answer.status == RECORDED["create a Deployment"]["status"]
    await cluster.settled("shop", "probe")
    # Its status moves its version as long as its pods come up.
    await cluster.until(lambda: cluster.store.get(DEPLOYMENTS, "shop", "probe")["status"].get("availableReplicas") == 2)
    await made.read()
    yield made
    await made.close()


async def probe(source: KubernetesSource) -> Workload:
    """Return the Deployment as the Pods tab sees it."""
    return next(one for one in source.mirror.workloads.facts.values() if one.name == "probe")


async def merge_probe(cluster: Cluster) -> Request:
    return merge_request("hold", DECLARED["hold"], uid(cluster))


def uid(cluster: Cluster) -> str:
    return str(cluster.store.get(DEPLOYMENTS, "shop", "probe")["metadata"]["uid"])


def sent(cluster: Cluster, method: str, *, is_dry_run: bool = False) -> Write:
    """Return the only write of that method since the last look."""
    found = [one for one in cluster.server.writes if one.method == method and not one.is_review]
    (one,) = [one for one in found if one.is_dry_run is is_dry_run]
    return one


def form(request: Exchange) -> tuple[str, str, str]:
    """Return what must be alike word for word: method, path, content type."""
    path, _, _ = request["path"].partition("?")
    return request["method"], path, request["content_type"] or ""


def form_of(write: Write) -> tuple[str, str, str]:
    return write.method, write.path, write.content_type


def at(tree: Any, pointer: str) -> Any:
    """Return what stands at a JSON Pointer."""
    for step in pointer.split("/")[1:]:
        tree = tree[int(step) if isinstance(tree, list) else step.replace("~1", "/").replace("~0", "~")]
    return tree


def holds_on(body: Any, obj: Any, own_uid: str) -> None:
    """Assert that a JSON Patch tests the uid first, and that every test holds on what a real server wrote."""
    tests = [one for one in body if one["op"] == "test"]
    assert body[: len(tests)] == tests, "whatever is tested is tested before anything is changed"
    assert len(tests) < len(body)
    assert tests[0] == {"op": "test", "path": "/metadata/uid", "value": own_uid}
    for one in tests[1:]:
        # The version is the cluster's own; it is tested where there is nothing else to test.
        assert one["path"] == "/metadata/resourceVersion" or at(obj, one["path"]) == one["value"]


def changed(body: Any, obj: Any) -> Any:
    """Return what the steps of a JSON Patch that are no tests make of an object."""
    return patches.json_patch(obj, [one for one in body if one["op"] != "test"])


# What is sent


async def test_scaling_sends_what_a_real_server_accepted_on_scale(cluster: Cluster, source: KubernetesSource) -> None:
    await patch(source, {"spec": {"replicas": 3}}, PROBE)
    cluster.server.writes.clear()
    verb, seen = ScaleWorkload(source), replace(await probe(source), desired=3)
    await verb.execute(await verb.plan(scale_request(seen, 4)))
    recorded = RECORDED["JSON Patch on scale, tests hold"]
    write = sent(cluster, "PATCH")
    assert form_of(write) == form(recorded["request"])
    before = {**recorded["response"], "spec": {"replicas": 3}}
    holds_on(write.body, before, uid(cluster))
    assert changed(write.body, before) == recorded["response"]
    tried = sent(cluster, "PATCH", is_dry_run=True)
    assert (tried.body, tried.query) == (write.body, {"dryRun": "All"}), "what was tried is what is sent"
    assert RECORDED["dry run"]["request"]["path"].endswith("?dryRun=All")


@pytest.mark.parametrize("make", [
    lambda source, seen: (RestartWorkload(source), restart_request(seen)),
    lambda source, seen: (PauseRollout(source), pause_request(seen)),
    lambda source, seen: (Label(source), mark_request(LABEL, seen, "team=shop")),
    lambda source, seen: (SetImage(source), template_request(SET_IMAGE, seen, {"container": "main", "image": "p:2"})),
], ids=["restart", "pause", "label", "set image"])  # fmt: skip
async def test_what_changes_the_object_itself_is_a_json_patch_whose_tests_hold_on_the_recorded_one(
    cluster: Cluster, source: KubernetesSource, make: Callable[[KubernetesSource, Workload], tuple[Verb, Request]]
) -> None:
    cluster.server.writes.clear()
    verb, request = make(source, await probe(source))
    await verb.execute(await verb.plan(request))
    write = sent(cluster, "PATCH")
    assert form_of(write) == form(RECORDED["JSON Patch, tests hold"]["request"])
    holds_on(write.body, RECORDED["create a Deployment"]["response"], uid(cluster))


async def test_a_set_image_leaves_the_template_that_kubectls_own_patch_left(
    cluster: Cluster, source: KubernetesSource
) -> None:
    recorded = RECORDED["strategic merge keeps the other container fields"]
    wanted = {"container": "main", "image": "probe:2"}
    verb = SetImage(source)
    await verb.execute(await verb.plan(template_request(SET_IMAGE, await probe(source), wanted)))
    before = RECORDED["create a Deployment"]["response"]
    after = changed(sent(cluster, "PATCH").body, before)
    assert after["spec"]["template"] == recorded["response"]["spec"]["template"]
    assert cluster.store.get(DEPLOYMENTS, "shop", "probe")["spec"]["template"] == after["spec"]["template"]


async def test_a_deletion_holds_the_uid_as_the_recorded_one_did(cluster: Cluster, source: KubernetesSource) -> None:
    pod = pods(source, "api")[0]
    cluster.server.writes.clear()
    verb = DeletePod(source)
    await verb.execute(await verb.plan(delete_request(pod)))
    recorded = RECORDED["delete"]["request"]
    write = sent(cluster, "DELETE")
    assert (write.method, write.content_type) == (recorded["method"], recorded["content_type"])
    assert write.body == {**recorded["body"], "preconditions": {"uid": pod.uid}}
    tried = sent(cluster, "DELETE", is_dry_run=True)
    assert tried.query == {"dryRun": "All"}


async def test_whether_scaling_is_allowed_is_asked_as_it_was_recorded(
    cluster: Cluster, source: KubernetesSource
) -> None:
    cluster.server.writes.clear()
    await ScaleWorkload(source).plan(scale_request(await probe(source), 5))
    recorded = RECORDED["access review: patch scale"]["request"]
    (review,) = [one for one in cluster.server.writes if one.is_review]
    assert form_of(review) == form(recorded)
    asked = review.body["spec"]["resourceAttributes"]
    assert {key: value for key, value in asked.items() if key != "name"} == (
        recorded["body"]["spec"]["resourceAttributes"]
    )
    assert {**review.body, "spec": None} == {**recorded["body"], "spec": None}


async def test_a_merge_patch_is_sent_as_a_json_patch_whose_tests_hold_and_does_what_was_recorded(
    cluster: Cluster, source: KubernetesSource
) -> None:
    """The recorded one names a version of the whole object, which the status of a busy one moves every second."""
    cluster.server.writes.clear()
    verb = MergePatch(source, DECLARED)
    await verb.execute(await verb.plan(await merge_probe(cluster)))
    write = sent(cluster, "PATCH")
    assert form_of(write) == form(RECORDED["JSON Patch, tests hold"]["request"])
    before = RECORDED["create a Deployment"]["response"]
    holds_on(write.body, before, uid(cluster))
    merging = RECORDED["strategic merge, stale resourceVersion"]["request"]["body"]
    assert changed(write.body, before)["spec"] == patches.merge(before, {"spec": merging["spec"]})["spec"]


# How answers are read


def answers(cluster: Cluster, what: str, verb: str, *, dry_runs: int = 1) -> None:
    """Let the simulated server answer a write with what a real one was recorded to answer, behind its dry run."""
    recorded = RECORDED[what]
    fault = Fault(FaultKind.ANSWER, verb=verb, times=1, passes=dry_runs)
    fault.status, fault.body = recorded["status"], recorded["response"]
    cluster.server.faults.add(fault)


async def not_sent(verb: Verb, action: Action) -> NotSentError:
    """Return why nothing was changed."""
    with pytest.raises(NotSentError) as caught:
        await verb.execute(action)
    return caught.value


@pytest.mark.parametrize("what", ["JSON Patch, stale replicas", "JSON Patch on scale, stale"])
async def test_a_test_that_failed_is_told_by_what_moved(cluster: Cluster, source: KubernetesSource, what: str) -> None:
    verb = ScaleWorkload(source)
    answers(cluster, what, "patch")
    action = await verb.plan(scale_request(await probe(source), 5))
    cluster.store.modify(DEPLOYMENTS, "shop", "probe", lambda copy: copy["spec"].update(replicas=3))
    error = await not_sent(verb, action)
    assert "has moved on: replicas 2 → 3; nothing was changed" in str(error)
    assert not isinstance(error, GoneError)


async def test_a_test_of_the_uid_that_failed_is_told_as_another_object(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = RestartWorkload(source)
    answers(cluster, "JSON Patch, wrong uid", "patch")
    action = await verb.plan(restart_request(await probe(source)))
    old = cluster.store.get(DEPLOYMENTS, "shop", "probe")
    cluster.store.remove(DEPLOYMENTS, "shop", "probe")
    cluster.store.insert(DEPLOYMENTS, {**old, "metadata": {"name": "probe", "namespace": "shop"}})
    error = await not_sent(verb, action)
    assert isinstance(error, GoneError)
    assert "deleted and created again: another one under the same name" in str(error)


async def test_a_test_that_failed_though_nothing_seems_to_have_moved_is_told_in_the_servers_words(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = RestartWorkload(source)
    answers(cluster, "JSON Patch, stale replicas", "patch")
    error = await not_sent(verb, await verb.plan(restart_request(await probe(source))))
    assert str(error) == (
        "refused, nothing was changed: the server rejected our request due to an error in our request"
    )


@pytest.mark.parametrize(("what", "words"), [
    ("negative replicas", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
    ("unknown content type", "415: Unsupported Media Type"),
])  # fmt: skip
async def test_what_a_server_finds_wrong_with_a_write_is_told_in_its_own_words(
    cluster: Cluster, source: KubernetesSource, what: str, words: str
) -> None:
    verb = ScaleWorkload(source)
    answers(cluster, what, "patch")
    error = await not_sent(verb, await verb.plan(scale_request(await probe(source), 5)))
    assert str(error).startswith("refused, nothing was changed: ")
    assert words in str(error)


async def test_what_a_dry_run_is_refused_with_ends_the_plan(cluster: Cluster, source: KubernetesSource) -> None:
    answers(cluster, "negative replicas", "patch", dry_runs=0)
    with pytest.raises(NotSentError, match="must be greater than or equal to 0"):
        await ScaleWorkload(source).plan(scale_request(await probe(source), 5))


async def test_a_dry_run_is_shown_as_the_recorded_server_answered_it(
    cluster: Cluster, source: KubernetesSource
) -> None:
    recorded = RECORDED["dry run"]
    before = RECORDED["JSON Patch, tests hold"]["response"]
    fault = Fault(FaultKind.ANSWER, verb="get", path=PROBE, times=1, body=before)
    cluster.server.faults.add(fault)
    seen = replace(await probe(source), uid=before["metadata"]["uid"])
    answers(cluster, "dry run", "patch", dry_runs=0)
    action = await RestartWorkload(source).plan(restart_request(seen))
    assert action.preview == ("~ spec.replicas: 3 → 9",), "only what the server would change, none of its bookkeeping"
    assert recorded["response"]["spec"]["replicas"] == 9


@pytest.mark.parametrize("what", ["strategic merge, wrong uid", "strategic merge, stale resourceVersion"])
async def test_a_merge_patch_that_lost_the_race_says_what_moved(
    cluster: Cluster, source: KubernetesSource, what: str
) -> None:
    verb = MergePatch(source, DECLARED)
    answers(cluster, what, "patch")
    action = await verb.plan(await merge_probe(cluster))
    cluster.store.modify(DEPLOYMENTS, "shop", "probe", lambda copy: copy["spec"].update(minReadySeconds=7))
    error = await not_sent(verb, action)
    assert "has moved on: + spec.minReadySeconds: 7; nothing was changed" in str(error)


async def test_what_is_not_found_is_gone(cluster: Cluster, source: KubernetesSource) -> None:
    verb = ScaleWorkload(source)
    action = await verb.plan(scale_request(await probe(source), 5))
    answers(cluster, "not found", "patch", dry_runs=0)
    assert isinstance(await not_sent(verb, action), GoneError)
    answers(cluster, "not found", "get", dry_runs=0)
    with pytest.raises(GoneError, match=r'deployments\.apps "no-such" not found'):
        await verb.plan(scale_request(await probe(source), 5))


@pytest.mark.parametrize("verb_of", [DeletePod, EvictPod])
async def test_a_deletion_of_another_uid_is_told_as_another_object(
    cluster: Cluster, source: KubernetesSource, verb_of: Callable[[KubernetesSource], Verb]
) -> None:
    verb, pod = verb_of(source), pods(source, "api")[0]
    request = delete_request(pod) if verb.name == "delete-pod" else evict_request(pod)
    action = await verb.plan(request)
    answers(cluster, "delete, wrong uid", "delete" if verb.name == "delete-pod" else "create", dry_runs=0)
    error = await not_sent(verb, action)
    assert isinstance(error, GoneError)
    assert "does not match the UID in record" in str(error)


async def test_a_network_policy_that_was_made_again_is_not_deleted(cluster: Cluster, source: KubernetesSource) -> None:
    found = cluster.store.get(POLICIES, "shop", "api")["metadata"]
    verb = DeletePolicy(source)
    action = await verb.plan(delete_policy_request("shop", "api", found["uid"]))
    answers(cluster, "delete, wrong uid", "delete", dry_runs=0)
    policy = cluster.store.get(POLICIES, "shop", "api")
    cluster.store.remove(POLICIES, "shop", "api")
    cluster.store.insert(POLICIES, {**policy, "metadata": {"name": "api", "namespace": "shop"}})
    error = await not_sent(verb, action)
    assert isinstance(error, GoneError)
    assert "another one under the same name" in str(error)


async def test_answers_to_deletions_and_creations_are_read(cluster: Cluster, source: KubernetesSource) -> None:
    verb = DeletePod(source)
    answers(cluster, "delete, dry run", "delete", dry_runs=0)
    action = await verb.plan(delete_request(pods(source, "api")[0]))
    assert action.preview == ("the server's dry run accepts it",)
    answers(cluster, "delete", "delete", dry_runs=0)
    assert (await verb.execute(action)).answer.endswith("is being deleted")
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT, "the answer is believed only once it is seen"


async def test_a_name_that_is_taken_is_not_overwritten(cluster: Cluster, source: KubernetesSource) -> None:
    found = cluster.store.get(POLICIES, "shop", "api")["metadata"]
    deleting = DeletePolicy(source)
    deletion = await deleting.plan(delete_policy_request("shop", "api", found["uid"]))
    assert deletion.inverse is not None
    await deleting.execute(deletion)
    verb = RestorePolicy(source)
    action = await verb.plan(deletion.inverse)
    answers(cluster, "create it again", "create", dry_runs=0)
    assert "already exists" in str(await not_sent(verb, action)), (
        "the server's own words where there is none to be seen"
    )
    answers(cluster, "create it again", "create", dry_runs=0)
    cluster.store.insert(POLICIES, {"metadata": {"name": "api", "namespace": "shop"}, "spec": {"podSelector": {}}})
    assert "was made meanwhile; nothing was changed" in str(await not_sent(verb, action))


async def test_a_right_that_the_recorded_review_grants_is_taken_for_granted(
    cluster: Cluster, source: KubernetesSource
) -> None:
    answers(cluster, "access review: patch scale", "create", dry_runs=0)
    action = await ScaleWorkload(source).plan(scale_request(await probe(source), 5))
    assert action.permission == ""


async def test_a_manifest_that_lost_the_race_says_what_moved(
    cluster: Cluster, source: KubernetesSource, tmp_path: Path
) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir(mode=0o700)
    file = folder / "probe.json"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "probe", "namespace": "shop"}}
    file.write_text(json.dumps({**body, "spec": {"minReadySeconds": 5}}))
    file.chmod(0o600)
    manifest = Manifest(title="Slower", file=str(file))
    verb = ApplyManifest(source, {"slower": manifest})
    (request,) = await apply_requests(source, "slower", manifest)
    action = await verb.plan(request)
    answers(cluster, "PUT scale, stale resourceVersion", "patch", dry_runs=0)
    cluster.store.modify(DEPLOYMENTS, "shop", "probe", lambda copy: copy["spec"].update(replicas=6))
    error = await not_sent(verb, action)
    assert "has moved on: ~ spec.replicas: 2 → 6; nothing was changed" in str(error)


async def test_every_recorded_exchange_is_held_to_here_or_named_as_none_of_ours() -> None:
    """The others are of lists, which no verb asks for in that form; the simulated server is held to all of them."""
    told = Path(__file__).read_text()
    none_of_ours = {
        "continue token that is nonsense",
        "bad label selector",
        "bad field selector",
        "read after the dry run",
    }
    assert {what for what in RECORDED if f'"{what}"' not in told.partition("none_of_ours = ")[0]} == none_of_ours
