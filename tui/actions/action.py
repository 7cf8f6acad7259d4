"""An action as a value, and what every verb must be able to do.

`perform.py` owns the life of an action; this file holds the words it is told in:
a `Request` (what the person asked for) becomes an `Action` (planned: target re-read, previewed, with the exact
command), which is executed once, gives a `Receipt`, and is then looked at until a `Look` says how it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Risk(IntEnum):
    """How much can be lost; with the environment it decides how hard confirming is."""

    LOW = 1
    """Cancel a query, delete one owned pod."""
    MEDIUM = 2
    """Restart, scale up, terminate a backend."""
    HIGH = 3
    """Scale to 0, anything the system's own protection names, own sessions, superusers, replication."""


@dataclass(frozen=True, slots=True)
class Target:
    """Exactly the thing the person saw."""

    source: str
    """`name` of the source that showed it, e.g. `kubernetes:` or `database:orders`."""
    kind: str
    """The system's own word for it: `deployment`, `backend`."""
    name: str
    """What a person types to confirm: the workload's name, the pid."""
    where: str
    """Where it lives, for the eye: `shop` (namespace), `shop on orders` (database)."""
    identity: Mapping[str, str | int | None] = field(hash=False)
    """What the write itself checks: `uid`; `pid`, `backend_start`, `query_start`, `query_md5`…"""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}/{self.name}" if self.where else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """What a key or a command asked for; nothing has been read or sent yet."""

    verb: str
    """`name` of a verb: `restart`, `scale`, `cancel-query`, `terminate-backend`."""
    target: Target
    seen: Mapping[str, str | int | None] = field(default_factory=dict, hash=False)
    """Fields of the target as the person saw them (`replicas`), compared again inside the write."""
    wanted: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    """Parameters: `replicas` for scale."""


@dataclass(frozen=True, slots=True)
class Action:
    """A planned change: everything the person must know before agreeing to it."""

    id: str
    """Random; the same in every journal line about this action."""
    request: Request
    before: str
    """The state the change starts from, in words: `3 replicas`."""
    after: str
    """The state it should lead to."""
    risk: Risk
    risk_reason: str
    """Why this risk, when it is more than the verb's usual one; else empty."""
    undo: str
    """How it can be undone (`scale back to 3`), or `cannot be undone`."""
    command: str
    """The equivalent command a colleague could paste; without secrets."""
    preview: tuple[str, ...]
    """What the system's own dry run says will change, line by line; or one line `no preview: why`."""
    impact: tuple[str, ...] = ()
    """Who or what else is affected; who will fight it (an autoscaler, a GitOps owner)."""
    permission: str = ""
    """Empty when the system said we may, else why not, in its own words, with the grant that would help."""
    payload: object = None
    """What `execute` sends, prepared by `plan`; only the verb reads it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the system answered to the write."""

    answer: str
    """In its own words, cleaned."""
    token: object = None
    """What `look` needs to recognise the change (a generation); only the verb reads it."""


class NotSentError(Exception):
    """Nothing was changed, certainly; the message says why (target gone, moved on, not permitted).

    Raised by `plan` and `execute`: either the write was never sent, or the system refused it as a whole.
    Anything else that `execute` raises means the outcome is unknown.
    """


class Phase(StrEnum):
    """How far an action has come; only CONVERGED is green."""

    WAITING = "waiting"
    """Accepted, not there yet."""
    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    """The deadline passed, or the system gave up."""
    REGRESSED = "regressed"
    """It was there and is no longer."""
    UNKNOWN = "unknown"
    """We lost sight."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the target after the write."""

    phase: Phase
    detail: str
    """What is being waited for, or what was found: `2 of 3 updated, 1 CrashLoopBackOff: api-7c9`."""


class Sight(StrEnum):
    """What became of a target while a dialog is open."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    GONE = "gone"


class Verb(Protocol):
    """One kind of change on one system; its docstring names the identity it checks and the window that remains."""

    @property
    def name(self) -> str:
        """What profiles, the journal and `Request.verb` call it."""
        ...

    @property
    def title(self) -> str:
        """What the person reads: `Restart`, `Cancel query`."""
        ...

    @property
    def deadline_s(self) -> float:
        """Seconds after which a change that has not converged counts as not converged."""
        ...

    async def plan(self, request: Request) -> Action:
        """Re-read the target and prepare the change, with dry run and permission where the system has them.

        Raises:
            NotSentError: the target is gone or is no longer the one that was seen.
            SourceError: the system could not be asked.
        """
        ...

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the target is still what `action` was planned for, and what moved. Raises SourceError."""
        ...

    async def execute(self, action: Action) -> Receipt:
        """Send the write, once, with the identity inside it.

        Raises:
            NotSentError: certainly nothing was changed.
            SourceError: anything may have happened.
        """
        ...

    async def look(self, action: Action, receipt: Receipt) -> Look:
        """Look at the target once after the write. Raises SourceError when it cannot be seen."""
        ...
