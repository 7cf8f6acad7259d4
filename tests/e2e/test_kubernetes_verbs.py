"""Every change of a cluster by the keys a person would press: done, conflicting, undone where it can be.

One program serves all of them, for starting it is what takes long; each test leaves the cluster as it found it.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.changing import BUSY_MACHINE_S, NODES, PODS, WORKLOADS, Desk
from tests.e2e.own_cluster import OwnCluster
from tui.actions.catalogue import promises
from tui.sandbox.cluster import resources as kinds
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import Object, Resource

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("e2e-verbs")]

_SPEED: Final = 20.0
_SECRET: Final = b"hunter2-and-more"


def declared(folder: Path) -> dict[str, Any]:
    """Return what the profile names: a patch and a manifest."""
    file = folder / "page.json"
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}}
    file.write_text(json.dumps({**manifest, "data": {"LOG_LEVEL": "debug"}}))
    file.chmod(0o600)
    certificate = {"resource": "certificates.cert-manager.io", "namespace": "shop", "name": "shop-tls"}
    return {
        "patches": {"sooner": {"title": "Renew sooner", **certificate, "patch": {"spec": {"renewBefore": "720h"}}}},
        "manifests": {"verbose": {"title": "Verbose settings", "file": str(file)}},
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("verbs")
    folder.chmod(0o700)
    cluster = OwnCluster(speed=_SPEED)
    encoded = base64.b64encode(_SECRET).decode()
    cluster.do(
        lambda it: it.store.modify(kinds.SECRETS, "shop", "database", lambda copy: copy["data"].update(url=encoded))
    )
    try:
        with Desk(cluster, folder, **declared(folder)) as opened:
            yield opened
    finally:
        cluster.stop()


Ask = Callable[[Desk], None]


@dataclass(frozen=True)
class Case:
    """A change of one object that can lose the race against somebody else, and perhaps be taken back."""

    verb: str
    """As `opstui actions` calls it."""
    resource: Resource
    namespace: str
    name: str
    choose: Ask
    ask: Ask
    """Ask for it, and give what else is asked for before the dialog opens."""
    title: str
    """Of the dialog."""
    meddle: Callable[[Object], object]
    """What somebody else does to the object while the dialog asks."""
    moved: str
    """How that is told."""
    facet: Callable[[Object], Any]
    """The part of the object that it changes."""
    becomes: Any
    """What becomes of that; None for anything else than it was, which only the system knows."""
    undo: bool = True

    def seen(self, desk: Desk) -> Any:
        return self.facet(desk.stored(self.resource, self.namespace, self.name))


def container(thing: Object) -> Any:
    return thing["spec"]["template"]["spec"]["containers"][0]


def at(view: str, name: str) -> Ask:
    return lambda desk: desk.choose(view, name)


def of_kind(kind: str, name: str) -> Ask:
    return lambda desk: desk.choose_kind(kind, name)


def key(pressed: str, *typed: str, waits: str = "") -> Ask:
    """Press a key, and type what it asks for."""

    def ask(desk: Desk) -> None:
        desk.screen.press(pressed)
        if typed:
            desk.screen.wait(waits)
            desk.screen.press(*typed)

    return ask


def entry(words: str, *typed: str, waits: str = "") -> Ask:
    """Choose an entry of the menu, and type what it asks for."""

    def ask(desk: Desk) -> None:
        desk.menu(words)
        if typed:
            desk.screen.wait(waits)
            desk.screen.press(*typed)

    return ask


def other_template(thing: Object) -> None:
    thing["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 77


_TEMPLATE: Final = "its template changed: ~ spec.terminationGracePeriodSeconds: 30 → 77"
_RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"


def restarted_at(thing: Object) -> Any:
    return thing["spec"]["template"]["metadata"].get("annotations", {}).get(_RESTARTED)


def restarted(thing: Object) -> None:
    thing["spec"]["template"]["metadata"].setdefault("annotations", {})[_RESTARTED] = "2026-01-01T00:00:00Z"


def other_condition(thing: Object) -> None:
    thing["status"]["conditions"] = [{**one, "message": "x"} for one in thing["status"]["conditions"]]


CASES = (
    Case("restart", kinds.DEPLOYMENTS, "shop", "gateway", at(WORKLOADS, "gateway"), key("R"),
         r"Restart deployment shop/gateway\?", restarted, "restarted at 2026-01-01T00:00:00Z",
         restarted_at, None, undo=False),
    Case("scale", kinds.DEPLOYMENTS, "payments", "webhooks", at(WORKLOADS, "webhooks"),
         key("C", "4", "enter", waits="temporary, opstui reminds you"), r"Scale deployment payments/webhooks\?",
         lambda it: it["spec"].update(replicas=5), "replicas 2 → 5", lambda it: it["spec"]["replicas"], 4),
    Case("undo-rollout", kinds.DEPLOYMENTS, "shop", "orders", at(WORKLOADS, "orders"),
         key("B", "enter", waits=r"> revision"), r"Undo rollout of deployment shop/orders\?", other_template, _TEMPLATE,
         lambda it: it["spec"]["template"]["spec"], None),
    Case("set-image", kinds.DEPLOYMENTS, "shop", "frontend", at(WORKLOADS, "frontend"),
         key("I", ":0.9.99", "enter", waits="only :tag for another version"),
         r"Set image of deployment shop/frontend\?",
         other_template, _TEMPLATE, lambda it: container(it)["image"], "registry.example/shop/frontend:0.9.99"),
    Case("set-env", kinds.DEPLOYMENTS, "monitoring", "grafana", at(WORKLOADS, "grafana"),
         key("E", "VERBOSE=yes", "enter", waits="Variable of app"), r"Set variable of deployment monitoring/grafana\?",
         other_template, _TEMPLATE, lambda it: {one["name"]: one.get("value") for one in container(it).get("env", [])}
         .get("VERBOSE"), "yes"),
    Case("set-resources", kinds.DEPLOYMENTS, "monitoring", "prometheus", at(WORKLOADS, "prometheus"),
         entry("Set requests", "limits.memory=1100Mi", "enter", waits="Requests and limits of app"),
         r"Set resources of deployment monitoring/prometheus\?", other_template, _TEMPLATE,
         lambda it: container(it).get("resources", {}).get("limits", {}).get("memory"), "1100Mi"),
    Case("label", kinds.DEPLOYMENTS, "kube-system", "metrics-server", at(WORKLOADS, "metrics-server"),
         entry("Label", "team=web", "enter", waits="key=value"), r"Label deployment kube-system/metrics-server\?",
         lambda it: it["metadata"]["labels"].update(team="other"), "no team → team=other",
         lambda it: it["metadata"]["labels"].get("team"), "web"),
    Case("annotate", kinds.DEPLOYMENTS, "kube-system", "coredns", at(WORKLOADS, "coredns"),
         entry("Annotate", "example.com/why=ops", "enter", waits="key=value"),
         r"Annotate deployment kube-system/coredns\?",
         lambda it: it["metadata"].setdefault("annotations", {}).update({"example.com/why": "other"}),
         "no example.com/why → example.com/why=other",
         lambda it: it["metadata"].get("annotations", {}).get("example.com/why"), "ops"),
    Case("run-job", kinds.CRONJOBS, "payments", "settlement", at(WORKLOADS, "settlement"), key("J"),
         r"Run cronjob payments/settlement\?", lambda it: it["spec"]["jobTemplate"]["spec"].update(backoffLimit=7),
         "its job template changed: ~ spec.backoffLimit: 1 → 7", lambda it: it["spec"], None, undo=False),
    Case("renew-certificate", kinds.CERTIFICATES, "shop", "shop-tls", of_kind("certificates", "shop-tls"),
         entry("Renew certificate"), r"Renew certificate shop/shop-tls\?", other_condition, "its conditions changed",
         lambda it: it["status"].get("revision", 0), None, undo=False),
    Case("merge-patch", kinds.CERTIFICATES, "shop", "shop-tls", at(WORKLOADS, "gateway"), entry("Renew sooner"),
         r"Patch certificates.cert-manager.io shop/shop-tls\?", lambda it: it["spec"].update(renewBefore="1h"),
         "+ spec.renewBefore: 1h", lambda it: it["spec"].get("renewBefore"), "720h"),
    Case("apply", kinds.CONFIGMAPS, "shop", "settings", at(WORKLOADS, "gateway"), entry("Verbose settings"),
         r"Apply configmap shop/settings\?", lambda it: it["data"].update(CURRENCY="USD"),
         "~ data.CURRENCY: EUR → USD", lambda it: it["data"], {"LOG_LEVEL": "debug", "CURRENCY": "EUR"}, undo=False),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.verb)
def test_a_change_loses_the_race_is_done_and_taken_back(desk: Desk, case: Case) -> None:
    before = desk.stored(case.resource, case.namespace, case.name)
    case.choose(desk)
    sent = len(desk.writes())

    # Somebody else is faster.
    case.ask(desk)
    desk.asks(case.title)
    desk.modify(case.resource, case.namespace, case.name, case.meddle)
    desk.agree(case.name)
    desk.ends("not sent", case.moved)
    desk.said(case.moved)
    left = desk.stored(case.resource, case.namespace, case.name)
    meddled: Any = json.loads(json.dumps(before))
    case.meddle(meddled)
    assert case.facet(left) == case.facet(meddled), "what somebody else has made of it stays"
    assert len(desk.writes()) - sent <= 1, "sent once at most, and refused as a whole"
    desk.put_back(case.resource, before)
    was = case.facet(before)

    # Nobody is.
    case.ask(desk)
    screen = desk.asks(case.title)
    assert ("cannot be undone" in screen) is not case.undo
    desk.agree(case.name)
    desk.ends("converged")
    if case.undo or case.becomes is not None:
        assert case.seen(desk) == (case.becomes or case.seen(desk)) != was
    if not case.undo:
        return
    desk.take_back(case.verb, case.name)
    desk.agree(case.name)
    desk.ends("converged")
    desk.said("Undo: ")
    assert case.seen(desk) == was


# Pairs of which one takes the other back


@dataclass(frozen=True)
class Pair:
    """Two verbs under one key, each the other's inverse."""

    verbs: tuple[str, str]
    resource: Resource
    namespace: str
    name: str
    view: str
    pressed: str
    titles: tuple[str, str]
    flag: Callable[[Object], Any]
    """What the first sets, and the second takes away."""
    set_flag: Callable[[Object, bool], object]
    words: tuple[str, str]
    """How it is told that somebody else has set it, and taken it away."""
    shown: str
    """In the row of one that is held back."""


