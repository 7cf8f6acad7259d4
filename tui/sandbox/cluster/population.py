"""The demo's population: a small shop, settled for hours and days, with a few scars."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tui.sandbox.cluster import nodes, pod_status
from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.resources import (
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    Object,
    Resource,
)
from tui.sandbox.cluster.shapes import owner_reference, pod_from, template_hash
from tui.sandbox.cluster.store import Store, clone
from tui.sandbox.cluster.whole_fields import founded

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True)
class Service:
    """One deployment of the demo."""

    namespace: str
    name: str
    image: str
    replicas: int
    age_s: float
    revision: int = 1
    cpu: str = "100m"
    memory: str = "128Mi"
    port: int = 8080
    sidecar: str = ""
    init: str = ""
    config: str = ""
    """The ConfigMap it has its environment from."""
    padding: str = ""
    """An annotation's value, to make pods as big as real ones."""
    cpu_limit: str = ""
    """Empty: none, so that nothing ever holds it."""
    restarts: dict[int, float] = field(default_factory=dict)
    """Which of its pods restarted once, and how long ago."""


SERVICES = (
    Service("shop", "gateway", "registry.example/shop/gateway:3.8.1", 3, 3 * DAY, 7, "200m", "256Mi", cpu_limit="500m"),
    Service("shop", "api", "registry.example/shop/api:2.14.0", 4, 26 * HOUR, 12, "250m", "384Mi", init="migrate",
            config="settings"),
    Service("shop", "orders", "registry.example/shop/orders:1.9.3", 3, 5 * HOUR, 5, "200m", "256Mi"),
    Service("shop", "search", "registry.example/shop/search:0.9.12", 2, 9 * DAY, 3, "300m", "512Mi",
            cpu_limit="600m", restarts={1: 2 * DAY + 5 * HOUR}),
    Service("shop", "frontend", "registry.example/shop/frontend:5.2.0", 2, 47 * 60.0, 31, "50m", "64Mi"),
    Service("payments", "payments", "registry.example/pay/payments:4.0.2", 3, 6 * DAY, 9, "200m", "256Mi",
            sidecar="proxy", cpu_limit="400m"),
    Service("payments", "ledger", "registry.example/pay/ledger:1.8.0", 2, 41 * DAY, 2, "100m", "256Mi"),
    Service("payments", "webhooks", "registry.example/pay/webhooks:1.1.4", 2, 11 * HOUR, 4, "50m", "96Mi"),
    Service("monitoring", "prometheus", "registry.example/mon/prometheus:3.5.0", 1, 80 * DAY, 2, "400m", "1Gi",
            port=9090),
    Service("monitoring", "grafana", "registry.example/mon/grafana:12.1.0", 1, 80 * DAY, 1, "100m", "192Mi",
            port=3000, restarts={0: 19 * DAY}),
    Service("kube-system", "coredns", "registry.example/kube/coredns:1.12.1", 2, 120 * DAY, 1, "100m", "70Mi",
            port=53),
    Service("kube-system", "metrics-server", "registry.example/kube/metrics-server:0.8.0", 1, 120 * DAY, 1, "100m",
            "200Mi", port=10250),
)  # fmt: skip

NAMESPACE_AGES = {
    "default": 120 * DAY,
    "kube-system": 120 * DAY,
    "monitoring": 80 * DAY,
    "payments": 60 * DAY,
    "shop": 60 * DAY,
}


def template(name: str, image: str, **more: Any) -> Object:
    """Return a pod template for one container called `app`; `more` goes into the container."""
    container: dict[str, Any] = {"name": "app", "image": image, **more}
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}


