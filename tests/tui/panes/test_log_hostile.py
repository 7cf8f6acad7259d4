"""No bytes of a log reach the terminal as a control sequence, with the programs' colours shown and without."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from textual.app import App, ComposeResult

from tui.panes import log_lines
from tui.sources.logs.line import LogLine
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from widgets.log_store import LogLine as ShownLine
from widgets.log_view import LogView

OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[[0-9]+;[0-9]+H|\n")
"""How pieces look, and where a line begins."""
EVIL = st.sampled_from(
    [b"\x1b[31m", b"\x1b[8m", b"\x1b[5;41m", b"\x1b[38;2;0;0;0m", b"\x1b[38;5;15m", b"\x1b]0;owned\x07", b"\x1b[2J",
     b"\x1b[6n", b"\x9b31m", b"\xc2\x9b2J", b"\x1bP+q\x1b\\", b"\x0e", b"\x08", b"\r", b"\x00", b"\xff\xfe",
     b"\xed\xa0\x80", "\u202e\u200b\ufeff\U000e0041".encode(), "漢é".encode(), b"[red]x[/red]", b"[/foo]", b"\n",
     b"ERROR x", b'{"msg":"\\u001b[2J"}', b"2026-11-22T08:11:24Z ", b"\x1b[K", b"\x1b["]
)  # fmt: skip
BYTES = st.lists(EVIL | st.binary(max_size=6), max_size=14).map(b"".join)


class Logs(App[None]):
    """A view as the Logs tab has it, labels and colours included."""

    in_colour = True

    def compose(self) -> ComposeResult:
        yield LogView(look=self._look)

    def _look(self, line: LogLine) -> ShownLine:
        return log_lines.shown_line(line, "accent", by_origin=False, in_colour=self.in_colour)


def drawn(app: Logs) -> str:
    """Return what the compositor would write to the terminal for the whole screen."""
    update: Any = app.screen._compositor.render_update(full=True)
    console = Console(file=StringIO(), width=80, height=24, force_terminal=True, color_system="truecolor")
    return str(update.render_segments(console))


def put(app: Logs, content: bytes) -> list[LogLine]:
    view, splitter = app.query_one(LogView), LineSplitter()
    texts = splitter.feed(content) + splitter.flush()
    lines = LineParser("app", "app.log").parse_all(texts, 1.0)
    view.clear()
    view.extend(lines)
    view._flush()
    return lines


@pytest.mark.parametrize("in_colour", [True, False])
@pytest.mark.parametrize("wraps", [True, False])
async def test_nothing_but_our_own_sequences_is_drawn(in_colour: bool, wraps: bool) -> None:
    app = Logs()
    app.in_colour = in_colour
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        if wraps:
            app.query_one(LogView).action_wrap()

        @settings(max_examples=120, deadline=None)
        @given(BYTES)
        @example(b"\x1b[31mred\x1b[0m \x1b]0;x\x07")
        def check(content: bytes) -> None:
            put(app, content)
            rest = OURS.sub("", drawn(app))
            assert rest.isprintable(), f"{rest!r}"
            styles = [piece.style for y in range(24) for piece in app.query_one(LogView)._line(y)]
            assert not any(style.conceal or style.blink or style.blink2 for style in styles)

        check()


def foregrounds(text: str) -> Callable[[str], bool]:
    def has(code: str) -> bool:
        return re.search(rf"\x1b\[(?:\d+;)*{code}(?:;\d+)*m", text) is not None

    return has


async def test_colours_are_shown_or_not_and_always_the_terminals_own() -> None:
    app = Logs(ansi_color=True)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = "ansi-dark"
        await pilot.pause()
        content = b"\x1b[35mmagenta\x1b[0m \x1b[38;2;0;200;0mgreen\x1b[0m \x1b[30;47mblack\x1b[0m"
        put(app, content)
        shown = drawn(app)
        has = foregrounds(shown)
        assert has("35")
        assert has("32")
        assert not has("30"), "black letters are the background of most terminals"
        assert "38;2" not in shown
        app.in_colour = False
        put(app, content)
        has = foregrounds(drawn(app))
        assert not has("35")
        assert not has("32")


async def test_a_fold_and_a_match_keep_the_colours_in_their_places() -> None:
    app = Logs()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        view = app.query_one(LogView)
        view.joins = log_lines.joins
        put(app, b"INFO \x1b[35mpurple\x1b[0m\nINFO \x1b[35mpurple\x1b[0m\n")
        view.highlight = re.compile("rpl")
        pieces = [(piece.text, piece.style.color and piece.style.color.number) for piece in view._line(0)]
        assert [text for text, colour in pieces if colour == 5] == ["pu", "rpl", "e"]
        assert "".join(text for text, _ in pieces).rstrip().endswith("(+1) INFO purple")
