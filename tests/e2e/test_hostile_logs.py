"""No bytes of a log reach the terminal as anything but text: what the program writes for them has no other form."""

import json
import random
import re
import unicodedata
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal, opstui

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 40.0
SEQUENCE = re.compile(
    r"\x1b\[(?P<mode>[<-?]?[0-9;:]*[ -/]*[hlpqtun])|\x1b\[(?P<mark>[<-?]?)[0-9;:]*(?P<final>[ -/]*[@-~])"
    r"|\x1b[\]PX^_](?P<string>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\)|\x1b(?P<other>.?)",
    re.DOTALL,
)
ATTACKS = (
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]0;owned\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[?1049l",
    "\x1b[?1000h",
    "\x1bc",
    "\x1b(0lqk",
    "\x1bP$qm\x1b\\",
    "\x1b_G\x1b\\",
    "\x1b^x\x1b\\",
    "\x1b[6n",
    "\x1b[>c",
    "\x1b[8m hidden \x1b[0m",
    "\x1b[5i",
    "\x1b[20t",
    "\x9b2J",
    "\x9d52;c;eA==\x9c",
    "\x90x\x9c",
    "\x84\x85\x8d",
    "\x0e\x0f\x05\x08\x0b\x0c\x7f\x07",
    "fine\rFAKE",
    "a\x00b",
    "\u202eevil\u202c",
    "\u2066x\u2069",
    "\u200bzero\u200c\u200d\ufeff",
    "\u2028\u2029\u0085",
    "\u061c\u180e\u00ad\ufff9",
    "\U000e0041\U000e007f",
    "[red]red[/red] [@click=app.quit]x[/]",
    "\x1b",
    "\x1b[",
    "\x1b]52;c;",
    "\x1b[31",
    "\x1b[1;31mred",
)
BYTES = (
    b"\xc0\x9b2J",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xff\xfe\xfd",
    b"\xe2\x80",
    b"\x80\x9b\x9d0;x\x9c",
    b"\xf4\x90\x80\x80",
    b"\xc2\x9b31m",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x98",
)
WALK = ("g", *["pgdn"] * 12)


def hostile_lines() -> list[bytes]:
    chance = random.Random(7)
    lines = []
    for attack in ATTACKS:
        lines += [
            f"ERROR {attack} after".encode(),
            json.dumps({"level": "error", "msg": attack, attack: attack, "trace": f"a\n\tat {attack}"}).encode(),
            f'level=warn msg="{attack}" user={attack}'.encode(),
            f'10.0.0.1 - {attack} [26/Nov/2026:12:00:00 +0000] "GET /{attack} HTTP/1.1" 500 1'.encode(),
        ]
    lines += [b"INFO " + some + b" end" for some in BYTES]
    lines += [b"E " + bytes(chance.choices(b"\x1b[]0;?hl\x07\x9b\xc2\x9d\\Pm2J a", k=30)) for _ in range(60)]
    lines += [chance.randbytes(40) for _ in range(60)]
    return [line.replace(b"\n", b" ") for line in lines]


def written(folder: Path, files: dict[bytes, list[bytes]], shown: str) -> str:
    """Return all that the program writes while somebody reads these logs from one end to the other."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    for name in files:
        (logs / name.decode(errors="surrogateescape")).write_bytes(b"")
    profile = folder / "logs.yaml"
    profile.write_text(json.dumps({"name": "logs", "environment": "staging", "logs": {"app": {"file": f"{logs}/*"}}}))
    profile.chmod(0o600)
    with Terminal(opstui("--profile", str(profile)), size=(100, 30), env={"XDG_STATE_HOME": str(folder)}) as screen:
        screen.wait("5 Logs", BUSY_MACHINE_S)
        screen.press("5")
        screen.wait("following", BUSY_MACHINE_S)
        for name, lines in files.items():  # not before: of what was there it shows the end only
            (logs / name.decode(errors="surrogateescape")).write_bytes(b"\n".join(lines) + b"\n")
        screen.wait(shown, BUSY_MACHINE_S)
        screen.press(*WALK)
        for key in ("enter", "i", "o"):
            screen.press(key)
            screen.wait(lambda text: "│" in text, BUSY_MACHINE_S)
            screen.press("pgdn", "esc")
            screen.wait(lambda text: "│" not in text, BUSY_MACHINE_S)
        screen.press("r", "z", "r")
        screen.press("G")
        screen.wait(shown, BUSY_MACHINE_S)
        screen.press("q")
        assert screen.wait_end(BUSY_MACHINE_S) == 0
        return screen.raw.decode(errors="surrogateescape")


def forms(raw: str) -> set[str]:
    """Return in which forms a terminal is commanded: sequences without what varies in them, and control characters."""
    found = {
        match["mode"] or match["string"] or match["other"] or f"{match['mark'] or ''}{match['final']}"
        for match in SEQUENCE.finditer(raw)
    }
    return found | {
        char for char in SEQUENCE.sub("", raw) if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }


def test_what_is_written_for_hostile_lines_has_no_form_that_harmless_ones_have_not(tmp_path: Path) -> None:
    last = b"INFO the end [red] of it"
    lines = hostile_lines()
    harmless = [f"INFO line {number}".encode() for number in range(len(lines))]
    plain = written(tmp_path / "plain", {b"app.log": [*harmless, last]}, r"the end \[red\] of it")
    raw = written(
        tmp_path / "hostile",
        {b"app\x1b]0;x\x07\xe2\x80\xae.log": lines[::2], b"b\xff\x9b2J.log": [*lines[1::2], last]},
        r"the end \[red\] of it",
    )
    assert forms(plain)
    assert forms(raw) - forms(plain) == set()