class Populator:
    """Puts settled objects into a store: no controller has to bring them up."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = store.clock.now()

    def ago(self, seconds: float) -> str:
        """Return the timestamp of so long ago."""
        return stamp(self.now - timedelta(seconds=seconds))

    def put(self, resource: Resource, thing: Object, age_s: float) -> Object:
        """Store `thing` as created `age_s` ago."""
        thing.setdefault("metadata", {})["creationTimestamp"] = self.ago(age_s)
        thing = {"apiVersion": resource.api_version, "kind": resource.kind, **thing}
        fill(resource, thing)
        if resource == DEPLOYMENTS:
            thing["metadata"]["managedFields"] = founded(thing, "kubectl-client-side-apply", self.ago(age_s))
        return self.store.insert(resource, thing)

    def pod(self, thing: Object, node: Object, age_s: float, restarted_s: float | None = None) -> Object:
        """Store a pod that has run on `node` for `age_s`, or since its restart."""
        address = nodes.internal_ip(node)
        thing["spec"]["nodeName"] = node["metadata"]["name"]
        thing["metadata"].setdefault("uid", self.store.uid())
        thing["metadata"]["creationTimestamp"] = self.ago(age_s)
        if not thing["metadata"].get("name"):
            thing["metadata"]["name"] = thing["metadata"]["generateName"] + self.store.suffix()
        fill(PODS, thing)
        started = self.ago(age_s - 3)
        pod_status.begin(thing, address, self.ago(age_s))
        thing["status"]["podIP"] = ip = nodes.pod_ip(node, self.store)
        thing["status"]["podIPs"] = [{"ip": ip}]
        for container in thing["spec"].get("initContainers") or ():
            pod_status.set_running(thing, container["name"], started, is_ready=False)
            if container.get("restartPolicy") != "Always":
                pod_status.set_ended(thing, container["name"], started, 0, "Completed")
            pod_status.container_status(thing, container["name"])["ready"] = True
        for container in thing["spec"]["containers"]:
            pod_status.set_running(thing, container["name"], started, is_ready=True)
        if restarted_s is not None:
            first = thing["spec"]["containers"][0]["name"]
            pod_status.set_ended(thing, first, self.ago(restarted_s), 137, "OOMKilled")
            pod_status.set_running(thing, first, self.ago(restarted_s - 2), is_ready=True)
        pod_status.conclude(thing, self.ago(restarted_s - 8 if restarted_s else age_s - 8))
        return self.store.insert(PODS, thing)

    def deployment(self, service: Service, pool: list[Object]) -> Object:
        """Store a deployment with its replica set and running pods."""
        oldest_s = NAMESPACE_AGES.get(service.namespace, 30 * DAY)
        made = self.put(DEPLOYMENTS, _deployment(service), min(max(service.age_s * 3, 20 * DAY), oldest_s))
        body = clone(made["spec"]["template"])
        digest = template_hash(body)
        body["metadata"]["labels"]["pod-template-hash"] = digest
        annotations = {
            "deployment.kubernetes.io/desired-replicas": str(service.replicas),
            "deployment.kubernetes.io/max-replicas": str(service.replicas + -(-service.replicas // 4)),
            "deployment.kubernetes.io/revision": str(service.revision),
        }
        labels = {"app": service.name, "pod-template-hash": digest}
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), service.replicas)
        replicaset = self.put(
            REPLICASETS,
            {
                "metadata": {
                    "name": f"{service.name}-{digest}",
                    "namespace": service.namespace,
                    "labels": body["metadata"]["labels"],
                    "annotations": annotations,
                    "ownerReferences": [owner_reference(made)],
                },
                "spec": {"replicas": service.replicas, "selector": {"matchLabels": labels}, "template": body},
                "status": {**counts, "fullyLabeledReplicas": service.replicas, "observedGeneration": 1},
            },
            service.age_s,
        )
        if service.revision > 1:
            self._former(made, service)
        for i in range(service.replicas):
            age_s = service.age_s - 7 * i
            self.pod(pod_from(body, replicaset), pool[i % len(pool)], age_s, service.restarts.get(i))
        self._settle(made, f"{service.name}-{digest}", service)
        return made

    def _former(self, made: Object, service: Service) -> None:
        """Store the replica set of the revision before, so that there is something to go back to."""
        body = clone(made["spec"]["template"])
        for container in [*body["spec"]["containers"], *body["spec"].get("initContainers", ())]:
            if container["image"] == service.image:
                container["image"] = former_image(service.image)
        digest = template_hash(body)
        body["metadata"]["labels"]["pod-template-hash"] = digest
        labels = {"app": service.name, "pod-template-hash": digest}
        self.put(
            REPLICASETS,
            {
                "metadata": {
                    "name": f"{service.name}-{digest}",
                    "namespace": service.namespace,
                    "labels": body["metadata"]["labels"],
                    "annotations": {"deployment.kubernetes.io/revision": str(service.revision - 1)},
                    "ownerReferences": [owner_reference(made)],
                },
                "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": body},
                "status": {"replicas": 0, "observedGeneration": 2},
            },
            min(service.age_s * 2, NAMESPACE_AGES.get(service.namespace, 30 * DAY)),
        )

    def _settle(self, made: Object, replicaset: str, service: Service) -> None:
        def status(copy: Object) -> None:
            counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            copy["status"] = {
                "observedGeneration": service.revision,
                **dict.fromkeys(counts, service.replicas),
                "conditions": [
                    _condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability.",
                               self.ago(service.age_s)),
                    _condition("Progressing", "NewReplicaSetAvailable",
                               f'ReplicaSet "{replicaset}" has successfully progressed.', self.ago(service.age_s)),
                ],
            }  # fmt: skip

        self.store.modify(DEPLOYMENTS, service.namespace, made["metadata"]["name"], status)

    def found(self) -> list[Object]:
        """Store namespaces and nodes, and return the nodes."""
        for name, age_s in NAMESPACE_AGES.items():
            self.put(NAMESPACES, {"metadata": {"name": name}}, age_s)
        return [
            self.put(
                NODES,
                nodes.node(f"node-{i}", i, self.ago(40), self.ago(120 * DAY), is_control_plane=i == 1),
                120 * DAY,
            )
            for i in (1, 2, 3)
        ]


def former_image(image: str) -> str:
    """Return the image of the release before: the last number of its tag that can be lowered is one less."""
    name, _, tag = image.rpartition(":")
    numbers = [int(n) for n in tag.split(".")]
    at = max(i for i, n in enumerate(numbers) if n > 0)
    numbers[at] -= 1
    return f"{name}:{'.'.join(str(n) for n in numbers)}"


def _condition(kind: str, reason: str, message: str, when: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": "True",
        "lastUpdateTime": when,
        "lastTransitionTime": when,
        "reason": reason,
        "message": message,
    }


def _deployment(service: Service) -> Object:
    limits = {**({"cpu": service.cpu_limit} if service.cpu_limit else {}), "memory": service.memory}
    resources = {"requests": {"cpu": service.cpu, "memory": service.memory}, "limits": limits}
    probe = {"httpGet": {"path": "/healthz", "port": service.port}, "initialDelaySeconds": 1}
    body = template(
        service.name,
        service.image,
        ports=[{"name": "http", "containerPort": service.port}],
        resources=resources,
        readinessProbe=probe,
    )
    if service.config:
        body["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": service.config}}]
    if service.sidecar:
        body["spec"]["containers"].append(
            {"name": service.sidecar, "image": f"registry.example/mesh/{service.sidecar}:1.4.0"}
        )
    if service.init:
        body["spec"]["initContainers"] = [{"name": service.init, "image": service.image}]
    return {
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "generation": service.revision,
            "labels": {"app": service.name},
            "annotations": {"deployment.kubernetes.io/revision": str(service.revision)},
        },
        "spec": {
            "replicas": service.replicas,
            "selector": {"matchLabels": {"app": service.name}},
            "template": body,
        },
    }
