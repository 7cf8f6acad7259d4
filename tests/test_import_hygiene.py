"""What a process has loaded after an import, looked at from inside; a linter sees neither lazy nor indirect imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("asyncpg", "redis", "httpx", "kubernetes", "aiohttp", "plotext", "psutil")
HEADLESS = ("sources", "actions", "timeline", "walkthroughs", "check")


def loaded_after(code: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter holds after `code`."""
    ended = "except SystemExit as ended: assert not ended.code, ended.code"
    show = "import sys\nprint('\\n' + '\\n'.join(sys.modules), file=sys.stderr)"
    answer = subprocess.run(
        [sys.executable, "-c", f"try:\n    {code}\n{ended}\n{show}"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(answer.stderr.splitlines())


def modules_below(package: str) -> list[str]:
    folder = ROOT / package.replace(".", "/")
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__main__.py"
    ]


def test_the_headless_core_loads_no_user_interface_and_no_sandbox() -> None:
    names = [name for part in HEADLESS for name in modules_below(f"tui.{part}")]
    names += ["tui.poller", "tui.rules", "tui.journal", *modules_below("profiles")]
    loaded = loaded_after(f"import {', '.join(names)}")
    assert loaded.isdisjoint({"textual", "rich", "widgets", "tui.sandbox"})


def test_widgets_load_nothing_of_operations() -> None:
    loaded = loaded_after(f"import {', '.join(modules_below('widgets'))}")
    assert loaded.isdisjoint({"tui", "profiles", *HEAVY} - {"psutil"})


def test_the_app_loads_no_client_library_and_no_sandbox_before_its_first_frame() -> None:
    loaded = loaded_after("import tui.app")
    assert loaded.isdisjoint({*HEAVY, "tui.sandbox"})


def test_the_version_is_told_before_anything_is_loaded() -> None:
    loaded = loaded_after("import sys; sys.argv = ['opstui', '--version']; from tui.cli import main; main()")
    assert loaded.isdisjoint({"click", "pydantic", "textual", "yaml", "asyncio", "tui.sandbox"})


@pytest.mark.parametrize("arguments", ["'--help'", "'profile', 'list'", "'info'", "'report', '--profile', 'demo'"])
def test_commands_without_a_screen_load_none(arguments: str) -> None:
    loaded = loaded_after(f"import sys; sys.argv = ['opstui', {arguments}]; from tui.cli import main; main()")
    assert loaded.isdisjoint({"textual", "rich", "tui.app", "tui.sandbox", *HEAVY})


def test_a_check_of_real_systems_loads_no_user_interface_and_no_sandbox(tmp_path: Path) -> None:
    profile = tmp_path / "small.yaml"
    unreachable = {"warn": 1000, "critical": 1001}
    metrics = ("cpu_percent", "load_per_cpu", "memory_percent", "disk_percent", "inodes_percent")
    rules = {f"host.{metric}": unreachable for metric in metrics}
    redis = {"cache": {"url": "redis://127.0.0.1:1", "optional": True}}
    profile.write_text(json.dumps({"environment": "dev", "redis": redis, "rules": rules}))
    profile.chmod(0o600)
    arguments = f"['opstui', 'check', '--profile', '{profile}']"
    loaded = loaded_after(f"import sys; sys.argv = {arguments}; from tui.cli import main; main()")
    assert loaded.isdisjoint({"textual", "rich", "widgets", "tui.app", "tui.sandbox"})


def test_completing_a_profile_loads_no_validator() -> None:
    code = (
        "import os, sys; os.environ |= dict(_OPSTUI_COMPLETE='bash_complete', COMP_WORDS='opstui --profile d', "
        "COMP_CWORD='2'); sys.argv = ['opstui']; from tui.cli import main; main()"
    )
    assert loaded_after(code).isdisjoint({"pydantic", "yaml", "textual", "tui.sandbox"})


def test_a_client_for_a_cluster_loads_nothing_of_its_library_but_the_asynchronous_client() -> None:
    code = (
        "import asyncio; from tui.sources.kubernetes.kubeconfig import Login; "
        "from tui.sources.kubernetes.client import client_for; "
        "asyncio.run(asyncio.to_thread(client_for, Login('c', 'https://127.0.0.1:1', 'me', ''), None, None))"
    )
    loaded = loaded_after(code)
    assert {"kubernetes.aio.client.api_client", "aiohttp"} <= loaded
    unwanted = {"kubernetes.client", "kubernetes.aio.config", "requests", "oauthlib", "websocket", "kubernetes.stream"}
    assert loaded.isdisjoint(unwanted)


def test_the_http_client_is_loaded_without_its_command_line() -> None:
    code = (
        "import asyncio; from tui.sources.http_request import open_client; "
        "asyncio.run(open_client('https://127.0.0.1:1', None, 1))"
    )
    loaded = loaded_after(code)
    assert "httpx" in loaded
    assert loaded.isdisjoint({"click", "pygments", "rich"})