PAIRS = (
    Pair(("pause-rollout", "resume-rollout"), kinds.DEPLOYMENTS, "payments", "ledger", WORKLOADS, "H",
         (r"Pause rollout of deployment payments/ledger\?", r"Resume rollout of deployment payments/ledger\?"),
         lambda it: it["spec"].get("paused", False), lambda it, is_set: it["spec"].update(paused=is_set),
         ("it is paused", "it is not paused"), "paused"),
    Pair(("suspend", "unsuspend"), kinds.CRONJOBS, "payments", "settlement", WORKLOADS, "H",
         (r"Suspend cronjob payments/settlement\?", r"Resume cronjob payments/settlement\?"),
         lambda it: it["spec"].get("suspend", False), lambda it, is_set: it["spec"].update(suspend=is_set),
         ("it is suspended", "it is not suspended"), r"suspended, "),
    Pair(("cordon", "uncordon"), kinds.NODES, "", "node-3", NODES, "K",
         (r"Cordon node node-3\?", r"Uncordon node node-3\?"),
         lambda it: it["spec"].get("unschedulable", False), lambda it, is_set: it["spec"].update(unschedulable=is_set),
         ("it is cordoned", "it is not cordoned"), "SchedulingDisabled"),
)  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.verbs[0])
def test_what_is_held_back_is_let_go_on_again_unless_somebody_else_was_faster(desk: Desk, pair: Pair) -> None:
    place = (pair.resource, pair.namespace, pair.name)

    def somebody_sets(is_set: bool) -> None:
        desk.modify(*place, lambda it: pair.set_flag(it, is_set))

    def flag() -> Any:
        return pair.flag(desk.stored(*place))

    desk.choose(pair.view, pair.name)
    sent = len(desk.writes())
    desk.screen.press(pair.pressed)
    desk.asks(pair.titles[0])
    somebody_sets(True)
    desk.said(f"CHANGED since this opened: {pair.words[0]}")
    desk.close()
    assert desk.outcome()["what"] == "cancelled"
    assert len(desk.writes()) == sent
    somebody_sets(False)
    desk.row(pair.name, pair.shown, is_there=False)

    desk.screen.press(pair.pressed)
    desk.asks(pair.titles[0])
    desk.agree(pair.name)
    desk.ends("converged")
    assert flag() is True
    desk.row(pair.name, pair.shown)

    desk.screen.press(pair.pressed)
    desk.asks(pair.titles[1])
    somebody_sets(False)
    desk.agree(pair.name)
    desk.ends("not sent", pair.words[1])
    assert flag() is False
    somebody_sets(True)
    desk.row(pair.name, pair.shown)

    desk.take_back(pair.verbs[0], pair.name)
    desk.agree(pair.name)
    desk.ends("converged")
    assert not flag()


