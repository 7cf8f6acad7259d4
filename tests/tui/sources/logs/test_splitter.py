"""Bytes in pieces of any size → whole lines."""

from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.splitter import MAX_LINE_BYTES, LineSplitter


def split(*pieces: bytes) -> list[str]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.flush()


@given(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=40), st.integers(1, 5))
def test_lines_do_not_depend_on_where_the_pieces_end(text: str, size: int) -> None:
    data = f"{text}\nzwei ü\n\n€".encode()
    assert split(*(data[i : i + size] for i in range(0, len(data), size))) == split(data)


def test_an_unfinished_line_waits_for_its_end() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == ["one"]
    assert splitter.has_partial
    assert splitter.feed(b"o\r\n") == ["two"]


def test_invalid_utf8_does_not_lose_the_line() -> None:
    assert split(b"a\xff\xfeb\n") == ["a��b"]


def test_a_line_without_end_is_cut_and_its_rest_skipped() -> None:
    cut, after = split(b"x" * (MAX_LINE_BYTES + 1), b"y" * MAX_LINE_BYTES, b"yy\nafter\n")
    assert cut == "x" * MAX_LINE_BYTES + " … (line cut)"
    assert after == "after"


@given(st.lists(st.tuples(st.binary(max_size=12).map(lambda b: b.replace(b"x", b"\n")), st.booleans()), max_size=12))
def test_what_is_lost_and_what_is_given_add_up_to_every_line(pieces: list[tuple[bytes, bool]]) -> None:
    splitter = LineSplitter()
    counted = sum(splitter.lose(data) if is_lost else len(splitter.feed(data)) for data, is_lost in pieces)
    counted += len(splitter.flush())
    everything = b"".join(data for data, _ in pieces)
    assert counted == everything.count(b"\n") + (not everything.endswith(b"\n") and everything != b"")
