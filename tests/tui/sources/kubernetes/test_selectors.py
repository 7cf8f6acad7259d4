"""Selectors typed by a person choose what kubectl's would: the simulated server's own are the oracle for labels."""

from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sandbox.cluster.selectors import labels_match
from tui.sources.kubernetes.selectors import field_selector, label_selector

_KEYS, _VALUES = st.sampled_from(["app", "tier", "example.com/zone"]), st.sampled_from(["api", "db", "a-1.b_c", ""])
_TERMS = st.one_of(
    st.builds("{}{}{}".format, _KEYS, st.sampled_from(["=", "==", "!=", " != "]), _VALUES),
    st.builds(
        "{} {} ({})".format,
        _KEYS,
        st.sampled_from(["in", "notin"]),
        st.lists(_VALUES.filter(bool), min_size=1).map(",".join),
    ),
    st.builds("{}{}".format, st.sampled_from(["", "!"]), _KEYS),
)


@given(st.lists(_TERMS, min_size=1, max_size=4).map(",".join), st.dictionaries(_KEYS, _VALUES))
def test_a_label_selector_chooses_what_the_server_would(typed: str, labels: Mapping[str, str]) -> None:
    assert label_selector(typed).matches(labels) == labels_match(typed)({"metadata": {"labels": labels}})


@given(st.text(max_size=40))
def test_whatever_is_typed_is_understood_or_refused_in_words(typed: str) -> None:
    for understand in (label_selector, field_selector):
        with suppress(ValueError):
            understand(typed).matches({"app": "x"})


@pytest.mark.parametrize(("typed", "expected"), [
    ("status.phase=Running", True),
    ("status.phase!=Running", False),
    ("status.phase=Running,spec.nodeName=node-2", False),
    ("spec.nodeName!=node-2", True),
    ("spec.unschedulable!=true", False),
])  # fmt: skip
def test_a_field_that_is_not_there_matches_neither_way(typed: str, expected: bool) -> None:
    assert field_selector(typed).matches({"status.phase": "Running", "spec.nodeName": "node-1"}) is expected
