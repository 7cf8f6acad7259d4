"""One container's log through any number of connections that end anywhere: every line once, or a gap."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from tests.tui.sources.logs.test_splitter import split
from tui.sources.logs.container import ContainerLog
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.text import clean

BEGIN = 1_795_701_600_000
"""Milliseconds since 1970."""


def written(late: list[tuple[int, int, str]]) -> list[tuple[int, str]]:
    """Return time in ms and text of lines: each so much after the one before, and stamped so much too early."""
    lines, at = [], BEGIN
    for pause, early, text in late:
        at += pause
        lines.append((at - early, text))
    return lines


def held(lines: list[tuple[int, str]], log: ContainerLog) -> bytes:
    """Return what a kubelet sends of them."""
    since = log.since.timestamp() * 1000 if log.since is not None else 0
    return b"".join(
        f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z ={text}\n".encode()
        for at, text in lines
        if at >= since
    )


class Reader:
    """Reads connection after connection, as the followers do."""

    def __init__(self) -> None:
        self.log = ContainerLog("app", "pod/app")
        self.found: list[str] = []

    def read(self, data: bytes, size: int, *, is_cut: bool) -> None:
        splitter = LineSplitter()
        self.log.reconnect()
        for start in range(0, len(data), size):
            self._take(splitter.feed(data[start : start + size]))
        self.found += self.log.ends_with("".join(splitter.flush()), is_cut=is_cut)

    def _take(self, lines: list[str]) -> None:
        began, _ = self.log.begins(lines)
        if began is not None and not self.log.is_joined:
            self.found.append("gap")
            self.log.is_joined = True
        self.found += self.log.fresh(lines)


LINES = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 800), st.sampled_from("ab")), min_size=1, max_size=25)
CUTS = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 60), st.integers(1, 90), st.booleans()), max_size=6)


@given(LINES, CUTS)
@example([(0, 0, "a")] * 5, [(3, 10, 7, True), (3, 10, 7, False)])
def test_connections_that_end_anywhere_lose_no_line_and_bring_none_twice(
    late: list[tuple[int, int, str]], cuts: list[tuple[int, int, int, bool]]
) -> None:
    lines, reader = written(late), Reader()
    for more, less, size, is_torn in sorted(cuts):
        data = held(lines[:more], reader.log)
        # Torn twice in the same place, a line is taken for last words without an end.
        reader.read(data[: max(0, len(data) - less)], size, is_cut=not is_torn or bool(reader.log.unfinished))
    reader.read(held(lines, reader.log), 64, is_cut=False)
    assert reader.found == [f"={text}" for _, text in lines]


@given(LINES, st.integers(1, 25), st.integers(0, 25))
def test_lines_that_were_rotated_away_between_two_connections_are_a_gap(
    late: list[tuple[int, int, str]], seen: int, rotated: int
) -> None:
    lines, reader = written([(pause, 0, text) for pause, _, text in late]), Reader()
    reader.read(held(lines[:seen], reader.log), 64, is_cut=True)
    reader.read(held(lines[rotated:], reader.log), 64, is_cut=False)
    texts = [f"={text}" for _, text in lines]
    is_whole = rotated < seen
    if is_whole:
        assert reader.found == texts
    else:
        assert reader.found == texts[:seen] + ["gap"] * (rotated < len(lines)) + texts[max(seen, rotated) :]


@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_no_bytes_make_it_raise_or_become_a_control_character(pieces: list[bytes], is_cut: bool) -> None:
    log = ContainerLog("app", "pod/\x1b]0;x\x07")
    assert log.origin == clean(log.origin)
    for start in range(2):
        reader, splitter = LineParser("app", log.origin, UTC), LineSplitter()
        log.reconnect()
        for piece in pieces[start:]:
            log.let_go(piece) if is_cut and not start else None
            lines = splitter.feed(piece)
            log.begins(lines)
            for found in reader.parse_all(log.fresh(lines), BEGIN / 1000):
                assert found.raw == clean(found.raw)
                assert found.text == clean(found.text)
        log.ends_with("".join(splitter.flush()), is_cut=is_cut)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_what_a_container_says_without_times_is_said_once(pieces: list[bytes]) -> None:
    lines = [f"~{line}" for line in split(*pieces)]
    log, found = ContainerLog("app", "pod/app"), list[str]()
    for _ in range(3):
        log.reconnect()
        found += log.fresh(lines)
    assert found == lines
