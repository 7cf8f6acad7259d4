"""A section written anew: exactly that, and every other character as it was."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from profiles.places import SHIPPED
from profiles.search import EXAMPLE
from profiles.yaml_edit import CannotEditError, has_comment, section_text, with_section
from profiles.yaml_text import parse

PINS = {"postgres": {"orders": {"system_identifier": 7312345678901234567, "role": "primary"}}}
BLOCK = "identity:\n  postgres:\n    orders:\n      system_identifier: 7312345678901234567\n      role: primary\n"


def edited(text: str) -> str:
    """Return the text with the pins; assert that it is what it was, and the pins."""
    after = with_section(text, "identity", PINS, "why")
    assert yaml.safe_load(after) == {**yaml.safe_load(text), "identity": PINS}
    assert parse(after, Path("x"))[1] == []
    return after


def test_what_is_not_there_yet_is_added_at_the_end_and_nothing_else_changes() -> None:
    example = (SHIPPED / f"{EXAMPLE}.yaml").read_text()
    without = example[: example.index("\nidentity:")] if "\nidentity:" in example else example
    assert edited(without) == f"{without.rstrip(chr(10))}\n\n# why\n{BLOCK}"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("name: a", f"name: a\n\n# why\n{BLOCK}"),
        ("name: a\n# the end\n", f"name: a\n# the end\n\n# why\n{BLOCK}"),
        ("name: a\nidentity: {redis: {}}  # old\n# redis\nredis: r\n", f"name: a\n{BLOCK}# redis\nredis: r\n"),
        ("identity:\n  redis:\n    c:\n      role: master\n\n# about\nname: a\n", f"{BLOCK}\n# about\nname: a\n"),
        ("identity:\n# nothing yet\nname: a\n", f"{BLOCK}# nothing yet\nname: a\n"),
        ("'identity': {redis: {\n  c: {role: master}}}\nname: a\n", f"{BLOCK}name: a\n"),
        ("name: a\r\nredis: r\r\n", f"name: a\r\nredis: r\r\n\r\n# why\r\n{BLOCK.replace(chr(10), chr(13) + chr(10))}"),
        ("---\nname: a\n...\n# after\n", f"---\nname: a\n\n# why\n{BLOCK}...\n# after\n"),
        ("name: |\n  two\n  lines\n", f"name: |\n  two\n  lines\n\n# why\n{BLOCK}"),
        ("name: 'ü ✓'  # ü\nidentity: {}\nlast: 1\n", f"name: 'ü ✓'  # ü\n{BLOCK}last: 1\n"),
    ],
)  # fmt: skip
def test_only_the_section_s_own_lines_change(text: str, after: str) -> None:
    assert edited(text) == after


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a"}',
        '{"name": "a", "identity": {"redis": {}}, "z": 1}',
        "{name: a, # first\n z: [1], # last\n}\n",
        "# json, nearly\n--- {name: a}\n",
        "  name: a\n  redis: r\n",
        "name: &n a\nother: *n\n",
    ],
)
def test_other_ways_to_write_a_profile_are_kept(text: str) -> None:
    after = edited(text)
    assert [line for line in text.split("#")[1:] if line.split("\n")[0] not in after] == [], "comments stay"
    assert edited(after) == after, "writing it again changes nothing"


@pytest.mark.parametrize("text", ["x: &p {a: 1}\nidentity: *p\n", "{x: &p {a: 1}, identity: *p}", "? identity\n: {}\n"])
def test_what_only_a_person_can_edit_is_left_alone(text: str) -> None:
    with pytest.raises(CannotEditError):
        with_section(text, "identity", PINS, "why")


def test_comments_inside_the_section_are_noticed() -> None:
    assert has_comment("identity:\n  redis:  # mine\n    c: {role: master}\n", "identity")
    assert not has_comment("# above\nidentity: {redis: {c: {role: master}}}\n# below\nname: a # x\n", "identity")


def test_the_section_alone_can_be_pasted() -> None:
    assert section_text("identity", PINS) == BLOCK


SCALARS = st.one_of(st.text(max_size=12), st.integers(), st.booleans(), st.none())
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


@given(
    st.dictionaries(st.text(min_size=1, max_size=8).filter(lambda key: key != "<<"), TREES, min_size=1, max_size=4),
    st.sampled_from([None, False, True]),
    st.booleans(),
)
def test_whatever_else_stands_in_a_document_keeps_its_value(
    tree: dict[str, object], flow: bool | None, has_section: bool
) -> None:
    document = {**tree, **({"identity": {"old": [1, {"a": "b"}]}} if has_section else {}), "last": 1}
    text = yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    after = with_section(text, "identity", PINS, "why")
    assert yaml.safe_load(after) == {**yaml.safe_load(text), "identity": PINS}
