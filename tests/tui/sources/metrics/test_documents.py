"""JSON documents and Prometheus' text format: the number that a metric asks for, or why there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.errors import Unreadable
from tui.sources.metrics.documents import in_json, in_text

DOCUMENT = (
    '{"pools": [{"name": "main", "active": 7}, {"name": "b", "active": 2}], "ok": true, "lag": "1.5", "who": "x"}'
)
TEXT = """
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a"} 100
http_requests_total{code="500",path="/a"} 3
http_requests_total{code="500",path="/b"} 4
# TYPE queue_length gauge
queue_length 12
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 5
latency_seconds_bucket{le="+Inf"} 9
latency_seconds_sum 1.5
latency_seconds_count 9
"""


@pytest.mark.parametrize(
    ("path", "number"),
    [("pools[0].active", 7), ("sum(pools[].active)", 9), ("pools[?name=='b'].active", 2), ("ok", 1), ("lag", 1.5)],
)
def test_a_path_finds_its_number(path: str, number: float) -> None:
    assert in_json(DOCUMENT, path) == number


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (DOCUMENT, "pools[9].active", "finds nothing, not a number"),
        (DOCUMENT, "pools", "finds a list"),
        (DOCUMENT, "pools[0]", "finds a mapping"),
        (DOCUMENT, "who", "is text, 'x', not a number"),
        (DOCUMENT, "sum(who)", "correct path in the profile"),
        ("<html>", "a", "not valid JSON"),
        ("[" * 100_000, "a", "not valid JSON"),
    ],
)
def test_what_is_no_number_is_said(text: str, path: str, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        in_json(text, path)
    assert words in str(caught.value)


def test_series_by_name_and_labels() -> None:
    assert in_text(TEXT, "http_requests_total", {"code": "500"}) == {"path=/a": 3, "path=/b": 4}
    assert in_text(TEXT, "queue_length", {}) == {"": 12}
    assert in_text(TEXT, "latency_seconds_sum", {}) == {"": 1.5}
    assert in_text(TEXT, "latency_seconds_bucket", {"le": "0.1"}) == {"": 5}
    assert in_text(TEXT, "nothing_like_it", {}) == {}


def test_what_is_no_such_text_is_said() -> None:
    with pytest.raises(Unreadable, match="text format"):
        in_text("queue_length {{{ 12\n", "queue_length", {})


@given(st.text(max_size=300))
def test_no_text_is_more_than_an_error(text: str) -> None:
    for read in (lambda: in_json(text, "a.b"), lambda: in_text(text, "a", {})):
        try:
            read()
        except Unreadable:
            continue
