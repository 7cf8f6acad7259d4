"""What was read of a file → the values of its format, or every problem at the line where its key stands."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from profiles.metrics import path_problem
from profiles.problems import Problem, nearest
from profiles.schema import KINDS, SHORT_FORMS, Profile, json_schema
from profiles.yaml_text import Placed

_Path = tuple[str, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

_WORDS: Final[Mapping[str, str]] = {
    "string_type": "must be text; in quotes, if it looks like a number or a yes or no",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "does not have the right form",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be an ordinary number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list, such as [a, b]",
    "too_short": "must not be empty",
    "dict_type": "must be a mapping, lines of `key: value`",
    "model_type": "must be a mapping, lines of `key: value`",
    "model_attributes_type": "must be a mapping, lines of `key: value`",
}
"""pydantic's error types in plain words; its own messages speak of Python."""


class Form(Generic[ModelT]):
    """A format, and what is wrong with a file in it: every problem, at the line where its key stands."""

    def __init__(self, model: type[ModelT], schema: Callable[[], Mapping[str, Any]]) -> None:
        """Name the format; `schema` returns its JSON Schema, asked for only when something is wrong."""
        self._model = model
        self._schema = cache(schema)

    def read(self, tree: Placed, *, is_complete: bool = True) -> ModelT | list[Problem]:
        """Return the values, or every problem.

        `is_complete` is False when a part that belongs to it could not be read: then nothing counts as missing.
        """
        try:
            return self._model.model_validate(tree.plain())
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=True)
            problems = [self._problem(detail, tree) for detail in found if _counts(detail, tree, is_complete)]
            return list(dict.fromkeys(problems))

    def _problem(self, detail: ErrorDetails, tree: Placed) -> Problem:
        here, path, rest = _walk(tree, detail["loc"])
        message, hint = self._told(detail, tree, here, path, rest)
        shown = (*path[:-1], "(…)") if _may_be_secret(path) else path
        return Problem(message, here.file, here.line, here.column, shown, hint)

    def _told(self, detail: ErrorDetails, tree: Placed, here: Placed, path: _Path, rest: list[str]) -> tuple[str, str]:
        context = detail.get("ctx", {})
        match detail["type"]:
            case "missing":
                needed = rest[-1] if rest else "something"
                return f"needs {needed}", self._meaning((*path, needed))
            case "extra_forbidden":
                known = self._keys(path[:-1], _walk(tree, detail["loc"][:-1])[0])
                return "unknown key", nearest(path[-1], known) or f"known here: {', '.join(known)}"
            case "union_tag_not_found":
                known = [key for tag in self._tags(path) for key in [tag.strip("[]")]]
                given = list(here.value) if isinstance(here.value, dict) else []
                near = next((word for key in given if (word := nearest(key, known))), "")
                return f"must have one of {', '.join(known)}", near
            case "literal_error":
                allowed = re.findall(r"'([^']*)'", str(context.get("expected")))
                word = here.value if isinstance(here.value, str) else ""
                return f"must be one of {', '.join(allowed)}", nearest(word, allowed)
            case "value_error":
                return str(context.get("error", "not valid")), ""
            case "greater_than" | "greater_than_equal":
                least = context.get("gt", context.get("ge"))
                return f"must be {'more than' if 'gt' in context else 'at least'} {least}", self._meaning(path)
            case "less_than_equal":
                return f"must be at most {context.get('le')}", self._meaning(path)
            case "string_pattern_mismatch" if detail["loc"][-1] == "[key]" and path[:1] == ("rules",):
                return "a rule is named kind.metric", _kind_hint(path[-1])
            case "string_pattern_mismatch" if str(context.get("pattern", "")).startswith(f"^(?:{KINDS[0]}|"):
                return "a number is named kind.metric", _kind_hint(str(here.value))
            case "string_pattern_mismatch" | "string_too_long" if detail["loc"][-1] == "[key]":
                return "a name has up to 63 letters, digits, `.`, `_` and `-`", ""
            case "model_type" | "model_attributes_type" if short := _short_form(path):
                return f"must be the {short} itself or a mapping, lines of `key: value`", self._meaning(path)
            case kind:
                return _WORDS.get(kind, "not valid"), self._meaning(path)

    # The schema, for hints

    def _forms(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the schema's alternatives, references followed."""
        if "$ref" in schema:
            yield from self._forms(self._schema()["$defs"][schema["$ref"].rpartition("/")[2]])
        for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from self._forms(alternative)
        yield schema

    def _schemas(self, path: _Path) -> list[Mapping[str, Any]]:
        here = list(self._forms(self._schema()))
        for part in path:
            here = [form for parent in here for child in _children(parent, part) for form in self._forms(child)]
        return here

    def _keys(self, path: _Path, parent: Placed) -> list[str]:
        """Return the keys known at a place: of the one form whose needs its own keys meet, else of all."""
        forms = [form for form in self._schemas(path) if form.get("properties")]
        own = parent.value.keys() if isinstance(parent.value, dict) else set()
        fitting = [form for form in forms if form.get("required") and set(form["required"]) <= set(own)]
        return list(dict.fromkeys(key for form in fitting or forms for key in form["properties"]))

    def _tags(self, path: _Path) -> list[str]:
        """Return the keys that tell apart the alternatives at a place: the first that each of them needs."""
        return [form["required"][0] for form in self._schemas(path) if form.get("required")]

    def _meaning(self, path: _Path) -> str:
        """Return the field's docstring as part of a sentence."""
        for parent in self._schemas(path[:-1]) if path else ():
            if described := parent.get("properties", {}).get(path[-1], {}).get("description"):
                word = str(described).partition(" ")[0]
                spoken = str(described).rstrip(".")
                return spoken[0].lower() + spoken[1:] if word[1:].islower() else spoken
        return ""


_PROFILE: Final = Form(Profile, json_schema)


def validate(tree: Placed, *, is_complete: bool) -> Profile | list[Problem]:
    """Return the profile, or every problem.

    `is_complete` is False when a part that it inherits could not be read: then nothing counts as missing.
    """
    read = _PROFILE.read(tree, is_complete=is_complete)
    return read if isinstance(read, list) else list(_across(read, tree)) or read


def problem_at(tree: Placed, message: str, hint: str, *location: str | int) -> Problem:
    """Return a problem of the value at a location; keys of mappings, numbers of list items from 0."""
    here, path, _ = _walk(tree, location)
    return Problem(message, here.file, here.line, here.column, path, hint)


def _counts(detail: ErrorDetails, tree: Placed, is_complete: bool) -> bool:
    if detail["type"] == "missing":
        return is_complete
    if detail["type"] == "string_type" and detail["loc"][-1] == "str":
        # One half of "text or a command": where a mapping stands, only the other half's errors help.
        return not isinstance(_walk(tree, detail["loc"])[0].value, dict)
    return True


def _walk(tree: Placed, location: Sequence[int | str]) -> tuple[Placed, _Path, list[str]]:
    """Follow a location as far as the file goes: the value, its path, and what of the location is not in the file."""
    here = tree
    path: list[str] = []
    rest: list[str] = []
    for part in location:
        if isinstance(here.value, dict) and part in here.value and not rest:
            here = here.value[str(part)]
            path.append(str(part))
        elif isinstance(here.value, list) and isinstance(part, int) and part < len(here.value) and not rest:
            here = here.value[part]
            path.append(str(part + 1))
        elif part not in ("str", "Command") and not str(part).startswith("["):
            rest.append(str(part))
    return here, tuple(path), rest


def _may_be_secret(path: _Path) -> bool:
    """Whether the last key stands where a secret is expected and might be one."""
    return "password" in path[:-1] or "headers" in path[:-2]


def _short_form(path: _Path) -> str:
    """Return what a plain string at `path` would be; empty where there is no short form."""
    depth = 1 if path[:1] == ("kubernetes",) else 2
    return SHORT_FORMS.get(path[0], "") if len(path) == depth else ""


def _kind_hint(name: str) -> str:
    kind, _, metric = name.partition(".")
    near = nearest(kind, KINDS)
    if near and kind not in KINDS and metric:
        return near.replace("?", f".{metric}?") if re.fullmatch(r"[a-z0-9_]+", metric) else near
    return f"the kinds are {', '.join(KINDS)}"


def _across(profile: Profile, tree: Placed) -> Iterator[Problem]:
    """Yield what only shows when parts of a profile are held against each other."""

    names: Mapping[str, Sequence[str]] = {kind: list(found) for kind, found in profile.systems.items()}
    for rule_name, rule in profile.rules.items():
        known = names.get(rule_name.partition(".")[0], ())
        for number, name in enumerate(rule.only):
            if name not in known:
                hint = nearest(name, known) or (
                    f"there are {', '.join(filter(None, known))}" if known else "there is none"
                )
                yield problem_at(tree, "no system of this kind has that name", hint, "rules", rule_name, "only", number)
    for section, pinned, known in (
        ("postgres", profile.identity.postgres, names["database"]),
        ("redis", profile.identity.redis, names["redis"]),
        ("clusters", profile.identity.clusters, list(profile.clusters)),
    ):
        for name in pinned:
            if name not in known:
                hint = nearest(name, known) or (f"there are {', '.join(known)}" if known else "there is none")
                yield problem_at(tree, "no system of this kind has that name", hint, "identity", section, name)
    yield from _metrics(profile, tree)
    if profile.kubernetes is None and profile.identity.kubernetes is not None:
        yield problem_at(
            tree, "pins a cluster, but there is no kubernetes section", "kubernetes: CONTEXT", "identity", "kubernetes"
        )
    if not profile.every_cluster:
        for name, source in profile.logs.items():
            if source.is_of_pods:
                yield problem_at(tree, "logs of pods need a kubernetes section", "kubernetes: CONTEXT", "logs", name)
    yield from _clusters(profile, tree)


def _clusters(profile: Profile, tree: Placed) -> Iterator[Problem]:
    """Yield where a cluster is named that is not there, and where it would be a guess which one is meant."""
    known = list(profile.clusters)
    for named, *where in _links(profile):
        if named is not None and named not in known:
            hint = nearest(named, known) or (f"there are {', '.join(known)}" if known else "there is none")
            yield problem_at(tree, "clusters has no such name", hint, *where, "cluster")
        elif named is None and known and profile.cluster_meant(None) is None:
            hint = f"cluster: {' or '.join(known)}"
            yield problem_at(tree, f"there are {len(known)} clusters; name one", hint, *where)


def _links(profile: Profile) -> Iterator[tuple[str | None, *tuple[str, ...]]]:
    """Yield what leads into a cluster: the name it gives, None where it gives none, and where it stands."""
    for name, service in profile.services.items():
        if service.workload is not None or service.cluster is not None:
            yield service.cluster, "services", name
    for section, entries in (("databases", profile.databases), ("redis", profile.redis)):
        for name, entry in entries.items():
            if entry.via is not None:
                yield entry.via.cluster, section, name, "via"
    for name, log in profile.logs.items():
        if log.is_of_pods:
            yield log.cluster, "logs", name


def _metrics(profile: Profile, tree: Placed) -> Iterator[Problem]:
    """Yield where a metric is read from something that is not there, or might be two things."""
    sections: Mapping[str, tuple[str, Sequence[str]]] = {
        "prometheus": ("prometheus", list(profile.prometheus)),
        "sql": ("databases", list(profile.databases)),
        "redis": ("redis", list(profile.redis)),
    }
    for name, metric in profile.metrics.items():
        if metric.path is not None and (reason := path_problem(metric.path)):
            yield problem_at(tree, f"not a JMESPath expression: {reason}", "", "metrics", name, "path")
        if metric.way not in sections:
            continue
        section, known = sections[metric.way]
        if not known:
            yield problem_at(tree, f"{metric.way} needs a {section} section", "", "metrics", name)
        elif metric.on is None and len(known) > 1:
            hint = f"on: {' or '.join(known)}"
            yield problem_at(tree, f"there are {len(known)} in {section}; name one", hint, "metrics", name)
        elif metric.on is not None and metric.on not in known:
            hint = nearest(metric.on, known) or f"there are {', '.join(known)}"
            yield problem_at(tree, "no system of this kind has that name", hint, "metrics", name, "on")


def _children(schema: Mapping[str, Any], part: str) -> Iterator[Mapping[str, Any]]:
    if part in schema.get("properties", {}):
        yield schema["properties"][part]
        return
    yield from schema.get("patternProperties", {}).values()
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            yield schema[key]
