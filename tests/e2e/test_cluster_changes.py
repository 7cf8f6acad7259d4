"""Changes of a cluster by the keys a person would press: done, refused, conflicting, undone; in a pseudo-terminal."""

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import Terminal, opstui
from tui.sandbox.cluster.resources import (
    CERTIFICATES,
    CONFIGMAPS,
    CRONJOBS,
    DEPLOYMENTS,
    JOBS,
    NODES,
    PODS,
    POLICIES,
    SECRETS,
    Resource,
)

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e-work")]

BUSY_MACHINE_S = 40.0
Start = Callable[..., Terminal]
_HEADS = {0: "RESTARTS", 1: "UP-TO-DA", 3: "INTERNAL-IP"}
"""A column that only this view has."""


@pytest.fixture
def start(cluster: OwnCluster, tmp_path: Path) -> Iterator[Start]:
    """Open opstui on the cluster as one of its users."""
    with contextlib.ExitStack() as stack:

        def open_it(
            user: str = "admin", view: int = 1, name: str = "", more: Mapping[str, Any] | None = None, **guards: Any
        ) -> Terminal:
            kubeconfig = tmp_path / f"{user}.kubeconfig"
            cluster.do(lambda it: it.write_kubeconfig(kubeconfig, user))
            path = tmp_path / "cluster.yaml"
            profile = {
                "name": "cluster",
                "environment": "staging",
                "kubernetes": {"kubeconfig": str(kubeconfig), **(more or {})},
            }
            path.write_text(json.dumps({**profile, "guards": guards}))
            path.chmod(0o600)
            env = {"XDG_STATE_HOME": str(tmp_path / "state")}
            screen = stack.enter_context(Terminal(opstui("--profile", str(path)), size=(150, 45), env=env))
            screen.wait("✓.* k8s", BUSY_MACHINE_S)
            screen.press("2")
            screen.wait("Workloads")
            for _ in range(view):
                screen.press("tab")
            screen.wait(_HEADS[view])
            screen.press("/")
            screen.wait("(?m)^/")
            screen.press(name, "enter")
            screen.wait(rf"(?m)^> .*{name}", BUSY_MACHINE_S)
            return screen

        yield open_it


def stored(cluster: OwnCluster, resource: Resource, namespace: str, name: str) -> Any:
    found: list[Any] = []
    cluster.do(lambda it: found.append(it.store.get(resource, namespace, name)))
    return found[0]


def image(cluster: OwnCluster) -> str:
    spec = stored(cluster, DEPLOYMENTS, "shop", "search")["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"])


