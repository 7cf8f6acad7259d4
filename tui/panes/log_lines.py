"""Log lines → what the view shows, what it folds, and a line's page. Pure."""

import os.path
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from operator import itemgetter
from typing import Final

from rich.color import Color, ColorSystem
from rich.style import Style

from profiles.hosts import is_pattern
from profiles.logs import LogSource
from profiles.schema import Profile
from tui.sources.docker.source import shown_socket
from tui.sources.logs.colours import COLOUR, stretches
from tui.sources.logs.fields import fields, pretty, shape_of
from tui.sources.logs.json_line import json_object, object_in
from tui.sources.logs.line import OWN, LineKind, LogLine, Severity
from tui.sources.logs.messages import Stream, stream_of
from tui.sources.logs.packed import is_packed
from tui.sources.logs.stdin import STDIN
from tui.sources.text import clean, clean_lines
from widgets.cell import Tone
from widgets.log_store import Belonging
from widgets.log_store import LogLine as ShownLine

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
_SAME_START: Final = 6
"""Characters of two messages that must be equal before the rest is looked at."""
_STANDARD: Final = ColorSystem.STANDARD
_GREY: Final = 8
_UNPACKING: Final[Mapping[str, str]] = {".gz": "zcat", ".bz2": "bzcat", ".xz": "xzcat"}
LEVELS: Final = (Severity.NONE, Severity.INFO, Severity.WARN, Severity.ERROR)
"""The minimum levels that one key goes through."""


def _place_of(kind: LineKind) -> tuple[Stream | None, bool]:
    return (None if kind.origin == OWN else stream_of(kind)), kind.continues


BELONGING: Final = Belonging(itemgetter(1), _place_of)
"""Which lines are one message: a line and those that go on from it in the same file or container."""


def label_tone(index: int) -> Tone:
    """Return the tone of the source with this number; its name always stands there too."""
    return _LABEL_TONES[index % len(_LABEL_TONES)]


def shown_line(
    line: LogLine,
    tone: Tone,
    *,
    by_origin: bool,
    in_utc: bool = True,
    in_colour: bool = False,
    now: float | None = None,
) -> ShownLine:
    """Return a line as the view draws it, labelled with time of day, level, and source or origin.

    `in_colour` gives it the colours that the program wrote. What is not of the day that `now` is in has its date too.
    """
    kind = line.kind
    name = _short(kind.source, kind.origin) if by_origin else _cut(kind.source)
    told = time.gmtime if in_utc else time.localtime
    clock, today = told(line.at), told(line.at if now is None else now)
    form = "%H:%M:%S" if clock[:3] == today[:3] else "%m-%d %H:%M:%S" if _is_near(clock, today) else "%Y-%m-%d %H:%M:%S"
    label = f"{time.strftime(form, clock)} {_MARKS[kind.level]} {name}"
    spans = _spans(line.colours, len(line.text)) if in_colour else ()
    return ShownLine(line.text, _TONES[kind.level], label, tone, spans)


@lru_cache(2_000)
def _spans(colours: str, length: int) -> tuple[tuple[int, int, Style], ...]:
    return tuple((start, end, _style(look)) for start, end, look in stretches(colours, length))


def _style(look: str) -> Style:
    """Return how a program wanted text to look, in one of the terminal's own colours, that it can be read in.

    Black and white are the background of some terminal, and stay as the text beside them.
    """
    colour = look.lstrip("bdiu")
    standard = Color.parse(colour if colour[:1] == "#" else f"color({colour})").downgrade(_STANDARD) if colour else None
    number = standard.number if standard is not None else None
    return Style(
        color=f"color({number})" if number is not None and number % 8 not in (0, 7) else None,
        bold="b" in look or None,
        dim="d" in look or number == _GREY or None,
        italic="i" in look or None,
        underline="u" in look or None,
    )


def _is_near(clock: time.struct_time, today: time.struct_time) -> bool:
    """Tell whether month and day alone leave no doubt about the year."""
    return clock.tm_year == today.tm_year or (clock.tm_year == today.tm_year - 1 and clock.tm_mon > today.tm_mon)


def _cut(name: str) -> str:
    """Return a name as long as there is room for; of what is left out, it is in the middle: names differ at the end."""
    return name if len(name) <= _NAME_WIDTH else f"{name[:5]}…{name[5 - _NAME_WIDTH + 1 :]}"


def _short(source: str, origin: str) -> str:
    if "/" in origin:  # pod/container: what tells pods of one workload apart is the end of the name
        tail = origin.partition("/")[0].rpartition("-")[2]
        return f"{source[: max(1, _NAME_WIDTH - 1 - len(tail))]}·{tail}"[:_NAME_WIDTH]
    return _cut(origin.removesuffix(".log"))


def is_error(line: LogLine) -> bool:
    """Tell whether a line is of level error and no mere part of a stack trace."""
    return line.level is Severity.ERROR and not line.continues


