"""Objects of any kind that a profile names: where the server has them, and what a write of them answers."""

from typing import Any

from tui.actions.action import GoneError, NotSentError, Target
from tui.actions.kubernetes.asking import CERTAINLY_NOT, ready_to_send, refusal_words
from tui.actions.kubernetes.preview import moved_fields
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer, ConnectFailed
from tui.sources.kubernetes.connection import Query
from tui.sources.kubernetes.discovery import discover
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Resource


async def resource_named(source: KubernetesSource, name: str, group: str | None = None) -> Resource:
    """Return a kind by a name that kubectl takes (`tenants.example.com`), of a group where one is given.

    Raises:
        NotSentError: the cluster knows none.
        SourceError: the server could not be asked.
    """
    found = await discover(source.connection)
    wanted = name.lower()
    known = found.named(wanted)
    if group is not None:
        known = next((one for one in found.resources if (one.kind.lower(), one.group) == (wanted, group)), None)
    if known is None:
        raise NotSentError(f"the cluster knows no {name}" + (f" of {group}" if group else ""))
    return Resource(known.name, known.kind, known.group, known.version, is_namespaced=known.is_namespaced)


async def found_at(source: KubernetesSource, kind: Resource, target: Target) -> Object | None:
    """Return the object of that name, whichever it is; None when there is none. Raises SourceError."""
    answer = await source.connection.call("GET", kind.path(target.where, target.name))
    return None if answer.status == 404 else answer.object()


async def send_patch(
    source: KubernetesSource,
    kind: Resource,
    target: Target,
    body: Any,
    content_type: str,
    query: Query = (),
    *,
    was: Object | None,
) -> Answer:
    """Send a patch, once, and return the answer of one that was carried out.

    `was` is the object that it was planned for: what moved since is said by comparing it again; None: there was none.

    Raises:
        NotSentError: it was never sent, or the server refused it as a whole.
        SourceError: anything may have happened.
    """
    opening = await ready_to_send(source)
    path = kind.path(target.where, target.name)
    try:
        answer = await source.connection.call(
            "PATCH", path, query=query, body=body, content_type=content_type, timeout_s=15.0, opening=opening
        )
    except ConnectFailed as error:
        raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
    if answer.status in CERTAINLY_NOT:
        raise await lost_race(source, kind, target, answer, was)
    answer.object()
    return answer


def refused(target: Target, answer: Answer) -> NotSentError:
    """Return why the server refused a patch as a whole, in its own words."""
    if answer.status == 404:
        return GoneError(f"{target} is gone: {answer.message}")
    return NotSentError(refusal_words(answer))


async def lost_race(
    source: KubernetesSource, kind: Resource, target: Target, answer: Answer, was: Object | None
) -> NotSentError:
    """Return what moved since `was` where that is why a write was refused as a whole, else the server's own words."""
    if answer.status not in (409, 422):
        return refused(target, answer)
    try:
        now = await found_at(source, kind, target)
    except SourceError as error:
        return NotSentError(f"{refusal_words(answer)}; what moved could not be read: {error.message}")
    if now is None:
        return GoneError(f"{target} is gone: {answer.message}") if was is not None else refused(target, answer)
    if was is None:
        return NotSentError(f"{target} was made meanwhile; nothing was changed")
    if uid_of(now) != uid_of(was):
        return GoneError(f"{target} was deleted and created again: another one under the same name")
    moved = moved_fields(was, now)
    return NotSentError(f"{target} has moved on: {moved}; nothing was changed") if moved else refused(target, answer)


def uid_of(obj: Object) -> str:
    """Return an object's uid."""
    return text(part(obj, "metadata"), "uid")
