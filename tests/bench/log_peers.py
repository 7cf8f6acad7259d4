"""Opening and searching a big log file, beside lnav (Debian), toolong and grep, in one run."""

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.bench import cost
from tests.bench.figures import Figure, figure, percentile
from tests.bench.log_lines import lines
from tests.bench.screen import Screen
from tests.bench.stage import Stage, opstui, script
from tests.bench.typed import type_characters

BIG_BYTES = 1_000_000_000
MANY = 1_000_000
TOOLONG = ("toolong==1.5.0",)
NEEDLE = "needle"
EXPRESSION = "orders/[0-9]*77 .*needle"
HUGE_BYTES = 2_000_000_000
_EVERY = 100_000
_LAST = "the last line of all"
_PATIENCE_S = 120.0


def measure(stage: Stage) -> Iterator[Figure]:
    """Open the same files with each program that is there, and look for the same words."""
    big, many = stage.folder / "big.log", stage.folder / "many.log"
    count = _write(big, BIG_BYTES // 4 if stage.quick else BIG_BYTES)
    _write(many, 0, MANY)
    size = f"{big.stat().st_size / 1e9:.2f} GB, {count:,} lines"
    viewers = _viewers(stage)
    for name, command in viewers(big).items():
        took_s, mib = _open(stage, command)
        yield Figure(f"{size}: exec → its last line on the screen, {name}", _told(took_s, mib))
    for name, command in viewers(many).items():
        took_s, mib = _open(stage, command, settle_s=8)
        yield Figure(f"{MANY:,} lines in a file: memory 8 s after it was opened, {name}", _told(took_s, mib))
    for what, typed, words, lnav in (
        ("a word", NEEDLE, NEEDLE, f":filter-in {NEEDLE}"),
        ("an expression", EXPRESSION, EXPRESSION, f":filter-in {EXPRESSION}"),
        ("a level", "level = error", " ERROR ", ":set-min-log-level error"),
        ("a field", "took_ms > 898", "took_ms=899", ""),
    ):
        yield from _search(stage, big, size, what, typed, words, lnav)
    yield from _typed_while_searching(stage, big, size)
    big.unlink()
    yield from _open_huge(stage, viewers)


def _open_huge(stage: Stage, viewers: "_Viewers") -> Iterator[Figure]:
    """Open 2 GB of which only the end was ever written, and the same end by itself."""
    end = "".join(lines(2_000)) + f"2026-01-02 03:59:59,999 INFO  {_LAST}\n"
    small, huge = stage.folder / "small.log", stage.folder / "huge.log"
    small.write_text(end)
    with huge.open("w") as file:
        file.truncate(HUGE_BYTES)
        file.seek(HUGE_BYTES)
        file.write(f"\n{end}")
    for path in (small, huge):
        took_s, mib = _open(stage, viewers(path)["opstui"])
        size = f"{path.stat().st_size / 1e9:.4f} GB"
        yield Figure(f"{size}: exec → its last line on the screen, opstui", _told(took_s, mib))
    huge.unlink()


def _typed_while_searching(stage: Stage, big: Path, size: str) -> Iterator[Figure]:
    """Search the whole file for a field, the slowest search, and type meanwhile."""
    profile = stage.profile("search-big", {"logs": {"big": str(big)}})
    own: list[float] = []
    with Screen(opstui("--profile", str(profile)), env=stage.env) as screen:
        screen.wait("Logs")
        screen.press("5")
        screen.wait(_LAST)
        screen.press("/")
        screen.pass_time(0.5)
        screen.press("took_ms > 898")
        screen.pass_time(1)
        screen.press("\r")
        screen.pass_time(0.5)
        screen.press("<")
        screen.wait("reading older")
        screen.press("x")
        screen.pass_time(0.5)
        waits = type_characters(screen, stage.count(80), own)
        is_reading = screen.shows("reading older")
    yield figure(
        f"{size}: typed → shown p95 while it is searched for a field{'' if is_reading else ' (search was over)'} "
        f"({percentile(own, 95):.0f} ms without waiting for a CPU)",
        percentile(waits, 95), "ms", 50,
    )  # fmt: skip


def _write(path: Path, size: int, count: int = 0) -> int:
    block = [f"{line[:-1]} {NEEDLE}\n" if n % _EVERY == 0 else line for n, line in enumerate(lines(200_000))]
    written = 0
    with path.open("w") as file:
        while file.tell() < size or written < count:
            file.writelines(block)
            written += len(block)
        file.write(f"2026-01-02 03:59:59,999 INFO  {_LAST}\n")
    return written + 1


class _Viewers:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._toolong = _install(stage) if stage.with_peers else None

    def __call__(self, path: Path) -> Mapping[str, Sequence[str]]:
        """Return the command lines that open a file."""
        profile = self._stage.profile(f"open-{path.stem}", {"logs": {path.stem: str(path)}})
        found: dict[str, Sequence[str]] = {"opstui": opstui("--profile", str(profile))}
        if lnav := shutil.which("lnav"):
            found["lnav"] = [lnav, str(path)]
        if self._toolong is not None:
            found["toolong"] = [str(self._toolong), str(path)]
        return found


def _viewers(stage: Stage) -> _Viewers:
    return _Viewers(stage)


def _open(stage: Stage, command: Sequence[str], settle_s: float = 0.0) -> tuple[float | None, float]:
    """Return seconds until the last line is seen (None: never), and the memory then, in MiB."""
    with Screen(command, env=stage.env) as screen:
        if Path(command[0]).name == "opstui" or command[0] == sys.executable:
            screen.wait("Logs")
            screen.press("5")
        if Path(command[0]).name == "tl":
            screen.pass_time(1)
            screen.press("G")
        at = screen.until(lambda: screen.shows(_LAST), _PATIENCE_S)
        screen.pass_time(settle_s)
        return (at - screen.started if at is not None else None), cost.memory_mib(screen.process)[0]


def _told(took_s: float | None, mib: float) -> str:
    return f"{took_s:.1f} s, {mib:.0f} MiB" if took_s is not None else f"not within {_PATIENCE_S:g} s, {mib:.0f} MiB"


def _search(stage: Stage, big: Path, size: str, what: str, typed: str, words: str, for_lnav: str) -> Iterator[Figure]:
    done = subprocess.run(script("log_search", str(big), typed), env=stage.env, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    title = f"{size}: searched for {what}"
    yield Figure(
        f"{title}, opstui",
        f"{found['found']:,} lines in {found['seconds']:.1f} s ({found['cpu_s']:.1f} s of CPU), {found['mib']:.0f} MiB",
    )
    programs = {"grep -E": ["grep", "-E", words, str(big)]}
    if for_lnav and (lnav := shutil.which("lnav")):
        programs["lnav -n"] = [lnav, "-n", "-c", for_lnav, str(big)]
    for name, command in programs.items():
        began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = subprocess.run(
            command, env=stage.env, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300
        )
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        counted = ran.stdout.count(b"\n")
        yield Figure(f"{title}, {name}", f"{counted:,} lines in {took:.1f} s ({cpu:.1f} s of CPU)")


def _install(stage: Stage) -> Path | None:
    folder = stage.folder / "toolong"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *TOOLONG]
    done = subprocess.run(pip, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "bin" / "tl" if done.returncode == 0 else None
