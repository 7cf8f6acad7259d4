"""A few lines that say what is wrong, or that something is under way."""

from rich.text import Text
from textual.widgets import Static

from widgets.cell import Tone
from widgets.fitting import plain
from widgets.tones import TONES

_CSS = "".join(
    f"NoticeBar.-{tone} {{ {look} }}\n"
    for tone, look in {
        "dim": "text-style: dim;",
        "ok": "color: $text-success;",
        "warn": "color: $text-warning;",
        "critical": "color: $text-error; text-style: bold;",
        "accent": "color: $text-primary;",
    }.items()
)


class NoticeBar(Static):
    """Takes no room while it has nothing to say."""

    DEFAULT_CSS = "NoticeBar { height: auto; max-height: 4; display: none; padding: 0 1; }\n" + _CSS

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__("", id=id, markup=False)
        self._text = ""
        self._tone: Tone = ""

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return self._text

    @property
    def tone(self) -> Tone:
        """How it looks."""
        return self._tone

    def show(self, text: str, tone: Tone = "warn") -> None:
        """Say something, until `clear`; the same words again cost nothing."""
        if (text, tone) == (self._text, self._tone):
            return
        self._text, self._tone = text, tone
        for name in TONES:
            self.set_class(name == tone, f"-{name}")
        self.update(Text("\n".join(map(plain, text.split("\n"))), overflow="ellipsis"))
        self.display = bool(text)

    def clear(self) -> None:
        """Say nothing."""
        self.show("", "")
