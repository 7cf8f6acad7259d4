"""Log lines → what the view shows, what its filters let pass, and a line's page. Pure."""

import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from profiles.hosts import is_pattern
from profiles.schema import LogSource, Profile
from tui.sources.docker.source import shown_socket
from tui.sources.logs.fields import fields, pretty
from tui.sources.logs.line import LogLine, Severity
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
_SAFE_LOWERED: Final = re.compile(
    r"(?:[a-z0-9 _/.:=*+?|)^$,@#%&;<>\"'~!{}-]|\\[dswb.\[\](){}*+?|^$/-]|\((?!\?)|\[\^?(?:a-z|0-9|[a-z0-9_./: ])+\])+"
)
"""Expressions that find in lowered ASCII text what they find in the text when they ignore case: of character ranges
only whole alphabets, no numbered characters, no switches."""

LEVELS: Final = (Severity.NONE, Severity.INFO, Severity.WARN, Severity.ERROR)
"""The minimum levels that one key goes through."""


def label_tone(index: int) -> Tone:
    """Return the tone of the source with this number; its name always stands there too."""
    return _LABEL_TONES[index % len(_LABEL_TONES)]


def shown_line(line: LogLine, tone: Tone, *, by_origin: bool) -> ShownLine:
    """Return a line as the view draws it, labelled with time of day (UTC), level, and source or origin."""
    kind = line.kind
    name = _short(kind.source, kind.origin) if by_origin else kind.source[:_NAME_WIDTH]
    label = f"{time.strftime('%H:%M:%S', time.gmtime(line.at))} {_MARKS[kind.level]} {name}"
    return ShownLine(line.text, _TONES[kind.level], label, tone)


def _short(source: str, origin: str) -> str:
    if "/" in origin:  # pod/container: what tells pods of one workload apart is the end of the name
        tail = origin.partition("/")[0].rpartition("-")[2]
        return f"{source[: max(1, _NAME_WIDTH - 1 - len(tail))]}·{tail}"[:_NAME_WIDTH]
    return origin.removesuffix(".log")[:_NAME_WIDTH]


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
    if ignores_case and _SAFE_LOWERED.fullmatch(expression):
        # Ignoring case costs the expression machine its search for the beginning: three times the time.
        find_lower = compile_typed(expression, ignores_case=False).search
        return Search(lambda text: (find_lower(text.lower()) if text.isascii() else find(text)) is not None, pattern)
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
        tests: list[Callable[[LogLine], bool]] = []
        if self.minimum is Severity.INFO:
            tests.append(lambda line: line.kind.level is not Severity.DEBUG)
        elif (minimum := self.minimum) is not Severity.NONE:
            tests.append(lambda line: line.kind.level >= minimum)
        if hidden := self.hidden:
            tests.append(lambda line: line.kind.source not in hidden)
        if (found := self.include.passes) is not None:
            tests.append(lambda line: found(line[2][begin:] if (begin := line[1].begin) >= 0 else line.text))
        if (unwanted := self.exclude.passes) is not None:
            tests.append(lambda line: not unwanted(line.text))
        if len(tests) < 2:
            return tests[0] if tests else None
        if len(tests) == 2:
            first, second = tests
            return lambda line: first(line) and second(line)
        return lambda line: all(test(line) for test in tests)


def is_error(line: LogLine) -> bool:
    """Tell whether a line is of level error and no mere part of a stack trace."""
    return line.level is Severity.ERROR and not line.continues


def moment(at: float) -> str:
    """Return a time as date and time of day to the millisecond, in UTC."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{at:.3f}"


def page(line: LogLine) -> str:
    """Return everything about a line: when, where from, its fields, its JSON indented, and the line itself."""
    told = [f"time    {moment(line.at)}", f"source  {line.source}: {line.origin}"]
    if _TONES[line.level]:
        told.append(f"level   {line.level.name.lower()}")
    if found := fields(line.raw):
        width = min(30, max(len(name) for name, _ in found))
        told += ["", "FIELDS", *(f"  {name:<{width}}  {value}" for name, value in found)]
    if indented := pretty(line.raw):
        told += ["", "JSON", indented]
    return "\n".join([*told, "", "LINE", line.raw])


def written(lines: Iterable[LogLine]) -> Iterator[str]:
    """Return lines as a file holds them: time, source, origin, and the whole line."""
    return (f"{moment(line.at)} {line.source} {line.origin} {line.raw}\n" for line in lines)


def by_hand(entry: LogSource, profile: Profile) -> str:
    """Return the command that follows this log in a shell."""
    if entry.file is not None:
        return clean(f"tail -n 200 -F {entry.file if ' ' not in entry.file else shlex.quote(entry.file)}")
    if entry.command is not None:
        return clean(shlex.join(entry.command))
    if entry.docker is not None:
        engine = profile.docker[entry.engine or next(iter(profile.docker))]
        docker = f"docker {shown_socket(engine.socket)}"
        if is_pattern(entry.docker):
            return clean(f"{docker}ps -a --format '{{{{.Names}}}}'  # then, for each: {docker}logs -f --tail 200 NAME")
        return clean(f"{docker}logs -f --tail 200 {shlex.quote(entry.docker)}")
    words = ["kubectl", "logs", "-f", "-l", entry.pods or "", "--tail=200", "--timestamps", "--prefix"]
    words += ["-n", entry.namespace or "default"]
    words += ["-c", entry.container] if entry.container else []
    cluster = profile.kubernetes
    if cluster is not None:
        words += ["--context", cluster.context] if cluster.context else []
        words += ["--kubeconfig", cluster.kubeconfig] if cluster.kubeconfig else []
    return clean(shlex.join(words))
