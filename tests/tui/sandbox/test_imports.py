"""The command line may import the sandbox's client without paying for its servers."""

import subprocess
import sys

HEAVY = ("aiohttp", "asyncpg", "redis", "psutil", "kubernetes", "textual")


def test_the_client_loads_no_heavy_library() -> None:
    program = f"import sys, tui.sandbox.blocking; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
