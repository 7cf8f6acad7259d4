"""What every change of an API object asks the server for: the object itself, permission, and why it refused."""

from typing import Final

from tui.actions.action import GoneError, NotSentError, Target
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer
from tui.sources.kubernetes.demand import EVERYTHING
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import KINDS, OTHERS, Resource

CERTAINLY_NOT: Final = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429})
"""Statuses with which an API server refuses a write as a whole."""

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def kind_of(target: Target) -> Resource | None:
    """Return the kind of a target; None when it is not one that is known here."""
    known: tuple[Resource, ...] = (*KINDS.values(), *OTHERS.values())
    return next((kind for kind in known if kind.kind.lower() == target.kind.lower()), None)


def object_target(kind: Resource, namespace: str, name: str, uid: str) -> Target:
    """Return the identity of an object of any kind that is known here: its uid."""
    return Target(KubernetesSource.name, kind.kind.lower(), name, namespace, {"uid": uid}, {"namespace": namespace})


async def read(source: KubernetesSource, kind: Resource, target: Target) -> Object:
    """Return the target as it is now.

    Raises:
        GoneError: it is gone, or another one stands under its name.
        SourceError: the server could not be asked.
    """
    answer = await source.connection.call("GET", kind.path(target.where, target.name))
    if answer.status == 404:
        raise GoneError(f"{target} is gone: {answer.message}")
    obj = answer.object()
    # Who owns what is read from the mirror: nobody else may have needed that just now.
    await source.at_hand(*EVERYTHING)
    if text(part(obj, "metadata"), "uid") != target.identity.get("uid"):
        raise GoneError(f"{target} was deleted and created again: another one under the same name")
    return obj


async def permission(source: KubernetesSource, verb: str, kind: Resource, target: Target, subresource: str = "") -> str:
    """Return why we may not, by a SelfSubjectAccessReview; empty when we may or nobody could say."""
    attributes = {
        "namespace": target.where,
        "verb": verb,
        "group": kind.group,
        "resource": kind.resource,
        "name": target.name,
    }
    if subresource:
        attributes["subresource"] = subresource
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await source.connection.call("POST", _REVIEWS, body=review)
    status = part(answer.body, "status")
    if not answer.is_ok or status.get("allowed") is True:
        return ""
    what = f"{kind.resource}/{subresource}" if subresource else kind.resource
    reason = text(status, "reason")
    return f"not permitted: it needs {verb} on {what}{_within(target)}" + (f" ({reason})" if reason else "")


def forbidden(source: KubernetesSource, verb: str, target: Target, subresource: str = "") -> str:
    """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
    kind = kind_of(target)
    if kind is None:
        return ""
    what = f"{kind.resource}/{subresource}" if subresource else kind.resource
    # What a ClusterRoleBinding gives stands among the rules of every namespace, of `default` too.
    if source.permissions.may(verb, kind.group, what, target.where or "default") is not False:
        return ""
    return f"not permitted: it needs {verb} on {what}{_within(target)}"


def _within(target: Target) -> str:
    return f" in {target.where}" if target.where else " (cluster-wide)"


async def ready_to_send(source: KubernetesSource) -> int:
    """Have everything a write needs, so that what fails from now on may have been sent.

    Returns:
        The opening of the connection that leads to the cluster that was seen; the write is bound to it.

    Raises:
        NotSentError: the kubeconfig, a certificate or a credential plugin is at fault, or another cluster answers.
    """
    try:
        await source.connection.ready()
        return await source.same_cluster()
    except SourceError as error:
        raise NotSentError(f"nothing was sent: {error}") from error


def refusal_words(answer: Answer) -> str:
    """Return what a server said that refused a write as a whole."""
    return f"refused, nothing was changed: {answer.message}"
