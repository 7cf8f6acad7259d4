"""Who could have written a file: a profile that another user controls is refused, as ssh refuses such files.

A profile may run commands, so whoever can write it, or swap a folder above it, runs programs as the reader.
The file and every folder above it must belong to root or to us, and be writable by nobody else. As in sshd's
StrictModes, with three differences for profiles that do not come with opstui:

- the whole path up to `/` counts, not only that up to the home folder;
- a group that has no member but the owner may write, because distributions give people such groups and a umask
  to match;
- a sticky folder of root's (`/tmp`) may stand above a folder that is ours, because nobody else can rename that
  one there. A profile directly in it is refused: it is one slip away from being somebody else's.

A shipped profile is measured by the program beside it, which is running already: it may be as open as this very
file, and no more. So a clone with a umask of 002 works, and a demo.yaml that alone was opened does not.

The check is on the opened file, so a swap between check and reading changes nothing.
"""

import errno
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Final

from profiles.problems import Problem

_MAX_BYTES: Final = 256 * 1024


def read_own(path: Path) -> str | Problem:
    """Return the text of a file that only root or we can have written, or what stands against reading it."""
    trusted = {0, os.geteuid()}
    try:
        # The folders that count are those of the file itself, not of a link to it.
        real = path.resolve(strict=True)
        descriptor = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError, RuntimeError) as error:
        return _cannot_open(path, error)
    try:
        found = os.fstat(descriptor)
        if _PROGRAM.parent in real.parents:
            reason = _shipped_reason(found, real, _PROGRAM.stat()) or _shipped_folders_reason(real)
        else:
            reason = _file_reason(found, real, trusted) or _folders_reason(real, trusted)
        if reason:
            return Problem(reason[0], path, hint=reason[1])
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        return _cannot_open(path, error)
    finally:
        os.close(descriptor)
    if len(data) > _MAX_BYTES:
        return Problem(f"larger than {_MAX_BYTES // 1024} KiB, that is not a profile", path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        return Problem("not UTF-8 text", path, line, column)


_PROGRAM: Final = Path(__file__).resolve()

_Reason = tuple[str, str]


def _cannot_open(path: Path, error: Exception) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem("there is no such file", path)
    if isinstance(error, PermissionError):
        return Problem("you may not read it", path, hint=f"chmod u+r {path}, or become its owner")
    if isinstance(error, RuntimeError) or getattr(error, "errno", None) == errno.ELOOP:
        return Problem("its symbolic links lead in a circle", path)
    return Problem(getattr(error, "strerror", None) or "this path cannot be opened", path)


def _file_reason(found: os.stat_result, path: Path, trusted: set[int]) -> _Reason | None:
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file", ""
    if found.st_uid not in trusted:
        return _foreign("the file", found), f"chown {_login(os.geteuid())} {path}, if you trust what is in it"
    if found.st_mode & 0o022 and not _only_owner_writes(found):
        return "others can write the file", f"chmod go-w {path}"
    return None


def _shipped_reason(found: os.stat_result, path: Path, program: os.stat_result) -> _Reason | None:
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file", ""
    if found.st_uid not in (0, program.st_uid):
        return f"it does not belong to {_login(program.st_uid)} as the program does", "install opstui again"
    if found.st_mode & 0o022 & ~program.st_mode or (found.st_mode & 0o020 and found.st_gid != program.st_gid):
        return "more people can write it than the program beside it", f"chmod go-w {path}"
    return None


def _shipped_folders_reason(path: Path) -> _Reason | None:
    program = _PROGRAM.parent.stat()
    for folder in path.parents:
        if folder == _PROGRAM.parent:
            return None
        found = folder.stat()
        if found.st_uid not in (0, program.st_uid) or found.st_mode & 0o022 & ~program.st_mode:
            return f"more people can write the folder {folder} than the program's", f"chmod go-w {folder}"
    return None


def _folders_reason(path: Path, trusted: set[int]) -> _Reason | None:
    for folder in path.parents:
        found = folder.lstat()
        if found.st_uid not in trusted:
            return _foreign(f"the folder {folder}", found), "move the profile to a folder of your own"
        if found.st_mode & 0o022 and not _only_owner_writes(found):
            if found.st_mode & stat.S_ISVTX and found.st_uid == 0:
                if folder != path.parent:
                    continue
                return f"everyone can write to {folder}", "move the profile to a folder of your own"
            return f"others can write to the folder {folder}", f"chmod go-w {folder}"
    return None


def _foreign(what: str, found: os.stat_result) -> str:
    return f"{what} belongs to {_login(found.st_uid)}, neither to you nor to root"


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _only_owner_writes(found: os.stat_result) -> bool:
    """Whether the write permission reaches no further than a group without other members."""
    if found.st_mode & stat.S_IWOTH:
        return False
    try:
        group = grp.getgrgid(found.st_gid)
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return False
    if any(member not in (owner, "root") for member in group.gr_mem):
        return False
    return all(user.pw_uid in (found.st_uid, 0) for user in pwd.getpwall() if user.pw_gid == found.st_gid)