# Pods


def uid(desk: Desk, resource: Resource, name: str, namespace: str = "shop") -> Any:
    found = desk.stored(resource, namespace, name)
    return found and found["metadata"]["uid"]


def test_a_pod_is_deleted_unless_another_one_has_taken_its_name(desk: Desk) -> None:
    desk.choose(PODS, "queue-0")
    sent = len(desk.writes())
    desk.screen.press("D")
    desk.screen.wait("grace period in seconds")
    desk.screen.press("enter")
    desk.asks(r"Delete pod shop/queue-0\?")
    desk.cluster.do(lambda it: it.store.remove(kinds.PODS, "shop", "queue-0"))
    desk.screen.wait("GONE, nothing can be done")
    desk.close()
    assert desk.outcome()["what"] == "cancelled"
    assert len(desk.writes()) == sent
    desk.row("queue-0", "1/1 +Running")
    was = uid(desk, kinds.PODS, "queue-0")
    desk.screen.press("D")
    desk.screen.wait("grace period in seconds")
    desk.screen.press("0", "enter")
    assert "cannot be undone" in desk.asks(r"Delete pod shop/queue-0\?")
    desk.agree("queue-0")
    desk.ends("converged", "it is gone, 3 of 3 ready")
    assert uid(desk, kinds.PODS, "queue-0") not in (was, None)


