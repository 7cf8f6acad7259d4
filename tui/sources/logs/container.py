"""Where the reading of one container's log stands, of a cluster or an engine, across connections and restarts."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tui.sources.logs.parse import LineParser
from tui.sources.logs.times import iso_time
from tui.sources.text import clean

_SLACK_S: Final = 1
"""How much later than its time a line may come: output and errors of a container are stamped before they are sorted."""
_MOST_WORDS: Final = 200
_STAMP: Final = 40
_OF_A_TRACE: Final = re.compile(r"Traceback |Caused by:|[\w.]+(?:Error|Exception)\b|goroutine |panic: ")
_OWN_TIME: Final = re.compile(r"[IWEF]\d{4} \d\d:|[A-Z][a-z]{2} [ \d]?\d \d\d:")
"""How klog's and syslog's times begin."""


def _has_no_time(text: str) -> bool:
    # A time stands at the beginning, or in a JSON line. What is indented, or is an exception's own line, belongs to
    # the line before it, and is recognized only when nothing stands in front.
    return text[:1].isalpha() and _OF_A_TRACE.match(text) is None and _OWN_TIME.match(text) is None


def _stamped(line: str) -> tuple[float | None, str]:
    stamp, space, text = line.partition(" ")
    at = iso_time(stamp, UTC) if space and stamp[:1].isdigit() else None
    return at, text if at is not None else line


class ContainerLog:
    """Tells lines of a container's log that are new from those that come again."""

    def __init__(self, source: str, origin: str) -> None:
        self.source = source
        self.origin = clean(origin, limit=120)
        self.parser = LineParser(source, self.origin, UTC)
        self.last: float | None = None
        """The system's time of the newest line; None before the first."""
        self.is_joined = True
        """Whether what comes is known to follow what came before, without a gap."""
        self.unfinished = ""
        """What a stream ended with in the middle of a line: as a rule the whole line comes again."""
        self.words = ""
        """The system's own words, where the present stream ended with such; empty after a line of the container."""
        self._first = 0.0
        """The time of the first line that was taken: what is older was never shown."""
        self._let_go_until = 0.0
        """Lines up to this time were let go and counted."""
        self._asked_from = self._read_until = 0.0
        """Of a log that is read again: from when on, and the time of the newest line before that."""
        self._seen: dict[int, dict[int, int]] = {}
        """By second, how often each line of the last two seconds came, by its hash."""
        self._again: dict[int, dict[int, int]] | None = None
        """Of a log that is read again: those that are still to come a second time; None in any other."""
        self._words_now, self._words_before = Counter[str](), Counter[str]()

    @property
    def since(self) -> datetime | None:
        """From when to ask for the log: whole seconds count, and a line may have come late."""
        return datetime.fromtimestamp(int(self.last) - _SLACK_S, UTC) if self.last is not None else None

    def reconnect(self) -> None:
        """Take that the connection begins anew: lines that were seen must come again, or something may be missing."""
        self.is_joined = self.last is None
        self._read_until = self.last or 0.0
        self._asked_from = int(self._read_until) - _SLACK_S
        self._again = None if self.last is None else {second: dict(lines) for second, lines in self._seen.items()}
        self._words_before, self._words_now = self._words_now, Counter()
        self.words = ""

    @property
    def is_read_again(self) -> bool:
        """Whether lines may come that were seen or counted already."""
        return self._again is not None

    def begins(self, lines: Sequence[str]) -> tuple[float | None, bool]:
        """Return when the first new line was written (None: none is), and whether a line that was seen is before it."""
        for line in lines:
            at, _ = _stamped(line)
            if at is None:
                continue
            seen = (self._again or {}).get(int(at))
            if at == self._let_go_until or (seen is not None and seen.get(hash(line), 0) > 0):
                return None, True
            if self._again is None or not self._is_older(at):
                return at, False
        return None, False

    def fresh(self, lines: Sequence[str]) -> list[str]:
        """Return the lines not seen before; the system's time stays in front of one that has no time of its own."""
        found = []
        for line in lines:
            at, text = _stamped(line)
            if at is None:
                if self._is_new_word(line):
                    found.append(line)
                continue
            self.words = ""
            if self._again is not None and self._is_known(at, line):
                continue
            self._note(at, line)
            found.append(line if _has_no_time(text) else text)
        return found

    def let_go(self, data: bytes) -> None:
        """Take that `data` were let go and counted: they are neither to be counted nor shown when they come again."""
        begin = len(data)
        while begin >= 0:
            begin = data.rfind(b"\n", 0, begin)
            at, _ = _stamped(data[begin + 1 : begin + 1 + _STAMP].decode(errors="replace").partition("\n")[0])
            if at is not None and (self.last is None or at >= self.last):
                self.last = self._let_go_until = at
                self._seen = {}
                break
        self.is_joined = True  # what is missing is counted

    def ends_with(self, partial: str, *, is_cut: bool) -> list[str]:
        """Take what the stream ended with in the middle of a line; return it when that is a line, or will stay one.

        A connection that is cut behind the API server looks like the end of the log, so what came of the line waits
        for the rest; a line that ends twice in the same place has no more.
        """
        before, self.unfinished = self.unfinished, ""
        if not partial:
            return []
        if partial[:1].isdigit():
            if partial != before or is_cut:
                self.unfinished = partial
                return []
            return self.fresh([partial])
        if not is_cut:
            self.words = partial
        return []

    def rest(self) -> list[str]:
        """Return what is left when nothing more will come."""
        partial, self.unfinished = self.unfinished, ""
        return self.fresh([partial]) if partial else []

    def _is_known(self, at: float, line: str) -> bool:
        assert self._again is not None  # noqa: S101 — asked of a log that is read again only
        seen, key = self._again.get(int(at)), hash(line)
        if seen is not None and seen.get(key, 0) > 0:
            seen[key] -= 1
            self.is_joined = True
            return True
        if self._is_older(at):
            self.is_joined |= at == self._let_go_until
            return True
        if at > self._read_until + 2 * _SLACK_S:
            self._again = None
        return False

    def _is_older(self, at: float) -> bool:
        """Tell whether a line that was not seen is from before all that was to be shown."""
        return at <= self._let_go_until or (not self.is_joined and at <= max(self._first, self._asked_from))

    def _note(self, at: float, line: str) -> None:
        second, last = int(at), self.last
        if last is None:
            self._first = at
        # What is a little older came late; what is much older says that the clock was set back.
        if last is None or at > last or at < last - _SLACK_S:
            if last is None or second != int(last):
                self._seen = {kept: lines for kept, lines in self._seen.items() if kept >= second - _SLACK_S}
            self.last = at
        seen, key = self._seen.get(second), hash(line)
        if seen is None:
            seen = self._seen[second] = {}
        seen[key] = seen.get(key, 0) + 1

    def _is_new_word(self, line: str) -> bool:
        """Tell whether a line without a time was not said at the attempt before: a kubelet says why it has no log."""
        self.words = line
        if self._words_now.total() < _MOST_WORDS:
            self._words_now[line] += 1
        if self._words_before[line] > 0:
            self._words_before[line] -= 1
            return False
        return True
