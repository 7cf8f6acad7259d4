"""Every size, few colours or none, a resize at any moment, and a cat on the keyboard."""

import json
import random
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal, opstui

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 40.0
DATA = {
    "1": "gateway",
    "2": "Pods",
    "3": "accepting",
    "4": "Valkey",
    "5": "following",
    "6": "cpu",
    "7": "entries since",
    "8": "CHECKLIST OR RUNBOOK",
}
"""What every tab shows once it has data, where there is room."""
ATTENDING = {"ack", "silence", "unsilence"}
SIXTEEN = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}
SGR = re.compile(rb"\x1b\[([\d;]*)m")


def is_in_place(text: str, columns: int, rows: int) -> bool:
    """Return whether status, tabs and keys are in their rows, and nothing runs over the edge."""
    lines = text.split("\n")
    return (
        len(lines) == rows
        and all(len(line) <= columns for line in lines)
        and lines[0].startswith(" STAGING ")
        and lines[1].startswith(" 1 Services")
        and "? Keys" in lines[-1]
    )


@pytest.mark.parametrize("size", [(80, 24), (250, 60), (20, 5)])
def test_status_tabs_and_keys_are_in_their_places(staging: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    command = opstui("--profile", str(staging))
    with Terminal(command, size=size, margin=20, env={"XDG_STATE_HOME": str(tmp_path)}) as screen:
        for tab, data in DATA.items():
            screen.wait(" 1 Services", BUSY_MACHINE_S)
            screen.press(tab)
            if size[0] >= 80:
                screen.wait(data, BUSY_MACHINE_S)
            screen.wait(lambda text: is_in_place(text, *size), BUSY_MACHINE_S)
        screen.press("?")
        screen.wait(r"^.{0,80}│", BUSY_MACHINE_S)
        assert all(len(line) <= size[0] for line in screen.lines())
        screen.press("ctrl+g")
        screen.wait(lambda text: is_in_place(text, *size), BUSY_MACHINE_S)


def test_thirty_resizes_leave_a_whole_screen(open_opstui: Open) -> None:
    screen = open_opstui()
    screen.wait(r"gateway +ok", BUSY_MACHINE_S)
    chance = random.Random(5)
    for number in range(30):
        screen.resize(chance.randint(1, 250), chance.randint(1, 60))
        screen.press(chance.choice("1234567"))
        if number % 6 == 0:
            written = len(screen.raw)
            screen.wait(lambda _, written=written: len(screen.raw) > written, BUSY_MACHINE_S)  # type: ignore[misc]
    screen.resize(100, 30)
    screen.press("1")
    screen.wait(lambda text: is_in_place(text, 100, 30) and "gateway " in text, BUSY_MACHINE_S)


@pytest.mark.parametrize(
    ("env", "allowed"),
    [
        ({"NO_COLOR": "1"}, set()),
        ({"TERM": "xterm"}, SIXTEEN),
        ({"TERM": "screen"}, SIXTEEN),
    ],
    ids=["no colours", "xterm", "screen"],
)
def test_only_colours_that_the_terminal_has(open_opstui: Open, env: dict[str, str], allowed: set[int]) -> None:
    screen = open_opstui(**env)
    for tab, data in DATA.items():
        screen.wait("1 Services", BUSY_MACHINE_S)
        screen.press(tab)
        screen.wait(data, BUSY_MACHINE_S)
    screen.press("W", ":")
    screen.wait("Search", BUSY_MACHINE_S)
    screen.press("ctrl+g")
    written = {int(number) for at in SGR.finditer(screen.raw) for number in at[1].split(b";") if number}
    styles = {*range(30), 39, 49}
    assert written <= allowed | styles
    assert 7 in written, "what matters is reversed, so it is seen without colour"


@pytest.fixture
def cat(staging: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A read-only opstui that asks before it leaves, in a folder of its own for what it saves."""
    profile = {**json.loads(staging.read_text()), "environment": "prod"}
    staging.write_text(json.dumps(profile))
    (tmp_path / "folder").mkdir()
    command = opstui("--profile", str(staging), "--read-only")
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    with Terminal(command, size=(120, 35), env=env, folder=tmp_path / "folder") as screen:
        yield screen


def test_a_cat_on_the_keyboard_changes_nothing(cat: Terminal, tmp_path: Path) -> None:
    cat.wait(r"gateway +ok", BUSY_MACHINE_S)
    chance = random.Random(7)
    # Without what would confirm leaving, by key or from the palette.
    plain = [key for key in string.digits + string.ascii_letters + string.punctuation + " " if key not in "y:"]
    control = [*"\t\r\x03\x07\x08\x0c\x12\x15", *(f"\x1b[{end}" for end in "ABCDFHZ")]
    control += ["\x1b[3~", "\x1b[5~", "\x1b[6~", "\x1b[15~", "\x1bOP", "\x1b[200~paste\x1b[201~"]
    began = time.monotonic()
    for burst in range(50):
        keys = [chance.choice(plain if chance.random() < 0.7 else control) for _ in range(10)]
        if burst % 5 == 4:  # out of dialogs and fields, to another tab
            keys += ["\x07", "\x07", "\x07", str(burst // 5 % 7 + 1)]
        cat.press("".join(keys))
    while not re.search(r"(?s)\A ?!! PROD !!.*Valkey", text := cat.text()) or "│" in text:
        assert cat.process.poll() is None
        assert time.monotonic() - began < BUSY_MACHINE_S, f"no way out of\n{text}"
        if "wait: keys do not count yet" not in text:  # until nobody has pressed any for half a second
            cat.press("ctrl+g", "4")
    (file,) = (tmp_path / "state").rglob("staging-e2e.jsonl")
    whats = {json.loads(line)["what"] for line in file.read_text().splitlines()}
    assert whats <= {"refused", "cancelled", "opened", "note", "snapshot", "pin", "unpin", "walk", *ATTENDING}
    log = tmp_path / "state" / "opstui" / "opstui.log"
    assert "Traceback" not in log.read_text()


def test_the_palette_survives_keys_that_bounce(open_opstui: Open) -> None:
    screen = open_opstui()
    screen.wait("1 Services", BUSY_MACHINE_S)
    for burst in (":\x1b[6~\x1b[5~\x07", ":al\x07", ":alerts\r\r\r", ":\x1b[B\r\r", ":alerts\r\x07\x07"):
        screen.press(burst)
        deadline = time.monotonic() + BUSY_MACHINE_S
        while not is_in_place(screen.text(), 120, 40) or "│" in screen.text():
            assert time.monotonic() < deadline, screen.text()
            screen.press("ctrl+g")
    assert screen.process.poll() is None
