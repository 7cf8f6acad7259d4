"""What happens around the screen: the sandbox before it and after it, and the log."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from profiles.loader import Loaded
from profiles.sandbox_wall import NAMES
from tui.cli import launch as launching
from tui.cli.launch import launch
from tui.cli.log import start_log
from tui.sandbox import blocking
from tui.sandbox.errors import SandboxError
from tui.wishes import Wishes

Run = Callable[..., int]


class Stream:
    """A standard stream that is a terminal, or not."""

    def __init__(self, is_terminal: bool) -> None:
        self.isatty = lambda: is_terminal
        self.fileno = lambda: -1


@pytest.fixture(autouse=True)
def at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Stream]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    streams = {name: Stream(is_terminal=True) for name in ("stdin", "stdout", "stderr")}
    monkeypatch.setattr(launching, "sys", SimpleNamespace(**streams))
    return streams


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root, before, level = logging.getLogger(), list(logging.getLogger().handlers), logging.getLogger().level
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands in for the screen: notes what it was run with."""
    runs: list[dict[str, Any]] = []

    def run(loaded: Loaded, wishes: Wishes, **arguments: Any) -> int:
        runs.append({"loaded": loaded, "wishes": wishes, "environment": dict(os.environ), **arguments})
        if loaded.profile.refresh == 13:
            raise RuntimeError("a bug in the app")
        return 5

    module = ModuleType("tui.app")
    vars(module)["run"] = run
    monkeypatch.setitem(sys.modules, "tui.app", module)
    return runs


class FakeSandbox:
    """Has endpoints and can be stopped."""

    stopped = 0
    endpoints: Mapping[str, str] = {name: f"http://127.0.0.1:1/{name}" for name in NAMES} | {
        "redis": "unix:///x/redis.sock",
        "logs": "/x/logs",
        "base": "/x",
        "kubeconfig": "/x/kubeconfig",
    }

    def stop(self) -> None:
        FakeSandbox.stopped += 1


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    played: list[str] = []

    def start(*, scenario: str, progress: Callable[[str], None]) -> FakeSandbox:
        assert "PGHOST" not in os.environ, "the wall stands before the sandbox starts"
        progress("0.1 s  up")
        played.append(scenario)
        return FakeSandbox()

    monkeypatch.setattr(blocking, "BlockingSandbox", SimpleNamespace(start=start))
    monkeypatch.setattr(FakeSandbox, "stopped", 0)
    # The wall removes variables from this process; monkeypatch brings them back.
    for name in ("PGHOST", "KUBECONFIG", "HTTPS_PROXY", "AWS_PROFILE", "REDISCLI_AUTH"):
        monkeypatch.setenv(name, "real")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return played


def start(name: str, *, scenario: str | None = None, read_only: bool = False, refresh_s: float | None = None) -> int:
    return launch(name, Wishes(read_only=read_only, refresh_s=refresh_s), scenario)


def test_the_app_runs_on_the_profile_and_its_status_is_ours(app: list[dict[str, Any]], tmp_path: Path) -> None:
    assert start("local", read_only=True, refresh_s=4) == 5
    (run,) = app
    assert (run["loaded"].profile.name, run["sandbox"]) == ("local", None)
    assert run["wishes"] == Wishes(read_only=True, refresh_s=4)
    assert run["environment"]["TEXTUAL_ANIMATIONS"] == "none"
    assert (tmp_path / "state" / "opstui" / "opstui.log").exists()


def test_the_sandbox_is_walled_off_dialled_and_stopped(app: list[dict[str, Any]], sandbox: list[str]) -> None:
    assert start("demo", scenario="lock-pileup") == 5
    (run,) = app
    assert sandbox == ["lock-pileup"]
    assert run["loaded"].profile.redis["cache"].url == "unix:///x/redis.sock"
    assert "lock-pileup" in run["sandbox"].scenarios
    assert not {"PGHOST", "KUBECONFIG", "HTTPS_PROXY", "AWS_PROFILE", "REDISCLI_AUTH"} & set(run["environment"])
    assert FakeSandbox.stopped == 1


def test_the_sandbox_is_stopped_when_the_app_breaks(
    app: list[dict[str, Any]], sandbox: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: demo\nenvironment: sandbox\nrefresh: 13\n")
    path.chmod(0o600)
    with pytest.raises(RuntimeError, match="a bug"):
        start(str(path))
    assert FakeSandbox.stopped == 1


def test_a_sandbox_that_cannot_start_says_why(
    app: list[dict[str, Any]], sandbox: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_arguments: object) -> None:
        raise SandboxError("the extra is missing: pip install 'opstui[demo]'")

    monkeypatch.setattr(blocking, "BlockingSandbox", SimpleNamespace(start=fail))
    assert start("demo") == 1
    assert "the sandbox cannot start: the extra is missing: pip install 'opstui[demo]'" in capsys.readouterr().err
    assert not app


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_every_stream_must_be_the_terminal(
    app: list[dict[str, Any]], at_a_terminal: dict[str, Stream], capsys: pytest.CaptureFixture[str], stream: str
) -> None:
    at_a_terminal[stream].isatty = lambda: False
    assert start("local") == 2
    assert "needs a terminal" in capsys.readouterr().err
    assert not app


def test_the_log_is_private_in_utc_and_takes_warnings_too(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state" / "opstui.log"
    start_log(path)
    logging.getLogger("tui.poller").info("a source went away")
    logging.getLogger("httpx").info("GET https://secret")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "INFO tui.poller: a source went away" in text
    assert text.startswith("20")
    assert "Z " in text.splitlines()[0]
    assert "DeprecationWarning: old" in text
    assert "secret" not in text


def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(
    app: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("in the way")
    assert start("local") == 5
    assert "no log" in capsys.readouterr().err


async def test_a_scenario_is_played_without_holding_the_screen_up() -> None:
    played: list[str] = []
    fake: Any = SimpleNamespace(scenario=played.append)
    await launching.SandboxOnScreen(fake, {}).scenario("calm")
    assert played == ["calm"]
