"""SPDY/3.1 as far as `kubectl port-forward` speaks it: streams, header blocks, data, ping and farewell.

kubectl carries these frames inside WebSocket messages, cut anywhere. Flow control is left out: its own side has none.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

_CONTROL, _VERSION = 0x8000, 3
_FIN = 0x01
_CANCEL = 5
_MOST_BYTES = 1 << 20
"""A frame that says it is longer is none of kubectl's."""

_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 "
    "Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept "
    "Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _named(*words: str) -> bytes:
    return b"".join(struct.pack("!I", len(word)) + word.encode() for word in words)


DICTIONARY = (
    _named(*_NAMES.split(), "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
    + _REST.encode()
)
"""What both sides' compressors know beforehand; the protocol lays down every byte."""


class Frame(IntEnum):
    """The control frames that are spoken here, by their type."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    PING = 6
    GOAWAY = 7


class SpdyError(Exception):
    """What came is not SPDY/3.1."""


@dataclass(frozen=True)
class Opened:
    """The other side opened a stream."""

    stream: int
    headers: Mapping[str, str]
    is_last: bool
    """Whether it will send nothing on it."""


@dataclass(frozen=True)
class Data:
    """Bytes of a stream."""

    stream: int
    content: bytes
    is_last: bool
    """Whether the other side has closed its half."""


@dataclass(frozen=True)
class Reset:
    """The other side gave a stream up."""

    stream: int


Event = Opened | Data | Reset


class Session:
    """The server's side of one session, without any input or output of its own.

    `feed` takes what came and gives events; whatever is to be sent is collected in `outgoing`.
    """

    def __init__(self) -> None:
        self.outgoing = bytearray()
        """Bytes to be sent; the owner takes them away."""
        self._incoming = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, content: bytes) -> Iterator[Event]:
        """Yield what these bytes, after those that came before, complete.

        Raises:
            SpdyError: they are no frames of SPDY/3.1.
        """
        self._incoming += content
        while len(self._incoming) >= 8:
            first, second = struct.unpack_from("!II", self._incoming)
            size = second & 0xFFFFFF
            if size > _MOST_BYTES:
                raise SpdyError(f"a frame of {size} bytes")
            if len(self._incoming) < 8 + size:
                return
            payload = bytes(self._incoming[8 : 8 + size])
            del self._incoming[: 8 + size]
            if first >> 31:
                if (first >> 16) & 0x7FFF != _VERSION:
                    raise SpdyError(f"version {(first >> 16) & 0x7FFF}")
                yield from self._control(first & 0xFFFF, second >> 24, payload)
            else:
                yield Data(first, payload, bool((second >> 24) & _FIN))

    def _control(self, kind: int, flags: int, payload: bytes) -> Iterator[Event]:
        try:
            match kind:
                case Frame.SYN_STREAM:
                    (stream,) = struct.unpack_from("!I", payload)
                    yield Opened(stream & 0x7FFFFFFF, self._headers(payload[10:]), bool(flags & _FIN))
                case Frame.RST_STREAM:
                    (stream,) = struct.unpack_from("!I", payload)
                    yield Reset(stream & 0x7FFFFFFF)
                case Frame.PING:
                    self._send_control(Frame.PING, payload)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(str(error)) from error

    def _headers(self, block: bytes) -> dict[str, str]:
        raw = self._inflate.decompress(block)
        words, at = [], 4
        (count,) = struct.unpack_from("!I", raw)
        for _ in range(2 * count):
            (size,) = struct.unpack_from("!I", raw, at)
            words.append(raw[at + 4 : at + 4 + size].decode())
            at += 4 + size
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=True)}

    def accept(self, stream: int) -> None:
        """Agree to a stream that the other side opened."""
        block = self._deflate.compress(struct.pack("!I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._send_control(Frame.SYN_REPLY, struct.pack("!I", stream) + block)

    def send(self, stream: int, content: bytes, *, is_last: bool = False) -> None:
        """Send bytes of a stream; `is_last` closes our half."""
        self.outgoing += struct.pack("!II", stream, (_FIN * is_last) << 24 | len(content)) + content

    def reset(self, stream: int) -> None:
        """Give a stream up."""
        self._send_control(Frame.RST_STREAM, struct.pack("!II", stream, _CANCEL))

    def leave(self) -> None:
        """Say that no further stream is accepted."""
        self._send_control(Frame.GOAWAY, struct.pack("!II", 0, 0))

    def _send_control(self, kind: int, payload: bytes) -> None:
        self.outgoing += struct.pack("!HHI", _CONTROL | _VERSION, kind, len(payload)) + payload
