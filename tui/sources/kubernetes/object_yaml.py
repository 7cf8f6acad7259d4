"""One object as YAML, its managedFields apart: often longer than all the rest, and seldom what is looked for. Pure."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tui.sources.kubernetes.fields import Object, moment, part, parts, text
from tui.sources.kubernetes.veil import veiled
from tui.sources.text import clean_lines


@dataclass(frozen=True, slots=True)
class Manager:
    """Who wrote fields of an object: one entry of `metadata.managedFields`."""

    name: str
    """`manager`: `kubectl-rollout`, `kube-controller-manager`."""
    at: float | None
    """`time`: of its newest write; None where the server does not say."""
    operation: str
    """`Apply` or `Update`."""
    subresource: str
    """`status`, `scale`; empty: the object itself."""


@dataclass(frozen=True, slots=True)
class ObjectYaml:
    """An object as `kubectl get -o yaml` shows it, cleaned and without secrets."""

    text: str
    """Without its managedFields."""
    managers: Sequence[Manager] = ()
    """Who wrote it, the newest first; empty where it has no managedFields."""
    managed: tuple[str, ...] = ()
    """The lines of its managedFields, as `--show-managed-fields` has them."""
    managed_at: int = 0
    """The number of the line before which these belong, from 0."""


def object_yaml(obj: Object) -> ObjectYaml:
    """Return an object in two parts; what is secret in it is veiled."""
    veiled_whole = veiled(dict(obj))
    fields, metadata = part(veiled_whole, "metadata").get("managedFields"), part(veiled_whole, "metadata")
    bare = {key: value for key, value in metadata.items() if key != "managedFields"}
    if not isinstance(fields, list) or not fields:
        return ObjectYaml(yaml_words({**veiled_whole, **({"metadata": bare} if metadata else {})}))
    # Their place is found by a word that nobody can have written into the object.
    mark = secrets.token_hex(16)
    marked = {key: mark if key == "managedFields" else value for key, value in metadata.items()}
    lines = yaml_words({**veiled_whole, "metadata": marked}).split("\n")
    at = next((number for number, line in enumerate(lines) if mark in line), None)
    if at is None:  # too long to be shown whole
        return ObjectYaml(yaml_words({**veiled_whole, "metadata": bare}))
    managed = yaml_words({"metadata": {"managedFields": fields}}).rstrip("\n").split("\n")[1:]
    return ObjectYaml("\n".join(lines[:at] + lines[at + 1 :]), managers(metadata), tuple(managed), at)


def managers(metadata: Object) -> tuple[Manager, ...]:
    """Return who wrote fields of an object, the newest first."""
    found = [
        Manager(text(one, "manager"), moment(one, "time"), text(one, "operation"), text(one, "subresource"))
        for one in parts(metadata, "managedFields")
    ]
    return tuple(sorted(found, key=lambda one: one.at or 0.0, reverse=True))


def yaml_words(tree: object) -> str:
    """Return a part of a manifest as YAML, cleaned; what is secret in it must be veiled before."""
    # safe_dump only tells mypy so: without a stream it returns the text.
    text: Any = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=160)
    return clean_lines(text)
