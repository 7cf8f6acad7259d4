"""What pods and templates name, and who uses what: pure, then on the simulated cluster."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Kubernetes
from tui.panes.pods_users import used_by_lines, uses_lines
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Owner
from tui.sources.kubernetes.references import references
from tui.sources.kubernetes.users import Users, users_of

SPEC: dict[str, Any] = {
    "serviceAccountName": "api",
    "imagePullSecrets": [{"name": "registry"}],
    "initContainers": [{"name": "migrate", "envFrom": [{"secretRef": {"name": "db"}, "prefix": "DB_"}]}],
    "containers": [
        {
            "name": "app",
            "env": [
                {"name": "URL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "url"}}},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token", "optional": True}}},
                {"name": "PLAIN", "value": "settings"},
            ],
            "volumeMounts": [{"name": "conf", "mountPath": "/etc/app"}, {"name": "data", "mountPath": "/data"}],
        }
    ],
    "volumes": [
        {"name": "conf", "configMap": {"name": "settings"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "tls", "secret": {"secretName": "web-tls", "optional": True}},
        {"name": "all", "projected": {"sources": [{"secret": {"name": "db"}}, {"configMap": {"name": "more"}}]}},
        {"name": "csi", "csi": {"driver": "vault", "nodePublishSecretRef": {"name": "vault"}}},
        {"name": "kube-api-access-x", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
    ],
}


def test_every_way_in_which_a_pod_names_something_is_known() -> None:
    found = {(one.kind, one.name, one.words()) for one in references("api-1", SPEC)}
    assert found == {
        ("ServiceAccount", "api", "runs as it"),
        ("Secret", "registry", "pulls images with it"),
        ("Secret", "db", "envFrom in migrate, each as DB_…"),
        ("ConfigMap", "settings", "env URL of app, key url"),
        ("Secret", "db", "env TOKEN of app, key token (optional)"),
        ("ConfigMap", "settings", "volume conf, in app at /etc/app"),
        ("PersistentVolumeClaim", "data-0", "volume data, in app at /data"),
        ("PersistentVolumeClaim", "api-1-scratch", "volume scratch, mounted nowhere"),
        ("Secret", "web-tls", "volume tls, mounted nowhere (optional)"),
        ("Secret", "db", "volume all, mounted nowhere"),
        ("ConfigMap", "more", "volume all, mounted nowhere"),
        ("Secret", "vault", "volume csi, mounted nowhere"),
    }
    lines = list(uses_lines("api-1", SPEC))
    assert "  PersistentVolumeClaim/data-0: volume data, in app at /data" in lines
    assert not any("api-1-scratch" in line for line in uses_lines("", SPEC)), "a template has no such claim yet"


_ANY = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
_KEYS = st.sampled_from(("containers", "volumes", "imagePullSecrets", "serviceAccountName", "env", "name", "secret"))


@given(st.dictionaries(_KEYS, st.one_of(_ANY, st.lists(st.dictionaries(_KEYS, _ANY, max_size=3), max_size=3))))
def test_whatever_a_spec_holds_something_is_told_of_it(spec: Any) -> None:
    assert all(one.name for one in references("pod", spec))


def test_nobody_is_said_as_such_and_what_was_not_looked_at_too() -> None:
    lines = list(used_by_lines(Users((), ("pods: forbidden",)), "Secret", "shop"))
    assert lines[1] == "Used by: nobody in shop"
    assert lines[-1] == "  not all was looked at: pods: forbidden"


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_users_are_workloads_with_their_pods_bare_pods_accounts_and_ingresses(tmp_path: Path) -> None:
    async with Cluster(speed=20) as cluster:
        source = KubernetesSource(Kubernetes(kubeconfig=str(cluster.write_kubeconfig(tmp_path / "config"))), environ={})
        call = source.connection.call

        async def post(path: str, body: Any) -> None:
            answer = await call("POST", path, body=body)
            assert answer.is_ok, answer.message

        env = {"envFrom": [{"secretRef": {"name": "db"}}]}
        template = {"spec": {"template": {"spec": {"containers": [{"name": "app", **env}]}}}}
        path = "/apis/apps/v1/namespaces/shop/deployments/orders"
        form = "application/strategic-merge-patch+json"
        pod = {"metadata": {"name": "debug"}, "spec": {"containers": [{"name": "sh", "image": "busybox", **env}]}}
        account = {"metadata": {"name": "puller"}, "imagePullSecrets": [{"name": "db"}]}
        ingress = {"metadata": {"name": "web"}, "spec": {"tls": [{"hosts": ["shop.example"], "secretName": "db"}]}}
        try:
            await source.read()
            assert (await call("PATCH", path, body=template, content_type=form)).is_ok
            await post("/api/v1/namespaces/shop/pods", pod)
            await post("/api/v1/namespaces/shop/serviceaccounts", account)
            await post("/apis/networking.k8s.io/v1/namespaces/shop/ingresses", ingress)
            sets = {r.uid: r for r in source.mirror.replica_sets.facts.values()}

            def above(controller: Owner) -> Owner:
                found = sets.get(controller.uid)
                return found.owner if found is not None and found.owner is not None else controller

            found = await users_of(source.connection, "Secret", "shop", "db", above)
            told = {user.name: (list(user.how), user.is_templated) for user in found.users}
            assert told["Deployment/orders"] == (["envFrom in app"], True)
            assert told["Pod/debug"] == (["envFrom in sh"], False)
            assert told["ServiceAccount/puller"] == (["pods that run as it pull images with it"], False)
            assert told["Ingress/web"] == (["TLS for shop.example"], False)
            assert not found.missing
            assert not (await users_of(source.connection, "ConfigMap", "shop", "db", above)).users
            (queue,) = (await users_of(source.connection, "PersistentVolumeClaim", "shop", "data-queue-1", above)).users
            assert (queue.name, queue.pods, queue.is_templated) == ("StatefulSet/queue", 1, True)
            assert list(queue.how) == ["volumeClaimTemplate data, for queue-1", "volume data, in app at /var/lib/queue"]
            (api,) = (await users_of(source.connection, "ConfigMap", "shop", "settings", above)).users
            assert (api.name, api.pods) == ("Deployment/api", 4)
        finally:
            await source.close()
