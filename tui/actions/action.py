"""An action as a value, and what every verb must be able to do.

`perform.py` owns the life of an action; this file holds the words it is told in:
a `Request` (what the person asked for) becomes an `Action` (planned: target re-read, previewed, with the exact
command), which is executed once, gives a `Receipt`, and is then looked at until a `Look` says how it ended.

What looking needs (`Sent`) consists of plain values only, which stand in the journal: so another opstui, or the next
one after a crash, can look too.
"""

import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any, Final, Protocol, Self, runtime_checkable

Plain = str | int | float | bool | None
"""What an identity, a parameter or a piece of evidence may be: a value that JSON gives back as it was."""

NO_SYSTEM: Final = ""
"""The `source` of a target that belongs to no system that is read: a hook of the profile."""
CANNOT_BE_UNDONE: Final = "cannot be undone"


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
    identity: Mapping[str, Plain] = field(hash=False)
    """What the write itself checks: `uid`; `pid`, `backend_start`, `query_start`…"""
    scope: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the guard may allow or deny by: `namespace`; `database`, `role`."""

    def __str__(self) -> str:
        return f"{self.kind} {self.where}/{self.name}" if self.where else f"{self.kind} {self.name}"

    def is_same(self, other: "Target") -> bool:
        """Tell whether both are the very same thing, by system and identity."""
        return (self.source, self.kind, dict(self.identity)) == (other.source, other.kind, dict(other.identity))


@dataclass(frozen=True, slots=True)
class Request:
    """What a key or a command asked for; nothing has been read or sent yet."""

    verb: str
    """`name` of a verb: `restart`, `scale`, `cancel-query`, `terminate-backend`."""
    target: Target
    seen: Mapping[str, Plain] = field(default_factory=dict, hash=False)
    """Fields of the target as the person saw them (`replicas`), compared again inside the write."""
    wanted: Mapping[str, Plain] = field(default_factory=dict, hash=False)
    """Parameters: `replicas` for scale."""
    undoes: str = ""
    """`id` of the action that this one takes back; empty for any other."""
    temporary_s: float | None = None
    """Seconds after which somebody wants to be reminded to take it back, 0 without a time; None: it is for good."""

    def plain(self) -> dict[str, Any]:
        """Return it as values that JSON gives back."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """Return the request that `plain` gave; raises ValueError, TypeError or KeyError for anything else."""
        return cls(**{**values, "target": Target(**values["target"])})


@dataclass(frozen=True, slots=True)
class Action:
    """A planned change: everything the person must know before agreeing to it."""

    request: Request
    before: str
    """The state the change starts from, in words: `3 replicas`."""
    after: str
    """The state it should lead to."""
    risk: Risk
    command: str
    """The equivalent command a colleague could paste; without secrets."""
    preview: tuple[str, ...]
    """What the system's own dry run says will change, line by line; or one line `no preview: why`."""
    deadline_s: float
    """Seconds after which a change that has not converged counts as not converged."""
    risk_reason: str = ""
    """Why this risk, when it is more than the verb's usual one; else empty."""
    inverse: Request | None = None
    """What takes it back, as long as the state is still the one it leads to; None where there is no true inverse."""
    undo: str = CANNOT_BE_UNDONE
    """How it can be undone, in words (`scale back to 3`)."""
    impact: tuple[str, ...] = ()
    """Who or what else is affected; who will fight it (an autoscaler, a GitOps owner)."""
    permission: str = ""
    """Empty when the system said we may, else why not, in its own words, with the grant that would help."""
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What `look` compares with: values that JSON gives back, for they stand in the journal."""
    payload: object = None
    """What `execute` sends, prepared by `plan`; only the verb reads it."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    """Random; the same in every journal line about this action."""

    def sent(self, at: float) -> "Sent":
        """Return what looking at it needs; `at` is `time.time()` of the moment before it was sent."""
        return Sent(self.request, self.evidence, at, self.id)


@dataclass(frozen=True, slots=True)
class Sent:
    """A change that was sent, or may have been."""

    request: Request
    evidence: Mapping[str, Any] = field(hash=False)
    """`Action.evidence`, with what the receipt added."""
    at: float
    """`time.time()` of the moment before it was sent."""
    id: str
    """`Action.id`."""

    def learned(self, receipt: "Receipt") -> "Sent":
        """Return it with what the system's answer added."""
        return replace(self, evidence={**self.evidence, **receipt.evidence})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the system answered to the write."""

    answer: str
    """In its own words, cleaned."""
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What `look` needs beside the action's own evidence (a generation, the value as the server writes it)."""


class NotSentError(Exception):
    """Nothing was changed, certainly; the message says why (target gone, moved on, not permitted).

    Raised by `plan` and `execute`: either the write was never sent, or the system refused it as a whole.
    Anything else that `execute` raises means the outcome is unknown.
    """


class GoneError(NotSentError):
    """The target is no longer there, by itself or by somebody else's doing."""


class Phase(StrEnum):
    """How far an action has come; only CONVERGED is green."""

    WAITING = "waiting"
    """It is on its way, not there yet."""
    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    """The system gave up."""
    ABSENT = "absent"
    """The change is not there: it was never made, or somebody has made another since."""
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


@dataclass(frozen=True, slots=True)
class About:
    """What is promised of a verb: the row of `opstui actions`."""

    system: str
    """`Kubernetes`, `PostgreSQL`, `Redis`."""
    targets: str
    """What it acts on, in the system's words."""
    risk: str
    """Its usual risk, and what raises it."""
    inverse: str
    """What takes it back; CANNOT_BE_UNDONE where nothing does."""
    identity: str
    """What the write itself checks."""
    window: str
    """What may still happen between that check and the effect; `none` where nothing can."""
    command: str
    """The equivalent command, with placeholders."""
    verification: str
    """When it counts as converged, and by when."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a change that lasts has come to."""

    text: str
    """For the eye: `4 of 9 gone; gateway-7d waits: its disruption budget allows none`."""
    is_change: bool = False
    """Whether something was changed by it: then it stands on record."""


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
    def about(self) -> About:
        """What is promised of it."""
        ...

    @property
    def hold_s(self) -> float:
        """Seconds that a converged change is watched further, to tell when it regresses; 0 where nothing can."""
        ...

    @property
    def ends_target(self) -> bool:
        """Whether it wants the target gone: among several, one that has gone by itself is then no surprise."""
        ...

    def forbidden(self, request: Request) -> str:
        """Return why our user may not do this, as far as is known without asking; empty when it may, or perhaps."""
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

    async def look(self, sent: Sent) -> Look:
        """Look at the target once after the write. Raises SourceError when it cannot be seen."""
        ...


@runtime_checkable
class Lasting(Protocol):
    """A verb that goes on after the system has accepted the change: only in the process that began it."""

    @property
    def stopped_by(self) -> str:
        """Name of the verb that ends it, and may therefore change its target while it goes on; empty for none."""
        ...

    def steps(self, action: Action) -> AsyncGenerator[Step, None]:
        """Go on, each write with the identity of its own target inside it, and tell what it has come to.

        Ends when it is done or goes no further: looking tells which. It tells something at least every few seconds, and
        is ended behind any step when somebody disarms. What a system refuses, or does not answer, is
        told as a step and never raised. Looking never goes on with it: what was interrupted stays as it is.
        """
        ...
