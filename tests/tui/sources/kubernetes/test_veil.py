"""Manifests without the secrets in them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.sources.kubernetes.veil import HIDDEN, veiled

POD: dict[str, Any] = {
    "kind": "Pod",
    "spec": {
        "containers": [
            {
                "name": "app",
                "env": [
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                    {"name": "LEVEL", "value": "debug"},
                    {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}},
                ],
            }
        ]
    },
}


def test_variables_that_may_be_secrets_are_hidden_and_the_others_shown() -> None:
    variables = veiled(POD)["spec"]["containers"][0]["env"]
    assert variables[0] == {"name": "DB_PASSWORD", "value": HIDDEN}
    assert variables[1:] == POD["spec"]["containers"][0]["env"][1:]


def test_what_was_last_applied_hides_the_same() -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    found = veiled({"metadata": {"annotations": {key: json.dumps(POD), "team": "shop"}}})
    assert "hunter2" not in found["metadata"]["annotations"][key]
    assert "debug" in found["metadata"]["annotations"][key]
    assert veiled({key: "{cut off hunter2"}) == {key: HIDDEN}


def test_a_secrets_keys_are_shown_and_its_values_are_not() -> None:
    secret = {"kind": "Secret", "data": {"user": "YWRtaW4="}, "stringData": {"password": "hunter2"}}
    assert veiled(secret) == {"kind": "Secret", "data": {"user": HIDDEN}, "stringData": {"password": HIDDEN}}


KEYS = st.sampled_from(["env", "kind", "data", "name", "value", "x"]) | st.text()
LEAVES = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_no_shape_of_manifest_is_too_odd(tree: Any) -> None:
    veiled(tree)
