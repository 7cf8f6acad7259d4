"""Pure parts of the simulated cluster: patches, selectors, schedules, durations, protobuf, certificates."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sandbox.cluster import patches, protobuf
from tui.sandbox.cluster.certificate import Certificate
from tui.sandbox.cluster.cron import Schedule
from tui.sandbox.cluster.durations import short
from tui.sandbox.cluster.population import former_image
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.scenes import next_image
from tui.sandbox.cluster.selectors import labels_match, selector_text
from tui.sandbox.cluster.store import clone

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
CONTAINERS = {"containers": [{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ({"containers": [{"name": "b", "image": "b:2"}]}, ["a", "b"]),
        ({"containers": [{"name": "c"}]}, ["a", "b", "c"]),
        ({"containers": [{"name": "a", "$patch": "delete"}]}, ["b"]),
        ({"containers": [{"$patch": "replace"}, {"name": "z"}]}, ["z"]),
        ({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}, ["b", "a"]),
    ],
)
def test_a_strategic_merge_joins_lists_by_their_key(patch: Any, result: list[str]) -> None:
    before = clone(CONTAINERS)
    assert [c["name"] for c in patches.strategic(CONTAINERS, patch)["containers"]] == result
    assert before == CONTAINERS


def test_a_strategic_merge_keeps_what_it_does_not_name() -> None:
    patched = patches.strategic(CONTAINERS, {"containers": [{"name": "a", "image": "a:2"}]})
    assert patched["containers"][0] == {"name": "a", "image": "a:2", "env": [{"name": "X", "value": "1"}]}


def test_a_strategic_merge_replaces_lists_without_a_key() -> None:
    assert patches.strategic({"args": ["a", "b"]}, {"args": ["c"]}) == {"args": ["c"]}
    kept = {"finalizers": ["a"]}
    assert patches.strategic(kept, {"finalizers": ["b"]}) == {"finalizers": ["a", "b"]}
    assert patches.strategic(kept, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {"finalizers": []}


@given(JSON, JSON)
def test_a_merge_patch_is_done_once_and_changes_no_input(target: Any, patch: Any) -> None:
    before = json.dumps([target, patch])
    once = patches.merge(target, patch)
    assert patches.merge(once, patch) == once
    assert json.dumps([target, patch]) == before


@given(JSON)
def test_json_patch_tests_everything_equal_to_itself(document: Any) -> None:
    assert patches.json_patch(document, [{"op": "test", "path": "", "value": clone(document)}]) == document


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/0", "value": 9}, {"a": [9, 1, 2], "b~/": 3}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9], "b~/": 3}),
        ({"op": "remove", "path": "/b~0~1"}, {"a": [1, 2]}),
        ({"op": "replace", "path": "/a/1", "value": 9}, {"a": [1, 9], "b~/": 3}),
        ({"op": "move", "from": "/a", "path": "/c"}, {"b~/": 3, "c": [1, 2]}),
        ({"op": "copy", "from": "/a/0", "path": "/c"}, {"a": [1, 2], "b~/": 3, "c": 1}),
    ],
)
def test_json_patch_does_each_operation(operation: Any, result: Any) -> None:
    assert patches.json_patch({"a": [1, 2], "b~/": 3}, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "replace", "path": "/none", "value": 2},
        {"op": "remove", "path": "/none"},
        {"op": "add", "path": "/none/deep", "value": 2},
        {"op": "nonsense", "path": "/a"},
        {"op": "replace"},
    ],
)
def test_json_patch_refuses_what_does_not_hold(operation: Any) -> None:
    with pytest.raises(ApiError) as caught:
        patches.json_patch({"a": 1}, [operation])
    assert caught.value.code == 422


@given(st.text(alphabet="ab=!,() in", max_size=12))
def test_any_selector_is_understood_or_refused(text: str) -> None:
    with suppress(ApiError):  # and nothing else
        labels_match(text)({"metadata": {"labels": {"a": "b"}}})


def test_a_selector_is_written_as_the_printer_does() -> None:
    expressions = [{"key": "c", "operator": "In", "values": ["y", "x"]}, {"key": "d", "operator": "Exists"}]
    assert selector_text({"matchLabels": {"b": "1", "a": "2"}, "matchExpressions": expressions}) == (
        "a=2,b=1,c in (x,y),d"
    )


@pytest.mark.parametrize(
    ("schedule", "after", "before"),
    [
        ("*/10 * * * *", "2026-01-01T12:10", "2026-01-01T12:00"),
        ("30 2 * * *", "2026-01-02T02:30", "2026-01-01T02:30"),
        ("15 4 * * 0", "2026-01-04T04:15", "2025-12-28T04:15"),
        ("0 0 29 2 *", "2028-02-29T00:00", "2024-02-29T00:00"),
        ("5,35 8-18/2 * * 1-5", "2026-01-01T12:05", "2026-01-01T10:35"),
        ("@daily", "2026-01-02T00:00", "2026-01-01T00:00"),
    ],
)
def test_a_schedule_knows_its_next_and_its_last_time(schedule: str, after: str, before: str) -> None:
    now = datetime(2026, 1, 1, 12, 3, 20, tzinfo=UTC)
    assert Schedule(schedule).after(now) == datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule(schedule).before(now) == datetime.fromisoformat(before).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "* * * *", "61 * * * *", "a b c d e"])
def test_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no schedule"):
        Schedule(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (161, "2m41s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600, "8h"),
        (48 * 3600, "2d"),
        (99 * 3600, "4d3h"),
        (80 * 86400, "80d"),
        (770 * 86400, "2y40d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_are_written_as_kubectl_writes_them(seconds: float, text: str) -> None:
    assert short(timedelta(seconds=seconds)) == text


def test_a_protobuf_review_reads_like_a_json_one() -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    spec = field(2, field(1, field(1, b"shop") + field(2, b"delete") + field(5, b"pods")))
    kind = field(1, b"authorization.k8s.io/v1") + field(2, b"SelfSubjectAccessReview")
    decoded = protobuf.decode(b"k8s\0" + field(1, kind) + field(2, spec))
    attributes = {"namespace": "shop", "verb": "delete", "resource": "pods"}
    assert decoded["spec"] == {"resourceAttributes": attributes}


@given(st.binary(max_size=60))
def test_bad_protobuf_is_refused(data: bytes) -> None:
    with pytest.raises(ApiError):
        protobuf.decode(b"k8s\0" + data)


def test_a_certificate_is_accepted_by_those_who_trust_it() -> None:
    certificate = Certificate()
    context = ssl.create_default_context(cadata=certificate.pem)
    (subject,) = context.get_ca_certs()
    assert subject["subjectAltName"] == (("IP Address", "127.0.0.1"), ("DNS", "localhost"))
    assert certificate.context().cert_store_stats()["x509"] == 0


def test_releases_count_up_and_down() -> None:
    assert next_image("registry.example/shop/api:2.14.0") == "registry.example/shop/api:2.14.1"
    assert former_image("registry.example/shop/api:2.14.0") == "registry.example/shop/api:2.13.0"
    assert next_image("localhost:5000/api:main") == "localhost:5000/api:main-next"
