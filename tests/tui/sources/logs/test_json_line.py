"""Objects in lines: the fast machine and the patient one say the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.json_line import Shape, as_text, json_member, json_object

_NAMES = st.sampled_from(["level", "msg", "ts", "took_ms", "a", "a.b", "log", 'q"uote', "é", "% s", "x y", ""])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_OBJECTS = st.dictionaries(
    _NAMES,
    st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3)),
    max_size=6,
)


def patient(raw: str) -> Any:
    try:
        entry, end = json.JSONDecoder(strict=False).raw_decode(raw)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and entry and not raw[end:].strip() else None


@given(_OBJECTS, st.booleans())
def test_an_object_is_read_as_the_standard_library_reads_it(entry: dict[str, Any], ascii_only: bool) -> None:
    raw = json.dumps(entry, ensure_ascii=ascii_only)
    assert json_object(raw) == patient(raw)


@pytest.mark.parametrize(
    ("raw", "entry"),
    [
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        ('{"a": Infinity}', {"a": float("inf")}),
        ('{"a": 1e400}', {"a": float("inf")}),
        ('{"a": "x\ty"}', {"a": "x\ty"}),
        ('{"a": "\\ud800"}', {"a": "\ud800"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": 1} behind', None),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", None),
        ("{}", None),
        ("[1]", None),
        ('{"a": 1', None),
    ],
)
def test_what_is_only_nearly_json_is_read_too(raw: str, entry: dict[str, Any] | None) -> None:
    assert json_object(raw) == entry


@given(_OBJECTS, _NAMES)
def test_one_member_is_the_one_of_the_whole_object(entry: dict[str, Any], name: str) -> None:
    raw = json.dumps(entry)
    found = json_member(name)(raw)
    nested = entry.get("a")
    inner = nested.get("b") if name == "a.b" and isinstance(nested, dict) else None
    wanted = entry.get(name)
    assert found == (inner if wanted is None else wanted)


def test_a_member_is_found_where_only_the_patient_machine_can_read() -> None:
    assert json_member("took_ms")('{"took_ms": 7, "rate": NaN}') == 7
    assert json_member("took_ms")('{"took_ms": 7, "rate": ') is None


@given(_OBJECTS)
def test_a_line_shows_every_member_that_is_not_null_as_it_would_by_itself(entry: dict[str, Any]) -> None:
    shape = Shape.of(entry)
    told = [f"{key}={as_text(entry[key])}" for key in shape.others if entry[key] is not None]
    assert shape.text(entry) == " ".join([entry[shape.message], *told] if shape.message else told)
