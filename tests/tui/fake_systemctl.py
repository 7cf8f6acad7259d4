"""A `systemctl` on PATH that writes down its arguments and answers from files beside it."""

import os
from pathlib import Path

import pytest

_PROGRAM = """#!/bin/sh
cd "$(dirname "$0")"
for each in "$@"; do printf '%s ' "$each" >> asked; done; echo >> asked
case " $* " in
  *" show "*) cat shown; [ -f show-error ] && cat show-error >&2; exit "$(cat show-status)";;
  *) [ -f effect ] && cp effect shown; cat said >&2; exit "$(cat status)";;
esac
"""


class FakeSystemctl:
    """What it shows, says and answers is what the files hold."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "systemctl"
        program.write_text(_PROGRAM)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        self.set(shown="", said="", status="0", **{"show-status": "0"})

    def set(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name.replace("_", "-")).write_text(text)

    def asked(self) -> list[str]:
        path = self.folder / "asked"
        return [line.strip() for line in path.read_text().splitlines()] if path.exists() else []

    def changes(self) -> list[str]:
        """Return what was asked but for what only looks."""
        return [line for line in self.asked() if " show " not in line]
