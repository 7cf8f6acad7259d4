"""What of a cluster cannot be seen, in few words. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from tui.sources.errors import Denied
from tui.sources.kubernetes.snapshot import KindHealth

_FEW: Final = 3
"""So many are named one by one."""


def shortfalls(health: Iterable[KindHealth]) -> tuple[str, ...]:
    """Return what cannot be seen, in words, the kinds together of which the same is so."""
    kinds: dict[str, list[str]] = {}
    for state in health:
        if words := _missing(state):
            kinds.setdefault(words, []).append(state.kind)
    return tuple(f"{_listed(names)}: {words}" for words, names in kinds.items())


def _missing(state: KindHealth) -> str:
    if state.error is None:
        return "" if state.is_synced or not state.is_watched else "loading"
    what = "forbidden" if isinstance(state.error, Denied) else state.error.message
    if state.scopes == 1:
        return what
    named = f" ({', '.join(sorted(state.failing))})" if len(state.failing) <= _FEW else ""
    return f"{len(state.failing)} of {state.scopes} namespaces {what}{named}"


def _listed(kinds: Sequence[str]) -> str:
    first, *more = kinds
    return ", ".join(kinds) if len(kinds) <= _FEW else f"{first} and {len(more)} other kinds"
