"""Writing a profile's own file anew, as a whole or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from profiles.places import SHIPPED

_BOM = b"\xef\xbb\xbf"


class CannotWriteError(Exception):
    """The file is not to be written, or cannot be; nothing has changed. The message holds the remedy."""


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile's file as it was when it was read."""

    path: Path
    """Where it lies, links followed."""
    content: bytes

    @classmethod
    def at(cls, path: Path) -> "ProfileFile":
        """Read a profile that is to be written.

        Raises:
            CannotWriteError: it comes with opstui, or could not be written.
        """
        try:
            real = path.resolve(strict=True)
            content, found = _read(real)
        except OSError as error:
            raise CannotWriteError(f"{path}: {error.strerror}") from error
        if real.parent == SHIPPED:
            raise CannotWriteError(f"{path} comes with opstui; opstui profile new NAME makes one of your own")
        if reason := _reason(real, found):
            raise CannotWriteError(reason)
        return cls(real, content)

    @property
    def text(self) -> str:
        """Its text, without a byte order mark."""
        return self.content.decode("utf-8-sig")

    def write(self, text: str) -> "ProfileFile":
        """Put a text in its place in one step, with the same mode and owner; return it as it is then.

        Raises:
            CannotWriteError: somebody has changed the file since it was read, or it cannot be written.
        """
        content = (_BOM if self.content.startswith(_BOM) else b"") + text.encode()
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}.tmp")
        try:
            _, found = _read(self.path)
            _write_new(temporary, content, found)
            # As late as can be: what a colleague's editor has saved meanwhile is not to be lost.
            now, _ = _read(self.path)
            if now != self.content:
                raise CannotWriteError(f"{self.path} was changed meanwhile; start again")
            os.replace(temporary, self.path)
        except OSError as error:
            raise CannotWriteError(f"{error.filename or self.path}: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        _flush_folder(self.path.parent)
        return ProfileFile(self.path, content)


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(), os.fstat(descriptor)


def _reason(path: Path, found: os.stat_result) -> str:
    """Return why a file must not be replaced by another of the same content; empty when it may be."""
    if not found.st_mode & stat.S_IWUSR:
        return f"{path} is read-only; chmod u+w {path}"
    if found.st_nlink > 1:
        return f"{path} has another name (a hard link), which would keep the old content; edit it by hand"
    if os.geteuid() not in (0, found.st_uid):
        return f"{path} belongs to somebody else; ask its owner to pin"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"you may not write to the folder {path.parent}; ask its owner to pin"
    return ""


def _write_new(path: Path, content: bytes, like: os.stat_result) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if (like.st_uid, like.st_gid) != ((own := os.fstat(descriptor)).st_uid, own.st_gid):
            os.fchown(descriptor, like.st_uid, like.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(descriptor)
