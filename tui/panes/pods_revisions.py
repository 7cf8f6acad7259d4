"""What changed from one revision of a workload to the next, as a diff of their templates. Pure."""

import difflib
import itertools
from collections.abc import Sequence
from typing import Final

from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.object_yaml import yaml_words
from tui.sources.kubernetes.revisions import Revision
from tui.sources.kubernetes.veil import veiled

_MOST: Final = 3
"""Steps shown; older ones are seldom what one looks for."""


_SAME: Final = "  nothing but its number"


def template_changes(revisions: Sequence[Revision]) -> str:
    """Return the newest changes of a template, to end a page with; `revisions` stand newest first."""
    steps = [
        f"\n\nRevision {new.number}{' (the present one)' if new.is_current else ''}, compared with {old.number}:"
        + (f"\n  change-cause: {new.change_cause}" if new.change_cause else "")
        + "\n"
        + (diff(old, new) or _SAME)
        for new, old in itertools.pairwise(revisions)
    ]
    return "".join(steps[:_MOST])


def revision_page(revision: Revision, known: Sequence[Revision], now: float) -> str:
    """Return one revision: what it changed, and what going back to it would; `known` stand newest first."""
    lines = [
        f"revision      {revision.number}{' (the present one)' if revision.is_current else ''}",
        f"kept in       {revision.name}",
        f"made          {age_since(revision.created_at, now)} ago",
        f"change-cause  {revision.change_cause or 'none noted'}",
        *(f"image         {image}" for image in revision.images),
    ]
    older = next((one for one in known if one.number < revision.number), None)
    if older is None:
        lines += ["", "It is the oldest that is kept: what it changed is not known."]
    else:
        lines += ["", f"What it changed, compared with {older.number}:", diff(older, revision) or _SAME]
    current = next((one for one in known if one.is_current), None)
    if current is not None and current is not revision and current is not older:
        lines += ["", f"What going back to it would change, from {current.number}:", diff(current, revision) or _SAME]
    elif current is older and older is not None:
        lines += ["", f"Going back to it would change just that: {older.number} is the present one."]
    return "\n".join(lines)


def two_revisions_page(older: Revision, newer: Revision) -> str:
    """Return what differs between two revisions."""
    lines = [
        f"{sign} revision {one.number}{' (the present one)' if one.is_current else ''}"
        + (f", {one.change_cause}" if one.change_cause else "")
        for sign, one in (("-", older), ("+", newer))
    ]
    return "\n".join([*lines, "", diff(older, newer) or _SAME])


def diff(old: Revision, new: Revision) -> str:
    """Return what differs between two templates, with secrets hidden; empty when nothing does."""
    before, after = (yaml_words(veiled(revision.template)).split("\n") for revision in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
    return "\n".join(f"  {line}" for line in lines)
