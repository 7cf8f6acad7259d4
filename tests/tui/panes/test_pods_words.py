"""What is said around the tables of the Pods tab: which cluster, how many, and why no row stands there."""

from dataclasses import replace

from tests.tui.panes.test_pods import NOW, snapshot
from tui.panes.pods_choice import Choice, typed_filter
from tui.panes.pods_detail import node_page
from tui.panes.pods_title import title_segments
from tui.panes.pods_views import VIEWS
from tui.panes.pods_words import count_words, empty_words
from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.kubernetes.snapshot import KindHealth, KubernetesSnapshot


def without_nodes(error: SourceError | None) -> KubernetesSnapshot:
    health = {**snapshot().health, "nodes": KindHealth("nodes", is_synced=True, error=error)}
    return replace(snapshot(), nodes={}, health=health)


def test_what_is_forbidden_is_not_called_none() -> None:
    found = without_nodes(Denied("nodes is forbidden"))
    assert empty_words(VIEWS["nodes"], found, Choice()) == "forbidden: whether there are any nodes is not known"
    assert count_words(VIEWS["nodes"], 0, found) == "Nodes –"
    assert empty_words(VIEWS["nodes"], found, Choice(faults_only=True)).startswith("forbidden"), "no filter hides them"
    hung = without_nodes(Unreachable("no answer in time"))
    assert empty_words(VIEWS["nodes"], hung, Choice()) == "whether there are any nodes is not known: no answer in time"


def test_nothing_there_offers_no_filter_to_clear() -> None:
    found = without_nodes(None)
    assert empty_words(VIEWS["nodes"], found, Choice()) == "no nodes in this cluster"
    assert count_words(VIEWS["nodes"], 0, found) == "Nodes 0"
    narrow = replace(found, namespaces=("shop",))
    assert (
        empty_words(VIEWS["pods"], replace(narrow, pods={}), Choice()) == "no pods in the namespaces that are watched"
    )


def test_what_keeps_rows_away_is_named() -> None:
    typed = typed_filter("-l app=api -f status.phase=Failed")
    choice = Choice(namespace="shop", faults_only=True, labels=typed.labels, fields=typed.fields)
    words = empty_words(VIEWS["pods"], snapshot(), choice)
    assert words == "nothing here: namespace shop, faults only, -l app=api, -f status.phase=Failed; esc clears that"


def test_the_namespace_of_what_is_open_stands_in_the_title() -> None:
    words = [segment.text for segment in title_segments(snapshot(), Choice(), "shop")]
    assert "namespace shop" in words
    assert "all namespaces" not in words
    assert title_segments(snapshot(), Choice(), "shop")[-1].priority == 0, "of what keys act on nothing is left out"
    assert "all namespaces" in [segment.text for segment in title_segments(snapshot(), Choice())]


def test_a_view_says_only_what_narrows_it() -> None:
    workload = next(iter(snapshot().workloads.values()))
    choice = Choice(namespace="shop", faults_only=True, workload=workload, node="node-1", kind="Job")
    pods = f"pods of {workload.kind}/{workload.name}"
    told = {view: choice.narrowing(view).words() for view in (*VIEWS, "kinds", "recent", "rollout", "containers")}
    assert told["pods"] == ("namespace shop", "faults only", pods, "pods on node-1")
    assert told["workloads"] == ("namespace shop", "faults only", "Jobs")
    assert told["events"] == told["kinds"] == told["recent"] == ("namespace shop", "faults only")
    assert told["nodes"] == told["rollout"] == ("faults only",)
    assert told["containers"] == ()


def test_a_nodes_page_says_how_much_its_pods_ask_for_and_what_keeps_others_away() -> None:
    node = replace(next(iter(snapshot().nodes.values())), cpu_cores=4.0, memory_bytes=8 * 1024.0**3)
    one = replace(
        next(iter(snapshot().pods.values())), node=node.name, phase="Running",
        cpu_request_cores=1.0, memory_request_bytes=2 * 1024.0**3,
    )  # fmt: skip
    asks_nothing = replace(one, uid="2", cpu_request_cores=None, memory_request_bytes=None)
    ended = replace(one, uid="3", phase="Succeeded")
    found = replace(snapshot(), pods={one.uid: one, "2": asks_nothing, "3": ended})
    taints = [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}, {"key": "gpu", "effect": "NoExecute"}]
    obj = {"metadata": {"labels": {"zone": "a"}}, "spec": {"taints": taints}}
    lines = node_page(node, obj, found, NOW).split("\n")
    assert "asked for   CPU 1000m, 25 % of what is allocatable" in lines
    assert "            memory 2.0 GiB, 25 %" in lines
    assert {"taint       dedicated=db:NoSchedule", "taint       gpu:NoExecute", "  zone=a"} <= {*lines}
