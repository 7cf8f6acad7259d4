"""An interactive shell in a container: who, where and how long is on record; what is typed is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tui.actions.action import (
    CANNOT_BE_UNDONE,
    About,
    Action,
    GoneError,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.actions.kubernetes.asking import forbidden, permission, read, ready_to_send
from tui.actions.kubernetes.pods import pod_target
from tui.sources.errors import Denied, SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import ConnectFailed
from tui.sources.kubernetes.exec import Gone, Missing, Place, Session, session
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.units import span

SHELL: Final = "shell"
SHELLS: Final = ("bash", "ash", "sh")
"""Tried in this order: the first that the image has is taken."""
_POD: Final = KINDS["Pod"]
_BEGIN_S: Final = 3.0
"""A shell that has not said a word by then is taken for one that runs."""
_LONGEST_S: Final = 24 * 3600.0


@dataclass(slots=True)
class Shell:
    """A shell that is open, for whoever holds the terminal."""

    place: Place
    program: str
    session: Session
    said: bytes
    """What it has said already."""


Attach = Callable[[Shell], Awaitable[str]]
"""Gives the terminal to a shell until it ends; returns empty, or how the person left it before its end."""


@dataclass(slots=True)
class _Life:
    """What is known of a shell that this opstui has opened."""

    began: float
    work: asyncio.Task[None]
    detail: str = ""
    """How it ended; empty while it is open."""
    is_certain: bool = True
    """Whether the shell itself has told that it ended."""


def shell_request(pod: Pod, container: str) -> Request:
    """Return the request for a shell in a container of a pod."""
    return Request(SHELL, pod_target(pod), wanted={"container": container})


def place_target(place: Place) -> Target:
    """Return a container's pod as what is acted on."""
    return Target(
        source=KubernetesSource.name,
        kind="pod",
        name=place.pod,
        where=place.namespace,
        identity={"uid": place.uid},
        scope={"namespace": place.namespace},
    )


