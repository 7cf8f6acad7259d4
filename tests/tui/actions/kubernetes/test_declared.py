"""Merge patches and manifests that a profile names, on the simulated cluster."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from profiles.declared import DeclaredPatch, Manifest
from tests.tui.actions.kubernetes.conftest import done, patch, source_as
from tui.actions.action import GoneError, NotSentError, Phase, Request, Risk, Sight
from tui.actions.kubernetes.applying import ApplyManifest, apply_requests
from tui.actions.kubernetes.merging import MergePatch, as_json_patch, merge_request, merged, reverse
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.patches import json_patch
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.resources import CERTIFICATES
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_PATH = "/apis/cert-manager.io/v1/namespaces/shop/certificates/shop-tls"
DECLARED = {
    "sooner": DeclaredPatch(
        title="Renew sooner", resource="certificates.cert-manager.io", namespace="shop", name="shop-tls",
        patch={"spec": {"renewBefore": "720h", "dnsNames": ["a.example.test"]}}, risk="medium",
    )
}  # fmt: skip


def to_patch(cluster: Cluster, name: str = "sooner") -> Request:
    uid = cluster.store.get(CERTIFICATES, "shop", "shop-tls")["metadata"]["uid"]
    return merge_request(name, DECLARED["sooner"], uid)


async def spec(source: KubernetesSource) -> Object:
    return part(await source.connection.get(_PATH), "spec")


async def test_a_custom_resource_is_patched_and_taken_back(cluster: Cluster, source: KubernetesSource) -> None:
    verb, before = MergePatch(source, DECLARED), await spec(source)
    action = await verb.plan(to_patch(cluster))
    assert action.risk is Risk.MEDIUM
    assert any(line.startswith("+ spec.renewBefore: 720h") for line in action.preview)
    assert await spec(source) == before, "a plan changes nothing"
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert (await spec(source))["renewBefore"] == "720h"
    assert action.inverse is not None
    back = Request.from_plain(json.loads(json.dumps(replace(action.inverse, undoes=action.id).plain())))
    assert (await done(verb, await verb.plan(back))).phase is Phase.CONVERGED
    assert await spec(source) == before


async def test_what_moved_or_was_made_again_or_is_no_longer_named_stops_it(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb, request = MergePatch(source, DECLARED), to_patch(cluster)
    action = await verb.plan(request)
    await patch(source, {"spec": {"renewBefore": "1h"}}, _PATH)
    assert (await verb.sight(action))[0] is Sight.CHANGED
    with pytest.raises(NotSentError, match=r"has moved on: \+ spec\.renewBefore: 1h; nothing was changed"):
        await verb.execute(action)
    assert (await spec(source))["renewBefore"] == "1h"
    with pytest.raises(NotSentError, match="no longer has this patch"):
        await verb.plan(replace(request, wanted={**request.wanted, "patch": '{"spec": {"secretName": "x"}}'}))
    with pytest.raises(NotSentError, match="has no patch other"):
        await verb.plan(to_patch(cluster, "other"))
    thing = cluster.store.get(CERTIFICATES, "shop", "shop-tls")
    cluster.store.remove(CERTIFICATES, "shop", "shop-tls")
    thing["metadata"] = {"name": "shop-tls", "namespace": "shop"}
    cluster.store.insert(CERTIFICATES, thing)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.plan(request)


async def test_a_patch_whose_fields_are_others_now_is_not_taken_back(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = MergePatch(source, DECLARED)
    action = await verb.plan(to_patch(cluster))
    await verb.execute(action)
    await patch(source, {"spec": {"renewBefore": "1h"}}, _PATH)
    assert action.inverse is not None
    with pytest.raises(NotSentError, match="no longer ours to take back"):
        await verb.plan(replace(action.inverse, undoes=action.id))


@pytest.mark.parametrize(("kind", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_what_became_of_a_patch_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, phase: Phase
) -> None:
    verb = MergePatch(source, DECLARED)
    action = await verb.plan(to_patch(cluster))
    cluster.server.faults.add(Fault(kind, verb="patch", times=1))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert (await verb.look(action.sent(0.0))).phase is phase


async def test_without_permission_neither_is_tried(cluster: Cluster, tmp_path: Path, manifest: Manifest) -> None:
    viewer = source_as(cluster, tmp_path, "viewer")
    try:
        action = await MergePatch(viewer, DECLARED).plan(to_patch(cluster))
        assert "needs patch on certificates in shop" in action.permission
        (request, _) = await apply_requests(viewer, "page", manifest)
        action = await ApplyManifest(viewer, {"page": manifest}).plan(request)
        assert "needs patch on configmaps in shop" in action.permission
    finally:
        await viewer.close()


@pytest.mark.parametrize("values", [
    {"resource": "secrets"}, {"patch": {}}, {"patch": {"metadata": {"name": "x"}}}, {"patch": {"status": {}}},
    {"patch": {"kind": "x"}}, {"resource": "Tenants"}, {"title": ""},
])  # fmt: skip
def test_a_patch_that_may_not_be_is_refused_with_the_profile(values: Mapping[str, Any]) -> None:
    good = {"title": "t", "resource": "tenants.example.com", "name": "acme", "patch": {"spec": {"suspended": True}}}
    DeclaredPatch.model_validate(good)
    with pytest.raises(ValidationError):
        DeclaredPatch.model_validate({**good, **values})


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.sampled_from("abc"), _TREES, max_size=3)


def _without_nulls(tree: Any) -> Any:
    """A server never keeps a null."""
    if not isinstance(tree, dict):
        return tree
    return {key: _without_nulls(value) for key, value in tree.items() if value is not None}


@given(_OBJECTS, _OBJECTS)
def test_the_reverse_of_a_patch_takes_it_back_as_far_as_a_merge_patch_can(obj: Any, change: Any) -> None:
    before = _without_nulls(obj)
    back = merged(merged(before, change), reverse(before, change))
    assert merged(back, reverse(before, change)) == back
    assert _leaves(back) == _leaves(before)


@given(_OBJECTS, _OBJECTS)
def test_a_merge_patch_as_a_json_patch_does_the_same_and_only_to_the_object_that_was_read(
    obj: Any, change: Any
) -> None:
    before = {"metadata": {"uid": "u", "resourceVersion": "7"}, "spec": _without_nulls(obj)}
    wanted = {"spec": change}
    body = as_json_patch(before, wanted)
    assert json_patch(before, body) == merged(before, wanted)
    with pytest.raises(ApiError):
        json_patch({**before, "metadata": {"uid": "other", "resourceVersion": "7"}}, body)
    moved = {**before, "metadata": {"uid": "u", "resourceVersion": "8"}, "status": {"phase": "Busy"}}
    assert json_patch(moved, body)["spec"] == merged(before, wanted)["spec"], "a status that moves is no conflict"
    if merged(before, wanted) != before:
        meanwhile = merged(before, wanted)
        with pytest.raises(ApiError):
            json_patch(meanwhile, body)


def test_where_there_is_nothing_around_a_new_field_the_version_is_tested() -> None:
    before = {"metadata": {"uid": "u", "resourceVersion": "7"}}
    body = as_json_patch(before, {"metadata": {"labels": {"a/b": "c"}}, "spec": {"on": True, "off": None}})
    assert body == [
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "add", "path": "/metadata/labels", "value": {"a/b": "c"}},
        {"op": "add", "path": "/spec", "value": {"on": True}},
    ]


def _leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """What a tree holds, but for objects with nothing in them."""
    if not isinstance(tree, dict):
        return {path: tree}
    return {key: value for name, inner in tree.items() for key, value in _leaves(inner, f"{path}/{name}").items()}


# Manifests


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    folder = tmp_path / "manifests"
    folder.mkdir(mode=0o700)
    page = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page", "namespace": "shop"},
            "data": {"text": "back at noon"}}  # fmt: skip
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"},
                "data": {"LOG_LEVEL": "debug"}}  # fmt: skip
    file = folder / "page.yaml"
    file.write_text(yaml.safe_dump_all([page, settings]))
    file.chmod(0o600)
    return Manifest(title="Maintenance page on", file=str(file))


async def test_each_manifest_is_shown_as_the_server_would_write_it_and_applied(
    source: KubernetesSource, manifest: Manifest
) -> None:
    verb = ApplyManifest(source, {"page": manifest})
    new, changed = await apply_requests(source, "page", manifest)
    assert (new.target.identity["uid"], changed.target.identity["uid"] is not None) == (None, True)
    action = await verb.plan(changed)
    assert action.preview == ("~ data.LOG_LEVEL: info → debug",)
    assert (await done(verb, action)).phase is Phase.CONVERGED
    action = await verb.plan(new)
    assert action.before == "there is none"
    assert (await done(verb, action)).phase is Phase.CONVERGED
    found = await source.connection.get("/api/v1/namespaces/shop/configmaps/page")
    assert part(found, "data") == {"text": "back at noon"}
    assert action.inverse is None


async def test_what_moved_since_it_was_read_stops_it(source: KubernetesSource, manifest: Manifest) -> None:
    verb = ApplyManifest(source, {"page": manifest})
    new, changed = await apply_requests(source, "page", manifest)
    action = await verb.plan(changed)
    await patch(source, {"data": {"CURRENCY": "USD"}}, "/api/v1/namespaces/shop/configmaps/settings")
    assert await verb.sight(action) == (Sight.CHANGED, "~ data.CURRENCY: EUR → USD")
    with pytest.raises(NotSentError, match=r"has moved on: ~ data\.CURRENCY: EUR → USD; nothing was changed"):
        await verb.execute(action)
    await source.connection.call(
        "POST", "/api/v1/namespaces/shop/configmaps", body={"metadata": {"name": "page"}, "data": {}}
    )
    with pytest.raises(NotSentError, match="was made meanwhile"):
        await verb.plan(new)
    text = Path(manifest.file).read_text()
    Path(manifest.file).write_text(text.replace("debug", "trace"))
    with pytest.raises(NotSentError, match="has changed since you looked"):
        await verb.plan(changed)


async def test_what_another_manager_owns_is_not_taken_and_what_was_deleted_not_made_anew(
    cluster: Cluster, source: KubernetesSource, manifest: Manifest
) -> None:
    verb = ApplyManifest(source, {"page": manifest})
    _, request = await apply_requests(source, "page", manifest)
    action = await verb.plan(request)
    path = "/api/v1/namespaces/shop/configmaps/settings"
    assert (await source.connection.call("DELETE", path)).is_ok
    with pytest.raises(GoneError, match="no existing object was found"):
        await verb.execute(action)
    assert (await source.connection.call("GET", path)).status == 404
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"LOG_LEVEL": "warn"}}
    applied = await source.connection.call(
        "PATCH", path, query=[("fieldManager", "helm")], body=other, content_type="application/apply-patch+yaml"
    )
    assert applied.status == 201
    _, request = await apply_requests(source, "page", manifest)
    with pytest.raises(NotSentError, match=r'conflict with "helm": \.data\.LOG_LEVEL'):
        await verb.plan(request)


@pytest.mark.parametrize(("text", "words"), [
    ("{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: hunter2}}", "a Secret is not applied"),
    ("{apiVersion: v1, kind: ConfigMap}", "has no apiVersion, kind or name"),
    ("- not\n- a manifest", "has no apiVersion, kind or name"),
    ("", "holds 0 manifests"),
    ("a: [", "is not valid YAML"),
    ("{apiVersion: nope/v1, kind: Nope, metadata: {name: x}}", "the cluster knows no Nope"),
])  # fmt: skip
async def test_a_file_that_is_not_applied_from_here_says_why(
    source: KubernetesSource, manifest: Manifest, text: str, words: str
) -> None:
    Path(manifest.file).write_text(text)
    with pytest.raises(NotSentError, match=words) as caught:
        await apply_requests(source, "page", manifest)
    assert "hunter2" not in str(caught.value)


async def test_a_file_that_others_can_write_is_refused(source: KubernetesSource, manifest: Manifest) -> None:
    Path(manifest.file).chmod(0o666)
    with pytest.raises(NotSentError, match="others can write the file"):
        await apply_requests(source, "page", manifest)


@pytest.mark.parametrize(("kind", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_what_became_of_an_apply_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, manifest: Manifest, kind: FaultKind, phase: Phase
) -> None:
    verb = ApplyManifest(source, {"page": manifest})
    action = await verb.plan((await apply_requests(source, "page", manifest))[1])
    cluster.server.faults.add(Fault(kind, verb="patch", times=1))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert (await verb.look(action.sent(0.0))).phase is phase
