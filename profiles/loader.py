"""A profile's name or path → a checked `Profile`, or every problem at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

from profiles.ownership import read_own
from profiles.places import SHIPPED
from profiles.problems import Problem, ProfileError
from profiles.sandbox_wall import substitute, wall_problems
from profiles.schema import SHORT_FORMS, Profile
from profiles.search import DEFAULTS, SUFFIXES, locate
from profiles.validation import validate
from profiles.yaml_text import Placed, parse


@dataclass(frozen=True, slots=True)
class Loaded:
    """A profile that may be used."""

    profile: Profile
    files: tuple[Path, ...]
    """The files it was read from: its own first, then what it inherits."""


def load(name_or_path: str, *, sandbox: Mapping[str, str] | None = None) -> Loaded:
    """Read, merge and check a profile.

    Args:
        name_or_path: a name on the search path, never looked up in the current folder; or a path, which contains
            a slash or ends in .yaml or .yml.
        sandbox: what `${sandbox.NAME}` stands for; placeholders stay as they are when None.

    Raises:
        ProfileError: with every problem; nothing else, whatever the files hold.
    """
    path = locate(name_or_path)
    if isinstance(path, Problem):
        raise ProfileError([path])
    chain = _read_chain(path)
    if not chain.trees:
        raise ProfileError(chain.problems)
    merged = _merged(chain.trees, path)
    known = {problem.key for problem in chain.problems}
    checked = validate(merged, is_complete=chain.is_complete)
    found = [*(checked if isinstance(checked, list) else ()), *wall_problems(merged)]
    problems = [*chain.problems, *(problem for problem in found if problem.key not in known or not problem.key)]
    if problems or isinstance(checked, list):
        raise ProfileError(problems)
    if sandbox is not None:
        checked = _filled(merged, sandbox, path)
    return Loaded(checked, tuple(chain.files))


def _filled(merged: Placed, sandbox: Mapping[str, str], path: Path) -> Profile:
    try:
        filled = validate(substitute(merged, sandbox), is_complete=True)
    except KeyError as missing:
        raise ProfileError([Problem(f"the sandbox has no {missing.args[0]}", path)]) from None
    if isinstance(filled, list):
        raise ProfileError(filled)
    return filled


@dataclass(slots=True)
class _Chain:
    """A profile and what it inherits from, nearest first."""

    trees: list[Placed] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_complete: bool = True


def _read_chain(first: Path) -> _Chain:
    chain = _Chain()
    path: Path | None = first
    asked: Placed | None = None
    while path is not None:
        text = read_own(path)
        if isinstance(text, Problem):
            return _broken(chain, _seen_from(text, asked))
        tree, problems = parse(text, path)
        chain.problems += problems
        chain.files.append(path)
        if tree is None or not isinstance(tree.value, dict):
            return _broken(chain)
        entries = dict(tree.value)
        asked = entries.pop("extends", None)
        chain.trees.append(replace(tree, value=_anchored(entries, path.parent)))
        target = _parent(path, asked)
        if isinstance(target, Problem):
            return _broken(chain, target)
        if target is not None and any(_is_same(target, file) for file in chain.files):
            if asked is None:  # the defaults themselves
                return chain
            circle = " → ".join(file.name for file in [*chain.files, target])
            return _broken(chain, _at(asked, f"profiles inherit in a circle: {circle}"))
        path = target
    return chain


def _anchored(entries: dict[str, Placed], folder: Path) -> dict[str, Placed]:
    """Let relative paths of checklists and runbooks start from the folder of the file that names them."""

    def anchored(entry: Placed) -> Placed:
        is_path = isinstance(entry.value, str) and entry.value.endswith(SUFFIXES)
        return replace(entry, value=str(folder / os.path.expanduser(str(entry.value)))) if is_path else entry

    return {
        key: replace(entry, value=[anchored(item) for item in entry.value])
        if key in ("checklists", "runbooks") and isinstance(entry.value, list)
        else entry
        for key, entry in entries.items()
    }


def _broken(chain: _Chain, *problems: Problem) -> _Chain:
    chain.problems += problems
    chain.is_complete = False
    return chain


def _parent(path: Path, asked: Placed | None) -> Path | Problem | None:
    if asked is None or asked.value is None:
        return SHIPPED / f"{DEFAULTS}.yaml"
    if not isinstance(asked.value, str):
        return _at(asked, "must be the name or path of one profile")
    found = locate(asked.value, beside=path.parent, below=path)
    return _at(asked, found.message, found.hint) if isinstance(found, Problem) else found


def _at(asked: Placed, message: str, hint: str = "") -> Problem:
    return Problem(message, asked.file, asked.line, asked.column, ("extends",), hint)


def _seen_from(problem: Problem, asked: Placed | None) -> Problem:
    """Say where the file that cannot be used was asked for."""
    if asked is None or problem.line:
        return problem
    return _at(asked, f"{problem.file}: {problem.message}", problem.hint)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _merged(trees: list[Placed], path: Path) -> Placed:
    """Return one tree: nearer files win, mappings are merged, lists replaced; `name` is never inherited."""
    own, *inherited = (_long_forms(tree) for tree in trees)
    merged = reduce(lambda below, above: _merge(below, above, 0), reversed([own, *map(_nameless, inherited)]))
    entries = {key: entry for key, entry in _entries(merged).items() if entry.value is not None}
    entries.setdefault("name", Placed(path.stem, path, 0, 0))
    return replace(merged, value=entries)


def _entries(tree: Placed) -> dict[str, Placed]:
    return tree.value if isinstance(tree.value, dict) else {}


def _nameless(tree: Placed) -> Placed:
    return replace(tree, value={key: entry for key, entry in _entries(tree).items() if key != "name"})


def _long_forms(tree: Placed) -> Placed:
    """Spell plain strings in place of entries out, so that a longer form can be merged with a shorter."""

    def spelt(section: str, entry: Placed) -> Placed:
        return replace(entry, value={SHORT_FORMS[section]: entry}) if isinstance(entry.value, str) else entry

    entries = dict(_entries(tree))
    for section in SHORT_FORMS.keys() & entries.keys():
        if section == "kubernetes":
            entries[section] = spelt(section, entries[section])
        elif isinstance(systems := entries[section].value, dict):
            spelt_out = {name: spelt(section, entry) for name, entry in systems.items()}
            entries[section] = replace(entries[section], value=spelt_out)
    return replace(tree, value=entries)


def _merge(below: Placed, above: Placed, depth: int) -> Placed:
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    entries = dict(below.value)
    for key, entry in above.value.items():
        if entry.value is None and depth == 0:
            continue  # a section with everything in it commented out says nothing
        if entry.value is None and depth == 1 and key in entries:
            del entries[key]  # `orders: null` takes an inherited system or rule away
        else:
            entries[key] = _merge(entries[key], entry, depth + 1) if key in entries else entry
    return replace(above, value=entries)
