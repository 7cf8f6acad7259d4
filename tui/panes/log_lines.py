"""Log lines → what the view shows, what its filters let pass, and a line's page. Pure."""

import re
import shlex
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from profiles.schema import LogSource, Profile
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.parse import fields, pretty
from tui.sources.text import clean
from widgets.cell import Tone
from widgets.log_store import LogLine as ShownLine
from widgets.log_store import Predicate
from widgets.text_filter import compile_typed

_TONES: Final[Mapping[Severity, Tone]] = {
    Severity.NONE: "",
    Severity.DEBUG: "dim",
    Severity.INFO: "",
    Severity.WARN: "warn",
    Severity.ERROR: "critical",
}
_MARKS: Final[Mapping[Severity, str]] = {
    Severity.NONE: " ",
    Severity.DEBUG: "d",
    Severity.INFO: " ",
    Severity.WARN: "W",
    Severity.ERROR: "E",
}
"""What says a line's level without colour: many formats keep it in a field that is not shown."""
_LABEL_TONES: Final[tuple[Tone, ...]] = ("accent", "ok", "", "dim")
_NAME_WIDTH: Final = 11
_SEPARATOR: Final = "\x1f"
"""Between the parts of a haystack: cleaned text never holds it."""
_CONTINUES: Final = "+"
"""In front of a haystack: the line belongs to the one before it."""

LEVELS: Final = (Severity.NONE, Severity.INFO, Severity.WARN, Severity.ERROR)
"""The minimum levels that one key goes through."""


def label_tone(index: int) -> Tone:
    """Return the tone of the source with this number; its name always stands there too."""
    return _LABEL_TONES[index % len(_LABEL_TONES)]


def shown_lines(lines: Iterable[LogLine], tone: Tone, *, by_origin: bool) -> list[ShownLine]:
    """Return lines as the view takes them, labelled with time of day (UTC), level, and source or origin.

    What a filter or a page needs besides rides along in the haystack.
    """
    labels: dict[tuple[int, str, Severity], str] = {}
    found = []
    for at, source, origin, level, text, raw, continues in lines:
        second = int(at)
        label = labels.get((second, origin, level))
        if label is None:
            name = _short(source, origin) if by_origin else source[:_NAME_WIDTH]
            label = f"{time.strftime('%H:%M:%S', time.gmtime(second))} {_MARKS[level]} {name}"
            labels[second, origin, level] = label
        mark = _CONTINUES if continues else ""
        haystack = f"{mark}{int(at * 1000)}{_SEPARATOR}{source}{_SEPARATOR}{origin}{_SEPARATOR}{raw}"
        found.append(ShownLine(text, _TONES[level], label, tone, haystack))
    return found


