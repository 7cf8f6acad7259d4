"""SPDY/3.1 frames: read whole however they are cut, and never trusted."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sandbox.cluster.spdy import DICTIONARY, Data, Event, Opened, Session, SpdyError


def opening(stream: int, headers: dict[str, str]) -> bytes:
    words = [word.encode() for pair in headers.items() for word in pair]
    block = struct.pack("!I", len(headers)) + b"".join(struct.pack("!I", len(w)) + w for w in words)
    deflate = zlib.compressobj(zdict=DICTIONARY)
    packed = deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return struct.pack("!HHIIIH", 0x8003, 1, len(packed) + 10, stream, 0, 0) + packed


def test_the_dictionary_is_the_one_of_the_protocol() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


@given(
    headers=st.dictionaries(st.text("abcdef-", min_size=1, max_size=6), st.text(max_size=9), max_size=4),
    content=st.binary(max_size=50),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_frames_are_read_whole_wherever_they_are_cut(headers: dict[str, str], content: bytes, cuts: list[int]) -> None:
    raw = opening(1, headers) + struct.pack("!II", 1, 1 << 24 | len(content)) + content
    session, last = Session(), 0
    events: list[Event] = []
    for cut in [*sorted(cuts), len(raw)]:
        events += session.feed(raw[last:cut])
        last = max(last, min(cut, len(raw)))
    assert events == [Opened(1, headers, False), Data(1, content, True)]


@given(st.binary(max_size=300))
def test_anything_else_is_refused_or_waited_for(content: bytes) -> None:
    with suppress(SpdyError):
        list(Session().feed(content))


def test_a_frame_too_long_to_be_kubectls_is_refused() -> None:
    with pytest.raises(SpdyError):
        list(Session().feed(struct.pack("!II", 1, 0xFFFFFF)))
