"""NetworkPolicies, Secrets and Certificates on the simulated cluster."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.actions.kubernetes.conftest import done, patch, source_as
from tests.tui.actions.scripted import Bench
from tui.actions.action import Action, NotSentError, Phase, Request, Risk, Sight, Verb
from tui.actions.kubernetes.certificate import RenewCertificate, renew_request
from tui.actions.kubernetes.policy import POLICY, DeletePolicy, RestorePolicy, delete_policy_request, manifest_of
from tui.actions.kubernetes.secret import ShowSecret, revealed, show_request
from tui.actions.perform import Ending, Performer
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import CERTIFICATES, POLICIES, SECRETS, Resource
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, text

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_PATH = POLICY.path("shop", "api")
_CERTIFICATE = "/apis/cert-manager.io/v1/namespaces/shop/certificates/shop-tls"


def uid(cluster: Cluster, resource: Resource, name: str) -> str:
    return str(cluster.store.get(resource, "shop", name)["metadata"]["uid"])


def made_again(cluster: Cluster, resource: Resource, name: str) -> None:
    thing = cluster.store.get(resource, "shop", name)
    cluster.store.remove(resource, "shop", name)
    thing["metadata"] = {"name": name, "namespace": "shop"}
    cluster.store.insert(resource, thing)


async def there(source: KubernetesSource, path: str = _PATH) -> Object | None:
    answer = await source.connection.call("GET", path)
    return answer.body if answer.is_ok else None


# NetworkPolicies


def to_delete(cluster: Cluster) -> Request:
    return delete_policy_request("shop", "api", uid(cluster, POLICIES, "api"), 600.0)


def as_json(action: Action) -> Request:
    """Return an inverse as the journal gives it back."""
    assert action.inverse is not None
    plain = json.loads(json.dumps(action.inverse.plain()))
    return replace(Request.from_plain(plain), undoes=action.id)


async def test_a_policy_is_deleted_for_a_while_and_made_again_as_it_was(
    cluster: Cluster, source: KubernetesSource
) -> None:
    before = await there(source)
    assert before is not None
    action = await DeletePolicy(source).plan(to_delete(cluster))
    assert (action.risk, action.request.temporary_s) == (Risk.HIGH, 600.0)
    assert "it covers 4 pods" in action.impact
    assert any("no other policy covers them" in line for line in action.impact)
    assert await there(source) is not None, "a plan changes nothing"
    assert (await done(DeletePolicy(source), action)).phase is Phase.CONVERGED
    assert await there(source) is None
    back = await RestorePolicy(source).plan(as_json(action))
    assert any("podSelector" in line for line in back.preview)
    assert (await done(RestorePolicy(source), back)).phase is Phase.CONVERGED
    after = await there(source)
    assert after is not None
    assert manifest_of(after) == manifest_of(before)
    assert part(after, "metadata")["uid"] != part(before, "metadata")["uid"]


async def test_a_policy_that_was_changed_or_made_again_is_not_deleted(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb, request = DeletePolicy(source), to_delete(cluster)
    action = await verb.plan(request)
    await patch(source, {"metadata": {"labels": {"team": "shop"}}}, _PATH)
    assert await verb.sight(action) == (Sight.CHANGED, "+ metadata.labels.team: shop")
    with pytest.raises(NotSentError, match=r"has moved on: \+ metadata\.labels\.team: shop; nothing was changed"):
        await verb.execute(action)
    made_again(cluster, POLICIES, "api")
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.plan(request)
    assert await there(source) is not None


async def test_restoring_never_overwrites_what_somebody_else_has_made(
    cluster: Cluster, source: KubernetesSource
) -> None:
    action = await DeletePolicy(source).plan(to_delete(cluster))
    await DeletePolicy(source).execute(action)
    back = await RestorePolicy(source).plan(as_json(action))
    kept = json.loads(str(as_json(action).wanted["manifest"]))
    other = {**kept, "spec": {"podSelector": {}}}
    assert (await source.connection.call("POST", POLICY.path("shop"), body=other)).is_ok
    with pytest.raises(NotSentError, match="was made meanwhile; nothing was changed"):
        await RestorePolicy(source).execute(back)
    with pytest.raises(NotSentError, match="no longer ours to take back"):
        await RestorePolicy(source).plan(as_json(action))
    found = await there(source)
    assert found is not None
    assert part(found, "spec")["podSelector"] == {}


async def test_a_manifest_that_is_not_the_policys_own_is_refused(cluster: Cluster, source: KubernetesSource) -> None:
    action = await DeletePolicy(source).plan(to_delete(cluster))
    await DeletePolicy(source).execute(action)
    request = as_json(action)
    other = json.loads(str(request.wanted["manifest"]))
    other["metadata"]["namespace"] = "payments"
    for manifest in (json.dumps(other), "{}", "no json", None):
        with pytest.raises(NotSentError, match="manifest"):
            await RestorePolicy(source).plan(replace(request, wanted={"manifest": manifest}))


@pytest.mark.parametrize(("kind", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_what_became_of_a_deletion_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, phase: Phase
) -> None:
    action = await DeletePolicy(source).plan(to_delete(cluster))
    cluster.server.faults.add(Fault(kind, verb="delete", times=1))
    with pytest.raises(SourceError):
        await DeletePolicy(source).execute(action)
    assert (await DeletePolicy(source).look(action.sent(0.0))).phase is phase


# Secrets


def to_show(cluster: Cluster, key: str = "url") -> Request:
    return show_request("shop", "database", uid(cluster, SECRETS, "database"), key)


@pytest.fixture
def value(cluster: Cluster) -> str:
    """Give the Secret a value that is found wherever it should not be."""
    found = "postgresql://shop:hunter2@db/shop"
    encoded = base64.b64encode(found.encode()).decode()
    cluster.store.modify(SECRETS, "shop", "database", lambda copy: copy["data"].update(url=encoded, key="/w=="))
    return found


async def test_a_value_is_shown_once_it_is_on_record_and_stands_nowhere(
    cluster: Cluster, source: KubernetesSource, tmp_path: Path, value: str
) -> None:
    bench = Bench(tmp_path / "journal")
    verbs: dict[tuple[str, str], Verb] = {("show-secret", source.name): ShowSecret(source)}
    told: list[str] = []
    performer = Performer(bench.profile, verbs, bench.guard, bench.journal)
    request = to_show(cluster)
    outcome = await performer.perform(request, bench.confirm, lambda request, what: told.append(what))
    assert outcome.ending is Ending.CONVERGED
    assert await revealed(source, request) == value
    kept = json.dumps(list(bench.journal.entries()))
    assert '"url"' in kept
    assert "hunter2" not in f"{kept}{told}{outcome}{bench.confirmed}"
    assert base64.b64encode(value.encode()).decode() not in kept


async def test_what_cannot_be_shown_says_why_without_the_value(
    cluster: Cluster, source: KubernetesSource, tmp_path: Path, value: str
) -> None:
    with pytest.raises(NotSentError, match="has no key nope"):
        await ShowSecret(source).plan(to_show(cluster, "nope"))
    assert "that are no text" in await revealed(source, to_show(cluster, "key"))
    action = await ShowSecret(source, masks=True).plan(to_show(cluster))
    assert "--share" in action.permission
    viewer = source_as(cluster, tmp_path, "viewer")
    try:
        with pytest.raises((NotSentError, SourceError)) as caught:
            await revealed(viewer, to_show(cluster))
        assert "hunter2" not in str(caught.value)
        assert "needs get on secrets in shop" in (await ShowSecret(viewer).plan(to_show(cluster))).permission
    finally:
        await viewer.close()


async def test_a_secret_made_again_under_the_name_is_not_shown(
    cluster: Cluster, source: KubernetesSource, value: str
) -> None:
    verb, request = ShowSecret(source), to_show(cluster)
    action = await verb.plan(request)
    made_again(cluster, SECRETS, "database")
    assert (await verb.sight(action))[0] is Sight.GONE
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await revealed(source, request)


# Certificates


def to_renew(cluster: Cluster, name: str = "shop-tls") -> Request:
    return renew_request("shop", name, uid(cluster, CERTIFICATES, name))


async def test_a_certificate_is_marked_and_issued_anew_and_never_gone(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb, before = RenewCertificate(source), uid(cluster, CERTIFICATES, "shop-tls")
    revision = cluster.store.get(CERTIFICATES, "shop", "shop-tls")["status"].get("revision", 0)
    action = await verb.plan(to_renew(cluster))
    assert action.preview == ("+ status.conditions: Issuing True, ManuallyTriggered",)
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT
    look = await done(verb, action)
    assert (look.phase, "issued anew, valid until" in look.detail) == (Phase.CONVERGED, True)
    found = await there(source, _CERTIFICATE)
    assert found is not None
    assert text(part(found, "metadata"), "uid") == before
    assert part(found, "status")["revision"] == revision + 1


async def test_an_issuer_that_fails_is_not_converged(cluster: Cluster, source: KubernetesSource) -> None:
    look = await done(RenewCertificate(source), await RenewCertificate(source).plan(to_renew(cluster, "legacy-tls")))
    assert look.phase is Phase.NOT_CONVERGED
    assert look.detail.startswith("Failed: ")


async def test_one_that_is_being_issued_or_was_made_again_is_left_alone(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb, request = RenewCertificate(source), to_renew(cluster)
    first, second = await verb.plan(request), await verb.plan(request)
    await verb.execute(first)
    with pytest.raises(NotSentError, match="its conditions changed"):
        await verb.execute(second)
    with pytest.raises(NotSentError, match="being issued already"):
        await verb.plan(request)
    made_again(cluster, CERTIFICATES, "shop-tls")
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.plan(request)


@pytest.mark.parametrize(("verb", "words"), [
    (DeletePolicy, "needs delete on networkpolicies in shop"),
    (RenewCertificate, "needs patch on certificates/status in shop"),
])  # fmt: skip
async def test_without_permission_nothing_is_tried(
    cluster: Cluster, tmp_path: Path, verb: type[DeletePolicy | RenewCertificate], words: str
) -> None:
    viewer = source_as(cluster, tmp_path, "viewer")
    try:
        request = to_delete(cluster) if verb is DeletePolicy else to_renew(cluster)
        action = await verb(viewer).plan(request)
        assert words in action.permission
        assert action.preview == ("no preview: not permitted",)
    finally:
        await viewer.close()
