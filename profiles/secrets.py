"""References to secrets → their values, at the moment they are needed and never before.

A value that was fetched here never stands in an exception's text, its cause or a log. Callers hand it to their
client library and forget it.
"""

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from profiles import programs
from profiles.values import Command

_LIMIT_BYTES: Final = 64 * 1024
"""No password, token or DSN is longer; a log file named by mistake is."""


class SecretError(Exception):
    """A secret could not be fetched; the text names the reference and the remedy, never the value."""


async def resolve(reference: str | Command) -> str:
    """Return the secret behind `env:NAME`, `file:PATH` or a command, without its last line end.

    Raises:
        SecretError: the variable is not set, the file is missing or open to others, or the command failed.
    """
    if isinstance(reference, Command):
        return await _from_command(reference)
    kind, _, place = reference.partition(":")
    if kind == "env":
        return _from_environment(place)
    if kind == "file":
        # A file on a dead network mount blocks for minutes, and the event loop with it.
        return await asyncio.to_thread(_from_file, place)
    # A password written in place of a reference ends here: the text must not repeat it.
    raise SecretError("a secret is given as env:NAME, file:PATH or {command: [...]}")


async def address(value: str) -> str:
    """Return a URL or DSN, fetched when it is given as `env:NAME` or `file:PATH`; it may then hold a password.

    Raises:
        SecretError: the variable is not set, or the file is missing or open to others.
    """
    return await resolve(value) if value.startswith(("env:", "file:")) else value


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"env:{name}: the variable {name} is not set")
    if not value:
        raise SecretError(f"env:{name}: the variable {name} is empty")
    return value


def _from_file(place: str) -> str:
    path = Path(os.path.expanduser(place))
    try:
        # Not blocking: a named pipe without a writer would otherwise never open.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise SecretError(f"file:{place}: {error.strerror}") from None
    except ValueError:
        raise SecretError("file: the path has a NUL character in it") from None
    try:
        if reason := _not_private(os.fstat(descriptor), path):
            raise SecretError(f"file:{place}: {reason}")
        data = os.read(descriptor, _LIMIT_BYTES + 1)
    except OSError as error:
        raise SecretError(f"file:{place}: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return _text(data, f"file:{place}")


def _not_private(found: os.stat_result, path: Path) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    if found.st_uid not in (0, os.geteuid()):
        return f"it belongs to uid {found.st_uid}, neither to you nor to root"
    if found.st_mode & 0o077:
        return f"others can read or write it (mode {stat.S_IMODE(found.st_mode):04o}); chmod 600 {path}"
    return None


async def _from_command(reference: Command) -> str:
    program = reference.command[0]
    label = f"command {program}"  # arguments may be private
    try:
        finished = await programs.run(reference.command, timeout_s=reference.timeout, most=_LIMIT_BYTES)
    except programs.ProgramError as error:
        raise SecretError(f"{label}: {error}") from None
    except TimeoutError:
        raise SecretError(
            f"{label}: no answer within {reference.timeout:g} s; it must not ask questions, it has no terminal"
        ) from None
    if finished.status:
        raise SecretError(f"{label}: it ended with status {finished.status}; run it by hand to see why")
    return _text(finished.output, label)


def _text(data: bytes, label: str) -> str:
    if len(data) > _LIMIT_BYTES:
        raise SecretError(f"{label}: more than {_LIMIT_BYTES // 1024} KiB, that is not a secret")
    try:
        value = data.decode()
    except UnicodeDecodeError:
        raise SecretError(f"{label}: not UTF-8 text") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretError(f"{label}: it is empty")
    if "\0" in value:
        raise SecretError(f"{label}: it holds a NUL character")
    return value
