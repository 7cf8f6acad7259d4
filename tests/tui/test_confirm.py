"""The dialog's words."""

import pytest

from tui.actions.action import Target
from tui.confirm import verb_and_target


@pytest.mark.parametrize(
    ("title", "kind", "told"),
    [
        ("Restart", "Deployment", "Restart Deployment shop/api"),
        ("Terminate backend", "backend", "Terminate backend shop/api"),
        ("Cancel query", "backend", "Cancel query of backend shop/api"),
    ],
)
def test_a_heading_names_verb_and_target_without_a_word_twice(title: str, kind: str, told: str) -> None:
    target = Target(source="x:", kind=kind, name="api", where="shop", identity={})
    assert verb_and_target(title, target) == told
