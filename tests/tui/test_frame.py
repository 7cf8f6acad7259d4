"""The line above the keys: what a key came to can be read, whatever else is going on."""

from typing import Any

from textual.app import App, ComposeResult

from profiles.schema import Profile
from tui.frame import Frame
from widgets.notice import NoticeBar


class _App(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        unused: Any = None
        self.frame = Frame(
            self, Profile(name="t", environment="dev"), unused, unused, unused, unused, unused,
            temporary=tuple, findings=tuple, is_shared=False, clock=lambda: self.now,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        yield NoticeBar(id="told")

    @property
    def told(self) -> str:
        return self.query_one(NoticeBar).text


async def test_an_answer_to_a_key_is_not_taken_away_at_once_by_how_far_a_change_is() -> None:
    app = _App()
    async with app.run_test(size=(80, 24)):
        app.frame.progress("Delete pod: 0 of 1 ready again", "")
        assert app.told == "Delete pod: 0 of 1 ready again"
        app.frame.answer("it belongs to no workload", "warn", 6.0)
        app.now += 0.5
        app.frame.progress("Delete pod: 0 of 1 ready again, CrashLoopBackOff", "")
        app.frame.go_on()
        assert app.told == "it belongs to no workload"
        app.now += 3.0
        app.frame.go_on()
        assert app.told == "Delete pod: 0 of 1 ready again, CrashLoopBackOff"


async def test_what_no_longer_holds_is_taken_back_and_nothing_else() -> None:
    app = _App()
    async with app.run_test(size=(80, 24)):
        app.frame.answer("reading Pod web-1; esc stops", "", 6.0)
        app.frame.take_back("reading Pod web-2; esc stops")
        assert app.told == "reading Pod web-1; esc stops"
        app.frame.take_back("reading Pod web-1; esc stops")
        assert app.told == ""


async def test_how_a_change_ended_is_said_at_once_and_last() -> None:
    app = _App()
    async with app.run_test(size=(80, 24)):
        app.frame.answer("it belongs to no workload", "warn", 6.0)
        app.frame.progress("Delete pod: nearly there", "")
        app.frame.tell("Delete pod: CONVERGED", "ok", 15.0)
        app.now += 4.0
        app.frame.go_on()
        assert app.told == "Delete pod: CONVERGED"
