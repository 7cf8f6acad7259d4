"""Manifests without the secrets that stand in them by value: environment variables, Secrets, what was last applied."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

HIDDEN: Final = "(hidden)"
_SECRET_NAME: Final = re.compile(r"pass|secret|token|key|credential|auth|dsn|private", re.IGNORECASE)
"""Environment variables whose values are not for screens."""
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which `kubectl apply` keeps the whole object."""


def may_be_secret(name: str) -> bool:
    """Tell whether what is called so may be a secret, by its name alone."""
    return _SECRET_NAME.search(name) is not None


def veiled(tree: Any, hide: Callable[[str], Any] = lambda value: HIDDEN) -> Any:
    """Return a manifest, or a part of one, with what may be secret in it passed through `hide`."""
    if isinstance(tree, list):
        return [veiled(item, hide) for item in tree]
    if not isinstance(tree, dict):
        return tree
    found = {key: veiled(value, hide) for key, value in tree.items()}
    if isinstance(variables := found.get("env"), list):
        found["env"] = [_variable(item, hide) for item in variables]
    if found.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if isinstance(found.get(part), dict):
                found[part] = {key: hide(str(value)) for key, value in found[part].items()}
    if isinstance(applied := found.get(LAST_APPLIED), str):
        found[LAST_APPLIED] = _applied(applied)
    if isinstance(noted := found.get("annotations"), dict):
        found["annotations"] = {key: _annotation(value) for key, value in noted.items()}
    return found


def _variable(item: Any, hide: Callable[[str], Any]) -> Any:
    if isinstance(item, dict) and "value" in item and may_be_secret(str(item.get("name"))):
        return {**item, "value": hide(str(item["value"]))}
    return item


def _annotation(value: Any) -> Any:
    """Return what an annotation says: other tools than kubectl keep whole objects under names of their own too."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        kept = json.loads(value)
        hidden = veiled(kept)
    except ValueError:
        return value
    except RecursionError:
        return HIDDEN
    return value if hidden == kept else json.dumps(hidden, separators=(",", ":"), ensure_ascii=False)


def _applied(text: str) -> str:
    try:
        return json.dumps(veiled(json.loads(text)), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return HIDDEN
