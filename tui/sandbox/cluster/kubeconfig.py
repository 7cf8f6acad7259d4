"""kubeconfig files for the sandbox's users."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from tui.sandbox.cluster.users import User

CONTEXT = "sandbox"
"""Name of the only context, cluster and user entry."""


def kubeconfig_text(url: str, user: User) -> str:
    """Return a kubeconfig with one context that speaks to `url` as `user`."""
    context = {"cluster": CONTEXT, "user": CONTEXT, "namespace": user.namespace}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {"server": f"{url}/as/{user.token}"}}],
            "users": [{"name": CONTEXT, "user": {"token": user.token}}],
            "contexts": [{"name": CONTEXT, "context": context}],
            "current-context": CONTEXT,
        },
        sort_keys=False,
    )


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner may read, and return its path."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
