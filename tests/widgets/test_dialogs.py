from pathlib import Path

from textual.app import App
from textual.widgets import Static

from widgets.dialogs import Choice, ChooseDialog, Folded, InputDialog, TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.log_view import LogView


async def test_a_page_begins_at_the_top_and_holds_text_as_it_is() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        text = "\n".join(f"[/red] line {i}\x1b" for i in range(100))
        pilot.app.push_screen(TextDialog("title [/x]", text))
        await pilot.pause()
        page = pilot.app.screen.query_one(LogView)
        assert page.render_line(0).text.rstrip() == "[/red] line 0␛"
        offered = {active.binding.description for active in pilot.app.screen.active_bindings.values()}
        assert "Open the line" not in offered, "nothing is behind it"
        await pilot.press("G")
        assert "line 99" in page.render_line(page.size.height - 1).text
        await pilot.press("q")
        assert not pilot.app.screen.query(LogView)


async def test_a_page_of_what_was_said_last_is_seen_from_its_end() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(TextDialog("title", "\n".join(f"line {i}" for i in range(100)), from_end=True))
        await pilot.pause()
        page = pilot.app.screen.query_one(LogView)
        assert "line 99" in page.render_line(page.size.height - 1).text
        await pilot.press("g")
        assert "line 0" in page.render_line(0).text


async def test_a_page_has_the_whole_width_of_a_small_screen_and_not_of_a_large_one() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(TextDialog("title", "text"))
        await pilot.pause()
        assert pilot.app.screen.query_one(LogView).size.width >= 76
        await pilot.resize_terminal(140, 40)
        await pilot.pause()
        assert pilot.app.screen.query_one(LogView).size.width < 130


async def test_a_page_is_searched() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(TextDialog("title", "\n".join(f"line {i}" for i in range(100))))
        await pilot.pause()
        await pilot.press("slash", *"LINE", "space", "7", "7", "enter")
        await pilot.pause()
        line = pilot.app.screen.query_one(LogView).cursor_line
        assert line is not None
        assert line.text == "line 77"
        await pilot.press("slash", "(")
        await pilot.pause(0.1)
        assert "not a regular expression" in pilot.app.screen.query_one(FilterBar).error


async def test_a_page_is_written_to_a_private_file(tmp_path: Path) -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(TextDialog("title", "hello", folder=tmp_path / "new", stem="pod"))
        await pilot.pause()
        await pilot.press("s")
        (path,) = (tmp_path / "new").iterdir()
        assert path.read_text() == "hello"
        assert path.stat().st_mode & 0o777 == 0o600


async def test_what_is_folded_is_seen_searched_and_written_only_once_it_is_unfolded(tmp_path: Path) -> None:
    folded = Folded("inner lines", 3, "# 40 lines, folded", tuple(f"inner {i}" for i in range(40)))
    async with App[None]().run_test(size=(80, 24)) as pilot:
        text = "\n".join(f"line {i}" for i in range(30))
        dialog = TextDialog("title", text, folder=tmp_path, folded=folded)
        pilot.app.push_screen(dialog)
        await pilot.pause()
        page, hint = dialog.query_one(LogView), dialog.query_one("#hint", Static)

        def shown(row: int) -> str:
            return page.render_line(row).text.rstrip()

        assert [shown(row) for row in range(2, 6)] == ["line 2", "# 40 lines, folded", "line 3", "line 4"]
        assert str(hint.content).startswith("z unfold ")
        await pilot.press("slash", *"inner", "enter")
        await pilot.pause(0.1)
        assert str(hint.content).startswith("0 lines match · not looked for in inner lines: z unfolds them")
        await pilot.press("z")
        await pilot.pause()
        assert str(hint.content).startswith("40 lines match · n next")
        await pilot.press("g", "n")
        assert page.cursor_line is not None
        assert page.cursor_line.text == "inner 0"
        await pilot.press("n", "n", "n", "z")
        assert page.cursor_line.text == "# 40 lines, folded", "the cursor does not go astray with what it stood on"
        await pilot.press("n")
        assert page.cursor_line.text == "# 40 lines, folded"
        await pilot.press("s", "z", "s")
        short, whole = sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
        assert short.read_text().split("\n")[2:5] == ["line 2", "# 40 lines, folded", "line 3"]
        assert whole.read_text().split("\n")[2:5] == ["line 2", "inner 0", "inner 1"]
        assert len(whole.read_text().split("\n")) == 70


async def test_nothing_is_folded_where_nothing_can_be() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        dialog = TextDialog("title", "one\ntwo")
        pilot.app.push_screen(dialog)
        await pilot.pause()
        await pilot.press("z", "slash", "o", "enter")
        await pilot.pause(0.1)
        assert str(dialog.query_one("#hint", Static).content) == "2 lines match · n next, N previous"


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with App[None]().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(TextDialog("title", "hello", folder=tmp_path / "file"))
        await pilot.pause()
        await pilot.press("w")
        assert "not written" in str(pilot.app.screen.query_one("#hint", Static).content)


async def test_typing_narrows_the_choices_and_enter_takes_the_one_under_the_cursor() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        answers: list[str | None] = []
        choices = [Choice(f"key{i}", f"[/b] context {i}", "note") for i in range(40)]
        pilot.app.push_screen(ChooseDialog("which?", choices), answers.append)
        await pilot.pause()
        await pilot.press("3", "down", "enter")
        await pilot.pause()
        assert answers == ["key13"]
        pilot.app.push_screen(ChooseDialog("which?", choices), answers.append)
        await pilot.pause()
        await pilot.press("z", "enter", "escape")
        await pilot.pause()
        assert answers == ["key13", None]


async def test_a_long_choice_is_not_cut_where_there_is_room() -> None:
    async with App[None]().run_test(size=(150, 24)) as pilot:
        label = "CRITICAL database:orders connections_percent"
        dialog = ChooseDialog("which?", [Choice("a", label, "for 1m59s: Connection pool exhausted")])
        pilot.app.push_screen(dialog)
        await pilot.pause()
        shown = dialog.query_one(LiveTable).render_line(1).text
        assert label in shown
        assert "for 1m59s: Connection pool exhausted" in shown


async def test_a_long_choice_leaves_its_note_whole() -> None:
    async with App[None]().run_test(size=(150, 24)) as pilot:
        note = "not permitted: it needs patch on deployments"
        dialog = ChooseDialog("which?", [Choice("a", "K  Cordon: " + "no more pods on it " * 4, note)])
        pilot.app.push_screen(dialog)
        await pilot.pause()
        shown = dialog.query_one(LiveTable).render_line(1).text
        assert "K  Cordon: no more pods" in shown
        assert note in shown


async def test_a_value_is_taken_only_when_nothing_is_wrong_with_it() -> None:
    async with App[None]().run_test(size=(80, 24)) as pilot:
        answers: list[str | None] = []
        dialog = InputDialog("replicas?", problem=lambda typed: "" if typed.isdigit() else "not a [/number]")
        pilot.app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press("x", "enter")
        assert str(dialog.query_one("#said", Static).content) == "not a [/number]"
        assert answers == []
        await pilot.press("backspace", "5", "enter")
        await pilot.pause()
        assert answers == ["5"]
