"""kubeconfig files for the sandbox's users."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from tui.sandbox.cluster.users import User

CONTEXT = "sandbox"
"""Name of the only context, cluster and user entry."""


def kubeconfig_text(url: str, user: User, certificate: str = "") -> str:
    """Return a kubeconfig with one context that speaks to `url` as `user`.

    Without a certificate (PEM) the URL is plain HTTP, over which kubectl sends no token: the path names the user.
    """
    server: dict[str, str] = {"server": url if certificate else f"{url}/as/{user.token}"}
    if certificate:
        server["certificate-authority-data"] = base64.b64encode(certificate.encode()).decode()
    context = {"cluster": CONTEXT, "user": CONTEXT, "namespace": user.namespace}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": server}],
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
