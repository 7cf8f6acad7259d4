"""What lines mean, beside what Debian's lnav takes them for."""

import csv
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import pytest

from tui.sources.logs.files import FileFollower
from tui.sources.logs.intake import Intake
from tui.sources.logs.line import Severity
from tui.sources.logs.past import Past
from tui.sources.logs.sieve import sieve_of
from tui.sources.logs.stack import Stack, new_filter

LNAV: Final = shutil.which("lnav")
pytestmark = [pytest.mark.debian, pytest.mark.skipif(LNAV is None, reason="needs Debian's lnav")]

COUNT: Final = 60
BEGUN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
"""Of late: klog and lnav both leave the year to be guessed."""
LEVELS: Final = ("DEBUG", "INFO", "WARN", "ERROR")
STATUSES: Final = (200, 302, 201, 503)
"""Without 4xx, the client's mistakes: errors to lnav, warnings to us."""
FORMS: Final[Mapping[str, Callable[[int, datetime], str]]] = {
    "java": lambda n, at: (
        f"{at:%Y-%m-%d %H:%M:%S},{n:03} {LEVELS[n % 4]:5} [worker-{n % 3}] com.example.shop order {n}"
    ),
    "zoned": lambda n, at: f"{at:%Y-%m-%dT%H:%M:%S}.{n:03}Z {LEVELS[n % 4]} order {n}",
    "access": lambda n, at: (
        f'10.0.0.{n} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /orders/{n} HTTP/1.1" {STATUSES[n % 4]} 5 "-" "curl/8"'
    ),
    "logfmt": lambda n, at: f'time="{at:%Y-%m-%dT%H:%M:%SZ}" level={LEVELS[n % 4].lower()} msg="order {n}"',
    "klog": lambda n, at: f"{'IIWE'[n % 4]}{at:%m%d %H:%M:%S}.{n:06}       1 reflector.go:533] order {n}",
    "postgres": lambda n, at: (
        f"{at:%Y-%m-%d %H:%M:%S}.{n:03} UTC [77] {('WARNING', 'ERROR', 'FATAL')[n % 3]}:  relation {n} does not exist"
    ),
}
OURS: Final = {
    "trace": Severity.DEBUG,
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "warning": Severity.WARN,
    "error": Severity.ERROR,
    "fatal": Severity.ERROR,
    "critical": Severity.ERROR,
}


def written(form: str) -> Iterator[str]:
    return (FORMS[form](n, BEGUN + timedelta(seconds=7 * n)) for n in range(COUNT))


def lnav(path: Path, sql: str, home: Path) -> list[dict[str, str]]:
    assert LNAV is not None
    done = subprocess.run(
        [LNAV, "-n", "-c", f";{sql}", "-c", ":write-csv-to -", str(path)],
        env={"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC", "TERM": "xterm", "LANG": "C.UTF-8"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return list(csv.DictReader(done.stdout.splitlines()))


def seen_by_us(path: Path) -> list[tuple[float, Severity]]:
    intake = Intake()
    FileFollower("app", str(path), intake, zone=UTC, first_lines=10_000).scan()
    return [(line.at, line.level) for line in intake.take()]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("form", FORMS)
def test_every_line_has_the_time_and_the_level_that_lnav_gives_it(form: str, tmp_path: Path) -> None:
    log = tmp_path / f"{form}.log"
    log.write_text("".join(f"{line}\n" for line in written(form)))
    told = lnav(log, "SELECT log_time, log_level FROM all_logs ORDER BY log_line", tmp_path)
    ours = seen_by_us(log)
    assert [level for _, level in ours] == [OURS[row["log_level"]] for row in told]
    # lnav keeps thousandths only.
    assert [at for at, _ in ours] == pytest.approx([moment(row["log_time"]) for row in told], abs=0.0011)
    assert len(told) == COUNT


def test_mixed_in_one_file_lines_mean_what_they_do_to_lnav_in_files_of_their_own(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.log"
    lines = [line for line in chain.from_iterable(zip_longest(*map(written, FORMS))) if line]
    mixed.write_text("".join(f"{line}\n" for line in lines))
    theirs: Counter[Severity] = Counter()
    for form in FORMS:
        (tmp_path / f"{form}.log").write_text("".join(f"{line}\n" for line in written(form)))
        for row in lnav(
            tmp_path / f"{form}.log", "SELECT log_level, count(*) AS many FROM all_logs GROUP BY log_level", tmp_path
        ):
            theirs[OURS[row["log_level"]]] += int(row["many"])
    assert Counter(level for _, level in seen_by_us(mixed)) == theirs
    assert theirs.total() == len(FORMS) * COUNT


def test_searched_back_for_errors_a_file_gives_as_many_as_lnav_finds(tmp_path: Path) -> None:
    log = tmp_path / "java.log"
    log.write_text("".join(f"{line}\n" for line in written("java")))
    follower = FileFollower("app", str(log), Intake(), first_lines=1)
    follower.scan()
    stack = Stack((new_filter("level = error", 0.0),))
    blocks = Past("app", follower.begun).lines(stack.judge(), sieve_of(stack))
    found = sum(map(len, blocks)) + (COUNT % 4 == 0)  # the last line, an error, is shown already
    (row,) = lnav(log, "SELECT count(*) AS many FROM all_logs WHERE log_level = 'error'", tmp_path)
    assert found == int(row["many"])
