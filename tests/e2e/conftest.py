"""opstui in a pseudo-terminal, on the sandbox that all live tests of this process share."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import RULES, Terminal, opstui
from tui.sandbox.blocking import BlockingSandbox

Open = Callable[..., Terminal]


@pytest.fixture
def staging(sandbox: BlockingSandbox, tmp_path: Path) -> Path:
    """A staging profile on the sandbox's servers, so that tests can change these from outside."""
    ends = sandbox.endpoints
    names = [name for name in ends if name.startswith("service_") and ends[name].startswith("http:")]
    profile = {
        "name": "staging-e2e",
        "environment": "staging",
        "kubernetes": {"kubeconfig": ends["kubeconfig"]},
        "services": {name.removeprefix("service_"): {"url": ends[name]} for name in names},
        "databases": {"shop": ends["postgres"]},
        "redis": {"cache": ends["redis"]},
        "logs": {"services": f"{ends['logs']}/*.log"},
        "rules": RULES,
    }
    path = tmp_path / "staging.yaml"
    path.write_text(json.dumps(profile))
    path.chmod(0o600)
    return path


@pytest.fixture
def open_opstui(staging: Path, tmp_path: Path) -> Iterator[Open]:
    """Open opstui on the staging profile; ended with the test."""
    with contextlib.ExitStack() as stack:

        def open_it(*arguments: str, size: tuple[int, int] = (120, 40), **env: str) -> Terminal:
            env = {"XDG_STATE_HOME": str(tmp_path / "state"), **env}
            terminal = Terminal(opstui("--profile", str(staging), *arguments), size=size, env=env)
            return stack.enter_context(terminal)

        yield open_it


@pytest.fixture
def cluster() -> Iterator[OwnCluster]:
    own = OwnCluster()
    yield own
    own.stop()
