"""The key bar and the page of keys, generated from the bindings."""

from collections.abc import Iterable
from typing import Final

from textual.binding import ActiveBinding, Binding, BindingType

from widgets.segment_line import Segment

_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "pageup": "pgup",
    "pagedown": "pgdn",
}

_PRIORITIES: Final = {"app.keys": 0, "app.quit": 2, "app.commands": 3, "app.alerts": 4, "table.open": 4, "log.open": 4}
"""What leaves the key bar last when it is narrow; a pane's own keys stay longer than these, but for the way to help."""


def key_name(binding: Binding) -> str:
    """Return a binding's key as people write it: `?`, `ctrl+r`, `esc`."""
    return binding.key_display or _NAMES.get(binding.key, binding.key)


def key_segments(bindings: Iterable[ActiveBinding]) -> list[Segment]:
    """Return the key bar: the pane's keys first, the app's after them, the rarest left out when it is narrow."""
    shown = _distinct(active for active in bindings if active.binding.show and active.binding.description)
    own = [active.binding for active in shown if _group(active.binding) not in ("app", "table", "log")]
    moving = [active.binding for active in shown if _group(active.binding) in ("table", "log")]
    common = [active.binding for active in shown if _group(active.binding) == "app"]
    return [
        Segment(
            f"{key_name(binding)} {binding.description.partition(':')[0]}",
            short=f"{key_name(binding)} {_short(binding.description)}",
            priority=_PRIORITIES.get(binding.id or "", 1 if _group(binding) != "app" else 5),
        )
        for binding in [*own, *moving, *common]
    ]


def _group(binding: Binding) -> str:
    return (binding.id or "moving.").partition(".")[0]


def keys_page(bindings: Iterable[ActiveBinding]) -> str:
    """Return the page behind `?`: every key that works now, what changes something marked as such."""
    groups: dict[str, list[str]] = {}
    keys: dict[tuple[str, str], list[str]] = {}
    for active in bindings:
        binding = active.binding
        if not binding.description or binding.system:
            continue
        group = _group(binding)
        keys.setdefault((group, binding.description), []).append(key_name(binding))
    for (group, description), names in keys.items():
        groups.setdefault(group, []).append(f"  {' '.join(dict.fromkeys(names)):<14} {description}")
    return "\n\n".join("\n".join([group.upper(), *lines]) for group, lines in groups.items())


def keys_table(places: Iterable[tuple[str, Iterable[BindingType]]]) -> str:
    """Return a Markdown table of keys: one row a place, from its bindings as they are declared."""
    rows = ["| where | keys |", "|---|---|"]
    for place, bindings in places:
        named = [binding for binding in bindings if isinstance(binding, Binding) and binding.description]
        cells = [f"`{_markdown(key_names(binding))}` {binding.description}" for binding in named]
        rows.append(f"| {place} | {' · '.join(cells)} |")
    return "\n".join(rows)


def key_names(binding: Binding) -> str:
    """Return every key of a binding as people write them: `up j`."""
    return binding.key_display or " ".join(_NAMES.get(key, key) for key in binding.key.split(","))


def _markdown(text: str) -> str:
    return text.replace("|", "\\|")


def _distinct(bindings: Iterable[ActiveBinding]) -> list[ActiveBinding]:
    return list({(active.binding.id or active.binding.action): active for active in bindings}.values())


def _short(description: str) -> str:
    """Return the first word, when that says enough; nothing behind a colon, which is for the page of keys."""
    label = description.partition(":")[0]
    first = label.partition(" ")[0]
    return first if len(first) > 3 else label
