"""Names of what configures a workload: keys of ConfigMaps, variables of containers. Values are never kept."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from tui.sources.errors import SourceError, Unreadable
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.kinds import KINDS

Get = Callable[[str], Awaitable[Object]]
"""Reads one object by its path in the API."""

_RESOURCES: Final = {"ConfigMap": "configmaps", "Secret": "secrets"}


async def keys_of(get: Get, kind: str, namespace: str, name: str) -> frozenset[str]:
    """Return the keys of a `ConfigMap` or `Secret`: of `data` and `binaryData`.

    Raises:
        SourceError: it is gone (Unreadable, `… not found`), or cannot be read.
    """
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/{_RESOURCES[kind]}/{quote(name, safe='')}"
    found = await get(path)
    return frozenset({*part(found, "data"), *part(found, "binaryData")})


async def variables_of(get: Get, kind: str, namespace: str, name: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names of a workload's environment variables, and what of them cannot be seen, in words.

    A variable counts that every container has, init containers apart: written out in `env`, or by `envFrom`.

    Raises:
        SourceError: the workload is gone (Unreadable, `… not found`), or cannot be read.
    """
    template = part(await get(KINDS[kind].path(namespace, name)), "spec", "template", "spec")
    found: list[frozenset[str]] = []
    unseen: list[str] = []
    for container in parts(template, "containers"):
        own = {text(variable, "name") for variable in parts(container, "env")}
        for origin in parts(container, "envFrom"):
            for field, of_kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if not (named := text(part(origin, field), "name")):
                    continue
                try:
                    keys = await keys_of(get, of_kind, namespace, named)
                except Unreadable:
                    continue  # it does not exist, and neither do its variables
                except SourceError as error:
                    unseen.append(f"{of_kind} {named}: {error.message}")
                else:
                    own |= {f"{text(origin, 'prefix')}{key}" for key in keys}
        found.append(frozenset(own))
    return frozenset.intersection(*found) if found else frozenset(), tuple(dict.fromkeys(unseen))
