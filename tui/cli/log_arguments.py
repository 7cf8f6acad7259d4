"""Logs named on the command line, beside those of a profile or without one."""

import glob
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from profiles.loader import Loaded
from profiles.logs import LogSource
from profiles.schema import Profile
from tui.sources.logs.stdin import STDIN

MOST: Final = 30
"""Logs named one by one; each is followed by a thread of its own."""
_NAME: Final = "logs"
_LONGEST: Final = 40


def with_logs(loaded: Loaded | None, named: Iterable[str], *, is_piped: bool) -> Loaded:
    """Return a profile with these logs too; None: a profile that has nothing else.

    Args:
        loaded: the profile.
        named: files, globs, folders, or `-` for the standard input.
        is_piped: whether something is piped into opstui; it is a log also where nobody says `-`.

    Raises:
        ValueError: one of them cannot be a log; the message says which and why.
    """
    base = loaded or Loaded(Profile(name=_NAME, environment="dev"), ())
    logs = dict(base.profile.logs)
    asked = list(dict.fromkeys(named))
    is_named = any(entry.file == STDIN for entry in logs.values())
    if is_piped and "-" not in asked and not is_named:
        asked.append("-")
    if "-" in asked and not is_piped:
        raise ValueError("--log - reads the standard input, and nothing is piped into it")
    if len(asked) > MOST:
        raise ValueError(
            f"{len(asked)} logs are too many; at most {MOST}, or one as a quoted pattern: '/var/log/*.log'"
        )
    for each in asked:
        entry = LogSource(file=STDIN if each == "-" else _pattern(each))
        logs[_free(_name(each), logs)] = entry
    # Checked already, each part of it: to check it all again would need the file it came from.
    return replace(base, profile=base.profile.model_copy(update={"logs": logs}))


def _pattern(typed: str) -> str:
    path = os.path.abspath(os.path.expanduser(typed))
    if os.path.isdir(path):
        return os.path.join(glob.escape(path), "*")
    if os.path.exists(path):
        return glob.escape(path)
    if glob.has_magic(path):
        return path
    if not os.path.isdir(os.path.dirname(path)):
        raise ValueError(f"--log {typed}: no such file, and no folder in which it could appear")
    return path


def _name(typed: str) -> str:
    if typed == "-":
        return "stdin"
    base = os.path.basename(os.path.abspath(typed)) or "files"
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", base.removesuffix(".log")).strip("-._")
    return words[:_LONGEST] or "files"


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
