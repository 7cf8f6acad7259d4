"""What is wrong with a profile, in words that name the place and the remedy.

A problem never repeats a value of the profile: a password in the wrong place must not be echoed. Keys are
repeated only where they look like keys.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    message: str
    """What is wrong, in plain words."""
    file: Path | None = None
    """The file it stands in; None when it is about no file, such as a name that was not found."""
    line: int = 0
    """Line in that file, counted from 1; 0 when it is about the whole file."""
    column: int = 0
    """Column in that line, counted from 1; 0 when it is about the whole file."""
    key: tuple[str, ...] = ()
    """Path of the key; empty when it is about the whole file."""
    hint: str = ""
    """What to do about it, or the nearest spelling; may be empty."""

    def __str__(self) -> str:
        place = ""
        if self.file is not None:
            place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        path = f"{shown_path(self.key)}: " if self.key else ""
        return visible(f"{place}{path}{self.message}" + (f"; {self.hint}" if self.hint else ""))


class ProfileError(Exception):
    """A profile cannot be used; carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(dict.fromkeys(problems), key=lambda problem: (str(problem.file or ""), problem.line, problem.column))
        )
        """Every problem, by file and line."""
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Sequence[str]) -> str:
    """Return "did you mean …?" with the known spelling nearest to `word`; empty when none is near."""
    by_fold = {entry.casefold(): entry for entry in known}
    found = difflib.get_close_matches(word[:80].casefold(), by_fold, n=1, cutoff=0.6)
    return f"did you mean {by_fold[found[0]]}?" if found else ""


def shown_path(path: Iterable[str]) -> str:
    """Return a key path as `services.api.url`; parts that do not look like keys stay hidden."""
    return ".".join(part if _PLAIN_KEY.fullmatch(part) else "(…)" for part in path)


def visible(text: str) -> str:
    """Return `text` without anything a terminal would obey: controls become escapes such as `\\x1b`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
