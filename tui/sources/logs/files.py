"""Files that are followed by name or glob through rotation, truncation and late appearance."""

import asyncio
import glob
import os
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.logs.intake import Intake
from tui.sources.logs.tail import Tail
from tui.sources.text import clean

MAX_FILES: Final = 500
FIRST_LINES: Final = 200
"""Lines of its end that a file starts with; fewer each when there are many files."""
_GLOB_S: Final = 1.0
_BUSY_S: Final = 0.2
_IDLE_S: Final = 0.25
_GENERATIONS: Final = 20
_LEFT_S: Final = 5.0
"""How long a renamed or deleted file is still read: its writer may not have noticed yet."""
_CLOCK_S: Final = 0.05
"""What a file's time of change may be older than the clock: file systems round it down."""
_PACKED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4")

Key = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the lines that are shown begin in the files that are followed."""

    paths: tuple[str, ...]
    """The files that the profile names."""
    offsets: Mapping[Key, int]
    """Of every file that was opened, from where on it is shown."""


class FileFollower:
    """Follows every file a pattern names, each by its inode."""

    def __init__(
        self,
        source: str,
        pattern: str,
        intake: Intake,
        *,
        zone: tzinfo | None = None,
        first_lines: int = FIRST_LINES,
    ) -> None:
        """Name the files; nothing is opened yet. `first_lines` of each are shown of what was there before."""
        self._source = source
        self._pattern = os.path.expanduser(pattern)
        self._is_glob = glob.has_magic(self._pattern)
        self._intake = intake
        self._zone = zone
        self._first_lines = first_lines
        self._tails: dict[Key, Tail] = {}
        """By device and inode, in the order they must be read."""
        self._paths: tuple[str, ...] = ()
        self._globbed_at = -_GLOB_S
        self._looked_at: dict[str, float] = {}
        """When the file of a name was last there, `time.time()`."""
        self._is_first = True
        self._shown_from: dict[Key, int] = {}
        """Of every file that was opened, where what is shown of it begins."""
        self._packed: set[Key] = set()
        """Packed generations that were looked at."""
        self._refused: dict[str, str] = {}
        self._notes: dict[str, tuple[float, str]] = {}
        self._too_many = 0
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.following: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.failure: SourceError | None = None

    @property
    def has_caught_up(self) -> bool:
        """Whether every file was looked at once."""
        return not self._is_first

    @property
    def begun(self) -> Begun:
        """Where what is shown begins in each file."""
        return Begun(self._paths, dict(self._shown_from))

    @property
    def older_bytes(self) -> int:
        """What the files hold before what is shown of them."""
        return sum(list(self._shown_from.values()))

    def start(self) -> None:
        """Begin to follow, in a thread of its own: a dead network file system hangs nobody else."""
        self._thread = threading.Thread(target=self._run, name=f"logs {self._source}", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Stop; a thread that hangs in a file system is left behind."""
        self._is_closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 0.5)
        else:
            self._release()

    def scan(self) -> bool:
        """Look at every file once and take what is new; return whether more is waiting."""
        began = time.time()
        current = self._current()
        for key, path in current.items():
            if key not in self._tails:
                self._open_with_missed(key, path, set(current))
        # A name that is nobody's just now, between two generations, was not looked at.
        self._looked_at.update(dict.fromkeys(current.values(), began - _CLOCK_S))
        self._is_first = False
        more = self._read_all(set(current))
        self._tell()
        return more

    def _run(self) -> None:
        try:
            while not self._is_closing.is_set():
                more = self.scan()
                is_busy = len(self._tails) < 50 and any(tail.idle_s < 2 for tail in self._tails.values())
                self._is_closing.wait(0.02 if more else _BUSY_S if is_busy else _IDLE_S)
        finally:
            self._release()
            if not self._is_closing.is_set():
                self.failure = Unreadable("following stopped: a bug in opstui", "see the log file")

    def _release(self) -> None:
        for tail in self._tails.values():
            tail.close(self._intake)
        self._tails.clear()

    def _current(self) -> dict[Key, str]:
        """Return the files that the pattern names now, by identity."""
        if not self._is_glob:
            self._paths = (self._pattern,)
        elif time.monotonic() - self._globbed_at >= _GLOB_S:
            self._globbed_at = time.monotonic()
            self._paths = tuple(
                path for path in sorted(glob.glob(self._pattern, recursive=True)) if not path.endswith(_PACKED)
            )
        found: dict[Key, tuple[float, str]] = {}
        self._refused = {}
        for path in self._paths:
            try:
                status = os.stat(path)
            except OSError as error:
                self._refuse(path, error)
                continue
            if stat.S_ISREG(status.st_mode):
                found.setdefault((status.st_dev, status.st_ino), (status.st_mtime, path))
            else:
                self._refused[path] = f"{_short(path)} is not a regular file"
        self._too_many = max(0, len(found) - MAX_FILES)
        if self._too_many:
            newest = sorted(found.items(), key=lambda item: -item[1][0])[:MAX_FILES]
            found = dict(sorted(newest, key=lambda item: item[1][1]))
        return {key: path for key, (_, path) in found.items()}

    def _refuse(self, path: str, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # that one is awaited
            self._refused[path] = f"{_short(path)}: {clean(error.strerror or 'cannot be read')}"

    def _open_with_missed(self, key: Key, path: str, current: set[Key]) -> None:
        """Open a file that is new under its name, after those that came and were renamed between two scans."""
        before = next((k for k, tail in reversed(self._tails.items()) if tail.path == path and k not in current), None)
        if before is not None:
            for missed_key, missed in self._missed(path, before):
                self._open(missed_key, missed, named=path)
            self._tell_of_packed(path, before)
        self._open(key, path)

    def _missed(self, path: str, before: Key) -> list[tuple[Key, str]]:
        """Return the files that had this name after `before` and were renamed between two looks, oldest first."""
        generations: list[tuple[Key, str]] = []
        for number in range(1, _GENERATIONS + 1):
            older = f"{path}.{number}"
            try:
                status = os.stat(older)
            except OSError:
                break
            key = (status.st_dev, status.st_ino)
            if key == before:
                return generations[::-1]
            generations.append((key, older))
        return self._written_since(path)

    def _written_since(self, path: str, *, is_packed: bool = False) -> list[tuple[Key, str]]:
        """Return the files with a longer name (`app.log-20261122`) that were written since the last look."""
        found: list[tuple[float, Key, str]] = []
        (folder, name), since = os.path.split(path), self._looked_at.get(path, time.time())
        try:
            with os.scandir(folder or ".") as entries:
                for entry in entries:
                    is_older = entry.name.startswith(name) and entry.name != name
                    if is_older and entry.name.endswith(_PACKED) == is_packed:
                        status = entry.stat()
                        key = (status.st_dev, status.st_ino)
                        if stat.S_ISREG(status.st_mode) and status.st_mtime >= since and key not in self._tails:
                            found.append((status.st_mtime_ns, key, entry.path))
        except OSError:
            return []
        return [(key, older) for _, key, older in sorted(found)[-_GENERATIONS:]]

    def _tell_of_packed(self, path: str, before: Key) -> None:
        """Tell of a gap where generations came, were renamed and were packed between two looks."""
        found = [(key, name) for key, name in self._written_since(path, is_packed=True) if key not in self._packed]
        self._packed.update(key for key, _ in found)
        # While the unpacked file is still there, it is being packed.
        packed = [os.path.basename(name) for _, name in found if not os.path.exists(os.path.splitext(name)[0])]
        tail = self._tails[before]
        try:
            packed = packed[tail.is_deleted :]  # the oldest is then the one that is open here, and read to its end
            if packed:
                tail.read(self._intake)
        except OSError as error:
            self._refuse(path, error)
        if packed:
            names = clean(", ".join(packed), limit=120)
            self._intake.gap(self._source, tail.origin, f"packed before its lines were read, and not shown: {names}")

    def _open(self, key: Key, path: str, *, named: str = "") -> None:
        """Open a file; `named`: what it was called when it was written, if it was renamed since."""
        if key in self._tails:
            return
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            self._refuse(path, error)
            return
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != key or not stat.S_ISREG(opened.st_mode):
            os.close(descriptor)  # replaced since we looked; the next scan sees what is there then
            return
        named = named or path
        tail = Tail(descriptor, named, clean(os.path.basename(named), limit=80), self._source, self._zone)
        self._tails[key] = tail
        if self._is_first:
            try:
                share = max(10, 10 * self._first_lines // max(1, len(self._paths)))
                tail.show_end(self._intake, min(self._first_lines, share))
            except OSError as error:
                self._refuse(path, error)
        self._shown_from[key] = tail.shown_from

    def _read_all(self, current: set[Key]) -> bool:
        more = False
        behind: set[str] = set()
        for key, tail in list(self._tails.items()):
            if tail.path in behind:  # its predecessor has lines left, and they come first
                continue
            try:
                if tail.read(self._intake):
                    more = True
                    behind.add(tail.path)
                elif key not in current and tail.idle_s > _LEFT_S:
                    tail.close(self._intake)
                    del self._tails[key]
            except OSError as error:
                self._refuse(tail.path, error)
            if tail.note:
                self._notes[tail.path] = (time.monotonic(), tail.note)
                tail.note = ""
        return more

    def _tell(self) -> None:
        now = time.monotonic()
        self._notes = {path: note for path, note in self._notes.items() if now - note[0] < 60}
        problems = [*self._refused.values(), *(note for _, note in self._notes.values())]
        if self._too_many:
            problems.append(f"{self._too_many} more files match than the {MAX_FILES} newest that are followed")
        if not self._tails and not self._refused:
            problems.append(self._waiting_for())
        self.following = tuple(tail.path for tail in self._tails.values())
        self.problems = tuple(problems)
        if self._refused and not self._tails:
            self.failure = Denied(
                next(iter(self._refused.values())), "opstui's user must be able to read it (often: join the group adm)"
            )
            self._intake.drop(0, 0)
        else:
            self.failure = None

    def _waiting_for(self) -> str:
        if not self._is_glob:
            return f"waiting for {_short(self._pattern)} to appear"
        folder = os.path.dirname(self._pattern)
        if folder and not glob.has_magic(folder) and not os.access(folder, os.R_OK | os.X_OK):
            exists = os.path.isdir(folder)
            return f"{_short(folder)}: {'permission denied' if exists else 'no such folder yet'}"
        return f"no file matches {_short(self._pattern)} yet"


def _short(path: str) -> str:
    return clean(path, limit=200)
