"""The wall between the sandbox and everything else, in both directions.

A profile of the sandbox names only what the sandbox itself starts, by placeholders such as `${sandbox.postgres}`;
no other profile may use one. So nothing of the sandbox can reach a real system, or be taken for one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from profiles.problems import Problem, nearest
from profiles.yaml_text import Placed

_SERVICES: Final = tuple(
    f"service_{name}" for name in ("gateway", "api", "orders", "payments", "search", "auth", "edge")
)
NAMES: Final = (
    "postgres", "postgres_admin", "redis", "kubeconfig", "kubeconfig_viewer", *_SERVICES, "logs", "base",
)  # fmt: skip
"""Every NAME of `${sandbox.NAME}`."""

_PLACEHOLDER: Final = re.compile(r"\$\{sandbox\.([^}]*)\}")
_MARK: Final = "${sandbox."

_FORMS: Final[Mapping[tuple[str, str], tuple[tuple[str, ...], re.Pattern[str]]]] = {
    ("kubernetes", "kubeconfig"): (("kubeconfig", "kubeconfig_viewer"), re.compile("")),
    ("clusters", "kubeconfig"): (("kubeconfig", "kubeconfig_viewer"), re.compile("")),
    # Behind host and port only a path: `@other.host` would make them a user and a password.
    ("services", "url"): (_SERVICES, re.compile(r"(?:/[^@\s]*)?")),
    ("services", "ca_file"): (("base",), re.compile(r"(?!.*\.\.)/.+")),
    ("services", "login"): (("base",), re.compile(r"(?!.*\.\.)/.+")),
    ("databases", "dsn"): (("postgres", "postgres_admin"), re.compile("")),
    ("redis", "url"): (("redis",), re.compile("")),
    ("metrics", "json"): (_SERVICES, re.compile(r"(?:/[^@\s]*)?")),
    ("metrics", "text"): (_SERVICES, re.compile(r"(?:/[^@\s]*)?")),
    ("prometheus", "url"): ((), re.compile("")),
    ("logs", "file"): (("logs", "base"), re.compile(r"(?!.*\.\.)/.+")),
}
"""(section, key) → the names it may begin with, and what may follow."""

_OUTSIDE: Final = ("password", "username", "headers", "ca_file", "command", "docker")
"""Keys that bring something from outside the sandbox, wherever they stand."""

_NO_SECTIONS: Final = ("docker", "systemd")
"""Sections of systems that the sandbox has none of."""


def wall_problems(profile: Placed) -> list[Problem]:
    """Return what crosses the wall in a profile whose sections are in their long forms."""
    if not isinstance(profile.value, dict):
        return []
    environment = profile.value.get("environment")
    if environment is None or environment.value != "sandbox":
        return [
            _problem(placed, path, "${sandbox.…} exists only under environment: sandbox")
            for path, placed in _leaves(profile, ())
            if isinstance(placed.value, str) and _MARK in placed.value
        ]
    problems = [
        _problem(profile.value[section], (section,), "the sandbox starts none of these, and dials nothing else")
        for section in _NO_SECTIONS
        if section in profile.value and profile.value[section].value
    ]
    problems += [problem for path, placed in _leaves(profile, ()) for problem in _in_sandbox(path, placed)]
    named = profile.value.get("clusters")
    clusters: dict[tuple[str, ...], Placed | None] = {("kubernetes",): profile.value.get("kubernetes")}
    if named is not None and isinstance(named.value, dict):
        clusters |= {("clusters", name): cluster for name, cluster in named.value.items()}
    for path, cluster in clusters.items():
        if cluster and isinstance(cluster.value, dict) and "kubeconfig" not in cluster.value:
            hint = "kubeconfig: ${sandbox.kubeconfig}"
            problems.append(_problem(cluster, path, "in the sandbox it needs the sandbox's kubeconfig", hint))
    return problems


def _in_sandbox(path: tuple[str, ...], placed: Placed) -> Iterator[Problem]:
    form = _form_of(path)
    if form is None and (outside := _outside(path)):
        yield _problem(placed, path[: path.index(outside) + 1], "a sandbox profile brings nothing from outside along")
        return
    if path[0] == "pgbouncer":
        yield _problem(placed, path, "the sandbox starts no PgBouncer, and a sandbox profile names nothing else")
        return
    text = placed.value if isinstance(placed.value, str) else ""
    text = text.removeprefix("file:") if path[2:3] == ("login",) else text
    if form is None:
        if _MARK in text:
            yield _problem(placed, path, "no place for ${sandbox.…}")
        return
    names, tail = form
    wanted = " or ".join(f"${{sandbox.{name}}}" for name in names)
    found = _PLACEHOLDER.match(text)
    if found is None:
        yield _problem(placed, path, "in the sandbox this must come from the sandbox itself", wanted)
    elif found[1] not in names:
        yield _problem(placed, path, "no such name here", nearest(found[1], names) or wanted)
    elif not tail.fullmatch(text, found.end()):
        yield _problem(placed, path, "only a path may follow the placeholder, if anything")


def _outside(path: tuple[str, ...]) -> str | None:
    """Return the part of a path that brings something from outside along; None when none does."""
    if path[:1] == ("services",) and path[2:3] == ("token",):
        return "token"
    return next((part for part in path[1:] if part in _OUTSIDE), None)


def _form_of(path: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str]] | None:
    if path[:1] == ("services",) and path[2:3] == ("login",):
        # What a login sends: files that the sandbox itself wrote.
        return _FORMS["services", "login"] if path[3:4] in (("form",), ("json",)) else None
    if path[:1] == ("services",) and len(path) > 3:
        return None
    return _FORMS.get((path[0], path[-1])) if len(path) > 1 else None


def substitute(placed: Placed, endpoints: Mapping[str, str]) -> Placed:
    """Return the profile with every placeholder replaced.

    Raises:
        KeyError: the sandbox started nothing of that name.
    """
    match placed.value:
        case str(text):
            return replace(placed, value=_PLACEHOLDER.sub(lambda found: endpoints[found[1]], text))
        case list(items):
            return replace(placed, value=[substitute(item, endpoints) for item in items])
        case dict(entries):
            return replace(placed, value={key: substitute(entry, endpoints) for key, entry in entries.items()})
        case _:
            return placed


def _leaves(placed: Placed, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Placed]]:
    match placed.value:
        case dict(entries):
            for key, entry in entries.items():
                yield from _leaves(entry, (*path, key))
        case list(items):
            for item in items:
                yield from _leaves(item, path)
        case _:
            yield path, placed


def _problem(placed: Placed, path: tuple[str, ...], message: str, hint: str = "") -> Problem:
    return Problem(message, placed.file, placed.line, placed.column, path, hint)
