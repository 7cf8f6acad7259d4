"""Every key of the program: it has a name, it is nobody else's, and no terminal multiplexer wants it."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

import tui.panes
import widgets
from tui.app import OpsApp
from tui.panes.tabs import TABS
from widgets.live_table import LiveTable
from widgets.log_view import LogView

PANES = [tab.pane() for tab in TABS]

_READLINE = {"ctrl+k", "ctrl+d", "ctrl+w", "ctrl+a", "ctrl+b"}
"""Keys with which hands that are used to a shell or tmux edit and switch."""
_APPS = {*"123456789", "question_mark", "colon", *"abpqNPUWX", "plus", "equals_sign", "minus"} | {
    "ctrl+r", "ctrl+z", "ctrl+q", "ctrl+p", "at", "exclamation_mark",
}  # fmt: skip


def _ours() -> list[type[DOMNode]]:
    for package in (tui.panes, widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: list[type[DOMNode]] = []
    waiting: list[type[DOMNode]] = [DOMNode]
    while waiting:
        waiting += (known := waiting.pop().__subclasses__())
        found += (one for one in known if one.__module__.startswith(("tui.", "widgets.")) and one not in found)
    return sorted(found, key=lambda one: one.__qualname__)


def _declared(one: type[DOMNode]) -> Iterator[Binding]:
    for binding in vars(one).get("BINDINGS", ()):
        assert isinstance(binding, Binding), f"{one.__name__} declares {binding!r} as a bare tuple"
        yield binding


def _keys(one: type[DOMNode]) -> Iterator[tuple[str, Binding]]:
    for binding in _declared(one):
        for key in binding.key.split(","):
            yield key.strip(), binding


@pytest.mark.parametrize("one", _ours(), ids=lambda one: one.__qualname__)
def test_every_key_has_a_name_to_remap_it_by_and_words_for_the_help(one: type[DOMNode]) -> None:
    for binding in _declared(one):
        assert binding.id, f"{one.__name__}: {binding.key} has no id"
        assert "." in binding.id
        assert binding.description, f"{one.__name__}: {binding.key} has no description"


@pytest.mark.parametrize("one", _ours(), ids=lambda one: one.__qualname__)
def test_no_key_is_one_that_shells_and_tmux_have_taught_hands(one: type[DOMNode]) -> None:
    assert not {key for key, _ in _keys(one)} & _READLINE


def test_the_apps_own_keys_are_those_no_pane_may_take() -> None:
    assert {key for key, _ in _keys(OpsApp)} <= _APPS


@pytest.mark.parametrize("one", [*PANES, LiveTable, LogView], ids=lambda one: one.__name__)
def test_no_pane_takes_a_key_of_the_app(one: type[DOMNode]) -> None:
    for base in one.__mro__:
        if issubclass(base, DOMNode) and base.__module__.startswith(("tui.", "widgets.")):
            assert not {key for key, _ in _keys(base)} & _APPS, base.__name__


@pytest.mark.parametrize("one", PANES, ids=lambda one: one.__name__)
def test_a_panes_own_keys_do_not_hide_one_another(one: type[DOMNode]) -> None:
    found: dict[str, str] = {}
    for key, binding in _keys(one):
        assert found.setdefault(key, binding.action) == binding.action, f"{key} means two things"


def test_names_are_unique_but_for_the_same_key_in_several_places() -> None:
    seen: dict[str, str] = {}
    for one in _ours():
        for binding in _declared(one):
            assert binding.id is not None
            assert seen.setdefault(binding.id, one.__qualname__) == one.__qualname__, binding.id


def test_only_capitals_change_something() -> None:
    changes = {
        "restart", "scale", "roll_back", "hold", "delete", "cancel_query", "terminate_backend", "terminate_matching",
        "kill_client", "set",
    }  # fmt: skip
    for pane in PANES:
        for key, binding in _keys(pane):
            assert binding.action.partition("(")[0] not in changes or key.isupper(), f"{pane.__name__}: {key}"


def test_every_dialog_that_escape_closes_has_a_second_key_for_it() -> None:
    for one in _ours():
        if issubclass(one, Screen):
            for binding in _declared(one):
                keys = binding.key.split(",")
                assert "escape" not in keys or len(keys) > 1, f"{one.__name__}: {binding.key}"
