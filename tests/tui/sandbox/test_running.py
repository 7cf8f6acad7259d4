"""A sandbox one part of which does not start."""

import tempfile
from pathlib import Path

import pytest

from tui.sandbox import running
from tui.sandbox.binaries import Identity, Programs
from tui.sandbox.errors import SandboxError
from tui.sandbox.running import RunningSandbox

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("sandbox-endings")]


async def test_the_reason_comes_out_as_it_is_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(programs: Programs, identity: Identity, base: Path) -> Path:
        raise SandboxError("initdb failed: no space left on device")

    monkeypatch.setattr(running, "make_database", fail)
    monkeypatch.setenv("HOME", "/")
    with tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as parent:
        Path(parent).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", parent)
        sandbox = RunningSandbox(progress=lambda text: None, scenario_changed=lambda name, failure: None)
        with pytest.raises(SandboxError, match=r"^initdb failed: no space left on device$"):
            await sandbox.start()
        await sandbox.stop()
        assert list(Path(parent).iterdir()) == []
