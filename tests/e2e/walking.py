"""Walks a checklist or runbook by the keys a person would press, step by step, as each step asks."""

import re
import time
from collections.abc import Mapping
from typing import Final

from tests.e2e.terminal import Terminal

BUSY_MACHINE_S: Final = 60.0
CONVERGING_S: Final = 90.0
_TAKEN: Final = re.compile(r"(\d+) of (\d+) taken")
_STEP: Final = re.compile(r"\d+/\d+ [^·\n]* · (check|look|branch|ACTION|wait|note|question|remember)")
_CLOCK: Final = re.compile(r"\d\d:\d\d:\d\dZ")
_NOT_DONE: Final = re.compile(r": (REFUSED|NOT SENT|CANCELLED), |nothing is there to|is already under way")
_EARLY: Final = "still being read"


def taken(screen: str) -> int:
    """Return how many steps the screen says were taken; -1 when it shows no walk."""
    found = _TAKEN.search(screen)
    return int(found[1]) if found else -1


def tick(screen: Terminal) -> None:
    """Wait until the clock of the status line has gone on: whatever was pressed before has been seen to."""
    now = _CLOCK.search(screen.wait(_CLOCK.pattern))
    screen.wait(lambda text: (found := _CLOCK.search(text)) is not None and found[0] != (now[0] if now else ""))


def title_of(screen: str) -> str:
    """Return the title of the step that is looked at: it stands below its number, beside the list of steps."""
    lines = screen.split("\n")
    number = next(index for index, line in enumerate(lines) if _STEP.search(line))
    found = _STEP.search(lines[number])
    assert found is not None
    return lines[number + 1][found.start() :]


def open_walk(screen: Terminal, title: str) -> None:
    """Begin a walk from the Checklist tab."""
    screen.press("8")
    screen.wait("CHECKLIST OR RUNBOOK")
    screen.wait(title, BUSY_MACHINE_S)
    screen.press("/")
    screen.press(title.lower())
    screen.press("enter")
    screen.wait(rf"(?m)^> .*{title}")
    screen.press("enter")
    screen.wait("0 of")


def offered(screen: Terminal, alert: str, runbook: str) -> None:
    """Wait until an alert offers a runbook, and begin it from there."""
    screen.wait("▲", BUSY_MACHINE_S)
    shown, deadline = "", time.monotonic() + 2 * BUSY_MACHINE_S
    while not re.search(f"{alert}.*{runbook}", shown):
        assert time.monotonic() < deadline, f"{runbook} was not offered for {alert}:\n{shown}"
        screen.press("!")
        shown = screen.wait("and its runbook", BUSY_MACHINE_S)
        if not re.search(f"{alert}.*{runbook}", shown):
            screen.press("esc")
            screen.wait(lambda text: "and its runbook" not in text)
            tick(screen)
    screen.press(f"/{alert}.*{runbook}/")
    screen.wait(rf"> .*{alert}.*{runbook}")
    screen.press("enter")
    screen.wait(rf"{runbook}[^·]* · .*0 of", BUSY_MACHINE_S)


def take(screen: Terminal, said: str = "", target: str = "") -> str:
    """Take the step that is looked at, whatever it asks for, and return the screen after it.

    Args:
        screen: shows a walk.
        said: what is answered where the step asks; the first answer when empty.
        target: part of the name of what an action is done to, where there are several.
    """
    _take(screen, said, target)
    tick(screen)  # how many were taken may be told a frame before the step that follows is shown
    return screen.text()


def _take(screen: Terminal, said: str, target: str) -> None:
    before = taken(screen.text())
    kind = _STEP.search(screen.wait(lambda text: _STEP.search(text) is not None, BUSY_MACHINE_S))
    assert kind is not None
    if kind[1] == "look":
        screen.press("enter")
        # The words alone may still be those of the look before.
        screen.wait(lambda text: "8 goes back" in text and taken(text) < 0, BUSY_MACHINE_S)
        screen.press("8")
        screen.wait(lambda text: taken(text) > before, BUSY_MACHINE_S)
        return
    shown = _EARLY
    seen = ("type to narrow", "enter: take it", "y: do it", "tab: next field", _EARLY)
    while _EARLY in shown:  # the new step's evidence was not there yet
        screen.wait("enter: ", BUSY_MACHINE_S)
        screen.press("enter")
        shown = screen.wait(lambda text: taken(text) > before or any(word in text for word in seen), CONVERGING_S)
        if _EARLY in shown:  # said of this key, or still of the one before
            tick(screen)
            shown = screen.text()
        if taken(shown) > before:
            return
    if kind[1] == "ACTION":
        _act(screen, target)
    elif "type to narrow" in shown:
        screen.press(*([said] if said else ["down", "up"]), "enter")
    else:
        screen.press(said or "looked through", "enter")
    shown = screen.wait(lambda text: taken(text) > before or _NOT_DONE.search(text) is not None, CONVERGING_S)
    assert taken(shown) > before, f"nothing was done:\n{shown}"


def _act(screen: Terminal, target: str) -> None:
    shown = screen.text()
    if "type to narrow" in shown:
        if target:
            screen.press(target)
            screen.wait(rf"> .*{target}")
        screen.press("enter")
    shown = screen.wait(lambda text: "y: do it" in text or "tab: next field" in text, BUSY_MACHINE_S)
    if "y: do it" in shown:
        screen.insist("y", "y: do it")
        return
    name = re.search(r"Target +\S+ (?:\S+/)?([^\s/]+)", shown)
    assert name is not None, shown
    screen.confirm(name[1])


def walk_to_the_end(screen: Terminal, answers: Mapping[str, str], targets: Mapping[str, str] | None = None) -> str:
    """Take every step, and return the report's first screen.

    Args:
        screen: shows a walk.
        answers: part of a question → what is answered.
        targets: part of an action's title → part of the name of what it is done to.
    """
    shown = screen.text()
    while "every step was taken" not in shown:
        title = title_of(shown)
        said = next((answer for question, answer in answers.items() if question in title), "")
        target = next((name for part, name in (targets or {}).items() if part in title), "")
        take(screen, said, target)
        shown = screen.wait(lambda text: _STEP.search(text) is not None or "every step was taken" in text)
    screen.press("enter")
    return screen.wait("Report: ", BUSY_MACHINE_S)
