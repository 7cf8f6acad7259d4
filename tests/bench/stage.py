"""What the parts measure on: a folder of their own, profiles, and one sandbox that is started when first needed."""

import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tui.sandbox.blocking import BlockingSandbox

ROOT: Final = Path(__file__).parents[2]


class Stage:
    """The options and means of one run."""

    def __init__(self, folder: Path, *, quick: bool, with_peers: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.with_peers = with_peers
        self._has_sandbox = False

    @cached_property
    def sandbox(self) -> BlockingSandbox:
        """A calm sandbox; its processes are in no figure."""
        self._has_sandbox = True
        return BlockingSandbox.start()

    def close(self) -> None:
        """End the sandbox if there is one."""
        if self._has_sandbox:
            self.sandbox.stop()

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment of what is measured: nothing of the person's own configuration."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        homes = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state")}
        return {"LANG": "C.UTF-8", **kept, **homes, "PYTHONPATH": str(ROOT)}

    def seconds(self, full: float) -> float:
        """Return how long to measure."""
        return full / 4 if self.quick else full

    def count(self, full: int) -> int:
        """Return how often to measure."""
        return max(3, full // 4) if self.quick else full

    def profile(self, name: str, systems: Mapping[str, Any]) -> Path:
        """Write a staging profile that names these systems."""
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps({"name": name, "environment": "staging", **systems}))
        path.chmod(0o600)
        return path

    @cached_property
    def sandbox_profile(self) -> Path:
        """A profile of everything in the sandbox, which stays outside opstui's own processes."""
        ends = self.sandbox.endpoints
        services = [name for name in ends if name.startswith("service_") and ends[name].startswith("http:")]
        return self.profile(
            "bench",
            {
                "kubernetes": {"kubeconfig": ends["kubeconfig"]},
                "services": {name.removeprefix("service_"): {"url": ends[name]} for name in services},
                "databases": {"shop": ends["postgres"]},
                "redis": {"cache": ends["redis"]},
                "logs": {"services": f"{ends['logs']}/*.log", "api-pods": {"pods": "app=api", "namespace": "shop"}},
            },
        )


def opstui(*arguments: str) -> list[str]:
    """Return the command line of this checkout's opstui: the installed script, else the module."""
    script = Path(sys.executable).with_name("opstui")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-P", "-m", "tui", *arguments]


def script(name: str, *arguments: str) -> list[str]:
    """Return the command line of one of the scripts here."""
    return [sys.executable, "-P", "-m", f"tests.bench.{name}", *arguments]
