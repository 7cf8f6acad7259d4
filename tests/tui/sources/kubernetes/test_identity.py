"""Which cluster answers: asked once for each opening of the connection, also by those who may see little."""

import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from profiles.systems import Kubernetes
from tests.tui.actions.kubernetes.conftest import source_as
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError, Unreadable
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part, text
from tui.sources.kubernetes.identity import ClusterIdentity, fingerprint
from tui.sources.kubernetes.kubeconfig import Login, Material

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]
NAMESPACE = "/api/v1/namespaces/kube-system"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    made = source_as(cluster, tmp_path)
    yield made
    await made.close()


def values(identity: ClusterIdentity) -> dict[str, str | int]:
    """Return what would be pinned."""
    return {trait.key: trait.value for trait in identity.traits() if trait.lasts and trait.value is not None}


async def test_a_cluster_is_known_by_the_uid_of_kube_system(source: KubernetesSource) -> None:
    identity = (await source.read()).identity
    uid = text(part(await source.connection.get(NAMESPACE), "metadata"), "uid")
    assert values(identity) == {"namespace_uid": uid}
    assert await source.same_cluster() == identity.opening == source.connection.openings


async def test_it_is_asked_once_for_each_opening(cluster: Cluster, source: KubernetesSource) -> None:
    first = (await source.read()).identity
    cluster.server.faults.add(Fault(FaultKind.INTERNAL, path=NAMESPACE))
    assert (await source.read()).identity is first
    await source.connection.close()
    unsure = (await source.read()).identity
    assert unsure.namespace_uid is None
    assert "the API server failed" in unsure.no_uid
    cluster.server.faults.clear()
    assert (await source.read()).identity == replace(first, opening=source.connection.openings)


async def test_an_account_that_may_not_read_it_knows_the_cluster_by_address_and_ca(tmp_path: Path) -> None:
    async with Cluster(tls=True) as cluster:
        source = source_as(cluster, tmp_path, "shop-only")
        try:
            identity = await source.identify()
            assert (await source.read()).identity == identity, "it is not asked again, and nothing else is lost"
        finally:
            await source.close()
    config = yaml.safe_load((tmp_path / "shop-only.kubeconfig").read_text())["clusters"][0]["cluster"]
    certificate = ssl.PEM_cert_to_DER_cert(base64.b64decode(config["certificate-authority-data"]).decode())
    assert "ask for: get on namespaces" in identity.no_uid
    assert values(identity) == {"server": config["server"], "ca_sha256": hashlib.sha256(certificate).hexdigest()}


async def test_another_cluster_behind_the_same_kubeconfig_is_noticed(source: KubernetesSource, tmp_path: Path) -> None:
    first = (await source.read()).identity
    async with Cluster(speed=20, seed=7) as other:
        other.write_kubeconfig(tmp_path / "admin.kubeconfig", "admin")
        await source.connection.close()
        with pytest.raises(Unreadable, match="another cluster answers now"):
            await source.same_cluster()
        second = (await source.read()).identity
        assert second.namespace_uid not in (None, first.namespace_uid)


async def test_a_request_bound_to_an_opening_is_never_sent_on_another(source: KubernetesSource) -> None:
    await source.identify()
    opening = source.connection.openings
    await source.connection.close()
    with pytest.raises(SourceError, match="made anew"):
        await source.connection.call("GET", NAMESPACE, opening=opening)


CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
OTHER = b"-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
LOGIN = Login("c", "https://api:6443", "u", "", ca=Material(None, CERTIFICATE))


def test_the_fingerprint_of_several_certificates_does_not_depend_on_their_order() -> None:
    several = replace(LOGIN, ca=Material(None, b"# a comment\n" + CERTIFICATE + OTHER))
    turned = replace(LOGIN, ca=Material(None, OTHER + CERTIFICATE))
    assert fingerprint(several) == fingerprint(turned)
    assert fingerprint(several)[0] != fingerprint(LOGIN)[0]


@pytest.mark.parametrize(
    ("login", "why"),
    [
        (replace(LOGIN, insecure=True), "insecure-skip-tls-verify"),
        (replace(LOGIN, server="http://api"), "without TLS"),
        (replace(LOGIN, ca=None), "names no CA"),
        (replace(LOGIN, ca=Material(None, b"nothing")), "holds no certificate"),
        (replace(LOGIN, ca=Material(Path("/nonexistent"), None)), "cannot be read: No such file"),
    ],
)
def test_a_ca_that_proves_nothing_says_why(login: Login, why: str) -> None:
    found, reason = fingerprint(login)
    assert found is None
    assert why in reason


def test_nothing_is_known_before_a_connection() -> None:
    source = KubernetesSource(Kubernetes(kubeconfig="/nonexistent"), environ={})
    assert source.connection.openings == 0
    assert values(ClusterIdentity()) == {}