class OpenShell:
    """`kubectl exec -it POD -c CONTAINER -- sh`, over a WebSocket.

    The pod's uid is looked at right before the shell is opened, but the URL names the pod only: one that takes its
    name within that moment would be entered.
    """

    name = SHELL
    title = "Open shell"
    about = About(
        system="Kubernetes",
        targets="a running container of a pod",
        risk="medium; high where the container is privileged, shares the node, or lives in kube-system",
        inverse=CANNOT_BE_UNDONE,
        identity="the pod's uid, read right before",
        window="a pod created again under the name between that look and the opening",
        command="kubectl exec -it POD -c CONTAINER -- sh",
        verification="the shell has ended; on record: who, where, how long, its exit status; not what was typed",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source
        self._lives: dict[str, _Life] = {}
        """By action."""
        self.attach: Attach | None = None
        """Set by whoever has a terminal to give; None where there is none."""

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "create", request.target, "exec")

    async def plan(self, request: Request) -> Action:
        """Read the pod again, ask whether we may, and say what a shell there can reach.

        Raises:
            NotSentError: it is gone, is another one now, or the container does not run.
            SourceError: the server could not be asked.
        """
        target, container = request.target, str(request.wanted.get("container", ""))
        obj = await read(self._source, _POD, target)
        spec = next((one for one in parts(part(obj, "spec"), "containers") if text(one, "name") == container), None)
        if spec is None:
            raise NotSentError(f"{target} has no container {container!r}")
        if not _runs(obj, container):
            raise NotSentError(f"container {container} of {target} does not run: {parse_pod(obj).status}")
        reason = _danger(obj, spec)
        pod = parse_pod(obj)
        return Action(
            request=request,
            before=f"{pod.status}, {pod.ready}/{pod.containers} ready, on {pod.node}",
            after=f"a shell in container {container} ({text(spec, 'image')}) on this terminal, until it ends",
            risk=Risk.HIGH if reason else Risk.MEDIUM,
            risk_reason=reason,
            command=self._source.kubectl(target.where, "exec", "-it", target.name, "-c", container, "--", "sh"),
            preview=("no preview: what will be typed is not known",),
            deadline_s=_LONGEST_S,
            impact=(
                "who, where and how long go on record; what you type does not",
                "opstui stands aside meanwhile; ctrl+] leaves a shell that no longer answers",
            ),
            permission=await permission(self._source, "create", _POD, target, "exec"),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the container still runs. Raises SourceError."""
        target, container = action.request.target, str(action.request.wanted["container"])
        try:
            obj = await read(self._source, _POD, target)
        except GoneError as error:
            return Sight.GONE, str(error)
        if not _runs(obj, container):
            return Sight.CHANGED, f"container {container} does not run: {parse_pod(obj).status}"
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Open the shell and hand it to the terminal.

        Raises:
            NotSentError: no shell was opened.
            SourceError: one may have been.
        """
        if self.attach is None:
            raise NotSentError("a shell needs a terminal of its own: open it on the screen")
        target, container = action.request.target, str(action.request.wanted["container"])
        place = Place(target.where, target.name, str(target.identity["uid"]), container)
        opening = await ready_to_send(self._source)
        opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(self._live(action.id, place, opening, self.attach, opened))
        self._lives[action.id] = _Life(time.time(), work)
        try:
            program = await asyncio.shield(opened)
        except asyncio.CancelledError:
            work.cancel()
            raise
        return Receipt(f"{program} is open in {place}", {"program": program})

    async def look(self, sent: Sent) -> Look:
        """Tell whether the shell is still open, and how it ended."""
        life = self._lives.get(sent.id)
        if life is None:
            return Look(Phase.ABSENT, "it ended with the opstui that had opened it; what it started may go on")
        if not life.detail:
            return Look(Phase.WAITING, f"open for {span(time.time() - life.began)}")
        return Look(Phase.CONVERGED if life.is_certain else Phase.NOT_CONVERGED, life.detail)

    async def _live(self, action: str, place: Place, opening: int, attach: Attach, opened: asyncio.Future[str]) -> None:
        """Lead a shell from its opening to its end; whatever goes wrong before it is open goes into `opened`."""
        detail, is_certain = "", True
        try:
            detail, is_certain = await self._led(place, opening, attach, opened)
        except (SourceError, NotSentError) as error:
            if not opened.done():
                opened.set_exception(_unopened(error))
                return
            detail, is_certain = f"{error}; what was running in it may go on", False
        finally:
            life = self._lives[action]
            life.detail = f"{detail or 'broken off'}, after {span(time.time() - life.began)}"
            life.is_certain = is_certain and bool(detail)
            if not opened.done():
                opened.cancel()

    async def _led(self, place: Place, opening: int, attach: Attach, opened: asyncio.Future[str]) -> tuple[str, bool]:
        for program in SHELLS:
            async with session(self._source.connection, place, [program], is_typed_at=True, opening=opening) as running:
                try:
                    said = await _first(running)
                except Missing:
                    continue
                opened.set_result(program)
                left = await attach(Shell(place, program, running, said))
                if running.ended is not None:
                    return f"ended with exit status {running.ended.status}", True
                return f"{left or 'left'}; what was running in it may go on", False
        raise NotSentError(f"the image of {place} has no shell: none of {', '.join(SHELLS)}")


async def _first(running: Session) -> bytes:
    """Return what a shell says first; empty when it is silent. Raises Missing when there is none."""
    try:
        async with asyncio.timeout(_BEGIN_S):
            return await running.heard()
    except TimeoutError:
        return b""


def _unopened(error: Exception) -> Exception:
    """Return what it means that no shell came about: a refusal is certain, a lost line is not."""
    match error:
        case Gone():
            return GoneError(str(error))
        case Denied() | ConnectFailed():
            return NotSentError(str(error))
    return error


def _runs(obj: Object, container: str) -> bool:
    found = parts(part(obj, "status"), "containerStatuses")
    return any(text(one, "name") == container and "running" in part(one, "state") for one in found)


def _danger(obj: Object, container: Object) -> str:
    """Return why a shell there reaches further than its container; empty when it does not."""
    spec = part(obj, "spec")
    if part(container, "securityContext").get("privileged") is True:
        return "the container is privileged: a shell in it is one on the node"
    if shared := [name for name in ("hostPID", "hostNetwork", "hostIPC") if spec.get(name) is True]:
        return f"the pod shares the node ({', '.join(shared)})"
    if text(part(obj, "metadata"), "namespace") == "kube-system":
        return "it lives in kube-system"
    return ""
