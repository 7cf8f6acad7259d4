"""How tones look: one set of component classes for every widget that colours text."""

from typing import Final

from rich.style import Style
from textual.widget import Widget

from widgets.cell import Tone

TONES: Final[tuple[Tone, ...]] = ("dim", "ok", "warn", "critical", "accent")

PLAIN: Final = Style()
DIM: Final = Style(dim=True)
BOLD: Final = Style(bold=True)
REVERSE: Final = Style(reverse=True)


def tone_classes(prefix: str) -> set[str]:
    """Return the component classes of a widget's tones: `prefix--warn` and so on."""
    return {f"{prefix}--{tone}" for tone in TONES}


def tone_css(widget: str, prefix: str) -> str:
    """Return the default CSS of a widget's tones. Bold and dim tell them apart where there is no colour."""
    return f"""
    {widget} > .{prefix}--dim {{ text-style: dim; }}
    {widget} > .{prefix}--ok {{ color: $text-success; }}
    {widget} > .{prefix}--warn {{ color: $text-warning; }}
    {widget} > .{prefix}--critical {{ color: $text-error; text-style: bold; }}
    {widget} > .{prefix}--accent {{ color: $text-primary; }}
    """


def tone_styles(widget: Widget, prefix: str) -> dict[str, Style]:
    """Return the style of every tone of a mounted widget, background included; `""` is the widget's own."""
    styles: dict[str, Style] = {tone: widget.get_component_rich_style(f"{prefix}--{tone}") for tone in TONES}
    return styles | {"": widget.rich_style}
