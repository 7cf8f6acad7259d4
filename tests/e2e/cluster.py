"""The simulated cluster as somebody else would ask it, who was given the same kubeconfig."""

import base64
import ssl
from pathlib import Path
from typing import Any

import httpx
import yaml


def ask(kubeconfig: str, path: str, *, create: object = None) -> Any:
    """Return what the API server answers to a GET, or to a POST of `create`."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    headers = {"Authorization": f"Bearer {user['token']}"}
    with httpx.Client(verify=ssl.create_default_context(cadata=authority), headers=headers) as client:
        url = cluster["server"] + path
        answer = client.get(url) if create is None else client.post(url, json=create)
    assert answer.is_success, answer.text
    return answer.json()
