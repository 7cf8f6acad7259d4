import os
import sys
import time
import traceback
from pathlib import Path

import pytest

from profiles.secrets import SecretError, address, resolve
from profiles.values import Command

SECRET = "correct horse battery staple"


def secret_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def python(code: str, timeout: float = 10.0) -> Command:
    return Command(command=[sys.executable, "-c", code], timeout=timeout)


async def test_a_variable_gives_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", SECRET)
    assert await resolve("env:A_SECRET") == SECRET


@pytest.mark.parametrize("value", [None, ""])
async def test_a_variable_without_a_value_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("A_SECRET", raising=False)
    else:
        monkeypatch.setenv("A_SECRET", value)
    with pytest.raises(SecretError, match="A_SECRET"):
        await resolve("env:A_SECRET")


@pytest.mark.parametrize(("content", "secret"), [(b"x y\n", "x y"), (b"x\r\n", "x"), (b" x \n\n", " x \n")])
async def test_only_the_last_line_end_of_a_file_is_taken_off(tmp_path: Path, content: bytes, secret: str) -> None:
    assert await resolve(f"file:{secret_file(tmp_path, content)}") == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o660])
async def test_a_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, SECRET.encode(), mode)
    with pytest.raises(SecretError, match="chmod 600"):
        await resolve(f"file:{path}")


async def test_a_file_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = secret_file(tmp_path, SECRET.encode())
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SecretError, match="neither to you nor to root"):
        await resolve(f"file:{path}")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe" + SECRET.encode(), b"a\0b", b"x" * 70_000])
async def test_what_cannot_be_a_secret_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    path = secret_file(tmp_path, content)
    with pytest.raises(SecretError) as refused:
        await resolve(f"file:{path}")
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


async def test_a_missing_file_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SecretError):
            await resolve(f"file:{path}")


async def test_a_command_gives_what_it_prints() -> None:
    assert await resolve(python(f"print({SECRET!r})")) == SECRET


async def test_a_command_gets_no_shell_no_input_and_no_terminal() -> None:
    echo = Command(command=["printf", "%s", "$HOME; `id`"])
    assert await resolve(echo) == "$HOME; `id`"
    nothing_to_read = "import sys, os; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())"
    assert await resolve(python(nothing_to_read)) == "'' True"


async def test_a_failing_command_says_so_but_not_what_it_printed(capfd: pytest.CaptureFixture[str]) -> None:
    fail = f"import sys; print({SECRET!r}); print({SECRET!r}, file=sys.stderr); sys.exit(3)"
    with pytest.raises(SecretError, match="status 3") as failed:
        await resolve(python(fail))
    assert SECRET not in "".join(traceback.format_exception(failed.value))
    assert SECRET not in "".join(capfd.readouterr())


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    shell = Command(command=["sh", "-c", f"sleep 60 & echo $! > {pid_file}; wait"], timeout=0.5)
    with pytest.raises(SecretError, match="no answer within"):
        await resolve(shell)
    deadline = time.monotonic() + 30
    while _is_running(int(pid_file.read_text())):
        assert time.monotonic() < deadline, "the child still runs"
        time.sleep(0.01)


def _is_running(pid: int) -> bool:
    try:
        # An ended process that nobody has waited for yet still answers to signal 0.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_command_that_never_stops_talking_is_ended() -> None:
    with pytest.raises(SecretError, match="not a secret"):
        await resolve(Command(command=["yes"], timeout=20))


async def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(SecretError, match="no-such-program"):
        await resolve(Command(command=["no-such-program", SECRET]))


async def test_a_password_in_place_of_a_reference_is_not_repeated() -> None:
    with pytest.raises(SecretError) as refused:
        await resolve(SECRET)
    assert SECRET not in str(refused.value)


async def test_an_address_is_fetched_only_when_it_is_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_DSN", "postgresql://u:p@h/d")
    assert await address("env:A_DSN") == "postgresql://u:p@h/d"
    assert await address("service=orders") == "service=orders"
