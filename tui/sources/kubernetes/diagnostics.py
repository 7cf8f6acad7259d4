"""Looks from inside a container: a closed list of programs, each an argument list; never a shell, never a script."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tui.sources.errors import Unreadable
from tui.sources.kubernetes import inside
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.exec import Missing, Place, Ran, run
from tui.sources.text import clean_lines

_TIMEOUT_S: Final = 12.0
_BETWEEN_S: Final = 1.5
"""Between two readings of the CPU account."""
_MOST_PROCESSES: Final = 200
_MOST_LINES: Final = 300
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?")
_URL: Final = re.compile(
    r"https?://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)(?::\d{1,5})?(?:/[!-~]{0,1000})?"
)
_CURL: Final = (
    "curl", "-sSg", "-o", "/dev/null", "-m", "8", "-w",
    "%{http_code} %{time_namelookup} %{time_connect} %{time_starttransfer} %{time_total} %{remote_ip}",
)  # fmt: skip
_CPU_STAT: Final = (
    "/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat", "/sys/fs/cgroup/cpu,cpuacct/cpu.stat",
)  # fmt: skip


class Look(StrEnum):
    """What can be looked at."""

    CPU = "cpu"
    PROCESSES = "processes"
    DISK = "disk"
    DNS = "dns"
    HTTP = "http"


TITLES: Final = {
    Look.CPU: "CPU throttling",
    Look.PROCESSES: "Processes",
    Look.DISK: "Disk",
    Look.DNS: "DNS: a name, seen from here",
    Look.HTTP: "HTTP: reach an address from here",
}


@dataclass(slots=True)
class Findings:
    """What a look found."""

    place: Place
    meaning: list[str] = field(default_factory=list)
    """In sentences."""
    said: list[str] = field(default_factory=list)
    """The programs' own words, cleaned."""
    ran: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    """What ran in the container, with its exit status."""
    throttling: tuple[inside.Throttling, inside.Throttling] | None = None
    """Of a look at the CPU: the account since the container started, and what was added while the look lasted."""

    def page(self) -> str:
        """Return it as a page: what it means, then what ran and said so."""
        lines = [*self.meaning, ""]
        lines += [*self.said[:_MOST_LINES], *(["…"] if len(self.said) > _MOST_LINES else [])]
        return "\n".join(lines)


def subject_problem(look: Look, subject: str) -> str:
    """Return what is wrong with what was typed for a look; empty when nothing is."""
    if look is Look.DNS and not _NAME.fullmatch(subject):
        return "a host name: letters, digits, points and hyphens"
    if look is Look.HTTP and not _URL.fullmatch(subject):
        return "http://HOST[:PORT]/PATH, without a password in it"
    return ""


async def diagnose(connection: Connection, place: Place, look: Look, subject: str = "") -> Findings:
    """Look from inside a container; `subject` is the name or URL of `DNS` and `HTTP`.

    Raises:
        Unreadable: the image has none of the programs, or `subject` is none.
        SourceError: the container is gone, we may not, or a program took too long.
    """
    if problem := subject_problem(look, subject):
        raise Unreadable(problem)
    inner = _Inside(connection, Findings(place))
    match look:
        case Look.CPU:
            await _cpu(inner)
        case Look.PROCESSES:
            await _processes(inner)
        case Look.DISK:
            await _disk(inner)
        case Look.DNS:
            await _dns(inner, subject)
        case Look.HTTP:
            await _http(inner, subject)
    return inner.findings


