"""What is expected of an answer, held against answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.probes import Probe
from tui.sources.health import State
from tui.sources.http_request import Answer
from tui.sources.probes.conditions import Judged, judge
from tui.sources.probes.facts import Phases


def answer(body: Any = None, status: int = 200, **more: Any) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = tuple(more.pop("headers", {}).items())
    return Answer(status, "", headers, content, more.pop("is_cut", False), 1.0, more.pop("certificate_days", None))


def judged(expect: dict[str, Any], given: Answer, total_ms: float = 5.0) -> Judged:
    return judge(Probe.model_validate({"get": "/", "expect": expect}), given, Phases(total_ms=total_ms))


@pytest.mark.parametrize(
    ("expect", "given", "reason"),
    [
        ({}, answer(status=204), ""),
        ({}, answer(status=302), "status 2xx: HTTP 302"),
        ({"status": 401}, answer(status=401), ""),
        ({"status": [400, 422]}, answer(status=200), "status 400 or 422: HTTP 200"),
        ({"text": "access"}, answer({"access": 1}), ""),
        ({"text": "access"}, answer({}), "text 'access': it is not there"),
        ({"body": {"status": "ok", "n[0].a": 1}}, answer({"status": "ok", "n": [{"a": 1}]}), ""),
        ({"body": {"status": "ok"}}, answer({"status": "down"}), 'status is "ok": it is "down"'),
        ({"body": {"on": True}}, answer({"on": 1}), "on is true: it is 1"),
        ({"body": {"n": 1}}, answer({"n": 1.0}), ""),
        ({"body": {"gone": None}}, answer({}), ""),
        ({"body": {"a": 1}}, answer(b'{"a": 1'), "a is 1: the body is not valid JSON"),
        (
            {"body": {"a": 1}},
            answer(b" " * 2048, is_cut=True),
            "a is 1: the body is not valid JSON, in the first 2 KiB",
        ),
        ({"header": {"Content-Type": "json"}}, answer(headers={"content-type": "application/json"}), ""),
        ({"header": {"X-Id": ""}}, answer(), "header X-Id: none"),
        ({"header": {"X-Id": "7"}}, answer(headers={"x-id": "8"}), "header X-Id 7: another value"),
    ],
)
def test_a_condition_holds_or_says_what_was_found(expect: dict[str, Any], given: Answer, reason: str) -> None:
    found = judged(expect, given)
    assert found.reason == reason
    assert found.state is (State.DOWN if reason else State.OK)


def test_slowness_and_a_certificate_near_its_end_degrade_only() -> None:
    slow = judged({"latency_ms": 100}, answer(), total_ms=250)
    assert (slow.state, slow.reason) == (State.DEGRADED, "within 100 ms: 250 ms")
    ending = judged({"certificate_days": 14}, answer(certificate_days=3.0))
    assert (ending.state, ending.reason) == (State.DEGRADED, "certificate for 14 days: 3.0 days")
    assert judged({"latency_ms": 100}, answer(status=500), total_ms=250).state is State.DOWN
    assert judged({"certificate_days": 14}, answer()).state is State.DOWN, "no certificate at all is no near end"


def preflight(headers: dict[str, str], **wanted: Any) -> Judged:
    cors = {"path": "/p", "origin": "https://shop.example", "method": "PUT", "ask": ["Authorization"], **wanted}
    return judge(Probe.model_validate({"cors": cors}), answer(status=204, headers=headers), Phases())


def test_a_preflight_is_well_when_origin_method_and_headers_are_allowed() -> None:
    good = {
        "Access-Control-Allow-Origin": "https://shop.example",
        "Access-Control-Allow-Methods": "GET, put",
        "Access-Control-Allow-Headers": "authorization,x-id",
    }
    assert preflight(good).state is State.OK
    assert preflight({**good, "Access-Control-Allow-Origin": "https://other.example"}).reason == (
        "origin https://shop.example allowed: it allows https://other.example"
    )
    assert preflight({**good, "Access-Control-Allow-Methods": ""}).reason == "method PUT allowed: it allows none"
    starred = {**good, "Access-Control-Allow-Headers": "*"}
    assert preflight(starred).reason == "header Authorization allowed: it allows *", "browsers want it by name"
    assert preflight(starred, ask=["X-Id"], method="POST").state is State.OK


@given(st.binary(max_size=300), st.integers(100, 599), st.dictionaries(st.text(max_size=8), st.text(max_size=30)))
def test_nothing_that_may_come_is_too_odd(body: bytes, status: int, headers: dict[str, str]) -> None:
    expect = {"body": {"length(a)": 2}, "text": "x", "header": {"A": "b"}}
    found = judged(expect, answer(body, status, headers=headers))
    assert all(verdict.found.isprintable() for verdict in found.verdicts)
