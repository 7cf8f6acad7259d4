"""A typed statement that builds an index concurrently: read, so that it is known to be one and of what. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<comment>--|/\*)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<string>(?:\b[bBeExXnN]|\b[uU]&)?'(?:[^']|'')*')
    |(?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<number>\d[\w.]*)
    |(?P<sign>[-+*/<>=~!@\#%^&|`?.,:;()\[\]$])
    """,
    re.DOTALL | re.VERBOSE,
)
_MOST: Final = 10_000
"""A longer statement is none that somebody typed."""
_NAME_BYTES: Final = 63
"""`NAMEDATALEN` - 1: what is longer the server would cut."""

Kind = Literal["create", "reindex-index", "reindex-table"]


class StatementError(ValueError):
    """What was typed is no such statement; the message says why."""


@dataclass(frozen=True, slots=True)
class IndexStatement:
    """One `CREATE INDEX CONCURRENTLY` or `REINDEX … CONCURRENTLY`."""

    sql: str
    """What is sent: as typed, on one line, without the semicolon."""
    kind: Kind
    schema: str
    """Of the table, or of the index that is rebuilt; as the server has it."""
    table: str
    """Empty where an index is named alone."""
    index: str
    """Empty where a table's indexes are all rebuilt."""

    @property
    def name(self) -> str:
        """What it is about: the index with its schema, or the table."""
        return f"{self.schema}.{self.index or self.table}"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """The word as the server reads it; empty for anything else."""
        return self.text.lower() if self.kind == "word" else ""


def parsed(typed: str) -> IndexStatement:
    """Return the statement that was typed. Raises StatementError with what is wrong with it."""
    tokens = list(_tokens(typed))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if any(token.text == ";" for token in tokens):
        raise StatementError("one statement only")
    if sum({"(": 1, ")": -1}.get(token.text, 0) for token in tokens if token.kind == "sign"):
        raise StatementError("a parenthesis is missing")
    sql = " ".join(typed.strip().rstrip("; \n\t").split("\n"))
    first = tokens[0].word if tokens else ""
    if first == "create":
        return _create(sql, tokens[1:])
    if first == "reindex":
        return _reindex(sql, tokens[1:])
    raise StatementError("CREATE INDEX CONCURRENTLY … or REINDEX INDEX CONCURRENTLY …")


def problem(typed: str) -> str:
    """Return what is wrong with a typed statement; empty when nothing is."""
    try:
        parsed(typed)
    except StatementError as error:
        return str(error)
    return ""


def _tokens(typed: str) -> Iterator[_Token]:
    if len(typed) > _MOST:
        raise StatementError("that is too long for a statement somebody typed")
    at = 0
    while at < len(typed):
        found = _TOKEN.match(typed, at)
        if found is None and typed[at] == "…":
            raise StatementError("fill in every …")
        if found is None:
            raise StatementError(f"{typed[at : at + 20]!r} cannot be read: is a quote missing?")
        kind = found.lastgroup if found.lastgroup != "tag" else "dollar"
        if kind == "comment":
            raise StatementError("leave comments out")
        if found["string"] and "\\" in found["string"] and found["string"][0] in "eE":
            raise StatementError("write text without E'…' and backslashes")
        if kind != "space":
            yield _Token(str(kind), found.group())
        at = found.end()


def _create(sql: str, tokens: Sequence[_Token]) -> IndexStatement:
    rest = list(tokens)
    if rest and rest[0].word == "unique":
        rest.pop(0)
    _expect(rest, "index", "CREATE [UNIQUE] INDEX CONCURRENTLY …")
    _concurrently(rest)
    if rest and rest[0].word == "if":
        raise StatementError("without IF NOT EXISTS: an index that is there and invalid would pass for a new one")
    if rest and rest[0].word == "on":
        raise StatementError("name the index, so that it is known which one to look for")
    index = _name(rest)
    _expect(rest, "on", f"CREATE INDEX CONCURRENTLY {index} ON schema.table (…)")
    if rest and rest[0].word == "only":
        rest.pop(0)
    schema, table = _qualified(rest)
    if not any(token.text == "(" for token in rest):
        raise StatementError("which columns? … ON schema.table (column)")
    return IndexStatement(sql, "create", schema, table, index)


def _reindex(sql: str, tokens: Sequence[_Token]) -> IndexStatement:
    rest = list(tokens)
    what = rest.pop(0).word if rest else ""
    if what not in ("index", "table"):
        raise StatementError("REINDEX INDEX CONCURRENTLY schema.index, or REINDEX TABLE CONCURRENTLY schema.table")
    _concurrently(rest)
    schema, name = _qualified(rest)
    if rest:
        raise StatementError(f"nothing may follow, and there is {rest[0].text}")
    if what == "index":
        return IndexStatement(sql, "reindex-index", schema, "", name)
    return IndexStatement(sql, "reindex-table", schema, name, "")


def _expect(rest: list[_Token], word: str, form: str) -> None:
    if not rest or rest.pop(0).word != word:
        raise StatementError(form)


def _concurrently(rest: list[_Token]) -> None:
    if not rest or rest[0].word != "concurrently":
        raise StatementError("say CONCURRENTLY: without it every write to the table waits until it is done")
    rest.pop(0)


def _qualified(rest: list[_Token]) -> tuple[str, str]:
    first = _name(rest)
    if not rest or rest[0].text != ".":
        raise StatementError(f"with its schema: schema.{first}")
    rest.pop(0)
    return first, _name(rest)


def _name(rest: list[_Token]) -> str:
    if not rest or rest[0].kind not in ("word", "quoted"):
        raise StatementError(f"a name is missing{f' before {rest[0].text}' if rest else ' at the end'}")
    token = rest.pop(0)
    name = token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.word
    if not name or len(name.encode()) > _NAME_BYTES:
        raise StatementError(f"a name has at most {_NAME_BYTES} bytes")
    return name
