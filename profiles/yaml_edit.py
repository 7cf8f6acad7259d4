"""One section of a profile written anew, and every other byte of it left as it was.

Libraries that keep comments load the whole document and write it out again, which moves the items of lists and folds
long lines; the positions of the parser's nodes say exactly which characters a section takes up.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

_WIDTH: Final = 120


class CannotEditError(Exception):
    """The text is written in a way that only a person can edit; the message says which."""


def with_section(text: str, key: str, value: Mapping[str, Any], comment: str) -> str:
    """Return a profile with a section of its top mapping written anew, or added at the end with a comment above it.

    Raises:
        CannotEditError: the section is an alias, or shares its lines with something else.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise CannotEditError("it is no mapping")
    entry = next((entry for entry in root.value if entry[0].value == key), None)
    if root.flow_style:
        return _in_braces(text, root, entry, key, value)
    line_end = "\r\n" if "\r\n" in text else "\n"
    indent = " " * root.start_mark.column
    if entry is None:
        at = _document_end(text, _end(root))
        before = text[:at] if text[:at].endswith("\n") else text[:at] + line_end
        return before + _block(key, value, indent, line_end, f"\n# {comment}\n") + text[at:]
    begin, end = _line_begin(text, entry[0].start_mark.index), _line_end(text, _end(entry[1]))
    if entry[1].start_mark.index < entry[0].end_mark.index:
        raise CannotEditError(f"{key} is an alias (a word after `*`)")
    if text[begin : entry[0].start_mark.index].strip():
        raise CannotEditError(f"something else stands before {key} in its line")
    return text[:begin] + _block(key, value, indent, line_end, "") + text[end:]


def section_text(key: str, value: Mapping[str, Any]) -> str:
    """Return a section as lines to paste into a profile."""
    return _block(key, value, "", "\n", "")


def has_comment(text: str, key: str) -> bool:
    """Tell whether writing the section anew may take a comment away with it."""
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return False
    return any(
        "#" in text[name.start_mark.index : _line_end(text, _end(node))]
        for name, node in root.value
        if name.value == key
    )


def _in_braces(
    text: str, root: yaml.MappingNode, entry: tuple[yaml.Node, yaml.Node] | None, key: str, value: Mapping[str, Any]
) -> str:
    written = json.dumps(value, ensure_ascii=False)
    if entry is None:
        at = _end(root.value[-1][1])
        return f"{text[:at]}, {json.dumps(key)}: {written}{text[at:]}"
    begin, end = entry[1].start_mark.index, entry[1].end_mark.index
    if begin < entry[0].end_mark.index:
        raise CannotEditError(f"{key} is an alias (a word after `*`)")
    return text[:begin] + written + text[end:]


def _block(key: str, value: Mapping[str, Any], indent: str, line_end: str, above: str) -> str:
    # safe_dump only tells mypy so: without a stream it returns the text.
    dumped: Any = yaml.safe_dump({key: dict(value)}, sort_keys=False, allow_unicode=True, width=_WIDTH)
    lines = f"{above}{dumped}".removesuffix("\n").split("\n")
    return "".join(f"{indent}{line}".rstrip() + line_end for line in lines)


def _end(node: yaml.Node) -> int:
    """Return the index behind a node's last character; a block's own mark lies behind comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return max(_end(last[1]), last[0].end_mark.index) if isinstance(last, tuple) else _end(last)
    return int(node.end_mark.index)


def _line_begin(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    if index and text[index - 1] == "\n":  # a block scalar ends behind its line
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _document_end(text: str, index: int) -> int:
    """Return where something can be added behind all that the document holds: before `...`, if that stands there."""
    at = _line_end(text, index)
    while at < len(text):
        end = _line_end(text, at + 1)
        if text[at:end].startswith("..."):
            return at
        at = end
    return at
