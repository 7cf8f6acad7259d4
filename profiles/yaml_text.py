"""YAML text → values that know where they stand, and every problem on the way.

Only what a profile needs: mappings, lists, text, numbers, true/false, empty; anchors, aliases and `<<`. Whatever
the input, the outcome is a value or problems, within fixed bounds of size, depth and expansion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from profiles.problems import Problem

_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 50_000
"""After expansion of aliases; a profile of a thousand systems has fewer."""

Value: TypeAlias = "str | int | float | bool | list[Placed] | dict[str, Placed] | None"


@dataclass(frozen=True, slots=True)
class Placed:
    """A value and where its key (in a list: the value itself) stands."""

    value: Value
    file: Path
    line: int
    """Counted from 1."""
    column: int
    """Counted from 1."""

    def plain(self) -> Any:
        """Return the value as ordinary dicts, lists and scalars."""
        match self.value:
            case dict(entries):
                return {key: entry.plain() for key, entry in entries.items()}
            case list(items):
                return [item.plain() for item in items]
            case scalar:
                return scalar


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with a bound on nesting, which would otherwise end in a RecursionError."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="too deep", problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call]  # gap in PyYAML's stubs
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str) -> yaml.Node | None:
    """Return the document's node: by libyaml where all is well, else by PyYAML's own reader for its messages."""
    if yaml.__with_libyaml__:
        try:
            if _is_shallow(text):
                return yaml.compose(text, yaml.CSafeLoader)
        except yaml.YAMLError:
            pass
    return yaml.compose(text, _Loader)


def _is_shallow(text: str) -> bool:
    """Whether libyaml, which recurses in C without a bound, may build the nodes."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            return False
    return True


def parse(text: str, file: Path) -> tuple[Placed | None, list[Problem]]:
    """Return the document's top mapping, None when there is none, and every problem found."""
    try:
        root = _compose(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        return None, [Problem("not text: a control character stands here", file, line, column)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message, hint = _plain_words(error)
        return None, [Problem(message, file, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0, hint=hint)]
    if root is None:
        return None, [Problem("the file is empty", file, hint="opstui profile new NAME writes a commented one")]
    conversion = _Conversion(file)
    try:
        placed = conversion.convert(root, root.start_mark, ())
    except _TooManyValuesError:
        return None, [Problem(f"its aliases expand to more than {_MAX_VALUES} values", file)]
    if not isinstance(placed.value, dict) and not conversion.problems:
        mark = root.start_mark
        message = "a profile is a mapping, lines of `key: value`"
        conversion.problems.append(Problem(message, file, mark.line + 1, mark.column + 1))
    return (placed if isinstance(placed.value, dict) else None), conversion.problems


class _TooManyValuesError(Exception):
    """Aliases of aliases."""


class _Conversion:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._constructor = yaml.constructor.SafeConstructor()
        self._open: set[int] = set()
        self._count = 0
        self.problems: list[Problem] = []

    def convert(self, node: yaml.Node, mark: yaml.Mark, path: tuple[str, ...]) -> Placed:
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _TooManyValuesError
        return Placed(self._value(node, mark, path), self._file, mark.line + 1, mark.column + 1)

    def _value(self, node: yaml.Node, mark: yaml.Mark, path: tuple[str, ...]) -> Value:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self._report(mark, path, "an alias that contains itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
                items = enumerate(node.value, 1)
                return [self.convert(item, item.start_mark, (*path, str(number))) for number, item in items]
            if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
                return self._mapping(node, path)
        finally:
            self._open.discard(id(node))
        self._report(node.start_mark, path, "a tag (a word after `!`) has no meaning here", "leave it out")
        return None

    def _mapping(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Placed]:
        entries: dict[str, Placed] = {}
        merged: dict[str, Placed] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(mark, path, "a key must be a word, not a list or a mapping", "braces belong in quotes")
                continue
            if key_node.tag == "tag:yaml.org,2002:merge":
                for entry in self._to_merge(value_node, path):
                    merged = entry | merged
                continue
            # The text as written: on, no and 404 are names here, never booleans or numbers.
            key = str(key_node.value)
            if key in entries:
                first = entries[key]
                self._report(mark, (*path, key), f"the key stands here twice; first in line {first.line}")
                continue
            entries[key] = self.convert(value_node, mark, (*path, key))
        return merged | entries

    def _to_merge(self, node: yaml.Node, path: tuple[str, ...]) -> Iterator[dict[str, Placed]]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in parts:
            if isinstance(part, yaml.MappingNode):
                placed = self.convert(part, part.start_mark, path)
                if isinstance(placed.value, dict):
                    yield placed.value
            else:
                self._report(part.start_mark, path, "<< takes a mapping or a list of mappings")

    def _scalar(self, node: yaml.ScalarNode, path: tuple[str, ...]) -> str | int | float | bool | None:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in ("str", "timestamp", "value"):
            return str(node.value)
        if kind in ("int", "float", "bool", "null"):
            try:
                value: int | float | bool | None = self._constructor.construct_object(node)
            except (ValueError, KeyError, OverflowError, yaml.YAMLError):
                self._report(node.start_mark, path, "not a number that can be read", "text goes in quotes")
                return None
            return value
        self._report(node.start_mark, path, "a tag (a word after `!`) has no meaning here", "text goes in quotes")
        return None

    def _report(self, mark: yaml.Mark, path: tuple[str, ...], message: str, hint: str = "") -> None:
        self.problems.append(Problem(message, self._file, mark.line + 1, mark.column + 1, path, hint))


_WORDS: Final = (
    ("too deep", f"nested more than {_MAX_DEPTH} levels deep", ""),
    ("expected a single document", "a second document begins here", "a profile is one document, without `---` in it"),
    ("found character '\\t'", "a tab stands here", "YAML is indented with spaces"),
    ("undefined alias", "an alias (a word after `*`) without its anchor", "text that begins with * goes in quotes"),
    ("duplicate anchor", "an anchor (a word after `&`) stands here twice", ""),
    ("undefined tag handle", "a tag (a word after `!`) has no meaning here", "text goes in quotes"),
    ("mapping values", "a second colon, or an indentation that does not fit", "text with `: ` in it goes in quotes"),
    ("could not find expected ':'", "a key without its colon", "every line is `key: value`"),
    ("expected <block end>", "the indentation does not fit the lines above", "keys of a mapping share a column"),
    ("expected ',' or", "a list or mapping in brackets is not closed", "or a comma is missing"),
    ("unexpected end of stream", "a quote or bracket is not closed", ""),
    ("cannot start any token", "a character that cannot begin a value", "put the text in quotes"),
    ("unknown escape character", "an unknown escape in double quotes", "use single quotes"),
)
"""PyYAML's words and ours. Its own are never shown: some repeat what stands in the file."""


def _plain_words(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    said = f"{error.context or ''} {error.problem or ''}"
    for theirs, message, hint in _WORDS:
        if theirs in said:
            return message, hint
    return "this is not YAML", "look at the indentation, quotes and colons of this line and the one above"
