"""A number that passes is always found in a line's bytes, however it is written there."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.sources.logs.fields import number
from tui.sources.logs.number_bytes import numbers_found
from tui.sources.logs.parse import LineParser
from tui.sources.logs.query import query
from tui.sources.text import clean

NOW = 1_795_335_084.0
SIGNS = (">", ">=", "<", "<=", "=", "==")
_WHOLE = st.integers(0, 1200).map(str) | st.integers(0, 10**20).map(str) | st.sampled_from(["0", "007", "00", "900"])
_VALUES = st.one_of(
    _WHOLE,
    st.tuples(_WHOLE, st.sampled_from(["", "0", "5", "000001", "9999999", "9" * 20, "49"])).map(".".join),
    st.tuples(
        _WHOLE, st.sampled_from(["ms", " ms", "s", "m", "%", "e2", "E-1", "_0", "x", ",5", "}", "]", "\u00e9"])
    ).map("".join),
    st.sampled_from(
        ["-5", "+900", "nan", "inf", "-inf", "true", "null", "", "{}", "[900]", "\u0669", "1_000", "0x384"]
    ),
)
FORMS = (
    "took_ms={}", "x took_ms={} y=1", 'took_ms="{}"', "x,took_ms={},b", "xtook_ms=1 took_ms={}", "took_ms= {}",
    '{{"took_ms":{}}}', '{{"took_ms" : "{}"}}', '{{"a":{{"took_ms":1}},"took_ms":{},"b":2}}', "took_ms\t=\t{}",
    '{{"took_ms":1,"took_ms":{}}}', '{{"took_ms": " {} "}}', "took_ms=1 took_ms={}", "took_ms={}\x00", "took_ms={}\r",
    '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /x HTTP/1.1" {} 7', "took_ms='{}'", "(took_ms={})",
    '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /x HTTP/1.1" 200 {}', '{{"status":"{}","bytes":{}}}', "status={}",
)  # fmt: skip
LIMITS = (
    "898",
    "0",
    "5",
    "10",
    "100",
    "898.5",
    "1s",
    "5s",
    "1e2",
    "99.999999",
    "999999999",
    "500",
    "0.5",
    "-1",
    "1e12",
)


@given(
    st.sampled_from(FORMS),
    _VALUES,
    st.sampled_from(["took_ms", "status", "bytes"]),
    st.sampled_from(SIGNS),
    st.sampled_from(LIMITS),
)
@example(FORMS[0], "898.9999999999999999999", "took_ms", ">=", "899")
@example('{{"took_ms":"{}"}}', "2000 ms", "took_ms", "<", "5s")
def test_what_passes_is_found(form: str, value: str, name: str, sign: str, limit: str) -> None:
    text = form.replace("{}", value).replace("{{", "{").replace("}}", "}")
    test, meant = query(f"{name} {sign} {limit}", NOW).test, number(limit)
    assert test is not None
    assert meant is not None
    pattern = numbers_found(name, sign, meant)
    line = LineParser("app", "app.log").parse(text.rstrip("\r"), NOW)
    if pattern is not None and test(line):
        assert re.search(pattern, text.encode()), clean(text)


@given(st.integers(0, 2_000), st.integers(0, 2_000), st.sampled_from(SIGNS))
def test_a_plain_number_that_fails_is_not_found(value: int, limit: int, sign: str) -> None:
    test, pattern = query(f"took_ms {sign} {limit}", NOW).test, numbers_found("took_ms", sign, float(limit))
    assert test is not None
    for text in (f"x took_ms={value} y", f'{{"took_ms":{value}}}', f'{{"a":1,"took_ms": "{value}", "b":2}}'):
        passes = test(LineParser("app", "app.log").parse(text, NOW))
        assert passes is (pattern is None or re.search(pattern, text.encode()) is not None)


@pytest.mark.parametrize("name", ["$4", "user.id", "na\u00efve", "a b"])
def test_a_field_that_a_line_may_hold_without_its_name_is_looked_for_in_every_line(name: str) -> None:
    assert numbers_found(name, ">", 5.0) is None