def journal(tmp_path: Path) -> list[dict[str, Any]]:
    (file,) = (tmp_path / "state").rglob("cluster.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [entry for entry in entries if "verb" in entry]


def test_an_image_set_for_a_while_is_there_and_taken_back_to_the_revision_of_before(
    start: Start, cluster: OwnCluster
) -> None:
    screen, before = start(name="search"), image(cluster)
    screen.press("I")
    screen.wait("only :tag for another version")
    screen.press(":0.9.99 for 1s", "enter")
    screen.wait(r"Undo +roll back to revision 3")
    screen.confirm("search")
    screen.wait("CONVERGED", BUSY_MACHINE_S)
    assert image(cluster) == "registry.example/shop/search:0.9.99"
    screen.wait(r"1 temporary, 1 OVERDUE \(U\)", BUSY_MACHINE_S)
    screen.press("U")
    screen.wait(r"(?m)> set-image search +OVERDUE")
    screen.press("enter")
    screen.wait("> take it back +roll back to revision 3")
    screen.press("enter")
    screen.wait(r"Undo: .*search\?")
    screen.confirm("search")
    screen.wait("(?s)Undo: .*CONVERGED", BUSY_MACHINE_S)
    assert image(cluster) == before
    screen.wait(lambda text: "temporary" not in text, BUSY_MACHINE_S)


def test_a_template_that_somebody_changes_while_the_dialog_asks_is_said_and_nothing_is_sent(
    start: Start, cluster: OwnCluster, tmp_path: Path
) -> None:
    screen = start(name="search")
    screen.press("E")
    screen.wait("Variable of app in Deployment shop/search")
    screen.press("DB_PASSWORD=hunter2", "enter")
    screen.wait("this looks like a secret")
    screen.press(*["backspace"] * 19)
    screen.press("LOG_LEVEL=debug", "enter")
    screen.wait(r"After +LOG_LEVEL=debug")

    def rename(thing: Any) -> None:
        thing["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 77

    cluster.do(lambda it: it.store.modify(DEPLOYMENTS, "shop", "search", rename))
    screen.wait("(?i)changed.*terminationGracePeriodSeconds", BUSY_MACHINE_S)
    screen.confirm("search")
    screen.wait("NOT SENT, .*has moved on", BUSY_MACHINE_S)
    template = json.dumps(stored(cluster, DEPLOYMENTS, "shop", "search")["spec"]["template"])
    assert "LOG_LEVEL" not in template
    assert "hunter2" not in json.dumps(journal(tmp_path))


@pytest.mark.parametrize(("view", "name", "key", "words"), [
    (1, "search", "I", "needs patch on deployments in shop"),
    (3, "node-2", "K", "needs patch on nodes"),
    (0, "gateway", "V", "needs create on pods/eviction in shop"),
    (1, "settlement", "J", "needs create on jobs in payments"),
])  # fmt: skip
def test_what_rbac_does_not_allow_is_refused_and_says_what_is_missing(
    start: Start, view: int, name: str, key: str, words: str
) -> None:
    screen = start("viewer", view, name)
    screen.press(key)
    screen.wait("not permitted", BUSY_MACHINE_S)
    screen.press("x")
    screen.wait("not permitted")
    assert words in screen.text().replace("\n", " ") or words[:25] in screen.text()


def all_but_one(text: str) -> bool:
    """Tell whether a drain waits for the last pod of the node, which is one of ledger's."""
    found = re.search(r"(\d+) of (\d+) gone; payments/ledger\S+ waits", text)
    return found is not None and int(found[1]) == int(found[2]) - 1


def test_a_node_is_cordoned_drained_as_budgets_allow_and_uncordoning_stops_it(
    start: Start, cluster: OwnCluster, tmp_path: Path
) -> None:
    def on_node(it: Any) -> list[str]:
        return [
            pod["metadata"]["labels"].get("app", "")
            for pod in it.store.things(PODS)
            if pod["spec"].get("nodeName") == "node-1"
        ]

    screen = start(view=3, name="node-1")
    screen.press("O")
    screen.wait(r"PodDisruptionBudget payments/ledger allows 0 now", BUSY_MACHINE_S)
    screen.confirm("node-1")
    last = screen.wait(all_but_one, BUSY_MACHINE_S)
    left: list[str] = []
    cluster.do(lambda it: left.extend(on_node(it)))
    assert sorted(left) == ["ledger", "node-agent"]
    screen.wait("Ready,SchedulingDisabled")
    screen.press("K")
    screen.wait(r"Uncordon node node-1\?", BUSY_MACHINE_S)
    screen.confirm("node-1")
    screen.wait("Drain node node-1: REGRESSED, it is not cordoned", BUSY_MACHINE_S)
    assert "unschedulable" not in stored(cluster, NODES, "", "node-1")["spec"]
    steps = [entry["detail"] for entry in journal(tmp_path) if entry["what"] == "step"]
    assert f"{len(steps)} of {len(steps) + 1} gone" in last
    assert all(step.startswith("evicted ") for step in steps)


def test_a_pod_whose_budget_allows_nothing_is_not_evicted(start: Start, cluster: OwnCluster) -> None:
    screen = start(view=0, name="ledger")
    screen.press("V")
    screen.wait("NOT SENT, its disruption budget does not allow it now", BUSY_MACHINE_S)


def test_a_cron_job_runs_now_is_suspended_and_goes_on_again(start: Start, cluster: OwnCluster) -> None:
    screen = start(name="settlement")
    screen.press("J")
    screen.wait(r"Run cronjob payments/settlement\?", BUSY_MACHINE_S)
    screen.confirm("settlement")
    screen.wait("Run .*CONVERGED, job settlement-", BUSY_MACHINE_S)
    jobs: list[str] = []
    cluster.do(lambda it: jobs.extend(job["metadata"]["name"] for job in it.store.things(JOBS, "payments")))
    assert len(jobs) == 2
    screen.press("g")
    screen.press("H")
    screen.wait(r"Suspend cronjob payments/settlement\?", BUSY_MACHINE_S)
    screen.confirm("settlement")
    screen.wait("Suspend .*CONVERGED", BUSY_MACHINE_S)
    assert stored(cluster, CRONJOBS, "payments", "settlement")["spec"]["suspend"] is True
    screen.wait(r"1 temporary \(U\)", BUSY_MACHINE_S)
    screen.press("H")
    screen.wait(r"Resume cronjob payments/settlement\?", BUSY_MACHINE_S)
    screen.confirm("settlement")
    screen.wait("Resume .*CONVERGED", BUSY_MACHINE_S)
    assert stored(cluster, CRONJOBS, "payments", "settlement")["spec"]["suspend"] is False


def test_only_variables_that_the_profile_allows_are_set(start: Start, cluster: OwnCluster) -> None:
    screen = start(name="search", variables=["WORKERS"])
    screen.press("E")
    screen.wait("Variable of app")
    screen.press("LOG_LEVEL=debug", "enter")
    screen.wait("REFUSED, the profile allows changes only of the variables WORKERS", BUSY_MACHINE_S)


def choose_kind(screen: Terminal, kind: str, name: str) -> None:
    """Open the view of any kind on one, with the cursor on an object."""
    screen.press("r")
    screen.wait("Look at which kind")
    screen.press(kind, "enter")
    screen.wait(rf"(?m)^> .*{name}", BUSY_MACHINE_S)


def menu(screen: Terminal, words: str) -> None:
    """Choose an entry of the menu of changes."""
    screen.press("x")
    screen.wait("Change what")
    screen.press(words)
    screen.wait(rf"> +{words}")
    screen.press("enter")


def test_a_network_policy_is_deleted_for_a_while_and_made_again(start: Start, cluster: OwnCluster) -> None:
    before = stored(cluster, POLICIES, "shop", "api")
    screen = start(name="search")
    choose_kind(screen, "networkpolicies", "api")
    menu(screen, "Delete NetworkPolicy")
    screen.wait("for how long")
    screen.press("1s", "enter")
    screen.wait("it covers 4 pods", BUSY_MACHINE_S)
    screen.confirm("api")
    screen.wait("Delete NetworkPolicy .*CONVERGED, it is gone", BUSY_MACHINE_S)
    gone: list[Any] = []
    cluster.do(lambda it: gone.append(it.store.find(POLICIES, "shop", "api")))
    assert gone == [None]
    screen.wait(r"1 temporary, 1 OVERDUE \(U\)", BUSY_MACHINE_S)
    screen.press("U")
    screen.wait(r"(?m)> delete-networkpolicy api +OVERDUE")
    screen.press("enter")
    screen.wait("> take it back +make it again as it was")
    screen.press("enter")
    screen.wait(r"Restore NetworkPolicy shop/api\?", BUSY_MACHINE_S)
    screen.confirm("api")
    screen.wait("CONVERGED, it is there as it was", BUSY_MACHINE_S)
    assert stored(cluster, POLICIES, "shop", "api")["spec"] == before["spec"]


def test_a_secrets_value_is_on_the_screen_only_after_it_is_on_record_and_in_no_file(
    start: Start, cluster: OwnCluster, tmp_path: Path
) -> None:
    encoded = base64.b64encode(b"hunter2-and-more").decode()
    cluster.do(lambda it: it.store.modify(SECRETS, "shop", "database", lambda copy: copy["data"].update(url=encoded)))
    screen = start(name="search")
    choose_kind(screen, "secrets", "database")
    menu(screen, "Show one value")
    screen.wait(r"> url +16 bytes", BUSY_MACHINE_S)
    screen.press("enter")
    assert "hunter2" not in screen.wait("is put on record; the value is not", BUSY_MACHINE_S)
    screen.confirm("database")
    screen.wait("hunter2-and-more", BUSY_MACHINE_S)
    screen.press("esc")
    screen.wait(lambda text: "hunter2" not in text)
    written = "".join(path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert '"key": "url"' in written
    assert "hunter2" not in written
    assert encoded not in written


def test_a_certificate_is_renewed_and_stays_there(start: Start, cluster: OwnCluster) -> None:
    before = stored(cluster, CERTIFICATES, "shop", "shop-tls")["status"].get("revision", 0)
    screen = start(name="search")
    choose_kind(screen, "certificates", "-tls")
    screen.press("G")
    screen.wait(r"(?m)^> .*shop-tls")
    menu(screen, "Renew certificate")
    screen.wait("being issued anew; the one in use stays", BUSY_MACHINE_S)
    screen.confirm("shop-tls")
    screen.wait("Renew .*CONVERGED, issued anew, valid until", BUSY_MACHINE_S)
    assert stored(cluster, CERTIFICATES, "shop", "shop-tls")["status"]["revision"] == before + 1


def test_what_the_profile_names_is_patched_or_applied_and_a_patch_taken_back(
    start: Start, cluster: OwnCluster, tmp_path: Path
) -> None:
    file = tmp_path / "page.json"
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}}
    file.write_text(json.dumps({**manifest, "data": {"LOG_LEVEL": "debug"}}))
    file.chmod(0o600)
    declared = {"resource": "certificates.cert-manager.io", "namespace": "shop", "name": "shop-tls"}
    more = {
        "patches": {"sooner": {"title": "Renew sooner", **declared, "patch": {"spec": {"renewBefore": "720h"}}}},
        "manifests": {"verbose": {"title": "Verbose settings", "file": str(file)}},
    }
    screen = start(name="search", more=more)
    menu(screen, "Renew sooner")
    screen.wait(r"spec.renewBefore: 720h", BUSY_MACHINE_S)
    screen.confirm("shop-tls")
    screen.wait("Patch .*CONVERGED, read back", BUSY_MACHINE_S)
    assert stored(cluster, CERTIFICATES, "shop", "shop-tls")["spec"]["renewBefore"] == "720h"
    screen.press("U")
    screen.wait(r"(?m)> merge-patch shop-tls")
    screen.press("enter")
    screen.wait("Undo: Patch .*shop-tls", BUSY_MACHINE_S)
    screen.confirm("shop-tls")
    screen.wait("(?s)Undo: Patch.*CONVERGED", BUSY_MACHINE_S)
    assert "renewBefore" not in stored(cluster, CERTIFICATES, "shop", "shop-tls")["spec"]
    menu(screen, "Verbose settings")
    screen.wait("data.LOG_LEVEL: info → debug", BUSY_MACHINE_S)
    screen.confirm("settings")
    screen.wait("Apply .*CONVERGED, read back", BUSY_MACHINE_S)
    assert stored(cluster, CONFIGMAPS, "shop", "settings")["data"] == {"LOG_LEVEL": "debug", "CURRENCY": "EUR"}
