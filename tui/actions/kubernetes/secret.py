"""Showing one value of a Secret: who saw which key stands on record, the value nowhere."""

import base64
import binascii
from typing import Final

from tui.actions.action import About, Action, GoneError, Look, NotSentError, Phase, Receipt, Request, Risk, Sent, Sight
from tui.actions.kubernetes.asking import forbidden, object_target, permission, read, ready_to_send
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import OTHERS
from tui.sources.text import clean, clean_lines

SHOW_VALUE: Final = "show-secret"
SECRET: Final = OTHERS["Secret"]


def show_request(namespace: str, name: str, uid: str, key: str) -> Request:
    """Return the request to show the value of one key of a Secret."""
    return Request(SHOW_VALUE, object_target(SECRET, namespace, name, uid), wanted={"key": key})


async def revealed(source: KubernetesSource, request: Request) -> str:
    """Return the value that a request is for, cleaned: only for the screen, and only once it is on record.

    Raises:
        NotSentError: the Secret is gone or another one, or has no such key any more.
        SourceError: it cannot be read.
    """
    key = str(request.wanted.get("key"))
    value = _value(await read(source, SECRET, request.target), key)
    try:
        return clean_lines(value.decode())
    except UnicodeDecodeError:
        return f"{len(value)} bytes that are no text: read them with kubectl and base64 -d"


class ShowSecret:
    """`kubectl get secret -o jsonpath`, on record before anything is shown.

    Nothing is changed. The Secret is read again after the intent stands in the journal, and its uid compared: one that
    was made again under the name is not shown.
    """

    name = SHOW_VALUE
    title = "Show value"
    about = About(
        system="Kubernetes",
        targets="one key of a Secret; not on a screen that is shared (--share)",
        risk="high",
        inverse="nothing is changed; what was seen cannot be unseen",
        identity="the Secret's uid, compared in what was read",
        window="none: nothing is written",
        command="kubectl get secret NAME -o jsonpath='{.data.KEY}' | base64 -d",
        verification="it was read; who and which key are on record, never the value",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: KubernetesSource, *, masks: bool = False) -> None:
        """Make it; `masks` refuses it, on a screen that several people see."""
        self._source, self._masks = source, masks

    def forbidden(self, request: Request) -> str:
        """Return why it may not be shown here, as far as is known; empty when it may, or perhaps."""
        if self._masks:
            return "several people see this screen (--share): no Secret's value is shown on it"
        return forbidden(self._source, "get", request.target)

    async def plan(self, request: Request) -> Action:
        """Read the Secret again and say what will be shown, not the value.

        Raises:
            NotSentError: it is gone, is another one now, or has no such key.
            SourceError: the server could not be asked.
        """
        target, key = request.target, str(request.wanted.get("key"))
        may_not = self.forbidden(request) or await permission(self._source, "get", SECRET, target)
        size = len(_value(await read(self._source, SECRET, target), key)) if not may_not else 0
        path = "{.data." + key.replace(".", "\\.") + "}"
        return Action(
            request=request,
            before=f"{clean(key)} is hidden",
            after=f"{clean(key)} is on this screen, {size} bytes",
            risk=Risk.HIGH,
            command=self._source.kubectl(target.where, "get", "secret", target.name, "-o", f"jsonpath={path}")
            + " | base64 -d",
            preview=("no preview: nothing is changed",),
            deadline_s=5.0,
            undo="nothing is changed",
            impact=("that you saw this key is put on record; the value is not", "look who else sees this screen"),
            permission=may_not,
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the Secret is still there. Raises SourceError."""
        try:
            await read(self._source, SECRET, action.request.target)
        except GoneError as error:
            return Sight.GONE, str(error)
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Read it once more, now that it is on record.

        Raises:
            NotSentError: it is gone, or cannot be read: nothing was seen.
        """
        request = action.request
        await ready_to_send(self._source)
        try:
            value = _value(await read(self._source, SECRET, request.target), str(request.wanted.get("key")))
        except SourceError as error:
            raise NotSentError(f"nothing was read: {error.message}") from error
        return Receipt(f"read, {len(value)} bytes", {"was_read": True})

    async def look(self, sent: Sent) -> Look:
        """There is nothing to look at: it was read, or nothing was seen."""
        if sent.evidence.get("was_read") is True:
            return Look(Phase.CONVERGED, "shown to whoever sees this screen")
        return Look(Phase.ABSENT, "nothing was shown")


def _value(obj: Object, key: str) -> bytes:
    """Return a key's value. Raises NotSentError when there is none, without a word of what it holds."""
    found = part(obj, "data").get(key)
    if not isinstance(found, str):
        raise NotSentError(f"secret {text(part(obj, 'metadata'), 'name')} has no key {clean(key)}")
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error:
        raise NotSentError(f"the value of {clean(key)} is not base64") from None
