"""Whether a journal still is as it was written: every entry names the line before it by its hash. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tui.journal.journal import decoded, link_of


@dataclass(slots=True)
class Verdict:
    """What checking a journal's chain found."""

    entries: int = 0
    """Entries that can be read."""
    first_at: str = ""
    last_at: str = ""
    """`at` of the first and the last of them; empty when there is none."""
    head: str = ""
    """Hash of the last line: noted elsewhere, it also shows when entries are taken off the end."""
    broken: list[str] = field(default_factory=list)
    """Where something was changed, taken out or put in, one sentence a place."""
    cut_off: list[int] = field(default_factory=list)
    """Numbers of lines that are no entries: cut off by a crash or a full disk. The chain goes on over them."""
    unchained: int = 0
    """Entries at the beginning without a link, from before there was a chain."""

    @property
    def is_intact(self) -> bool:
        """Whether nothing speaks against the journal."""
        return not self.broken


def verified(lines: Iterable[bytes]) -> Verdict:
    """Check the chain of a journal's lines."""
    verdict = Verdict()
    link, is_chained = "", False
    for number, line in enumerate(lines, 1):
        entry = decoded(line)
        if entry is None:
            verdict.cut_off.append(number)
        else:
            verdict.entries += 1
            verdict.first_at = verdict.first_at or str(entry.get("at", ""))
            verdict.last_at = str(entry.get("at", ""))
            if "prev" not in entry and not is_chained:
                verdict.unchained += 1
            elif entry.get("prev") != link:
                verdict.broken.append(_broken_words(number, entry.get("prev")))
            is_chained = is_chained or "prev" in entry
        link = verdict.head = link_of(line)
    return verdict


def _broken_words(number: int, prev: object) -> str:
    if number == 1:
        return "line 1 names a line before it: the beginning is missing"
    if prev is None:
        return f"line {number} has no link: it was put in by hand, or changed"
    return f"line {number} does not follow line {number - 1}: something there was changed, taken out or put in"
