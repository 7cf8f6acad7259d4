"""The journal on plain standard output: read, exported, checked."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tui.journal.chain import Verdict
from tui.journal.journal import moment_of
from tui.sources.text import clean
from tui.timeline import record

_COLUMNS: Final = (
    "at", "what", "user", "sudo_user", "ssh_client", "host", "action", "verb", "source", "kind", "where", "name",
    "before", "after", "risk", "confirmed", "reason", "ending", "detail", "undoes", "command",
)  # fmt: skip
"""What a spreadsheet gets; everything is in the JSON lines."""
_SPREADSHEET_COMMANDS: Final = ("=", "+", "-", "@", "\t", "\r")


def later(entries: Iterable[Mapping[str, Any]], begin: float | None) -> Iterator[Mapping[str, Any]]:
    """Yield the entries from a Unix time on; all when it is None."""
    return (entry for entry in entries if begin is None or moment_of(entry) >= begin)


def line(entry: Mapping[str, Any]) -> str:
    """Return an entry for the eye: when, who, what of what, how it ended, why and by which command."""
    text = {key: clean(str(value), limit=2000) for key, value in entry.items() if not isinstance(value, dict | list)}
    who = text.get("user", "?") + (f" (sudo by {text['sudo_user']})" if text.get("sudo_user") else "")
    place = f" from {text['ssh_client']}" if text.get("ssh_client") else ""
    head = f"{text.get('at', '?')}  {who}{place}  {text.get('what', '?')}"
    if text.get("what") == "walk" and (step := _walk_step(text)):
        return f"{head}  {step}"
    if "verb" not in text:
        row = record.entry(entry)
        return f"{head}  {row.text if row is not None else text.get('text', '')}".rstrip()
    target = "/".join(filter(None, (text.get("where"), text.get("name"))))
    parts = [f"{head}  {text['verb']} {text.get('kind', '')} {target} on {text.get('source', '?').rstrip(':')}"]
    if text.get("before"):
        parts.append(f"{text['before']} → {text.get('after', '')}")
    if text.get("ending"):
        parts.append(f"{text['ending'].upper()}: {text.get('detail', '')}")
    elif text.get("detail"):
        parts.append(text["detail"])
    if text.get("confirmed"):
        why = f", because: {text['reason']}" if text.get("reason") else ""
        parts.append(f"confirmed by {text['confirmed']}{why}")
    if text.get("command") and text.get("what") == "intent":
        parts.append(f"by hand: {text['command']}")
    return "\n    ".join(parts)


def _walk_step(text: Mapping[str, str]) -> str:
    """Return a step of a checklist or runbook, and who left or took it up; empty for its beginning and end."""
    match text.get("event"):
        case "step":
            judged = text.get("mark", "?").upper() + (" against the evidence" if text.get("is_override") else "")
            said = "; ".join(filter(None, (text.get("answer"), text.get("note"))))
            return f"{text.get('walk', '?')}: {text.get('title', '?')}: {judged}" + (f", {said}" if said else "")
        case "paused" | "resumed" as event:
            return f"{text.get('walk', '?')} {event}"
    return ""


def json_lines(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the entries as they stand on disk, one JSON object a line."""
    return (json.dumps(entry, ensure_ascii=False) for entry in entries)


def csv_text(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the entries as comma-separated values, harmless to a spreadsheet that takes `=…` for a command."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for entry in entries:
        writer.writerow([_cell(entry.get(column, "")) for column in _COLUMNS])
    return written.getvalue()


def _cell(value: object) -> str:
    text = clean(str(value))
    return f"'{text}" if text.startswith(_SPREADSHEET_COMMANDS) else text


def verdict_words(verdict: Verdict, path: str) -> str:
    """Return what checking a journal's chain found."""
    if not verdict.entries and not verdict.broken:
        return f"{path}: no entries"
    lines = [f"{path}: {verdict.entries} entries, {verdict.first_at} to {verdict.last_at}"]
    lines += [f"BROKEN: {sentence}" for sentence in verdict.broken]
    if verdict.cut_off:
        numbers = ", ".join(map(str, verdict.cut_off[:10])) + (", …" if len(verdict.cut_off) > 10 else "")
        lines.append(f"cut off by a crash or a full disk: line {numbers}; the chain goes on over it")
    if verdict.unchained:
        lines.append(f"{verdict.unchained} entries at the beginning are from before there was a chain")
    if verdict.is_intact:
        lines.append("the chain is unbroken: no line was changed, taken out or put in by a casual edit")
        lines.append("(whoever can write the file can also write a whole new chain)")
    lines.append(f"head {verdict.head}")
    lines.append("note the head elsewhere: it also shows when entries are taken off the end")
    return "\n".join(lines)
