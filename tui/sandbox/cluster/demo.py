"""The rest of the demo: stateful and daemon sets, jobs, budgets, services, and what happened lately."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from tui.sandbox.cluster import pod_status
from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.cron import Schedule
from tui.sandbox.cluster.population import DAY, HOUR, SERVICES, Populator, template
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import (
    AUTOSCALERS,
    BUDGETS,
    CLAIMS,
    CONFIGMAPS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    INGRESSES,
    JOBS,
    PODS,
    POLICIES,
    QUOTAS,
    SECRETS,
    SERVICE_ACCOUNTS,
    STATEFULSETS,
    Object,
)
from tui.sandbox.cluster.resources import SERVICES as SERVICE_KIND
from tui.sandbox.cluster.revisions import HASH, current_revision
from tui.sandbox.cluster.shapes import owner_reference, pod_from

_SMALL = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
_HEALTH = {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 1}


def populate(populator: Populator, recorder: Recorder) -> None:
    """Store the whole demo."""
    pool = populator.found()
    for i, service in enumerate(SERVICES):
        populator.deployment(service, pool[i % 3 :] + pool[: i % 3])
    _stateful(populator, pool)
    _daemon(populator, pool)
    _cron(populator, pool)
    _migration(populator, pool)
    _evicted(populator, pool)
    _network(populator)
    _rules(populator)
    for name, image, port in (("postgres", "postgres:18.6", 5432), ("redis", "valkey:8.1", 6379)):
        _store(populator, pool[0], name, f"registry.example/shop/{image}", port)
    _lately(populator, recorder)


def _stateful(populator: Populator, pool: list[Object]) -> None:
    ports = [{"name": "amqp", "containerPort": 5672}]
    body = template(
        "queue", "registry.example/shop/queue:3.13.7", ports=ports, resources=_SMALL, readinessProbe=_HEALTH
    )
    body["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/var/lib/queue"}]
    claim: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}
    claim |= {"storageClassName": "standard", "volumeMode": "Filesystem"}
    spec = {"replicas": 3, "serviceName": "queue", "selector": {"matchLabels": {"app": "queue"}}, "template": body}
    spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    made = populator.put(STATEFULSETS, {"metadata": _meta("queue", "shop"), "spec": spec}, 60 * DAY)
    digest = current_revision(populator.store, made, populator.ago(60 * DAY))
    for i in range(3):
        name = f"queue-{i}"
        labels = {
            "apps.kubernetes.io/pod-index": str(i),
            "statefulset.kubernetes.io/pod-name": name,
            HASH: f"queue-{digest}",
        }
        pod = pod_from(made["spec"]["template"], made, name, labels)
        populator.pod(pod, pool[i], 12 * DAY - 90 * i, 3 * DAY if i == 1 else None)
        bound = {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}}
        owned = {**claim, "volumeName": f"pv-queue-{i}"}
        thing = {"metadata": _meta(f"data-queue-{i}", "shop"), "spec": owned, "status": bound}
        populator.put(CLAIMS, thing, 60 * DAY)
    counts = dict.fromkeys(("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"), 3)
    status: dict[str, Any] = {"observedGeneration": 1, "collisionCount": 0, **counts}
    status |= {"currentRevision": f"queue-{digest}", "updateRevision": f"queue-{digest}"}
    populator.store.modify(STATEFULSETS, "shop", "queue", lambda copy: copy.update(status=status))


def _store(populator: Populator, node: Object, name: str, image: str, port: int) -> None:
    """Put a database of one pod: what listens in it may be a real server, see `Cluster.forwards`."""
    ports = [{"name": name, "containerPort": port}]
    body = template(name, image, ports=ports, resources=_SMALL)
    spec = {"replicas": 1, "serviceName": name, "selector": {"matchLabels": {"app": name}}, "template": body}
    made = populator.put(STATEFULSETS, {"metadata": _meta(name, "shop"), "spec": spec}, 60 * DAY)
    digest = current_revision(populator.store, made, populator.ago(60 * DAY))
    labels = {"apps.kubernetes.io/pod-index": "0", "statefulset.kubernetes.io/pod-name": f"{name}-0"}
    pod = pod_from(made["spec"]["template"], made, f"{name}-0", {**labels, HASH: f"{name}-{digest}"})
    populator.pod(pod, node, 21 * DAY)
    counts = dict.fromkeys(("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"), 1)
    status: dict[str, Any] = {"observedGeneration": 1, "collisionCount": 0, **counts}
    status |= {"currentRevision": f"{name}-{digest}", "updateRevision": f"{name}-{digest}"}
    populator.store.modify(STATEFULSETS, "shop", name, partial(_set_status, status))
    service = {"clusterIP": "None", "selector": {"app": name}, "ports": [{"name": name, "port": port}]}
    populator.put(SERVICE_KIND, {"metadata": _meta(name, "shop"), "spec": service}, 60 * DAY)


def _daemon(populator: Populator, pool: list[Object]) -> None:
    body = template("node-agent", "registry.example/mon/node-agent:1.9.1", resources=_SMALL)
    body["spec"]["tolerations"] = [{"operator": "Exists"}]
    spec = {"selector": {"matchLabels": {"app": "node-agent"}}, "template": body}
    made = populator.put(DAEMONSETS, {"metadata": _meta("node-agent", "monitoring"), "spec": spec}, 80 * DAY)
    digest = current_revision(populator.store, made, populator.ago(80 * DAY))
    for i, node in enumerate(pool):
        labels = {HASH: digest, "pod-template-generation": "1"}
        populator.pod(pod_from(made["spec"]["template"], made, labels=labels), node, 33 * DAY + i)
    names = ("currentNumberScheduled", "desiredNumberScheduled", "numberReady", "updatedNumberScheduled",
             "numberAvailable")  # fmt: skip
    status = {"numberMisscheduled": 0, "observedGeneration": 1, **dict.fromkeys(names, 3)}
    populator.store.modify(DAEMONSETS, "monitoring", "node-agent", lambda copy: copy.update(status=status))


def _cron(populator: Populator, pool: list[Object]) -> None:
    for namespace, name, schedule, is_suspended, history in (
        ("shop", "report", "*/10 * * * *", False, 3),
        ("payments", "settlement", "30 2 * * *", False, 1),
        ("monitoring", "prune", "15 4 * * 0", True, 0),
    ):
        body = template(name, f"registry.example/{namespace}/{name}:1.2.0", resources=_SMALL)
        body["spec"]["restartPolicy"] = "Never"
        job: Object = {"metadata": {}, "spec": {"backoffLimit": 1, "template": body}}
        spec = {"schedule": schedule, "suspend": is_suspended, "jobTemplate": job}
        made = populator.put(CRONJOBS, {"metadata": _meta(name, namespace), "spec": spec}, 41 * DAY)
        due = Schedule(schedule).before(populator.now)
        last: dict[str, Any] = {"lastScheduleTime": stamp(due)}
        for i in range(history):
            _finished(populator, pool[i % 3], made, due.timestamp(), f"{name}-{int(due.timestamp()) // 60}", True)
            last.setdefault("lastSuccessfulTime", stamp(due + timedelta(seconds=11)))
            due = Schedule(schedule).before(due - timedelta(minutes=1))
        populator.store.modify(CRONJOBS, namespace, name, partial(_set_status, last))


def _set_status(status: dict[str, Any], copy: Object) -> None:
    copy["status"] = status


def _migration(populator: Populator, pool: list[Object]) -> None:
    begun = populator.now.timestamp()
    _finished(populator, pool[0], None, begun - 26 * HOUR, "migrate-117", True)
    _finished(populator, pool[2], None, begun - 5 * HOUR, "migrate-118", False)


def _finished(
    populator: Populator, node: Object, owner: Object | None, begun: float, name: str, has_succeeded: bool
) -> None:
    age_s = populator.now.timestamp() - begun
    uid = populator.store.uid()
    namespace = owner["metadata"]["namespace"] if owner else "shop"
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name}
    if owner:
        spec = dict(owner["spec"]["jobTemplate"]["spec"])
    else:
        spec = {
            "backoffLimit": 0,
            "template": template("migrate", "registry.example/shop/api:2.14.0", resources=_SMALL),
        }
        spec["template"]["spec"]["restartPolicy"] = "Never"
    template_labels = {**spec["template"]["metadata"]["labels"], **labels}
    spec["template"] = {**spec["template"], "metadata": {"labels": template_labels}}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    meta = {"name": name, "namespace": namespace, "uid": uid, "labels": labels}
    if owner:
        meta["ownerReferences"] = [owner_reference(owner)]
    kinds = ("SuccessCriteriaMet", "Complete") if has_succeeded else ("FailureTarget", "Failed")
    done = populator.ago(age_s - 11)
    reason = "CompletionsReached" if has_succeeded else "BackoffLimitExceeded"
    text = (
        "Reached expected number of succeeded pods" if has_succeeded else "Job has reached the specified backoff limit"
    )
    status: dict[str, Any] = {"startTime": populator.ago(age_s), "terminating": 0, "ready": 0}
    status |= {"uncountedTerminatedPods": {}, "succeeded" if has_succeeded else "failed": 1}
    status["conditions"] = [
        {
            "type": k,
            "status": "True",
            "lastProbeTime": done,
            "lastTransitionTime": done,
            "reason": reason,
            "message": text,
        }
        for k in kinds
    ]
    if has_succeeded:
        status["completionTime"] = done
    job = populator.put(JOBS, {"metadata": meta, "spec": spec, "status": status}, age_s)
    pod = populator.pod(pod_from(job["spec"]["template"], job), node, age_s)

    def end(copy: Object) -> None:
        first = copy["spec"]["containers"][0]["name"]
        pod_status.set_ended(copy, first, done, 0 if has_succeeded else 1, "Completed" if has_succeeded else "Error")
        pod_status.conclude(copy, done)

    populator.store.modify(PODS, namespace, pod["metadata"]["name"], end)


def _evicted(populator: Populator, pool: list[Object]) -> None:
    """Leave the pod that a full disk drove out the night before."""
    owner = populator.store.get(DEPLOYMENTS, "shop", "search")
    body = owner["spec"]["template"]
    pod = pod_from(body, owner)
    pod["metadata"].pop("ownerReferences")
    made = populator.pod(pod, pool[1], 19 * HOUR)
    status = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9.2Gi. ",
        "startTime": populator.ago(19 * HOUR),
        "qosClass": "Burstable",
    }
    populator.store.modify(PODS, "shop", made["metadata"]["name"], lambda copy: copy.update(status=status))


def _network(populator: Populator) -> None:
    api = {"type": "ClusterIP", "clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443}]}
    populator.put(SERVICE_KIND, {"metadata": _meta("kubernetes", "default"), "spec": api}, 120 * DAY)
    for i, service in enumerate(SERVICES):
        spec: dict[str, Any] = {"clusterIP": f"10.96.{10 + i}.{20 + i}", "selector": {"app": service.name}}
        spec["ports"] = [{"name": "http", "port": 80, "targetPort": service.port}]
        if service.name == "gateway":
            spec["type"] = "LoadBalancer"
            spec["ports"][0]["nodePort"] = 31165
        thing = {"metadata": _meta(service.name, service.namespace), "spec": spec}
        if service.name == "gateway":
            thing["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.40"}]}}
        populator.put(SERVICE_KIND, thing, 60 * DAY)
    headless = {"clusterIP": "None", "selector": {"app": "queue"}, "ports": [{"name": "amqp", "port": 5672}]}
    populator.put(SERVICE_KIND, {"metadata": _meta("queue", "shop"), "spec": headless}, 60 * DAY)
    paths = [
        {"path": p, "pathType": "Prefix", "backend": {"service": {"name": n, "port": {"number": 80}}}}
        for p, n in (("/", "frontend"), ("/api", "gateway"))
    ]
    front = {
        "ingressClassName": "nginx",
        "tls": [{"hosts": ["shop.example.test"], "secretName": "shop-tls"}],
        "rules": [{"host": "shop.example.test", "http": {"paths": paths}}],
    }
    address = {"loadBalancer": {"ingress": [{"ip": "192.0.2.41"}]}}
    populator.put(INGRESSES, {"metadata": _meta("front", "shop"), "spec": front, "status": address}, 60 * DAY)


def _rules(populator: Populator) -> None:
    goal = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "search"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 6, "metrics": [goal]}
    populator.put(AUTOSCALERS, {"metadata": _meta("search", "shop"), "spec": spec}, 60 * DAY)
    for namespace, name, budget in (
        ("shop", "gateway", {"minAvailable": 2}),
        ("shop", "queue", {"maxUnavailable": 1}),
        ("payments", "payments", {"minAvailable": "50%"}),
        ("payments", "ledger", {"maxUnavailable": 0}),
    ):
        body = {**budget, "selector": {"matchLabels": {"app": name}}}
        populator.put(BUDGETS, {"metadata": _meta(name, namespace), "spec": body}, 60 * DAY)
    behind = {"from": [{"podSelector": {"matchLabels": {"app": "gateway"}}}], "ports": [{"port": 8080}]}
    chosen = {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Ingress"], "ingress": [behind]}
    populator.put(POLICIES, {"metadata": _meta("api", "shop"), "spec": chosen}, 60 * DAY)
    for namespace in ("default", "kube-system", "monitoring", "payments", "shop"):
        populator.put(SERVICE_ACCOUNTS, {"metadata": _meta("default", namespace)}, 60 * DAY)
        ca = {"ca.crt": "the sandbox speaks plain HTTP on the loopback"}
        populator.put(CONFIGMAPS, {"metadata": _meta("kube-root-ca.crt", namespace), "data": ca}, 60 * DAY)
    settings = {"LOG_LEVEL": "info", "CURRENCY": "EUR"}
    populator.put(CONFIGMAPS, {"metadata": _meta("settings", "shop"), "data": settings}, 41 * DAY)
    for name, kind in (("shop-tls", "kubernetes.io/tls"), ("database", "Opaque")):
        keys = ("tls.crt", "tls.key") if kind.endswith("tls") else ("url",)
        body = {"type": kind, "data": dict.fromkeys(keys, "c2FuZGJveA==")}
        populator.put(SECRETS, {"metadata": _meta(name, "shop"), **body}, 60 * DAY)
    hard = {"limits.memory": "8Gi", "pods": "40", "requests.cpu": "6", "requests.memory": "8Gi"}
    used = {"limits.memory": "1472Mi", "pods": "7", "requests.cpu": "900m", "requests.memory": "1472Mi"}
    quota = {"metadata": _meta("payments", "payments"), "spec": {"hard": hard}, "status": {"hard": hard, "used": used}}
    populator.put(QUOTAS, quota, 60 * DAY)


def _lately(populator: Populator, recorder: Recorder) -> None:
    """Write what the last hour's events would still tell."""
    store, now = populator.store, populator.now
    frontend = [p for p in store.things(PODS, "shop") if p["metadata"]["labels"].get("app") == "frontend"]
    for pod in frontend:
        when = now - timedelta(minutes=46)
        node, name = pod["spec"]["nodeName"], pod["metadata"]["name"]
        recorder.record(pod, "Normal", "Scheduled", f"Successfully assigned shop/{name} to {node}",
                        "default-scheduler", when=when)  # fmt: skip
        for reason, text in (
            ("Pulled", f'Container image "{pod["spec"]["containers"][0]["image"]}" already present on machine'),
            ("Created", "Created container: app"),
            ("Started", "Started container app"),
        ):
            recorder.record(pod, "Normal", reason, text, "kubelet", host=node, field_path="spec.containers{app}",
                            when=when + timedelta(seconds=2))  # fmt: skip
    deployment = store.get(DEPLOYMENTS, "shop", "frontend")
    recorder.record(deployment, "Normal", "ScalingReplicaSet", "Scaled down replica set frontend from 1 to 0",
                    "deployment-controller", when=now - timedelta(minutes=45))  # fmt: skip
    queue = store.get(PODS, "shop", "queue-2")
    recorder.record(queue, "Warning", "Unhealthy", "Readiness probe failed: Get \"http://10.244.3.31:8080/healthz\": "
                    "context deadline exceeded", "kubelet", host=queue["spec"]["nodeName"],
                    field_path="spec.containers{app}", when=now - timedelta(minutes=18),
                    first=now - timedelta(minutes=52), count=3)  # fmt: skip


def _meta(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app": name}}
