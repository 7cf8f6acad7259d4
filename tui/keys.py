"""The key bar and the page of keys, generated from the bindings."""

from collections.abc import Container, Iterable
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

_PRIORITIES: Final = {
    "app.keys": 0, "pods.messages": 0,
    "app.quit": 2, "app.commands": 3, "app.alerts": 4, "table.open": 4, "log.open": 4,
}  # fmt: skip
"""What leaves the key bar last when it is narrow; a pane's own keys stay longer than these, but for the way to help and
to what a pod said: nothing is looked at more often."""

_LAST: Final = ("list", "app", "table", "log")
"""The groups of keys that are alike in several tabs, in the order of the page; a tab's own come before them."""
_TITLES: Final = {"list": "VIEWS, FILTER, COPY", "app": "EVERYWHERE", "table": "IN THE TABLE", "log": "IN THE LINES"}


def key_name(binding: Binding) -> str:
    """Return a binding's key as people write it: `?`, `ctrl+r`, `esc`."""
    return binding.key_display or _NAMES.get(binding.key, binding.key)


def key_segments(bindings: Iterable[ActiveBinding], barred: Container[str | None] = ()) -> list[Segment]:
    """Return the key bar: the pane's keys first, the app's after them, the rarest left out when it is narrow.

    `barred` are the ids of keys that could change nothing now: they are crossed out, and say why when pressed.
    """
    shown = _distinct(active for active in bindings if active.binding.show and active.binding.description)
    own = [active.binding for active in shown if _group(active.binding) not in ("app", "table", "log")]
    moving = [active.binding for active in shown if _group(active.binding) in ("table", "log")]
    common = [active.binding for active in shown if _group(active.binding) == "app"]
    return [
        Segment(
            f"{key_name(binding)} {'✗' * (binding.id in barred)}{binding.description.partition(':')[0]}",
            "dim" if binding.id in barred else "",
            short=f"{key_name(binding)} {'✗' * (binding.id in barred)}{_short(binding.description)}",
            priority=_PRIORITIES.get(binding.id or "", 1 if _group(binding) != "app" else 5),
        )
        for binding in [*own, *moving, *common]
    ]


def _group(binding: Binding) -> str:
    return (binding.id or "moving.").partition(".")[0]


def keys_page(bindings: Iterable[ActiveBinding]) -> str:
    """Return the page behind `?`: every key that works now, what belongs to the open tab first."""
    groups: dict[str, dict[str, list[str]]] = {}
    for binding, names in commands(bindings):
        groups.setdefault(_group(binding), {}).setdefault(binding.description, []).extend(names)
    order = sorted(groups, key=lambda group: _LAST.index(group) if group in _LAST else -1)
    return "\n\n".join(
        "\n".join(
            [_TITLES.get(group, group.upper())]
            + [f"  {' '.join(sorted(names, key=len)):<14} {told}" for told, names in groups[group].items()]
        )
        for group in order
    )


def commands(bindings: Iterable[ActiveBinding]) -> list[tuple[Binding, list[str]]]:
    """Return what can be done now, each thing once, with every key that does it."""
    found: dict[str, tuple[Binding, list[str]]] = {}
    for active in bindings:
        binding = active.binding
        if binding.description and binding.id:  # Textual's own, such as moving the focus, have none
            _, names = found.setdefault(binding.id, (binding, []))
            names += [name for name in key_name(binding).split(" ") if name not in names]
    return [(binding, sorted(names, key=len)) for binding, names in found.values()]


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
