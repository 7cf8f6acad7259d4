"""What people type to change an object: images, variables, resources, labels; and what is wrong with it. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from tui.sources.kubernetes.fields import quantity
from tui.sources.kubernetes.veil import may_be_secret
from tui.sources.masking import without_secrets

_IMAGE: Final = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d{1,5})?/)?"  # registry
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+|/)[a-z0-9]+)*"  # repository
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_TAG: Final = re.compile(r":\w[\w.-]{0,127}", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_.-][\w.-]*", re.ASCII)
_QUANTITY: Final = re.compile(r"\d{1,15}(?:\.\d{1,9})?(?:m|k|[KMGTPE]i|[MGTPE])?", re.ASCII)
_RESOURCE: Final = re.compile(r"(?:requests|limits)\.(?:cpu|memory|ephemeral-storage)")
_PREFIX: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_LONGEST_VALUE: Final = 4096
_LEAST_MEMORY_BYTES: Final = 4 * 1024**2
"""A container runtime refuses less; whoever types it forgot the unit."""
REMOVED: Final = "-"
"""Typed in place of a value, it takes the thing away, as kubectl's `NAME-` does."""


def image_of(typed: str, current: str) -> str:
    """Return the image meant: what was typed, or the current one with another tag where only `:tag` was typed."""
    typed = typed.strip()
    if not _TAG.fullmatch(typed):
        return typed
    return repository(current) + typed


def repository(image: str) -> str:
    """Return an image without its tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def has_fixed_tag(image: str) -> bool:
    """Tell whether the image says which version it is: a digest, or a tag other than `latest`."""
    if "@" in image:
        return True
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag not in ("", "latest")


def image_problem(typed: str, current: str = "") -> str:
    """Return what is wrong with an image; empty when nothing is."""
    image = image_of(typed, current)
    if _IMAGE.fullmatch(image) is None:
        return "an image: registry/name:tag, name@sha256:…, or only :tag for another version of the same"
    return "it has this image already" if image == current else ""


def variable_problem(typed: str) -> str:
    """Return what is wrong with `NAME=value` or `NAME-`; empty when nothing is."""
    name, value = variable(typed)
    if _VARIABLE.fullmatch(name) is None:
        return "NAME=value, or NAME- to take the variable away"
    if value is None:
        return ""
    if len(value) > _LONGEST_VALUE or not value.isprintable():
        return f"at most {_LONGEST_VALUE} printable characters"
    if may_be_secret(name) or without_secrets(f"{value}\n") != f"{value}\n":
        return (
            "this looks like a secret: it would stand in the manifest and in the journal. Put it into a Secret "
            "(kubectl create secret generic) and let the workload read it by secretKeyRef"
        )
    return ""


def variable(typed: str) -> tuple[str, str | None]:
    """Return name and value of `NAME=value`; the value None of `NAME-`."""
    name, equals, value = typed.partition("=")
    name = name.strip()
    if not equals:
        return (name[:-1], None) if name.endswith(REMOVED) else ("", None)
    return name, value


def resources_problem(typed: str) -> str:
    """Return what is wrong with `requests.cpu=250m limits.memory=2Gi`; empty when nothing is."""
    words = typed.split()
    if not words:
        return "like requests.cpu=250m limits.memory=2Gi; limits.cpu=- takes one away"
    for word in words:
        name, equals, amount = word.partition("=")
        if not equals or _RESOURCE.fullmatch(name) is None:
            return f"{word}: requests.cpu, requests.memory, limits.cpu or limits.memory, then = and an amount"
        if amount == REMOVED:
            continue
        if _QUANTITY.fullmatch(amount) is None:
            return f"{word}: an amount is written like 250m, 2, 512Mi, 2Gi"
        if name.endswith("memory") and (quantity({"q": amount}, "q") or 0) < _LEAST_MEMORY_BYTES:
            return f"{word}: less than 4Mi of memory: was a unit (Mi, Gi) forgotten?"
    if len({word.partition("=")[0] for word in words}) < len(words):
        return "each only once"
    return _over_limit(resources(typed))


def resources(typed: str) -> dict[str, str | None]:
    """Return the amounts by `requests.cpu`, of what `resources_problem` finds nothing wrong with; None: take away."""
    found = (word.partition("=") for word in typed.split())
    return {name: None if amount == REMOVED else amount for name, _, amount in found}


def _over_limit(amounts: Mapping[str, str | None]) -> str:
    for name, amount in amounts.items():
        limit = amounts.get(name.replace("requests.", "limits."))
        if not name.startswith("requests.") or amount is None or limit is None:
            continue
        if (quantity({"q": amount}, "q") or 0) > (quantity({"q": limit}, "q") or 0):
            return f"{name}={amount} is more than its limit {limit}"
    return ""


def mark_problem(typed: str, *, is_label: bool) -> str:
    """Return what is wrong with `key=value` or `key-` for a label or annotation; empty when nothing is."""
    key, value = mark(typed)
    prefix, slash, name = key.rpartition("/")
    if _NAME.fullmatch(name) is None or (slash and _PREFIX.fullmatch(prefix) is None):
        return "key=value, or key- to take it away; a key is a name, or prefix/name"
    if value is None:
        return ""
    if is_label and value and _NAME.fullmatch(value) is None:
        return "a label's value is at most 63 letters, digits, - _ . and begins and ends with a letter or digit"
    if len(value) > _LONGEST_VALUE or not value.isprintable():
        return f"at most {_LONGEST_VALUE} printable characters"
    if may_be_secret(name) or without_secrets(f"{value}\n") != f"{value}\n":
        return "this looks like a secret: everybody who may read the object would see it; put it into a Secret"
    return ""


def mark(typed: str) -> tuple[str, str | None]:
    """Return key and value of `key=value`; the value None of `key-`."""
    key, equals, value = typed.strip().partition("=")
    if not equals:
        return (key[:-1], None) if key.endswith(REMOVED) else ("", None)
    return key.strip(), value.strip()
