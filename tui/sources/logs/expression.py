"""A regular expression as a person typed it, which no line of a log can make search for longer than a moment.

Python's own machine cannot be stopped, and some expressions take it years (`(a+)+$`). It is asked only where the
shape of the expression and the length of the text bound its work; everything else goes to one that has a timeout.
"""

import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

TIMEOUT_S: Final = 0.01
"""How long one text may take."""
_PURSE_S: Final = 0.08
"""How much time slow texts may take together before the expression is given up; it fills again with time."""
_EARNED: Final = 0.05
"""Seconds that the purse gains in a second."""
_TIMED_STEPS: Final = 100_000
"""Work of Python's machine that is always done within a moment."""
_MOST_STEPS: Final = 4_000_000
"""Work beyond which the machine with a timeout is asked."""
_FEW_OPTIONAL: Final = 6
_LONG_REPEAT: Final = 10
_SAFE_LOWERED: Final = re.compile(
    r"(?:[a-z0-9 _/.:=*+?|)^$,@#%&;<>\"'~!{}-]|\\[dswb.\[\](){}*+?|^$/-]|\((?!\?)|\[\^?(?:a-z|0-9|[a-z0-9_./: ])+\])+"
)
"""Expressions that find in lowered ASCII text what they find in the text when they ignore case: of character ranges
only whole alphabets, no numbered characters, no switches."""
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]?|\(\?(?:[a-zA-Z-]*[:)]|P?<[A-Za-z_]\w*>|.)?|[()|]"
    r"|(?:[*+?]|\{\d*(?:,\d*)?\})[?+]?|.",
    re.DOTALL,
)
_PLAIN_GROUP: Final = re.compile(r"\(\?(?::|P?<[A-Za-z_]\w*>)")


class TooSlow(Exception):
    """Whether an expression is in a text was not found out within its time."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What bounds the work that an expression can make."""

    repeats: int | None
    """Repetitions without a near end, one after another; None: nested, or otherwise without a bound."""
    literals: tuple[str, ...] = ()
    """What every text that matches holds, each of them; nothing when nothing is known."""

    @property
    def literal(self) -> str:
        """The longest of these; empty when there is none."""
        return max(self.literals, key=len, default="")

    def steps(self, length: int) -> float:
        """Return how many steps a text of so many characters may take."""
        return float("inf") if self.repeats is None else float(length) ** (self.repeats + 1)


def shape(expression: str) -> Shape:
    """Return the shape of an expression, judged by its text; when in doubt, the worse one."""
    repeats = optional = 0
    depth_repeats = [0]
    """Of the groups that are open: repetitions and alternatives in them."""
    closed = 0
    literals, run, has_choice = [""], "", False
    for piece in _TOKEN.findall(expression):
        first = piece[0]
        is_repeat = first in "*+?" or (first == "{" and len(piece) > 1)
        literal = _literal(piece)
        if is_repeat:
            run = run[:-1]
        if literal is None or is_repeat or len(depth_repeats) > 1:
            literals.append(run)
            run = ""
        elif literal is not None:
            run += literal
        if first == "(":
            if piece != "(" and not _PLAIN_GROUP.fullmatch(piece):
                return Shape(None)
            depth_repeats.append(0)
        elif first == ")":
            closed = depth_repeats.pop() if len(depth_repeats) > 1 else 0
            depth_repeats[-1] += closed
            continue
        elif first == "|":
            depth_repeats[-1] += 1
            has_choice |= len(depth_repeats) == 1
        elif first == "\\" and piece[1:].isdigit():
            return Shape(None)
        elif is_repeat:
            if closed and first != "?":
                return Shape(None)
            depth_repeats[-1] += 1
            optional += first == "?"
            repeats += first != "?" and _is_long(piece)
        closed = 0
    literals.append(run)
    found = () if has_choice else tuple(filter(None, literals))
    return Shape(None if optional > _FEW_OPTIONAL else repeats, found)


def _literal(piece: str) -> str | None:
    if len(piece) == 2 and piece[0] == "\\" and not piece[1].isalnum():
        return piece[1]
    return piece if len(piece) == 1 and piece not in "\\.^$*+?{}[]()|" else None


