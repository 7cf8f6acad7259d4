"""The API server's refusals: an HTTP status and the `Status` object that explains it."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.resources import Resource


class ApiError(Exception):
    """A request refused; `code` is the HTTP status, `body()` the `Status` object sent with it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the `Status` object."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


def details_of(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    """Return the `details` that name one object of `resource`; the core group is left out, as servers do."""
    details: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    return {**details, "kind": resource.plural, **more}


def not_found(resource: Resource, name: str) -> ApiError:
    """404 for one object."""
    message = f'{resource.group_resource} "{name}" not found'
    return ApiError(404, "NotFound", message, details_of(resource, name))


def no_such_path() -> ApiError:
    """404 for a path that no API serves."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> ApiError:
    """409 for a name that is taken."""
    message = f'{resource.group_resource} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details_of(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    """409 for a stale resourceVersion."""
    message = (
        f'Operation cannot be fulfilled on {resource.group_resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, details_of(resource, name))


def uid_of_none(resource: Resource, name: str, uid: str) -> ApiError:
    """409 for an apply that names the uid of an object which is not there."""
    message = (
        f'Operation cannot be fulfilled on {resource.group_resource} "{name}": uid mismatch: the provided object '
        f"specified uid {uid}, and no existing object was found"
    )
    return ApiError(409, "Conflict", message, details_of(resource, name))


def no_field_manager() -> ApiError:
    """422 for an apply by nobody."""
    said = "Required value: is required for apply patch"
    causes = [{"reason": "FieldValueRequired", "message": said, "field": "fieldManager"}]
    details = {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": causes}
    message = f'PatchOptions.meta.k8s.io "" is invalid: fieldManager: {said}'
    return ApiError(422, "Invalid", message, details)


def precondition_failed(resource: Resource, name: str, what: str, wanted: str, found: str) -> ApiError:
    """409 for a `preconditions` of DeleteOptions that does not hold; `what` is UID or ResourceVersion."""
    group_kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    message = (
        f'Operation cannot be fulfilled on {group_kind} "{name}": the {what} in the precondition ({wanted}) '
        f"does not match the {what} in record ({found}). The object might have been deleted and then recreated"
    )
    details = {**details_of(resource, name), "kind": resource.kind}
    return ApiError(409, "Conflict", message, details)


def invalid(resource: Resource, name: str, causes: list[tuple[str, str, str]]) -> ApiError:
    """422 with field causes, each (reason, field, message); repeated ones are said once in the message."""
    group_kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    said = list(dict.fromkeys(f"{field}: {message}" for _, field, message in causes))
    text = said[0] if len(said) == 1 else "[" + ", ".join(said) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    details["kind"] = resource.kind
    details["causes"] = [{"reason": r, "message": m, "field": f} for r, f, m in causes]
    return ApiError(422, "Invalid", f'{group_kind} "{name}" is invalid: {text}', details)


def rejected() -> ApiError:
    """422 as a JSON Patch gets whose `test` does not hold: it does not say which."""
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, {})


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def internal(message: str) -> ApiError:
    """500."""
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def unsupported_media_type() -> ApiError:
    """415."""
    return ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def unsupported_patch() -> ApiError:
    """415 for a strategic merge patch of a custom resource, whose lists no server knows how to merge."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    return ApiError(415, "UnsupportedMediaType", message, {})


def method_not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> ApiError:
    """410: the resourceVersion or continue token is older than what the server remembers."""
    return ApiError(410, "Expired", message)


def too_many_requests(message: str, details: dict[str, Any], retry_after_s: int | None) -> ApiError:
    """429; an eviction stopped by a budget has no Retry-After, an overloaded server has."""
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else {}
    return ApiError(429, "TooManyRequests", message, details, headers)
