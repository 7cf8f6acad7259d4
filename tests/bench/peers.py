"""Programs that do the same as opstui, in a folder of their own, to be measured beside it."""

import subprocess
import sys
from pathlib import Path

from tests.bench.stage import Stage


def install(stage: Stage, program: str, *requirements: str) -> Path | None:
    """Install a program with its requirements; return its path, None where that is not wanted or did not succeed."""
    if not stage.with_peers:
        return None
    folder = stage.folder / f"peer-{program}"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run(pip, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "bin" / program if done.returncode == 0 else None
