"""Gets text out of the terminal: clipboard by escape sequence and through tmux, or a file only its owner reads."""

import asyncio
import contextlib
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from textual.app import App

_TMUX_TIMEOUT_S: Final = 2.0


async def copy(app: App[Any], text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Copy `text` and return what was done, in words.

    The terminal is asked by OSC 52, which it may ignore without a word; inside tmux the text also becomes tmux's
    newest buffer, which it passes on to the terminal's clipboard.
    """
    app.copy_to_clipboard(text)
    size = f"{len(text)} character{'' if len(text) == 1 else 's'}"
    if not environ.get("TMUX"):
        return f"copied {size}, if the terminal allows it (OSC 52)"
    failure = await _load_tmux_buffer(text)
    if failure:
        return f"copied {size}, if the terminal allows it (OSC 52); tmux: {failure}"
    return f"copied {size} to tmux's buffer (prefix ]) and, if it allows it, the terminal's clipboard"


async def _load_tmux_buffer(text: str) -> str:
    """Return why tmux did not take the text; empty when it did."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux", "load-buffer", "-w", "-", stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe
        )
    except OSError as error:
        return error.strerror or "cannot be run"
    try:
        _, stderr = await asyncio.wait_for(process.communicate(text.encode(errors="replace")), _TMUX_TIMEOUT_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return f"no answer in {_TMUX_TIMEOUT_S:g} s"
    return stderr.decode(errors="replace").strip() or "refused" if process.returncode else ""


def write_to_file(text: str | Iterable[str], folder: Path, stem: str = "text", suffix: str = ".txt") -> Path:
    """Write `text` to a new file in `folder` that only its owner can read, and return its path.

    Much text comes in pieces. The name carries the time in UTC; an existing file is never touched.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem).strip(".-")[:80]
    name = f"{safe or 'text'}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(1000):
        path = folder / f"{name}{f'-{number}' if number else ''}{suffix}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.writelines([text] if isinstance(text, str) else text)
        return path
    raise FileExistsError(f"a thousand files named {name} in {folder}")