def joins(head: LogLine, line: LogLine) -> bool:
    """Tell whether a line is folded into the one that is shown before: part of its trace, or the same said again."""
    first, second = head[1], line[1]
    if first.source != second.source or first.origin != second.origin:
        return False
    if second.continues:
        return True
    if first.level is not second.level:
        return False
    one, other = head.text, line.text
    if one == other:
        return True
    return one[:_SAME_START] == other[:_SAME_START] and shape_of(one) == shape_of(other)


def zone_name(in_utc: bool, at: float) -> str:
    """Return the zone that times are shown in, with what it was off UTC at that time."""
    if in_utc:
        return "UTC"
    local = datetime.fromtimestamp(at, UTC).astimezone()
    name, offset = local.tzname() or "", f"{local:%z}"
    written = f"{offset[:3]}:{offset[3:5]}"
    return written if name[:1] in "+-" else f"{name} {written}"


def moment(at: float, zone: tzinfo | None = UTC) -> str:
    """Return a time as date and time of day to the millisecond, in UTC or another zone (None: this machine's)."""
    try:
        if zone is not UTC:
            return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(sep=" ", timespec="milliseconds")
        return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{at:.3f}"


def short_moment(at: float, zone: tzinfo | None = UTC) -> str:
    """Return the same to the second and without the year: `11-26 14:05:00Z`."""
    date, _, clock = moment(at, zone).partition(" ")
    return f"{date[5:]} {clock[:8]}{clock[12:]}" if clock else date


def message_of(lines: Sequence[LogLine], at: int) -> list[int]:
    """Return the places among lines of those that are one message with the line at a place, in order."""
    stream = stream_of(lines[at].kind)
    found = [at]
    for place in range(at - 1, -1, -1):
        if not lines[found[0]].continues:
            break
        if stream_of(lines[place].kind) == stream:
            found.insert(0, place)
    for place in range(at + 1, len(lines)):
        if stream_of(lines[place].kind) == stream:
            if not lines[place].continues:
                break
            found.append(place)
    return found


def page(line: LogLine, message: Sequence[LogLine] = ()) -> str:
    """Return everything about a line: when, where from, its fields, its JSON indented, the line and its message."""
    local = moment(line.at, None)
    told = [
        f"time    {moment(line.at)}" + (f"  ({local})" if not local.endswith("+00:00") else ""),
        f"source  {line.source}: {line.origin}",
    ]
    if _TONES[line.level]:
        told.append(f"level   {line.level.name.lower()}")
    if found := fields(line.raw):
        width = min(30, max(len(name) for name, _ in found))
        told += ["", "FIELDS", *(f"  {name:<{width}}  {value}" for name, value in found)]
    if indented := pretty(line.raw):
        told += ["", "JSON", indented]
    for name, text in traces(line.raw):
        told += ["", f"TRACE in {name}", text]
    told += ["", "LINE", line.raw]
    is_first = bool(message) and message[0] == line
    told += [] if is_first or len(message) < 2 else ["", "MESSAGE"]
    return "\n".join([*told, *(each.raw for each in (message[1:] if is_first else message) if len(message) > 1)])


def traces(raw: str) -> Iterator[tuple[str, str]]:
    """Yield what a JSON line holds of several lines, as stack traces are, by the field's name."""
    waiting: list[tuple[str, object]] = [("", json_object(object_in(raw)))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}" if name else key, each) for key, each in reversed(value.items())]
        elif isinstance(value, str) and "\n" in value.strip():
            yield clean(name), clean_lines(COLOUR.sub("", value))


def written(lines: Iterable[LogLine]) -> Iterator[str]:
    """Return lines as a file holds them: time, source, origin, and the whole line."""
    return (f"{moment(line.at)} {line.source} {line.origin} {line.raw}\n" for line in lines)


def by_hand(entry: LogSource, profile: Profile) -> str:
    """Return the command that follows this log in a shell."""
    if entry.file == STDIN:
        return "# what is piped into opstui: only its writer has it"
    if entry.file is not None and is_packed(entry.file):
        return clean(f"{_UNPACKING[os.path.splitext(entry.file)[1]]} {shlex.quote(entry.file)}")
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
    which = ["-l", entry.pods] if entry.pods else [entry.workload or entry.pod or ""]
    words = ["kubectl", "logs", "-f", *which, "--tail=200", "--timestamps", "--prefix"]
    words += ["-n", entry.namespace or "default"]
    words += ["--all-containers"] if entry.container == "*" else ["-c", entry.container] if entry.container else []
    cluster = profile.every_cluster.get(profile.cluster_meant(entry.cluster) or "")
    if cluster is not None:
        words += ["--context", cluster.context] if cluster.context else []
        words += ["--kubeconfig", cluster.kubeconfig] if cluster.kubeconfig else []
    return clean(shlex.join(words))
