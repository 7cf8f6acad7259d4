"""The journal's lines → rows: everything on record about one action is one row, which changes as the action goes on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tui.journal.journal import END_OF_TIME, moment_of
from tui.rules import Level
from tui.sources.text import clean
from tui.timeline.entry import ITSELF, Entry, identity, sentence
from tui.units import span

Line = Mapping[str, Any]
"""One entry of the journal."""

ACTION_LINES: Final = frozenset(
    {"intent", "accepted", "step", "outcome", "refused", "cancelled", "resolved", "regressed", "kept"}
)
"""`what` of the lines about an action."""
CONVERGED: Final = "converged"
UNDER_WAY: Final = "under way"
_LEVELS: Final[Mapping[str, Level]] = {
    "refused": Level.WARN,
    "not sent": Level.WARN,
    "absent": Level.WARN,
    "not converged": Level.CRITICAL,
    "regressed": Level.CRITICAL,
    "unknown": Level.CRITICAL,
}
"""How loud an ending is; others are not."""


def who(line: Line) -> str:
    """Return who a line is by: the login, and the one behind `sudo`."""
    user, behind = words(line, "user"), words(line, "sudo_user")
    return f"{behind} (as {user})" if behind and behind != user else user


def action_key(line: Line) -> str:
    """Return what the lines about one action have in common; one that never got an id is alone."""
    action = words(line, "action")
    return identity("action", action) if action else identity(*map(str, map(line.get, ("at", "host", "pid", "verb"))))


def action_entry(lines: Sequence[Line]) -> Entry:
    """Return the row of an action: `lines` is everything on record about it, oldest first."""
    first, last = lines[0], next((line for line in reversed(lines) if line.get("ending")), lines[-1])
    stage = _stage(last)
    change = " → ".join(filter(None, (newest(lines, "before"), newest(lines, "after"))))
    said = [f"{stage.upper()}: {words(first, 'verb')} {target_words(first)}", words(last, "detail")]
    text = "; ".join(filter(None, said)) + (f" ({change})" if change else "")
    return Entry(
        id=action_key(first),
        at=moment_of(first),
        source=words(first, "source") or ITSELF,
        what="action",
        text=sentence(text),
        level=_LEVELS.get(stage, Level.OK),
        object=_object(first),
        by=who(first),
        stage=stage,
    )


def _stage(line: Line) -> str:
    if line.get("what") == "regressed":
        return "regressed"
    return words(line, "ending") or UNDER_WAY


def newest(lines: Sequence[Line], key: str) -> str:
    """Return what was said last about a field; empty when nothing was. Later lines repeat only a part of it."""
    return next((said for line in reversed(lines) if (said := words(line, key))), "")


def target_words(line: Line) -> str:
    """Return what an action is about: `deployment shop/api`."""
    kind, where, name = (words(line, key) for key in ("kind", "where", "name"))
    return f"{kind} {where}/{name}" if where else f"{kind} {name}"


def _object(line: Line) -> str:
    found = line.get("identity")
    known: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    kind, where, name = (words(line, key) for key in ("kind", "where", "name"))
    match words(line, "source").partition(":")[0]:
        case "kubernetes":
            return f"{kind.lower()}/{where}/{name}" if where else f"{kind.lower()}/{name}"
        case "database":
            return f"backend/{name}/{clean(str(known.get('backend_start') or ''))}"
        case "redis" if kind == "client":
            return f"client/{name}"
    return ""


def entry(line: Line) -> Entry | None:
    """Return the row of a line that is not about an action; None for one that makes no row."""
    what, about = str(line.get("what", "")), words(line, "about")
    match what:
        case "note":
            text = words(line, "text")
        case "snapshot":
            count = str(line.get("text", "")).count("\n") + 1
            text = f"snapshot of {words(line, 'title')}, {count} lines"
        case "opened" | "closed":
            text = f"opstui {words(line, 'version')} {what} on {words(line, 'host')}"
        case "armed":
            text = f"writing was armed {_armed_for(line)}".strip()
        case "disarmed":
            text = "writing was disarmed"
        case "walk" if text := _walk(line):
            pass
        case "identity":
            text = words(line, "text")
        case "looked inside":
            text = f"{words(line, 'look')} was looked at inside {words(line, 'place')}: {words(line, 'ran')}"
        case "ack" | "silence" | "unsilence":
            text = _attended(line)
        case _:
            return None
    at = moment_of(line)
    return Entry(
        id=identity(what, line.get("at"), line.get("host"), line.get("pid"), text),
        at=at,
        source=words(line, "source") or ITSELF,
        what=what,
        text=sentence(f"{text} ({about})" if about and what == "note" else text),
        level=_level(line),
        by="" if what == "identity" else who(line),
    )


def _level(line: Line) -> Level:
    if line.get("what") == "identity" and line.get("is_mismatch"):
        return Level.CRITICAL
    return Level.WARN if line.get("what") == "armed" else Level.OK


def _walk(line: Line) -> str:
    """Return what became of a checklist or runbook; empty for its single steps, which its report tells."""
    title, about = words(line, "title"), words(line, "subject")
    match line.get("event"):
        case "begun":
            return f"{title} begun" + (f", about {about}" if about else "")
        case "ended":
            early = "" if line.get("whole") is True else " early"
            return f"{title} ended{early}: {words(line, 'verdict').upper()}"
    return ""


def _attended(line: Line) -> str:
    """Return what was said of an alert."""
    about = " ".join(filter(None, (words(line, "metric"), words(line, "object"))))
    match line.get("what"):
        case "ack":
            done, why = f"acknowledged: {about}", words(line, "note")
        case "silence":
            done, why = f"silenced until {words(line, 'until')}: {about}", words(line, "note")
        case _:
            done, why = f"no longer acknowledged or silenced: {about}", words(line, "reason")
    return "; ".join(filter(None, (done, why)))


def _armed_for(line: Line) -> str:
    seconds = line.get("for_s")
    if isinstance(seconds, int | float) and 0 <= seconds < END_OF_TIME:
        return f"for {span(seconds)}"
    at = moment_of({"at": line.get("until")})
    return f"until {datetime.fromtimestamp(at, UTC):%H:%M:%SZ}" if at else words(line, "until")


def words(line: Line, key: str) -> str:
    """Return a field as text; cleaned again, for a file is outside too."""
    found = line.get(key)
    return clean(str(found)) if found is not None else ""
