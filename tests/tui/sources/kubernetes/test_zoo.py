"""Every object recorded from a real API server gives the cells the server itself printed for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tui.sources.kubernetes.ages import age, age_since
from tui.sources.kubernetes.events import parse_autoscaler, parse_event
from tui.sources.kubernetes.nodes import parse_node
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.kubernetes.workloads import parse_workload

_ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
_UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(words: str) -> int:
    total, digits = 0, ""
    for letter in words:
        if letter.isdigit():
            digits += letter
        else:
            total += int(digits) * _UNITS[letter]
            digits = ""
    return total


def _rows(kind: str) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
    table = json.loads((_ZOO / f"{kind}.json").read_text())
    names = [column["name"] for column in table["columns"]]
    return [(dict(zip(names, row["cells"], strict=True)), row["object"]) for row in table["rows"]]


@pytest.mark.parametrize(("cells", "obj"), _rows("pods") + _rows("pod-states"))
def test_a_pod_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    pod = parse_pod(obj)
    assert pod.created_at is not None
    now = pod.created_at + _seconds(cells["Age"])
    restarts = str(pod.restarts)
    if pod.restarts and pod.restarted_at is not None:
        restarts += f" ({age_since(pod.restarted_at, now)} ago)"
    assert [pod.name, f"{pod.ready}/{pod.containers}", pod.status, restarts] == [
        cells["Name"],
        cells["Ready"],
        cells["Status"],
        str(cells["Restarts"]),
    ]
    assert age_since(pod.created_at, now) == cells["Age"]
    assert [pod.ip or "<none>", pod.node or "<none>"] == [cells["IP"], cells["Node"]]


def test_how_a_container_that_was_started_again_had_ended_is_told() -> None:
    pods = [parse_pod(obj) for _, obj in _rows("pods")]
    ended = {pod.name.partition("-")[0]: pod.last_end for pod in pods if pod.restarts}
    assert ended == {"fraud": "OOMKilled", "ledger": "Error (exit code 2)"}
    assert not any(pod.last_end for pod in pods if not pod.restarts)


@pytest.mark.parametrize(("cells", "obj"), _rows("deployments"))
def test_a_deployment_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("Deployment", obj)
    assert (found.ready_words(), found.updated, found.available) == (
        cells["Ready"],
        int(cells["Up-to-date"]),
        int(cells["Available"]),
    )
    assert (",".join(found.containers), ",".join(found.images), found.selector) == (
        cells["Containers"],
        cells["Images"],
        cells["Selector"],
    )


@pytest.mark.parametrize(("cells", "obj"), _rows("replicasets"))
def test_a_replica_set_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("ReplicaSet", obj)
    assert (found.desired, found.current, found.ready) == (cells["Desired"], cells["Current"], cells["Ready"])
    assert found.selector == cells["Selector"]
    assert found.revision > 0


@pytest.mark.parametrize(("cells", "obj"), _rows("statefulsets"))
def test_a_stateful_set_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("StatefulSet", obj)
    assert (found.ready_words(), ",".join(found.images)) == (cells["Ready"], cells["Images"])


@pytest.mark.parametrize(("cells", "obj"), _rows("daemonsets"))
def test_a_daemon_set_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("DaemonSet", obj)
    assert [found.desired, found.current, found.ready, found.updated, found.available] == [
        int(cells[name]) for name in ("Desired", "Current", "Ready", "Up-to-date", "Available")
    ]


@pytest.mark.parametrize(("cells", "obj"), _rows("jobs"))
def test_a_job_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("Job", obj)
    assert found.created_at is not None
    now = found.created_at + _seconds(cells["Age"])
    assert (found.status, found.ready_words(), found.duration_words(now)) == (
        cells["Status"],
        cells["Completions"],
        cells["Duration"],
    )
    assert found.selector == cells["Selector"]


@pytest.mark.parametrize(("cells", "obj"), _rows("cronjobs"))
def test_a_cron_job_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_workload("CronJob", obj)
    assert (found.status, found.current, str(found.paused)) == (
        cells["Schedule"],
        int(cells["Active"]),
        cells["Suspend"],
    )


@pytest.mark.parametrize(("cells", "obj"), _rows("nodes"))
def test_a_node_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_node(obj)
    assert (found.status, found.roles, found.version, found.ip, found.os_image) == (
        cells["Status"],
        cells["Roles"],
        cells["Version"],
        cells["Internal-IP"],
        cells["OS-Image"],
    )


def test_events_are_told_in_the_servers_own_words() -> None:
    for cells, obj in _rows("events"):
        found = parse_event(obj)
        assert [found.type, found.reason, found.object, found.message, str(found.count)] == [
            cells["Type"],
            cells["Reason"],
            cells["Object"],
            cells["Message"].strip().replace("\n", "↵"),
            str(cells["Count"]),
        ]
        assert found.first_at is not None
        assert found.last_at is not None
        # The moment of recording is unknown to a second; the distance between both columns is not.
        between = int(found.last_at) - int(found.first_at)
        printed = _seconds(cells["First Seen"]) - _seconds(cells["Last Seen"])
        assert abs(between - printed) <= (60 if cells["First Seen"].endswith("m") else 1), cells


@pytest.mark.parametrize(("cells", "obj"), _rows("horizontalpodautoscalers"))
def test_an_autoscaler_is_told_in_the_servers_own_words(cells: dict[str, Any], obj: Mapping[str, Any]) -> None:
    found = parse_autoscaler(obj)
    assert f"{found.target_kind}/{found.target_name}" == cells["Reference"]
    assert [found.min_replicas, found.max_replicas, found.current_replicas] == [
        int(cells[name]) for name in ("MinPods", "MaxPods", "Replicas")
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (161, "2m41s"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_100, "3h5m"),
        (28_800, "8h"),
        (172_799, "47h"),
        (172_800, "2d"),
        (180_000, "2d2h"),
        (691_200, "8d"),
        (63_072_000, "2y"),
        (63_200_000, "2y1d"),
        (252_288_000, "8y"),
    ],
)
def test_ages_are_written_as_kubectl_writes_them(seconds: float, words: str) -> None:
    assert age(seconds) == words
