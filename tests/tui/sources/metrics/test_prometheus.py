"""What Prometheus' API answers, and what is made of it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.metrics.prometheus import instant, labels, over, ranges, values


def answered(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def test_every_series_has_its_labels_but_not_its_name() -> None:
    body = answered(
        "vector",
        [
            {"metric": {"__name__": "http_requests_total", "code": "500", "pod": "api-1"}, "value": [1, "3.5"]},
            {"metric": {"code": "200"}, "value": [1, "7"]},
        ],
    )
    assert values(200, body) == {"code=500 pod=api-1": 3.5, "code=200": 7}


def test_a_scalar_and_an_empty_vector() -> None:
    assert values(200, answered("scalar", [1, "42"])) == {"": 42}
    assert values(200, answered("vector", [])) == {}


def test_what_is_no_number_is_told_as_none() -> None:
    found = values(200, answered("vector", [{"metric": {}, "value": [1, "NaN"]}]))
    assert math.isnan(found[""])


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}', Unreadable,
         "parse error: unexpected end; correct it in the profile"),
        (422, b'{"status":"error","errorType":"execution","error":"query timed out"}', Unreachable, "query timed out"),
        (200, answered("matrix", []), Unreadable, "put rate(), avg_over_time() or the like around it"),
        (200, answered("string", [1, "x"]), Unreadable, "gives a string, not numbers"),
        (200, b"<html>login</html>", Unreadable, "what stands before /api/v1/query"),
        (404, b"404 page not found", Unreadable, "HTTP 404"),
        (401, b"", Denied, "HTTP 401"),
        (503, b"no healthy upstream", Unreachable, "HTTP 503"),
        (200, answered("vector", [{"metric": {}}, 7]), Unreadable, "values that are none"),
        (200, b'{"status":"success","data":[]}', Unreadable, "without a result"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_in_its_own_words(
    status: int, body: bytes, error: type[SourceError], words: str
) -> None:
    with pytest.raises(error) as caught:
        values(status, body)
    assert words in str(caught.value)


def test_ranges_leave_out_what_is_no_number() -> None:
    body = answered(
        "matrix", [{"metric": {"code": "500"}, "values": [[10, "1"], [25, "NaN"], [40, "+Inf"], [55, "2"]]}]
    )
    assert ranges(200, body) == {"code=500": [(10, 1), (55, 2)]}


def test_urls_hold_the_query_as_it_is() -> None:
    assert instant("http://p:9090/", 'up{job="a b"} > 0') == (
        "http://p:9090/api/v1/query?query=up%7Bjob%3D%22a+b%22%7D+%3E+0"
    )
    assert over("http://p", "up", 10, 70.6, 15) == "http://p/api/v1/query_range?query=up&start=10&end=71&step=15"


def test_labels_are_cleaned() -> None:
    assert "\x1b" not in labels({"a": "\x1b]0;x\x07", "b": "\u202e"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.binary(max_size=400), st.integers(100, 599))
def test_no_answer_is_more_than_an_error(body: bytes, status: int) -> None:
    for read in (values, ranges):
        try:
            read(status, body)
        except SourceError:
            continue


@given(ANYTHING)
def test_no_result_is_more_than_an_error(result: object) -> None:
    for kind in ("vector", "matrix", "scalar"):
        for read in (values, ranges):
            try:
                read(200, answered(kind, result))
            except SourceError:
                continue
