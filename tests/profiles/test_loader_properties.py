"""Whatever a file holds, loading ends in a profile or in problems with a place; nothing else gets out."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from profiles.loader import load
from profiles.problems import Problem, ProfileError
from profiles.schema import json_schema

_FORMS = [json_schema(), *json_schema()["$defs"].values()]
_KEYS = st.text(max_size=8) | st.sampled_from(sorted({key for form in _FORMS for key in form.get("properties", {})}))
_WORDS = ("prod", "sandbox", "5s", "env:X", "file:/x", "http://x", "${sandbox.redis}", "defaults", "demo", "../x.yaml")
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(_WORDS)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=15
)
_PROFILES = st.dictionaries(_KEYS, _VALUES, max_size=8)
_BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "any.yaml"


def problems_of(name_or_path: str) -> tuple[Problem, ...]:
    try:
        load(name_or_path)
    except ProfileError as wrong:
        problems = wrong.problems
    else:
        return ()
    assert problems
    assert all(str(problem).isprintable() for problem in problems)
    return problems


def loads_or_tells(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    problems = problems_of(str(file))
    assert all(problem.file is not None for problem in problems)


@_BOUNDED
@given(content=st.binary(max_size=300))
@example(content=b"%YAML 9.9\n---\na: 1")
@example(content=b"a: !!int x\nb: !!float y\nc: !!bool z\nd: !!null w")
@example(content=b"a: 0x\nb: 0b\nc: 1_\nd: 1:60:61\ne: .inf\nf: -.nan")
@example(content=b"<<: [1, 2]\n<<: x\n")
@example(content=b"a: &a {<<: *a}\n")
@example(content=b"= : =\n")
@example(content=b"? \n: \n")
def test_any_bytes(file: Path, content: bytes) -> None:
    loads_or_tells(file, content)


@_BOUNDED
@given(text=st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@`#,~<=\t\n 01._/$"), max_size=80))
def test_any_punctuation(file: Path, text: str) -> None:
    loads_or_tells(file, text.encode())


@_BOUNDED
@given(profile=_PROFILES)
def test_any_values_under_any_keys(file: Path, profile: dict[str, object]) -> None:
    loads_or_tells(file, yaml.safe_dump(profile, allow_unicode=True).encode("utf-8", "surrogatepass"))


@_BOUNDED
@given(name=st.text(max_size=300))
@example(name="a\0/b")
@example(name="~nobody-of-that-name/x")
@example(name="x" * 5000 + "/y")
def test_any_name(name: str) -> None:
    problems_of(name)
