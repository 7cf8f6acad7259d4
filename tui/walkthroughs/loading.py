"""A checklist's or runbook's file → a checked `Walkthrough`, or every problem at once, with line and remedy."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Literal

from profiles.loader import load
from profiles.ownership import read_own
from profiles.places import SHIPPED
from profiles.problems import Problem, ProfileError, nearest
from profiles.schema import KINDS, Profile
from profiles.search import DEFAULTS
from profiles.validation import Form, problem_at
from profiles.yaml_text import Placed, parse
from tui.actions.asking import matching_problem
from tui.actions.postgres.terminate import STATES
from tui.walkthroughs.format import SUBJECT, Act, Definition, Step, json_schema, title_of

Kind = Literal["checklist", "runbook"]

_FORM: Final = Form(Definition, json_schema)
_FOLDERS: Final[Mapping[Kind, Path]] = {"checklist": SHIPPED / "checklists", "runbook": SHIPPED / "runbooks"}
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step and where in its walk it stands."""

    id: str
    """What branches and the record call it; unique in its walk."""
    section: str
    """Title of its section."""
    number: int
    """Counted from 1 through all sections."""
    step: Step


@dataclass(frozen=True)
class Walkthrough:
    """One checklist or runbook that may be walked."""

    name: str
    """`daily`, `lock-contention`: its file's name."""
    kind: Kind
    definition: Definition
    digest: str
    """SHA-256 of its text, shortened: tells whether it changed since a run began."""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.definition.title

    @cached_property
    def steps(self) -> tuple[PlacedStep, ...]:
        """Every step, in order."""
        return tuple(_placed(self.definition))

    def step(self, id_: str) -> PlacedStep | None:
        """Return the step of that id."""
        return next((placed for placed in self.steps if placed.id == id_), None)


def _placed(definition: Definition) -> Iterator[PlacedStep]:
    taken: set[str] = set()
    number = 0
    for section in definition.sections:
        for step in section.steps:
            number += 1
            id_ = plain = step.id or _NOT_PLAIN.sub("-", title_of(step).lower()).strip("-")[:60] or "step"
            again = 2
            while id_ in taken:
                id_, again = f"{plain}-{again}", again + 1
            taken.add(id_)
            yield PlacedStep(id_, section.title, number, step)


@dataclass(frozen=True, slots=True)
class Walks:
    """The checklists and runbooks of a profile."""

    found: tuple[Walkthrough, ...]
    """Those that may be walked, in the profile's order, checklists first."""
    problems: tuple[Problem, ...]
    """What is wrong with the others."""

    def named(self, name: str) -> Walkthrough | None:
        """Return the one of that name."""
        return next((walk for walk in self.found if walk.name == name), None)


def walks_of(profile: Profile) -> Walks:
    """Return every checklist and runbook a profile names; those that are wrong cost only themselves. Blocks."""
    found: dict[str, Walkthrough] = {}
    problems: list[Problem] = []
    listed: Sequence[tuple[Kind, Sequence[str]]] = (("checklist", profile.checklists), ("runbook", profile.runbooks))
    for kind, names in listed:
        for name in names:
            try:
                walk = load_walk(name, kind, profile)
            except ProfileError as error:
                problems += error.problems
                continue
            if walk.name in found:
                problems.append(Problem(f"{walk.name} is named twice by the profile: the first one counts"))
            found.setdefault(walk.name, walk)
    return Walks(tuple(found.values()), tuple(problems))


def load_walk(name_or_path: str, kind: Kind, profile: Profile | None = None) -> Walkthrough:
    """Read and check one file.

    Args:
        name_or_path: name of a shipped one, or a path.
        kind: which of the two it is.
        profile: whose names it must fit; None checks the file alone.

    Raises:
        ProfileError: with every problem.
    """
    path = _locate(name_or_path, kind)
    if isinstance(path, Problem):
        raise ProfileError([path])
    text = read_own(path)
    if isinstance(text, Problem):
        raise ProfileError([text])
    tree, problems = parse(text, path)
    if tree is None:
        raise ProfileError(problems)
    read = _FORM.read(tree)
    problems = [
        *problems,
        *(read if isinstance(read, list) else ()),
        *_branches(tree),
        *_subjects(tree),
        *_regular(tree),
    ]
    if profile is not None:
        problems += _names(tree, profile)
    if problems or isinstance(read, list):
        raise ProfileError(problems)
    return Walkthrough(path.stem, kind, read, hashlib.sha256(text.encode()).hexdigest()[:16])


def shipped(kind: Kind) -> tuple[str, ...]:
    """Return the names of the shipped ones."""
    return tuple(sorted(path.stem for path in _FOLDERS[kind].glob("*.yaml")))


def _locate(name_or_path: str, kind: Kind) -> Path | Problem:
    if name_or_path.endswith((".yaml", ".yml")):
        return Path(name_or_path).expanduser()
    path = _FOLDERS[kind] / f"{name_or_path}.yaml"
    if not path.is_file():
        known = shipped(kind)
        hint = nearest(name_or_path, known) or f"there are {', '.join(known)}; a path ends in .yaml"
        return Problem(f"there is no {kind} {name_or_path}", hint=hint)
    return path


_Location = tuple[str | int, ...]
_Raw = Mapping[str, Placed]


def _raw_steps(tree: Placed) -> Iterator[tuple[_Raw, _Location]]:
    """Yield the steps as they stand in the file, also in one whose form is wrong: so that all mistakes come at once."""
    sections = _entries(tree).get("sections")
    for section, found in enumerate(_items(sections)):
        for number, step in enumerate(_items(_entries(found).get("steps"))):
            yield _entries(step), ("sections", section, "steps", number)