def test_a_pod_is_evicted_unless_its_budget_has_come_to_forbid_it(desk: Desk) -> None:
    desk.choose(PODS, "queue-1")
    desk.row("queue-1", "1/1 +Running")
    was = uid(desk, kinds.PODS, "queue-1")
    desk.screen.press("V")
    desk.asks(r"Evict pod shop/queue-1\?")
    desk.modify(kinds.BUDGETS, "shop", "queue", lambda it: it["spec"].update(maxUnavailable=0))
    desk.agree("queue-1")
    desk.ends("not sent", "its disruption budget does not allow it now: The disruption budget queue needs 3 healthy")
    assert uid(desk, kinds.PODS, "queue-1") == was
    desk.modify(kinds.BUDGETS, "shop", "queue", lambda it: it["spec"].update(maxUnavailable=1))
    desk.screen.press("V")
    desk.asks(r"Evict pod shop/queue-1\?")
    desk.agree("queue-1")
    desk.ends("converged", "it is gone, 3 of 3 ready")
    assert uid(desk, kinds.PODS, "queue-1") not in (was, None)


def test_a_shell_and_a_look_are_opened_and_are_on_record(desk: Desk) -> None:
    desk.choose(PODS, "queue-2")
    desk.screen.press("t")
    desk.screen.wait("Look at what inside")
    desk.screen.press("enter")
    desk.screen.wait("looked at within", BUSY_MACHINE_S)
    desk.close()
    assert [one["what"] for one in desk.entries()][-2:] == ["looking inside", "looked inside"]
    desk.screen.press("T")
    desk.asks(r"Open shell of pod shop/queue-2\?")
    desk.agree("queue-2")
    desk.screen.wait(r"^/ \$ ", BUSY_MACHINE_S)
    desk.screen.press("exit 4", "enter")
    desk.screen.forget()
    desk.ends("converged", "ended with exit status 4")


