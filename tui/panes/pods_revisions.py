"""What changed from one revision of a workload to the next, as a diff of their templates. Pure."""

import difflib
import itertools
from collections.abc import Sequence
from typing import Final

from tui.sources.kubernetes.revisions import Revision
from tui.sources.kubernetes.source import yaml_words
from tui.sources.kubernetes.veil import veiled

_MOST: Final = 3
"""Steps shown; older ones are seldom what one looks for."""


def template_changes(revisions: Sequence[Revision]) -> str:
    """Return the newest changes of a template, to end a page with; `revisions` stand newest first."""
    steps = [
        f"\n\nRevision {new.number}{' (the present one)' if new.is_current else ''}, compared with {old.number}:"
        + (f"\n  change-cause: {new.change_cause}" if new.change_cause else "")
        + "\n"
        + (diff(old, new) or "  nothing but its number")
        for new, old in itertools.pairwise(revisions)
    ]
    return "".join(steps[:_MOST])


def diff(old: Revision, new: Revision) -> str:
    """Return what differs between two templates, with secrets hidden; empty when nothing does."""
    before, after = (yaml_words(veiled(revision.template)).split("\n") for revision in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
    return "\n".join(f"  {line}" for line in lines)