def _short(source: str, origin: str) -> str:
    if "/" in origin:  # pod/container: what tells pods of one workload apart is the end of the name
        tail = origin.partition("/")[0].rpartition("-")[2]
        return f"{source[: max(1, _NAME_WIDTH - 1 - len(tail))]}·{tail}"[:_NAME_WIDTH]
    return origin.removesuffix(".log")[:_NAME_WIDTH]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a shown line was made from."""

    at: float
    source: str
    origin: str
    raw: str


def origin_of(line: ShownLine) -> Origin:
    """Return what a shown line was made from."""
    at, source, origin, raw = line.haystack.split(_SEPARATOR, 3)
    return Origin(int(at.removeprefix(_CONTINUES)) / 1000, source, origin, raw)


@dataclass(frozen=True, slots=True)
class Search:
    """A compiled expression."""

    passes: Callable[[str], bool] | None = None
    """Whether it is found in a text; None: nothing was typed."""
    pattern: re.Pattern[str] | None = None
    error: str = ""
    """Why it cannot be read."""


def search(typed: str) -> Search:
    """Return a regular expression as a person typed it; small letters alone ignore case. `/…/` may stand around it."""
    expression = typed[1:-1] if len(typed) > 2 and typed[0] == typed[-1] == "/" else typed
    if not expression:
        return Search()
    ignores_case = expression == expression.lower()
    try:
        pattern = compile_typed(expression, ignores_case=ignores_case)
    except ValueError as error:
        return Search(error=str(error))
    if expression == re.escape(expression).replace("\\ ", " ").replace("\\-", "-"):
        # Plain words, by far the most common, need no expression machine.
        if ignores_case:
            return Search(lambda text: expression in text.lower(), pattern)
        return Search(lambda text: expression in text, pattern)
    find = pattern.search
    return Search(lambda text: find(text) is not None, pattern)


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything that hides lines."""

    include: Search = Search()
    exclude: Search = Search()
    minimum: Severity = Severity.NONE
    hidden: frozenset[str] = frozenset()
    """Sources that are not shown."""

    def predicate(self) -> Predicate | None:
        """Return what a line must pass; None when nothing is hidden.

        A line that does not say its level counts as information.
        """
        tests: list[Predicate] = []
        if self.minimum is Severity.INFO:
            tests.append(lambda line: line[1] != "dim")
        elif self.minimum is Severity.WARN:
            tests.append(lambda line: line[1] == "critical" or line[1] == "warn")
        elif self.minimum is Severity.ERROR:
            tests.append(lambda line: line[1] == "critical")
        if hidden := self.hidden:
            tests.append(lambda line: line[4].split(_SEPARATOR, 2)[1] not in hidden)
        if (found := self.include.passes) is not None:
            tests.append(lambda line: found(line[0]))
        if (unwanted := self.exclude.passes) is not None:
            tests.append(lambda line: not unwanted(line[0]))
        if len(tests) < 2:
            return tests[0] if tests else None
        if len(tests) == 2:
            first, second = tests
            return lambda line: first(line) and second(line)
        return lambda line: all(test(line) for test in tests)


def is_error(line: ShownLine) -> bool:
    """Tell whether a shown line is of level error and no mere part of a stack trace."""
    return line[1] == "critical" and line[4][:1] != _CONTINUES


def moment(at: float) -> str:
    """Return a time as date and time of day to the millisecond, in UTC."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{at:.3f}"


def page(line: ShownLine) -> str:
    """Return everything about a line: when, where from, its fields, its JSON indented, and the line itself."""
    origin = origin_of(line)
    words = {tone: level.name.lower() for level, tone in _TONES.items() if tone}
    told = [
        f"time    {moment(origin.at)}",
        f"source  {origin.source}: {origin.origin}",
        f"level   {words[line.tone]}" if line.tone else "",
    ]
    told = [each for each in told if each]
    if found := fields(origin.raw):
        width = min(30, max(len(name) for name, _ in found))
        told += ["", "FIELDS", *(f"  {name:<{width}}  {value}" for name, value in found)]
    if indented := pretty(origin.raw):
        told += ["", "JSON", indented]
    return "\n".join([*told, "", "LINE", origin.raw])


def written(lines: Iterable[ShownLine]) -> str:
    """Return lines as a file holds them: time, source, origin, and the whole line."""
    return "".join(
        f"{moment(origin.at)} {origin.source} {origin.origin} {origin.raw}\n" for origin in map(origin_of, lines)
    )


def by_hand(entry: LogSource, profile: Profile) -> str:
    """Return the command that follows this log in a shell."""
    if entry.file is not None:
        return clean(f"tail -n 200 -F {entry.file if ' ' not in entry.file else shlex.quote(entry.file)}")
    if entry.command is not None:
        return clean(shlex.join(entry.command))
    words = ["kubectl", "logs", "-f", "-l", entry.pods or "", "--tail=200", "--timestamps", "--prefix"]
    words += ["-n", entry.namespace or "default"]
    words += ["-c", entry.container] if entry.container else []
    cluster = profile.kubernetes
    if cluster is not None:
        words += ["--context", cluster.context] if cluster.context else []
        words += ["--kubeconfig", cluster.kubeconfig] if cluster.kubeconfig else []
    return clean(shlex.join(words))
