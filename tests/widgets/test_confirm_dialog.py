import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from widgets.cell import Cell
from widgets.confirm_dialog import Confirmation, ConfirmDialog, ConfirmMode

LINES: list[tuple[str, str | Cell]] = [
    ("target", "pod shop/api-1[/red]"),
    ("warning", Cell("an autoscaler\nwill fight this", "critical")),
]


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A dialog on a screen, and what it answered."""

    def __init__(self, pilot: Pilot[None], mode: ConfirmMode = "key", expected: str = "api-1") -> None:
        self.clock = Clock()
        self.answers: list[Confirmation | None] = []
        self.pilot = pilot
        self.dialog = ConfirmDialog("Delete?", LINES, mode=mode, expected=expected, clock=self.clock)
        pilot.app.push_screen(self.dialog, self.answers.append)

    async def wait(self, seconds: float) -> None:
        """Let time pass, as a machine does that is not stalled; hours at once."""
        await self.pilot.pause()
        left = seconds
        while left > 0:
            step = 0.1 if left < 10 else left
            self.clock.now += step
            left -= step
            self.dialog.tick()
        await self.pilot.pause()

    async def yes(self) -> None:
        """Press y, and nothing else for as long as it takes."""
        await self.pilot.press("y")
        await self.wait(0.4)

    async def type(self, text: str) -> None:
        for char in text:
            await self.pilot.press("minus" if char == "-" else "space" if char == " " else char)

    @property
    def said(self) -> str:
        return str(self.dialog.query_one("#said", Static).content)

    @property
    def button_is_open(self) -> bool:
        return not self.dialog.query_one("#confirm", Button).disabled


async def test_a_key_confirms_once_it_has_been_quiet() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        await asked.yes()
        assert asked.answers == [Confirmation()]


async def test_keys_in_the_first_half_second_are_dropped_and_prolong_it() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await pilot.pause()
        for _ in range(4):
            await pilot.press("y", "enter", "q", "tab")
            await asked.wait(0.4)
        await asked.yes()
        assert asked.answers == []
        await asked.wait(0.6)
        await asked.yes()
        assert asked.answers == [Confirmation()]


@pytest.mark.parametrize("word", ["yes", "yy", "hey", "try again"])
async def test_a_y_in_a_word_confirms_nothing(word: str) -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(2)
        for letter in word:
            await asked.type(letter)
            await asked.wait(0.2)
        await asked.wait(2)
        assert asked.answers == []
        assert "must stand alone" in asked.said
        await asked.yes()
        assert asked.answers == [Confirmation()]


async def test_keys_that_a_stall_has_held_back_confirm_nothing() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await pilot.pause()
        asked.clock.now += 30
        asked.dialog.tick()
        await asked.yes()
        assert asked.answers == []
        await asked.wait(0.6)
        asked.clock.now += 20
        asked.dialog.tick()
        await pilot.press("y", "y")
        await asked.wait(1)
        assert asked.answers == []


async def test_a_y_that_the_target_changes_under_is_not_taken() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        await pilot.press("y")
        asked.dialog.set_state("changed", "another statement now")
        await asked.wait(1)
        assert asked.answers == []


async def test_a_dialog_under_another_waits_for_it_and_then_expires() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        below = Asked(pilot)
        await below.wait(0.6)
        above = Asked(pilot)
        await above.wait(0.6)
        await below.wait(100)
        assert (below.answers, above.answers) == ([], [])
        assert pilot.app.screen is above.dialog
        await above.yes()
        assert above.answers == [Confirmation()]
        await below.wait(0.1)
        assert below.answers == [None]
        assert below.dialog.has_expired
        assert len(pilot.app.screen_stack) == 1


async def test_keys_meant_for_a_dialog_that_has_just_closed_do_not_answer_the_one_below() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        below = Asked(pilot)
        await below.wait(0.6)
        above = Asked(pilot)
        await above.wait(0.6)
        await above.yes()
        await pilot.press("y", "y", "enter")
        assert (above.answers, below.answers) == ([Confirmation()], [])
        await below.wait(0.6)
        await below.yes()
        assert below.answers == [Confirmation()]


async def test_a_key_that_comes_before_the_tick_does_not_confirm_what_has_expired() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        asked.clock.now += 3600
        await asked.yes()
        assert asked.answers == [None]
        assert asked.dialog.has_expired


async def test_enter_cancels_because_cancel_has_the_focus() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        await pilot.press("enter")
        assert asked.answers == [None]


@pytest.mark.parametrize("key", ["escape", "q", "ctrl+g"])
async def test_it_is_cancelled_by_escape_and_by_keys_that_tmux_does_not_delay(key: str) -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        await pilot.press(key)
        assert asked.answers == [None]


async def test_other_keys_do_nothing() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        await pilot.press("n", "Y", "1", "down", "pagedown", "j")
        assert asked.answers == []


async def test_the_wrong_name_is_refused_and_the_dialog_stays() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot, "type")
        await asked.wait(0.6)
        await asked.type("api-2")
        assert not asked.button_is_open
        await pilot.press("enter")
        assert "'api-2' is not 'api-1'" in asked.said
        assert asked.answers == []


async def test_the_right_name_opens_the_button_and_only_the_button_confirms() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot, "type")
        await asked.wait(0.6)
        assert asked.dialog.query_one("#typed", Input).value == ""
        await asked.type("api-1")
        assert asked.button_is_open
        await pilot.press("enter")
        assert asked.answers == []
        assert str(asked.dialog.query_one("#hint", Static).content).startswith("enter: DO IT · ")
        await pilot.press("enter")
        assert asked.answers == [Confirmation()]


async def test_a_y_is_only_a_letter_where_a_name_is_asked_for() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot, "type")
        await asked.wait(0.6)
        await pilot.press("y", "q")
        assert asked.dialog.query_one("#typed", Input).value == "yq"
        await pilot.press("tab", "y")
        assert asked.answers == []


async def test_a_reason_must_be_given_where_one_is_asked_for() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot, "type+reason")
        await asked.wait(0.6)
        await asked.type("api-1")
        await pilot.press("enter")
        assert "reason" in asked.said
        assert not asked.button_is_open
        await asked.type("it hangs")
        await pilot.press("enter", "enter")
        assert asked.answers == [Confirmation("it hangs")]


async def test_it_cancels_itself_after_a_minute() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        assert "closes in 60 s" in str(asked.dialog.query_one("#hint", Static).content)
        await asked.wait(60)
        assert asked.answers == [None]
        assert asked.dialog.has_expired


async def test_a_target_that_changed_is_told_and_can_still_be_confirmed() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        asked.dialog.set_state("changed", "restarted [/x]")
        assert "CHANGED" in str(asked.dialog.query_one("#state", Static).content)
        await asked.yes()
        assert asked.answers == [Confirmation()]


async def test_a_target_that_is_gone_cannot_be_confirmed_even_if_it_seems_back() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot)
        await asked.wait(0.6)
        asked.dialog.set_state("gone", "deleted")
        asked.dialog.set_state("unchanged")
        await pilot.press("y")
        assert asked.answers == []
        assert "gone" in asked.said


async def test_a_target_that_is_gone_closes_the_button() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        asked = Asked(pilot, "type")
        await asked.wait(0.6)
        await asked.type("api-1")
        asked.dialog.set_state("gone")
        assert not asked.button_is_open
        await pilot.press("enter")
        assert asked.answers == []


async def test_a_long_dialog_fits_80_by_24() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        dialog = ConfirmDialog("?" * 70, [(str(i), "x" * 100) for i in range(40)], mode="type+reason", expected="a")
        pilot.app.push_screen(dialog)
        await pilot.pause()
        dialog.set_state("changed", "very much")
        await pilot.pause()
        assert dialog.query_one("#hint").region.bottom < 24
        assert dialog.query_one("#hint").region.height == 1


async def test_nothing_to_type_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="needs the text"):
        ConfirmDialog("?", [], mode="type")


async def test_the_facts_take_the_height_the_questions_leave_and_no_more() -> None:
    lines: list[tuple[str, str | Cell]] = [(f"fact {number}", "x") for number in range(40)]
    app = App[None]()
    app.theme = "ansi-dark"  # it has rules of its own for buttons
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = ConfirmDialog("Delete?", lines, mode="type+reason", expected="api-1")
        await pilot.app.push_screen(dialog)
        await pilot.pause()
        # Title, two questions with a field each, buttons, hint and the frame stand around the facts.
        assert dialog.query_one(VerticalScroll).size.height == 15
        assert dialog.query_one("#hint").region.bottom == 23
        button = dialog.query_one("#confirm", Button)
        assert (button.size.height, button.styles.border.top[0]) == (1, "")
