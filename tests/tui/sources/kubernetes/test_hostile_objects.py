"""Objects whose fields are missing, of another type than promised, or hostile never end a watch nor pass unclean."""

import copy
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.sources.kubernetes.fields import quantity
from tui.sources.kubernetes.kinds import KINDS, Kind
from tui.sources.kubernetes.metrics import parse_node_metrics, parse_pod_metrics
from tui.sources.text import clean

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


_HOSTILE = "\x1b]0;x\x07\u202e[/red]"


def _poisoned(value: Any) -> Any:
    """Every string ends in what a terminal would obey, and every map has one more key that does."""
    if isinstance(value, dict):
        more = {f"node-role.kubernetes.io/{_HOSTILE}": _HOSTILE}
        return {key: _poisoned(below) for key, below in value.items()} | more
    if isinstance(value, list):
        return [_poisoned(below) for below in value]
    return value + _HOSTILE if isinstance(value, str) else value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from _strings(getattr(value, one.name))
    elif isinstance(value, dict):
        yield from _strings([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _strings(below)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource)
def test_no_fact_carries_what_a_terminal_would_obey(kind: Kind) -> None:
    found = [text for of, obj in _OBJECTS if of is kind for text in _strings(kind.parse(_poisoned(obj)))]
    assert found
    assert any("[/red]" in text for text in found)
    assert [text for text in found if text != clean(text)] == []
