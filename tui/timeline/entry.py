"""One thing that changed, and how two of them are told apart."""

import hashlib
from dataclasses import dataclass
from typing import Final

from tui.rules import Level

ITSELF: Final = "opstui:"
"""The source of what opstui and the people at it did."""

MAX_TEXT: Final = 300
"""Characters of a sentence that are kept."""

SAME_WITHIN_S: Final = 15.0
"""How far apart two opstui may see the same change, where the system itself does not say when it was."""
_STEP_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the timeline."""

    id: str
    """The same in every opstui that saw the same thing, as far as the system gives it a name or a time of its own."""
    at: float
    """`time.time()` when it happened: the system's own word where it has one, else when opstui saw it."""
    source: str
    """Name of the source it belongs to: `database:shop`, `kubernetes:`; `opstui:` for opstui itself."""
    what: str
    """A short word for its kind: `restart`, `locks`, `alert`, `note`."""
    text: str
    """One sentence, cleaned; without secrets and without people's data."""
    level: Level = Level.OK
    object: str = ""
    """What in the system it is about, for jumping there: `pod/shop/api-7c9`; empty where there is nothing to open."""
    by: str = ""
    """Who did it; empty for what happened by itself."""
    stage: str = ""
    """`begun` or `over` of what lasts; how far an action is, or how it ended (`converged`); empty for what happened
    at one moment."""
    fold: str = ""
    """Entries of one source that are alike: repeated within a minute they are one row. Empty: never folded."""
    count: int = 1
    """How often it happened."""
    last_at: float = 0.0
    """`time.time()` of the newest repetition; 0 when there was none."""

    @property
    def kind(self) -> str:
        """The kind of system it belongs to: the part of `source` before the colon."""
        return self.source.partition(":")[0]

    @property
    def newest_at(self) -> float:
        """When it happened last."""
        return max(self.at, self.last_at)


BEGUN: Final = "begun"
OVER: Final = "over"


def identity(*parts: object) -> str:
    """Return a short name for what the parts describe together."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def around(at: float) -> int:
    """Return a time in steps of ten seconds: part of an identity where there is no better one."""
    return int(at // _STEP_S)


def is_same(one: Entry, other: Entry) -> bool:
    """Tell whether two entries of two opstui tell of the same thing: by id, else by what they say and when."""
    if one.id == other.id:
        return True
    return _likeness(one) == _likeness(other) and abs(one.at - other.at) < SAME_WITHIN_S


def _likeness(entry: Entry) -> tuple[object, ...]:
    # Numbers in the words of what is folded may differ; of what is not, the words are all there is.
    words = "" if entry.fold else entry.text
    return entry.source, entry.what, entry.object, entry.stage, entry.level, entry.fold, words


def sentence(text: str) -> str:
    """Return a text that is short enough for a row."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
