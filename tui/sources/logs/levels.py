"""The words, letters and numbers that lines of logs call their level by. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tui.sources.logs.line import Severity

_NONE, _DEBUG, _INFO, _WARN, _ERROR = Severity

_WORDS: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(("trace", "debug", "verbose", "fine", "finer", "finest", "dbg", "trc", "debug1", "debug2", "debug3",
                     "debug4", "debug5"), _DEBUG),
    **dict.fromkeys(("info", "information", "informational", "notice", "log", "statement", "detail", "hint", "context",
                     "config", "inf", "informativo", "ok", "audit"), _INFO),
    **dict.fromkeys(("warn", "warning", "wrn"), _WARN),
    **dict.fromkeys(("error", "err", "severe", "fatal", "critical", "crit", "panic", "alert", "emerg", "emergency",
                     "eror", "ftl", "dpanic", "exception"), _ERROR),
}  # fmt: skip
USUAL: Final[Mapping[str, Severity]] = {"INFO ": _INFO, "DEBUG": _DEBUG, "WARN ": _WARN, "ERROR": _ERROR}
"""How most programs that pad it write a level."""
USUAL_LENGTH: Final = 5
LETTERS: Final[Mapping[str, Severity]] = {
    **dict.fromkeys("TDV", _DEBUG),
    **dict.fromkeys("IN", _INFO),
    "W": _WARN,
    **dict.fromkeys("EFC", _ERROR),
}
_UPPER: Final = re.compile(
    r"\b(TRACE|DEBUG[1-5]?|VERBOSE|INFO|NOTICE|LOG|STATEMENT|DETAIL|HINT|WARN(?:ING)?|ERR(?:OR)?|SEVERE|FATAL|CRIT(?:ICAL)?"
    r"|PANIC|ALERT|EMERG)\b"
)
_LOWER: Final = re.compile(
    r"(?:^|[\[<(|\s]|\[\w+:)(trace|debug|info|notice|warn(?:ing)?|err(?:or)?|fatal|crit(?:ical)?|panic|alert|emerg)(?:[\]>)|:]|\s-)",
    re.IGNORECASE,
)
HEAD: Final = 160
"""Level words are looked for in this many first characters only: later ones belong to the message."""


def severity(value: Any) -> Severity:
    """Return the level that a JSON value means: a word, or a number as loggers or syslog count; else NONE."""
    if isinstance(value, str):
        return severity_word(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # pino and bunyan 10…60; Python's 10…50; Monolog's 100…600; Logback's 5000…40000; syslog 0…7
        if value >= 1000:
            value //= 100
        if value >= 100:
            return _ERROR if value >= 400 else _WARN if value >= 300 else _INFO if value >= 200 else _DEBUG
        if value >= 10:
            return _ERROR if value >= 50 else _WARN if value >= 40 else _INFO if value >= 30 else _DEBUG
        return _ERROR if 0 <= value <= 3 else _WARN if value == 4 else _INFO if 0 <= value <= 6 else _NONE
    return _NONE


def severity_word(word: str) -> Severity:
    """Return the level that a word or a letter names; NONE when it names none."""
    if (known := _WORDS.get(word)) is not None:
        return known
    if len(word) == 1:
        return LETTERS.get(word.upper(), _NONE)
    return _WORDS.get(word.strip().lower(), _NONE)


def level_word(text: str) -> Severity:
    """Return the level that the beginning of a text names somewhere; NONE when it names none."""
    if (usual := USUAL.get(text.lstrip()[:5])) is not None:
        return usual
    if found := _UPPER.search(text, 0, HEAD):
        return _WORDS[found[1].lower()]
    if found := _LOWER.search(text, 0, HEAD):
        return _WORDS[found[1].lower()]
    return _NONE
