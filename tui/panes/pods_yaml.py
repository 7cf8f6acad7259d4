"""The page of one object's YAML: its managedFields stand folded in it. Pure."""

from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.object_yaml import Manager, ObjectYaml
from widgets.dialogs import Folded

_NAMED = 4
"""Writes named in the folded line."""


def folded_managers(page: ObjectYaml, now: float) -> Folded | None:
    """Return an object's managedFields as lines that stand folded; None where it has none.

    The folded line is a comment, so that what is copied or saved stays a manifest.
    """
    if not page.managers:
        return None
    names = {manager.name for manager in page.managers}
    told = [_words(manager, now) for manager in page.managers[:_NAMED]]
    if more := len(page.managers) - len(told):
        told.append(f"{more} more")
    amount = f"{len(names)} manager{'s' if len(names) > 1 else ''}"
    summary = f"  # managedFields: {amount}, folded (z): {', '.join(told)}"
    return Folded("managedFields", page.managed_at, summary, page.managed)


def _words(manager: Manager, now: float) -> str:
    how = [manager.operation.lower()] if manager.operation != "Update" else []
    part = " ".join(filter(None, (*how, manager.subresource)))
    when = f" {age_since(manager.at, now)} ago" if manager.at is not None else ""
    return f"{manager.name or '(nobody)'}{f' ({part})' if part else ''}{when}"