# Nodes


def all_but_one(text: str) -> bool:
    """Tell whether a drain waits for the last pod of the node, which is one of ledger's."""
    found = re.search(r"(\d+) of (\d+) gone; payments/ledger\S+ waits", text)
    return found is not None and int(found[1]) == int(found[2]) - 1


def test_a_node_is_drained_as_budgets_allow_and_uncordoning_stops_it(desk: Desk) -> None:
    def left() -> list[str]:
        found: list[str] = []
        desk.cluster.do(
            lambda it: found.extend(
                pod["metadata"]["labels"].get("app", "")
                for pod in it.store.things(kinds.PODS)
                if pod["spec"].get("nodeName") == "node-1"
            )
        )
        return sorted(found)

    desk.choose(NODES, "node-1")
    desk.screen.press("O")
    desk.asks(r"Drain node node-1\?")
    assert "PodDisruptionBudget payments/ledger allows 0 now" in desk.screen.text()
    desk.agree("node-1")
    last = desk.screen.wait(all_but_one, BUSY_MACHINE_S)
    assert left() == ["ledger", "node-agent"]
    desk.row("node-1", "Ready,SchedulingDisabled")
    desk.screen.press("K")
    desk.asks(r"Uncordon node node-1\?")
    desk.agree("node-1")
    endings = {desk.outcome()["ending"], desk.outcome()["ending"]}
    assert endings == {"converged", "regressed"}, "uncordoned, and so no longer drained"
    assert "unschedulable" not in desk.stored(kinds.NODES, "", "node-1")["spec"]
    steps = [one["detail"] for one in desk.entries() if one["what"] == "step"]
    assert f"{len(steps)} of {len(steps) + 1} gone" in last
    assert all(step.startswith("evicted ") for step in steps)


# Objects of any kind


def test_a_network_policy_is_deleted_as_it_was_read_and_made_again_only_where_there_is_none(desk: Desk) -> None:
    before = desk.stored(kinds.POLICIES, "shop", "api")

    def ask() -> None:
        desk.menu("Delete NetworkPolicy")
        desk.screen.wait("for how long")
        desk.screen.press("1h", "enter")
        desk.asks(r"Delete NetworkPolicy shop/api\?")

    desk.choose_kind("networkpolicies", "api")
    ask()
    desk.modify(kinds.POLICIES, "shop", "api", lambda it: it["spec"].update(policyTypes=["Ingress", "Egress"]))
    desk.agree("api")
    desk.ends("not sent", "has moved on: ~ spec.policyTypes")
    assert desk.stored(kinds.POLICIES, "shop", "api") is not None
    desk.put_back(kinds.POLICIES, before)
    ask()
    desk.agree("api")
    desk.ends("converged", "it is gone")
    assert desk.stored(kinds.POLICIES, "shop", "api") is None

    desk.take_back("delete-networkpolicy", "api")
    other = {"metadata": {"name": "api", "namespace": "shop"}, "spec": {"podSelector": {}}}
    desk.cluster.do(lambda it: it.store.insert(kinds.POLICIES, other))
    desk.agree("api")
    desk.ends("not sent", "was made meanwhile")
    assert desk.stored(kinds.POLICIES, "shop", "api")["spec"] == {"podSelector": {}}
    desk.cluster.do(lambda it: it.store.remove(kinds.POLICIES, "shop", "api"))
    desk.take_back("delete-networkpolicy", "api")
    desk.agree("api")
    desk.ends("converged", "it is there as it was")
    after = desk.stored(kinds.POLICIES, "shop", "api")
    assert (after["spec"], after["metadata"]["labels"]) == (before["spec"], before["metadata"]["labels"])


