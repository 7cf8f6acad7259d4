"""Comparisons of numbers, told from bytes: where a line may hold a number that passes, without parsing it. Pure.

What is found is more than passes. What is not found certainly does not: the field's name is not there, or a plain
number stands behind it that fails the comparison. Everything written otherwise (signs, exponents, units) is found.
"""

import re
from math import ceil, floor
from typing import Final

_MOST: Final = 1e9
"""Limits up to here and six digits of a fraction stay what they are as floating-point numbers."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_@][\w@\-/]*", re.ASCII)
_ACCESS: Final = {"status": rb'\] "(?:[^"\\\n]|\\.)*" ', "bytes": rb'\] "(?:[^"\\\n]|\\.)*" \d\d\d '}
"""What stands before the numbers of an access line, which does not name them."""


def numbers_found(name: str, sign: str, limit: float) -> bytes | None:
    """Return an expression found in every line whose field may pass a comparison with a number; None: in any line."""
    if _PLAIN_NAME.fullmatch(name) is None or not 0 <= limit < _MOST or not (fails := _failing(sign, limit)):
        return None
    # A number within quotes may have a unit behind it.
    fails = rb'(?!(?:%b)(?![^\s,}\]"])|"(?:%b)")' % (fails, fails)
    found = rb'%b(?:=|"\s*:\s*+)%b' % (re.escape(name.encode()), fails)
    return rb"%b|%b%b" % (found, before, fails) if (before := _ACCESS.get(name)) is not None else found


def _failing(sign: str, limit: float) -> bytes:
    """Return an expression of plain numbers that fail; empty where none does."""
    least, is_whole = floor(limit), limit == floor(limit)
    below, above = _below(least), _from(least + 1) + rb"(?:\.\d+)?"
    below = below + rb"(?:\.\d{1,6})?" if below else b""
    match sign:
        case ">":
            parts = [below, b"%d" % least]
        case ">=":
            parts = [below, b"" if is_whole else b"%d" % least]
        case "<":
            parts = [_from(ceil(limit)) + rb"(?:\.\d+)?"]
        case "<=":
            parts = [above]
        case _:
            parts = [below, above]
    return b"|".join(filter(None, parts))


def _below(number: int) -> bytes:
    """Return an expression of the whole numbers below one; empty where there is none."""
    digits = str(number)
    found = [rb"\d{1,%d}" % (len(digits) - 1)] if len(digits) > 1 else []
    for at, digit in enumerate(digits):
        if digit > "0":
            found.append(rb"%b[0-%d]\d{%d}" % (digits[:at].encode(), int(digit) - 1, len(digits) - 1 - at))
    return rb"0*(?:%b)" % b"|".join(found) if found else b""


def _from(number: int) -> bytes:
    """Return an expression of the whole numbers from one on."""
    if not number:
        return rb"\d+"
    digits = str(number)
    found = [rb"[1-9]\d{%d,}" % len(digits), digits.encode()]
    for at, digit in enumerate(digits):
        if digit < "9":
            found.append(rb"%b[%d-9]\d{%d}" % (digits[:at].encode(), int(digit) + 1, len(digits) - 1 - at))
    return rb"0*(?:%b)" % b"|".join(found)
