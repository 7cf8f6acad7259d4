"""An object as YAML, in two parts."""

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.kubernetes.object_yaml import Manager, object_yaml

FIELDS: list[Any] = [
    {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-11-20T10:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:password": {}}, "f:type": {}},
    },
    {
        "manager": "opstui",
        "operation": "Apply",
        "subresource": "status",
        "apiVersion": "v1",
        "time": "2026-11-22T10:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:annotations": {"f:team": {}}}},
    },
]
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "db",
        "namespace": "shop",
        "annotations": {"note": "  managedFields:\n- is what this says"},
        "managedFields": FIELDS,
    },
    "data": {"password": "aHVudGVyMg=="},
    "type": "Opaque",
}


def test_managed_fields_stand_apart_and_fit_back_into_their_place() -> None:
    page = object_yaml(SECRET)
    assert "manager:" not in page.text
    assert page.managers == (
        Manager("opstui", 1795341600.0, "Apply", "status"),
        Manager("kubectl-create", 1795168800.0, "Update", ""),
    ), "the newest first"
    lines = page.text.split("\n")
    lines[page.managed_at : page.managed_at] = page.managed
    assert yaml.safe_load("\n".join(lines)) == {**SECRET, "data": {"password": "(hidden)"}}
    without = yaml.safe_load(page.text)
    assert "managedFields" not in without["metadata"]
    assert without["metadata"]["name"] == "db"


def test_an_object_without_them_is_whole_without_them() -> None:
    every: tuple[Any, ...] = ([], None, "odd", {})
    for fields in every:
        page = object_yaml({**SECRET, "metadata": {"name": "db", "managedFields": fields}})
        assert (page.managers, page.managed) == ((), ())
        assert yaml.safe_load(page.text)["metadata"] == {"name": "db"}
    assert yaml.safe_load(object_yaml({"kind": "Pod"}).text) == {"kind": "Pod"}


def test_no_value_of_a_secret_is_in_either_part_whatever_tool_wrote_it_into_an_annotation() -> None:
    whole = {key: value for key, value in SECRET.items() if key != "metadata"}
    plain = {**whole, "stringData": {"password": "hunter2"}}
    kept = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps(plain),
        "kapp.k14s.io/original": json.dumps(plain),
        "banzaicloud.com/last-applied": " " + json.dumps([plain]),
        "cut-off": json.dumps({"note": "no object"}),
    }
    page = object_yaml({**SECRET, "metadata": {**SECRET["metadata"], "annotations": kept}})
    told = page.text + "\n".join(page.managed)
    assert "aHVudGVyMg==" not in told
    assert "hunter2" not in told
    assert told.count("(hidden)") == 7, "of data: one; of each annotation: data and stringData"
    assert "f:password" in told, "names of keys are no secret"
    assert yaml.safe_load(page.text)["metadata"]["annotations"]["cut-off"] == kept["cut-off"], "word for word"


def test_what_managers_call_themselves_reaches_no_terminal_as_it_is() -> None:
    fields = [{"manager": "\x1b[2J\u202e[red]", "operation": "Update", "time": "\x07"}]
    page = object_yaml({"kind": "Pod", "metadata": {"name": "a", "managedFields": fields}})
    told = page.text + "\n".join(page.managed) + page.managers[0].name
    assert not {"\x1b", "\u202e", "\x07"} & set(told)
    assert page.managers[0].at is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["manager", "time"]), inner)
    ),
    max_leaves=10,
)


@given(ODD)
def test_no_managed_fields_are_too_odd(fields: Any) -> None:
    page = object_yaml({"kind": "Pod", "metadata": {"name": "a", "managedFields": fields, "uid": "1"}})
    assert yaml.safe_load(page.text) == {"kind": "Pod", "metadata": {"name": "a", "uid": "1"}}