def test_a_secrets_value_is_shown_only_once_on_record_and_stands_in_no_file(desk: Desk) -> None:
    desk.choose_kind("secrets", "database")
    desk.menu("Show one value")
    desk.screen.wait(r"> url +16 bytes", BUSY_MACHINE_S)
    desk.screen.press("enter")
    assert _SECRET.decode() not in desk.asks(r"Show value of secret shop/database\?")
    was = desk.stored(kinds.SECRETS, "shop", "database")
    desk.cluster.do(lambda it: it.store.remove(kinds.SECRETS, "shop", "database"))
    desk.screen.wait("GONE, nothing can be done")
    desk.close()
    assert desk.outcome()["what"] == "cancelled"
    again = {"metadata": {"name": "database", "namespace": "shop"}, "type": was["type"], "data": was["data"]}
    desk.cluster.do(lambda it: it.store.insert(kinds.SECRETS, again))

    desk.row("database", r" \d{1,2}s\b")  # the view is read every few seconds
    desk.menu("Show one value")
    desk.screen.wait(r"> url +16 bytes", BUSY_MACHINE_S)
    desk.screen.press("enter")
    desk.asks(r"Show value of secret shop/database\?")
    desk.agree("database")
    desk.ends("converged", "shown to whoever sees this screen")
    desk.said(_SECRET.decode())
    desk.close()
    assert _SECRET.decode() not in desk.screen.text()
    written = [path.read_text() for path in (desk.folder / "state").rglob("*") if path.is_file()]
    assert any('"key": "url"' in text for text in written)
    for told in (_SECRET, base64.b64encode(_SECRET)):
        assert not any(told.decode() in text for text in written)


def test_all_about_a_workload_is_written_to_a_file_without_what_may_be_secret(desk: Desk) -> None:
    variable = {"name": "DB_PASSWORD", "value": _SECRET.decode()}
    before = desk.stored(kinds.DEPLOYMENTS, "monitoring", "grafana")
    desk.modify(kinds.DEPLOYMENTS, "monitoring", "grafana", lambda it: container(it).update(env=[variable]))
    desk.choose(WORKLOADS, "grafana")
    desk.menu("Write all about")
    desk.screen.wait(r"lines are in", BUSY_MACHINE_S)
    (file,) = desk.folder.glob("deployment-monitoring-grafana-bundle*")
    told = file.read_text()
    assert "DB_PASSWORD" in told
    assert _SECRET.decode() not in told
    desk.put_back(kinds.DEPLOYMENTS, before)


# What the guard and the server refuse


def test_a_right_that_is_lost_between_plan_and_write_changes_nothing(desk: Desk) -> None:
    before = desk.stored(kinds.DEPLOYMENTS, "payments", "payments")
    desk.choose(WORKLOADS, "payments")
    desk.screen.press("R")
    desk.asks(r"Restart deployment payments/payments\?")
    desk.cluster.do(lambda it: it.server.faults.add(Fault(FaultKind.FORBIDDEN, verb="patch", times=1)))
    desk.agree("payments")
    desk.ends("not sent", "refused, nothing was changed: forbidden")
    after = desk.stored(kinds.DEPLOYMENTS, "payments", "payments")
    assert after["spec"] == before["spec"]