def _is_long(repeat: str) -> bool:
    if repeat[0] in "*+":
        return True
    _, comma, most = repeat.rstrip("?+").strip("{}").partition(",")
    least = repeat.strip("{}?+").partition(",")[0]
    number = (most if comma else least) or ("" if comma else "0")
    return not number or len(number) > 3 or int(number) > _LONG_REPEAT


@dataclass(frozen=True, slots=True)
class Search:
    """A compiled expression."""

    found_in: Callable[[str], bool] | None = None
    """Whether it is found in a text; None: nothing was typed. Raises TooSlow."""
    expression: str = ""
    """What to mark in a text."""
    ignores_case: bool = True
    error: str = ""
    """Why it cannot be read."""


def search(typed: str) -> Search:
    """Return a regular expression as a person typed it; small letters alone ignore case. `/…/` may stand around it."""
    expression = typed[1:-1] if len(typed) > 2 and typed[0] == typed[-1] == "/" else typed
    if not expression:
        return Search()
    ignores_case = expression == expression.lower()
    if expression == re.escape(expression).replace("\\ ", " ").replace("\\-", "-"):
        # Plain words, by far the most common, need no expression machine.
        if ignores_case:
            return Search(lambda text: expression in text.lower(), expression)
        return Search(lambda text: expression in text, expression, False)
    import regex  # needs 10 ms, which no start should pay

    try:
        found_in = _machine(expression, ignores_case)
    except (re.error, regex.error, OverflowError, RecursionError, MemoryError) as error:
        return Search(error=f"not a regular expression: {error}")
    return Search(found_in, expression, ignores_case)


def _machine(expression: str, ignores_case: bool) -> Callable[[str], bool]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # half-typed sets: `[[`
        warnings.simplefilter("ignore", DeprecationWarning)
        find = re.compile(expression, re.IGNORECASE if ignores_case else 0).search
        bounded = shape(expression)
        careful = _Careful(expression, ignores_case, bounded.repeats is not None)
        find_lower = re.compile(expression).search if _SAFE_LOWERED.fullmatch(expression) else None
    if bounded.repeats is None:
        return careful.search
    at_once = _longest(bounded.repeats, _TIMED_STEPS)
    literal = bounded.literal

    def found_in(text: str) -> bool:
        if len(text) > at_once:
            return careful.search(text)
        return find(text) is not None

    def found_in_lowered(text: str) -> bool:
        if not text.isascii():
            return found_in(text)
        # Ignoring case costs the expression machine its search for the beginning: three times the time.
        text = text.lower()
        if literal not in text:
            return False
        if len(text) > at_once:
            return careful.search(text)
        return find_lower(text) is not None  # type: ignore[misc]

    if ignores_case:
        return found_in_lowered if find_lower is not None else found_in
    if literal:
        return lambda text: literal in text and found_in(text)
    return found_in


def _longest(repeats: int, steps: int) -> int:
    return int(steps ** (1 / (repeats + 1))) if repeats else 1 << 30


class _Careful:
    """Searches with a timeout for each text, and with an allowance for all of them together."""

    def __init__(self, expression: str, ignores_case: bool, is_bounded: bool) -> None:
        import regex

        flags = regex.IGNORECASE if ignores_case else 0
        self._timed = regex.compile(expression, flags | regex.VERSION0).search
        self._plain = re.compile(expression, re.IGNORECASE if ignores_case else 0).search if is_bounded else None
        bounded = shape(expression)
        is_short = bounded.repeats is not None and bounded.repeats < 2
        self._longest_plain = _longest(bounded.repeats or 0, _MOST_STEPS) if is_short else 0
        self._purse_s = _PURSE_S
        self._paid_at = time.monotonic()

    def search(self, text: str) -> bool:
        """Tell whether the expression is in the text.

        Raises:
            TooSlow: this text, or all of late, took too long.
        """
        # Of this thread's own: what waits while others work is not slow.
        began, now = time.thread_time(), time.monotonic()
        self._purse_s = min(_PURSE_S, self._purse_s + _EARNED * (now - self._paid_at))
        self._paid_at = now
        if self._purse_s < 0:
            raise TooSlow
        try:
            if self._plain is not None and len(text) <= self._longest_plain:
                return self._plain(text) is not None
            return self._timed(text, timeout=TIMEOUT_S, concurrent=False) is not None
        except (TimeoutError, MemoryError) as error:
            raise TooSlow from error
        finally:
            if (took := time.thread_time() - began) > 0.001:
                self._purse_s -= took
