"""Objects whose fields are missing or of another type than promised never end a watch."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.sources.kubernetes.fields import quantity
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.metrics import parse_node_metrics, parse_pod_metrics

_ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
_OBJECTS = [
    (kind, row["object"])
    for kind in KINDS.values()
    for row in json.loads((_ZOO / f"{kind.resource}.json").read_text())["rows"][:12]
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, below in inner for found in _paths(below, (*path, key)))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_object_with_a_wrong_field_is_still_parsed(data: st.DataObject) -> None:
    kind, obj = data.draw(st.sampled_from(_OBJECTS))
    obj = copy.deepcopy(obj)
    *above, last = data.draw(st.sampled_from(_paths(obj)[1:]))
    place = obj
    for key in above:
        place = place[key]
    if isinstance(place, dict) and data.draw(st.booleans()):
        del place[last]
    else:
        place[last] = data.draw(_JSON)
    fact = kind.parse(obj)
    assert isinstance(fact.uid, str)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["items", "kind"]), _JSON, max_size=2))
def test_metrics_that_are_none_are_no_metrics(listed: dict[str, Any]) -> None:
    assert isinstance(parse_pod_metrics(listed), dict)
    assert isinstance(parse_node_metrics(listed), dict)


def test_states_that_are_no_objects_are_no_states() -> None:
    statuses = [{"name": "app", "state": {"terminated": "x", "waiting": 3, "running": []}, "lastState": 1}]
    pod = {"spec": {"containers": [{"name": "app"}], "initContainers": 7}, "status": {"containerStatuses": statuses}}
    assert KINDS["Pod"].parse({**pod, "metadata": {"uid": "u", "creationTimestamp": "soon"}}).uid == "u"
    selector = {"matchExpressions": [{"key": "a", "operator": "In", "values": 4}], "matchLabels": []}
    assert KINDS["Deployment"].parse({"metadata": {"uid": "u"}, "spec": {"selector": selector}}).uid == "u"


@pytest.mark.parametrize("written", ["9e999999Ki", "1e400", "NaN", "Infinity", "-Infinity", "x", ""])
def test_a_quantity_that_is_no_finite_number_is_none(written: str) -> None:
    assert quantity({"memory": written}, "memory") is None
