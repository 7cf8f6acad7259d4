"""The dialog's words."""

from dataclasses import replace

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST, Scripted
from tui.actions.action import Target
from tui.actions.perform import Ask
from tui.confirm import action_dialog, verb_and_target


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


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("kubernetes:us", "us: verbs, confirm (clusters.us.guards)"),
        ("kubernetes:eu", None),
        ("database:us", None),
    ],
)
async def test_a_dialog_says_that_its_cluster_is_held_tighter_and_where_that_stands(
    source: str, words: str | None
) -> None:
    guards = {"confirm": {"low": "type"}, "verbs": {"deny": ["drain"]}}
    clusters = {"eu": {"context": "eu"}, "us": {"context": "us", "guards": guards}}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": clusters})
    verb = Scripted()
    action = await verb.plan(replace(REQUEST, target=replace(REQUEST.target, source=source)))
    facts = dict(action_dialog(verb, action, Ask.KEY, profile)._facts)
    assert facts.get("Tighter") == words
