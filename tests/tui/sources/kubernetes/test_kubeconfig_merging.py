"""Several kubeconfigs in `$KUBECONFIG`, merged by us and by the real kubectl."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from profiles.systems import Kubernetes
from tui.sources.errors import Unreadable
from tui.sources.kubernetes.kubeconfig import Login, login

NAMES = ("a", "b", "c")
SEVERAL = some.sets(some.sampled_from(NAMES))


@some.composite
def _documents(draw: some.DrawFn) -> list[dict[str, Any] | None]:
    """Return up to three kubeconfigs; None is a file that is not there. Every value tells which file it is from."""
    found: list[dict[str, Any] | None] = []
    for number in range(draw(some.integers(1, 3))):
        if draw(some.integers(0, 9)) == 0:
            found.append(draw(some.sampled_from([None, {}])))
            continue
        name = some.sampled_from(NAMES)
        contexts = {
            one: {
                "cluster": draw(name),
                "user": draw(name),
                **draw(some.sampled_from([{}, {"namespace": f"n{number}"}])),
            }
            for one in draw(SEVERAL)
        }
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "contexts": [{"name": one, "context": context} for one, context in contexts.items()],
            "clusters": [
                {"name": one, "cluster": {"server": f"https://{one}{number}.example", "tls-server-name": f"s{number}"}}
                for one in draw(SEVERAL)
            ],
            "users": [{"name": one, "user": {"token": f"{one}{number}"}} for one in draw(SEVERAL)],
        }
        if (current := draw(some.sampled_from(["", *NAMES]))) or draw(some.booleans()):
            document["current-context"] = current
        found.append(document)
    return found


@pytest.mark.live
@settings(max_examples=30)
@given(documents=_documents(), context=some.sampled_from([None, *NAMES]))
def test_what_is_chosen_of_several_files_is_what_kubectl_chooses(
    kubectl: Path, documents: list[dict[str, Any] | None], context: str | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.yaml" for number in range(len(documents))]
        for path, document in zip(paths, documents, strict=True):
            if document is not None:
                path.write_text(yaml.safe_dump(document) if document else "")
        listed = ":".join(map(str, paths))
        theirs = _kubectls(kubectl, listed, context)
        try:
            ours: Login | None = login(Kubernetes(context=context), {"KUBECONFIG": listed})
        except Unreadable:
            ours = None
    if ours is None or theirs is None:
        assert (ours, theirs) == (None, None)
        return
    assert ours.context == theirs["current-context"]
    assert ours.namespace == theirs["contexts"][0]["context"].get("namespace", "")
    cluster = theirs["clusters"][0]["cluster"]
    assert (ours.server, ours.tls_server_name) == (cluster["server"], cluster["tls-server-name"])
    assert ours.token == (theirs["users"][0]["user"]["token"] if theirs["users"] else None)


def _kubectls(kubectl: Path, listed: str, context: str | None) -> dict[str, Any] | None:
    """Return the configuration that kubectl would use; None where there is no context, or no server behind it."""
    command = [str(kubectl), "config", "view", "--raw", "--minify", "-o", "json"]
    command += ["--context", context] if context else []
    done = subprocess.run(command, env={"KUBECONFIG": listed, "HOME": "/nonexistent"}, capture_output=True, timeout=60)
    if done.returncode != 0:
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    # It gives lists that hold nothing as null.
    found = {key: [] if value is None else value for key, value in found.items()}
    return found if found["clusters"] else None