class _Inside:
    """Runs programs in one container and keeps what they said."""

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self.findings = findings

    async def run(self, *arguments: str, is_kept: bool = True) -> Ran:
        """Run one program; raises Missing where the image lacks it."""
        ran = await run(self._connection, self.findings.place, arguments, timeout_s=_TIMEOUT_S)
        self.findings.ran.append((arguments, ran.status))
        if is_kept:
            status = f"  (exit status {ran.status})" if ran.status else ""
            said = f"{_text(ran.stdout)}{_text(ran.stderr)}".rstrip("\n")
            self.findings.said += [f"$ {' '.join(arguments)}{status}", *said.split("\n"), ""]
        return ran

    async def first(self, *alternatives: Sequence[str], needs_success: bool = False) -> Ran:
        """Run the first program that the image has, with `needs_success` the first that succeeds."""
        failed: Ran | None = None
        for arguments in alternatives:
            try:
                ran = await self.run(*arguments)
            except Missing:
                continue
            if ran.status == 0 or not needs_success:
                return ran
            failed = ran
        if failed is not None:
            return failed
        names = list(dict.fromkeys(arguments[0] for arguments in alternatives))
        raise Unreadable(
            f"the image of container {self.findings.place.container} has no {' or '.join(names)}",
            f"kubectl debug -it -n {self.findings.place.namespace} {self.findings.place.pod} --image=busybox "
            f"--target={self.findings.place.container}",
        )


def _text(content: bytes) -> str:
    return clean_lines(content.decode(errors="replace"))


async def _cpu(inner: _Inside) -> None:
    said = ""
    for path in _CPU_STAT:
        ran = await inner.first(("cat", path))
        if ran.status == 0:
            said = _text(ran.stdout)
            break
        inner.findings.said.clear()  # which of the three it is says enough
    before = inside.throttling(said)
    if before is None:
        raise Unreadable("its control group keeps no CPU account where it can be read")
    await asyncio.sleep(_BETWEEN_S)
    after = inside.throttling(_text((await inner.run("cat", path)).stdout)) or before
    folder = path.rpartition("/")[0]
    limits = ("cpu.max",) if after.version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    limit = inside.limit_cores(_text((await inner.run("cat", *(f"{folder}/{name}" for name in limits))).stdout))
    inner.findings.throttling = after, after.since(before)
    inner.findings.meaning += inside.throttling_words(after, after.since(before), limit)


async def _processes(inner: _Inside) -> None:
    try:
        ran = await inner.first(
            ("ps", "-eo", "pid,user,stat,time,rss,args"),
            ("ps", "-o", "pid,user,stat,time,rss,args"),
            ("ps",),
            needs_success=True,
        )
        said = _text(ran.stdout)
    except Unreadable:
        listed = await inner.first(("ls", "/proc"))
        inner.findings.said.clear()
        pids = sorted((word for word in _text(listed.stdout).split() if word.isdecimal()), key=int)[:_MOST_PROCESSES]
        said = _text((await inner.run("cat", *(f"/proc/{pid}/stat" for pid in pids))).stdout) if pids else ""
    inner.findings.meaning += inside.process_words(said)


async def _disk(inner: _Inside) -> None:
    space = await inner.first(("df", "-P", "-k"), ("busybox", "df", "-P", "-k"))
    inner.findings.meaning += inside.disk_words(inside.file_systems(_text(space.stdout)))
    inodes = await inner.run("df", "-P", "-i")
    if inodes.status == 0 and (found := inside.file_systems(_text(inodes.stdout))):
        inner.findings.meaning += inside.disk_words(found, what="inodes")


async def _dns(inner: _Inside, name: str) -> None:
    ran = await inner.first(("getent", "hosts", name), ("nslookup", name), ("busybox", "nslookup", name))
    try:
        resolver = _text((await inner.run("cat", "/etc/resolv.conf")).stdout)
    except Missing:
        resolver = ""
    inner.findings.meaning += inside.name_words(name, ran.status, _text(ran.stdout), resolver)


async def _http(inner: _Inside, url: str) -> None:
    ran = await inner.first(
        (*_CURL, url),
        ("wget", "-S", "-T", "8", "-O", "/dev/null", url),
        ("busybox", "wget", "-S", "-T", "8", "-O", "/dev/null", url),
    )
    inner.findings.meaning += inside.http_words(url, ran.status, _text(ran.stdout), _text(ran.stderr))