def _entries(placed: Placed | None) -> _Raw:
    return placed.value if placed is not None and isinstance(placed.value, dict) else {}


def _items(placed: Placed | None) -> Sequence[Placed]:
    return placed.value if placed is not None and isinstance(placed.value, list) else ()


def _word(entries: _Raw, key: str) -> str:
    found = entries.get(key)
    return found.value if found is not None and isinstance(found.value, str) else ""


def _branches(tree: Placed) -> Iterator[Problem]:
    steps = list(_raw_steps(tree))
    ids = [_word(step, "id") for step, _ in steps]
    for number, (step, where) in enumerate(steps):
        if ids[number] and ids[number] in ids[:number]:
            yield problem_at(tree, f"another step has the id {ids[number]}", "", *where, "id")
        leads: list[tuple[str, _Location]] = [(then, (*where, "then"))] if (then := _word(step, "then")) else []
        if "branch" in step:
            answers = _entries(step.get("answers"))
            leads += [(_word(answers, answer), (*where, "answers", answer)) for answer in answers]
        for target, at in leads:
            if target and target not in ids:
                yield problem_at(
                    tree, f"no step has the id {target}", nearest(target, [id_ for id_ in ids if id_]), *at
                )
            elif target in ids[: number + 1]:
                yield problem_at(tree, f"{target} is not behind this step: a walk only goes forward", "", *at)


def _subjects(tree: Placed) -> Iterator[Problem]:
    """Yield where `{subject}` could never stand for anything: such a step would find nothing, and never fail."""
    about = _word(_entries(tree), "about")
    runs = ("service", "workload")
    for step, where in _raw_steps(tree):
        kind = _kind_of_system(step)
        if _word(step, "on") == SUBJECT and about != kind:
            yield problem_at(tree, "{subject} stands for nothing of this kind", f"about: {kind}", *where, "on")
        named = [key for key in ("rollout", "workloads") if SUBJECT in [item.value for item in _items(step.get(key))]]
        named += ["pick"] if _word(step, "pick") == "subject" else []
        for key in named:
            if about not in runs:
                yield problem_at(tree, "the subject is nothing that runs", "about: service or workload", *where, key)


def _regular(tree: Placed) -> Iterator[Problem]:
    for step, where in _raw_steps(tree):
        if pattern := _word(_entries(step.get("logs")), "matching"):
            try:
                re.compile(pattern)
            except re.error as error:
                yield problem_at(tree, f"not a regular expression: {error}", "", *where, "logs", "matching")
        if (typed := _word(step, "matching")) and (said := matching_problem(typed, STATES)):
            yield problem_at(tree, said, "", *where, "matching")


def _names(tree: Placed, profile: Profile) -> Iterator[Problem]:
    """Yield the names a walk uses that the profile does not have."""
    systems = {kind: list(names) for kind, names in profile.systems.items()}
    rules = sorted({*profile.thresholds, *_default_rules()})
    declared: Mapping[str, Sequence[str]] = {
        "script": list(profile.scripts), "call": list(profile.contacts), "tell": list(profile.hooks),
    }  # fmt: skip
    called = {"script": "script", "call": "contact", "tell": "hook"}

    def unknown(what: str, name: str, known: Sequence[str], *at: str | int) -> Problem:
        hint = nearest(name, known) or (f"there are {', '.join(known)}" if known else f"the profile has no {what}")
        return problem_at(tree, f"the profile has no {what} {name}", hint, *at)

    for step, where in _raw_steps(tree):
        kind = _kind_of_system(step)
        for index, entry in enumerate(_items(step.get("on"))):
            if kind in systems and isinstance(entry.value, str) and entry.value not in systems[kind]:
                yield unknown(kind, entry.value, systems[kind], *where, "on", index)
        rule = _word(step, "rule")
        if re.fullmatch(_RULE, rule) and rule not in rules:
            yield problem_at(tree, f"there is no rule {rule}", nearest(rule, rules), *where, "rule")
        for key, known in declared.items():
            if (name := _word(step, key)) and name not in known:
                yield unknown(called[key], name, known, *where, key)
        for key in ("rollout", "workloads"):
            for index, entry in enumerate(_items(step.get(key))):
                cluster, colon, _ = str(entry.value).rpartition(":")
                if colon and cluster not in profile.every_cluster:
                    yield unknown("cluster", cluster, list(profile.clusters), *where, key, index)
        if (log := _word(_entries(step.get("logs")), "of")) and log not in profile.logs:
            yield unknown("log", log, list(profile.logs), *where, "logs", "of")


_RULE: Final = rf"(?:{'|'.join(KINDS)})\.[a-z][a-z0-9_]*"
_OF_VERBS: Final = {
    "cancel-query": "database", "terminate-backend": "database", "terminate-matching": "database",
    "kill-client": "redis", "config-set": "redis",
}  # fmt: skip
_OF_READINGS: Final = {"sql": "database", "redis": "redis", "rollout": "kubernetes", "pods": "kubernetes"}


def _kind_of_system(step: _Raw) -> str:
    """Return the kind of system that a step reads or changes; empty when it is none, or several."""
    if verb := _word(step, "verb"):
        return _OF_VERBS.get(verb, "kubernetes")
    if named := _word(step, "rule") or _word(step, "number"):
        return named.partition(".")[0]
    return next((kind for key, kind in _OF_READINGS.items() if key in step), "")


@cache
def _default_rules() -> tuple[str, ...]:
    """Return the names of the shipped rules: a profile may take one away, and yet it is no slip of the pen."""
    return tuple(load(str(SHIPPED / f"{DEFAULTS}.yaml")).profile.rules)


def system_kind(act: Act) -> str:
    """Return the kind of system that an action changes."""
    return _OF_VERBS.get(act.verb, "kubernetes")
