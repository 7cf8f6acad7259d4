"""Others' text that tries to be markup or to command the terminal is shown as text, in every tab."""

import re

import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 40.0
OURS = re.compile(rb"\x1b\](?:52;c;[A-Za-z0-9+/=]*|22;[a-z-]*)(?:\x07|\x1b\\)")
"""The commands of this kind that opstui means: the clipboard, and Textual's shape of the mouse pointer."""


def filtered(screen: Terminal, text: str, row: str) -> None:
    """Filter the visible list by a text and wait for a row."""
    screen.press("/")
    screen.press(text, "enter")
    screen.wait(row, BUSY_MACHINE_S)


def opened_and_copied(screen: Terminal, title: str, key: str = "enter") -> None:
    """Open the selected row's page, see the hostile text in full, copy it, and copy the row too."""
    screen.press(key)
    screen.wait(rf"(?s)│ {title}.*\[/red\]", BUSY_MACHINE_S)
    screen.press("c")
    close(screen)
    screen.press("c")
    screen.wait("copied", BUSY_MACHINE_S)


def close(screen: Terminal) -> None:
    """Close the open dialog."""
    screen.press("esc")
    screen.wait(lambda text: "│" not in text, BUSY_MACHINE_S)


def test_hostile_text_is_text_in_every_tab(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    sandbox.scenario("hostile")
    screen = open_opstui(size=(160, 40))
    services(screen)
    pods_and_events(screen)
    sessions(screen)
    slow_log(screen)
    log_lines(screen)
    screen.press("a")
    screen.wait("│ Alerts", BUSY_MACHINE_S)
    close(screen)
    screen.press("q")
    assert screen.wait_end(BUSY_MACHINE_S) == 0
    raw = screen.raw
    commands = {at.group() for at in OURS.finditer(raw)}
    written = OURS.sub(b"", raw)
    assert len(commands) >= 4, "what was copied reached the clipboard"
    for forbidden in (b"\x1b]", b"\x07", b"\x1b[2J", "\u202e".encode(), "\u200b".encode()):
        assert forbidden not in written


def services(screen: Terminal) -> None:
    screen.wait(r"gateway +ok", BUSY_MACHINE_S)
    screen.wait(r"api +DOWN.*\[/red\]", BUSY_MACHINE_S)
    filtered(screen, "[", r"(?m)^> api +DOWN")
    screen.wait(lambda text: "gateway" not in text)
    opened_and_copied(screen, "Service api")


def pods_and_events(screen: Terminal) -> None:
    screen.press("2")
    screen.wait(r"shop +migrate-118", BUSY_MACHINE_S)
    filtered(screen, "[", r"(?m)^> shop +hostile +0/1 +hostile \[/red\]")
    screen.wait(lambda text: "migrate-118" not in text)
    opened_and_copied(screen, "Pod shop/hostile", "d")
    screen.press("tab", "tab")
    screen.wait(r"Evicted .*\[/red\]", BUSY_MACHINE_S)


def sessions(screen: Terminal) -> None:
    screen.press("3")
    screen.wait(" accepting", BUSY_MACHINE_S)
    filtered(screen, "[/", r"(?m)^> .*hostile-\[/re")
    opened_and_copied(screen, ".*")


def slow_log(screen: Terminal) -> None:
    screen.press("4")
    screen.wait("COMMAND", BUSY_MACHINE_S)
    screen.press("tab", "tab")
    screen.wait("TOOK", BUSY_MACHINE_S)
    filtered(screen, "hostile:", r"(?m)^> .*hostile:")
    opened_and_copied(screen, "Slow log")


def log_lines(screen: Terminal) -> None:
    screen.press("5")
    screen.wait(r"hostile \[/red\]", BUSY_MACHINE_S)
    screen.press("/")
    screen.press("[")
    screen.wait("not a regular expression", BUSY_MACHINE_S)
    screen.press("backspace")
    screen.wait(lambda text: "not a regular expression" not in text, BUSY_MACHINE_S)
    screen.press(r"\[/red", "enter")
    screen.wait(lambda text: "hostile [/red]" in text and "latency_ms" not in text, BUSY_MACHINE_S)
    opened_and_copied(screen, "Log line")
