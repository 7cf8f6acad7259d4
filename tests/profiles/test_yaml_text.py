from pathlib import Path

import pytest

from profiles.yaml_text import parse

FILE = Path("x.yaml")


def told(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, FILE)[1]]


def test_every_value_knows_where_its_key_stands() -> None:
    tree, problems = parse("a: 1\nb:\n  c: [x, y]\n", FILE)
    assert tree is not None
    assert isinstance(tree.value, dict)
    assert not problems
    assert tree.plain() == {"a": 1, "b": {"c": ["x", "y"]}}
    inner = tree.value["b"].value
    assert isinstance(inner, dict)
    assert (inner["c"].line, inner["c"].column) == (3, 3)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: 1\n\tb: 2\n", "x.yaml:2:1", "tab"),
        ("a: [1\n", "x.yaml:2:1", "not closed"),
        ("a: b: c\n", "x.yaml:1:5", "second colon"),
        ("a: 'x\n", "x.yaml:2:1", "not closed"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1", "second document"),
        ("a: *nowhere\n", "x.yaml:1:4", "anchor"),
        ("a: !!python/object:os.system x\n", "x.yaml:1:4", "tag"),
        ("a: !secret x\n", "x.yaml:1:4", "tag"),
        ("- a\n- b\n", "x.yaml:1:1", "mapping"),
        ("just words\n", "x.yaml:1:1", "mapping"),
        ("a: 1\na: 2\n", "x.yaml:2:1", "twice; first in line 1"),
        ("? [a, b]\n: 1\n", "x.yaml:1:3", "key must be a word"),
        ("a: \x07\n", "x.yaml:1:4", "control character"),
        ("a: &x [*x]\n", "x.yaml:1:4", "contains itself"),
        ("", "x.yaml", "empty"),
        ("# only words\n", "x.yaml", "empty"),
        ("a: " + "9" * 5000 + "\n", "x.yaml:1:4", "number"),
    ],
)
def test_a_mistake_is_told_in_plain_words_with_its_place(text: str, place: str, word: str) -> None:
    (problem,) = told(text)
    assert problem.startswith(f"{place}: ")
    assert word in problem


@pytest.mark.parametrize(
    "text", ["a: *hunter2\n", "a: !hunter2 x\n", "a: &hunter2 1\nb: &hunter2 1\n", "a: hunter2: x"]
)
def test_no_mistake_repeats_what_stands_in_the_file(text: str) -> None:
    assert "hunter2" not in "".join(told(text))


def test_names_that_look_like_other_things_stay_names() -> None:
    tree, problems = parse("on: 1\nno: 2\n404: 3\n", FILE)
    assert tree is not None
    assert (list(tree.plain()), problems) == (["on", "no", "404"], [])


def test_a_date_is_text() -> None:
    tree, _ = parse("a: 2026-01-01\n", FILE)
    assert tree is not None
    assert tree.plain() == {"a": "2026-01-01"}


def test_anchors_aliases_and_merges_work() -> None:
    tree, problems = parse("a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}\nc: *a\n", FILE)
    assert tree is not None
    assert not problems
    assert tree.plain() == {"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 1}}


def test_deep_nesting_is_a_problem_not_a_crash() -> None:
    (problem,) = told("a: " + "[" * 100_000)
    assert "levels deep" in problem


def test_aliases_of_aliases_do_not_eat_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (problem,) = told("\n".join(lines))
    assert "aliases expand" in problem
