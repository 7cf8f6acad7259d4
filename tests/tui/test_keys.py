"""The key bar, from bindings as they are active on a screen."""

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding

from tui.keys import key_segments, keys_page
from widgets.segment_line import SegmentLine

NODE = App[None]()


def active(key: str, description: str, name: str) -> ActiveBinding:
    return ActiveBinding(NODE, Binding(key, "x", description, id=name), enabled=True)


KEYS = [
    active("q", "Quit", "app.quit"),
    active("question_mark", "Keys", "app.keys"),
    active("b", "By hand", "app.by_hand"),
    active("enter", "Open", "table.open"),
    active("tab", "View: the next one", "list.next_view"),
    active("T", "Terminate backend", "pane.terminate"),
]


def test_the_bar_says_what_stands_before_the_colon_and_the_panes_keys_come_first() -> None:
    texts = [segment.text for segment in key_segments(KEYS)]
    assert texts == ["tab View", "T Terminate backend", "enter Open", "q Quit", "? Keys", "b By hand"]


async def test_on_a_narrow_bar_the_way_to_every_key_and_what_the_pane_can_do_stay() -> None:
    line = SegmentLine(separator="  ")

    class Bar(App[None]):
        def compose(self) -> ComposeResult:
            yield line

    async with Bar().run_test(size=(38, 1)):
        line.show(key_segments(KEYS))
        assert line.text.rstrip() == "tab View  T Terminate  q Quit  ? Keys"


def test_the_page_begins_with_the_tabs_own_keys_and_names_each_thing_once() -> None:
    page = keys_page([*KEYS, active("ctrl+g", "Clear", "list.back"), active("escape", "Clear", "list.back")])
    titles = [line for line in page.splitlines() if line and not line.startswith(" ")]
    assert titles == ["PANE", "VIEWS, FILTER, COPY", "EVERYWHERE", "IN THE TABLE"]
    assert "  esc ctrl+g     Clear" in page.splitlines()