@pytest.fixture(scope="module")
def reader(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The same cluster, seen by somebody who may only read."""
    folder = tmp_path_factory.mktemp("reader")
    folder.chmod(0o700)
    with Desk(desk.cluster, folder, "viewer", **declared(folder)) as opened:
        yield opened


_DEPLOYMENTS: Final = "patch on deployments in shop"
REFUSED: Final[tuple[tuple[Ask, dict[str, str], dict[str, str]], ...]] = (
    (at(WORKLOADS, "gateway"), {
        "Restart": _DEPLOYMENTS, "Scale": "patch on deployments/scale in shop", "Roll back": _DEPLOYMENTS,
        "Hold rollouts": _DEPLOYMENTS, "Set image": _DEPLOYMENTS, "Set variable": _DEPLOYMENTS,
        "Set requests": _DEPLOYMENTS, "Label": _DEPLOYMENTS, "Annotate": _DEPLOYMENTS,
    }, {"R": _DEPLOYMENTS}),
    (at(WORKLOADS, "settlement"), {
        "Hold rollouts": "patch on cronjobs in payments", "Run a CronJob": "create on jobs in payments",
    }, {"J": "create on jobs in payments"}),
    (at(PODS, "queue-1"), {
        "Delete pod": "delete on pods in shop", "Evict pod": "create on pods/eviction in shop",
        "Terminal": "create on pods/exec in shop",
    }, {"T": "create on pods/exec in shop"}),
    (at(NODES, "node-2"), {"Cordon node": "patch on nodes", "Drain node": "patch on nodes"}, {"K": "patch on nodes"}),
    (of_kind("networkpolicies", "api"), {"Delete NetworkPolicy": "delete on networkpolicies in shop"}, {}),
    (of_kind("certificates", "shop-tls"), {"Renew certificate": "patch on certificates/status in shop"}, {}),
)  # fmt: skip
"""What is chosen, and by the entries of the menu and by keys: which right is missing."""


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: next(iter(refused[1])).split()[0].lower())
def test_what_rbac_does_not_allow_says_which_right_is_missing_and_sends_nothing(
    reader: Desk, refused: tuple[Ask, dict[str, str], dict[str, str]]
) -> None:
    choose, entries, keys = refused
    choose(reader)
    for words, right in entries.items():
        reader.screen.press("x")
        reader.screen.wait("Change what")
        reader.screen.press(words)
        # The menu may cut a reason short; choosing the entry tells all of it.
        reader.screen.wait(rf"> .*{words}.*not permitted: it needs {right.split()[0]}", BUSY_MACHINE_S)
        reader.screen.press("enter")
        reader.said(f"not permitted: it needs {right}")
    for pressed, right in keys.items():
        reader.screen.press(pressed)
        reader.said(f"not permitted: it needs {right}")
    assert reader.sent() == []


def test_what_only_the_server_knows_not_to_be_allowed_is_refused_before_anything_is_tried(reader: Desk) -> None:
    reader.choose(WORKLOADS, "gateway")
    for words, right in (
        ("Renew sooner", "patch on certificates in shop"),
        ("Verbose settings", "patch on configmaps in shop"),
    ):
        reader.menu(words)
        found = reader.outcome()
        assert (found["what"], f"it needs {right}" in found["detail"]) == ("refused", True), found
        reader.said(f"not permitted: it needs {right}")
    reader.choose(PODS, "queue-1")
    reader.screen.press("t")
    reader.screen.wait("Look at what inside")
    reader.screen.press("enter")
    reader.said("not permitted: it needs create on pods/exec in shop")
    reader.home()
    reader.screen.press("r")
    reader.screen.wait("Look at which kind")
    reader.screen.press("secrets", "enter")
    reader.screen.wait("secrets.* is forbidden", BUSY_MACHINE_S)
    assert reader.sent() == []


def test_what_looks_like_a_secret_is_not_taken_for_a_variable(desk: Desk) -> None:
    desk.choose(WORKLOADS, "orders")
    desk.screen.press("E")
    desk.screen.wait("Variable of app")
    desk.screen.press(f"DB_PASSWORD={_SECRET.decode()}", "enter")
    desk.screen.wait("this looks like a secret")
    desk.close()
    assert _SECRET.decode() not in json.dumps(desk.entries())


def test_no_verb_is_left_out() -> None:
    """Those that are no case of a table have a test of their own above."""
    of_tables = {case.verb for case in CASES} | {verb for pair in PAIRS for verb in pair.verbs}
    alone = {"delete-pod", "evict", "shell", "look-inside", "drain", "delete-networkpolicy", "restore-networkpolicy",
             "show-secret"}  # fmt: skip
    assert of_tables | alone == {name for name, about in promises() if about.system == "Kubernetes"}
