"""A verb of a few lines that does what its fields say, and a performer with all it needs in a folder of its own."""

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profiles.schema import Profile
from tui.actions.action import About, Action, Look, Phase, Receipt, Request, Risk, Sent, Sight, Target
from tui.actions.guard import GuardState
from tui.actions.perform import Ask, Consent, Outcome, Performer, Progress
from tui.journal import Journal
from tui.sources.reading import Number, Reading
from tui.sources.trait import Trait

TARGET = Target("database:orders", "backend", "4711", "shop", {"pid": 4711}, {"database": "shop", "role": "app"})
REQUEST = Request("cancel-query", TARGET)


@dataclass(frozen=True)
class Known:
    """A snapshot of nothing but what tells its system from others."""

    known: tuple[Trait, ...]

    @classmethod
    def by(cls, **values: str | int | None) -> "Known":
        """Return one with these facts; what is None could not be read."""
        missing = "ask for a grant"
        return cls(tuple(Trait(key, value, "" if value is not None else missing) for key, value in values.items()))

    def numbers(self) -> list[Number]:
        return []

    def traits(self) -> tuple[Trait, ...]:
        return self.known


@dataclass
class Scripted:
    """Counts what was sent."""

    name: str = "cancel-query"
    title: str = "Cancel query"
    about: About = field(default_factory=lambda: About(*[""] * 8))
    hold_s: float = 0.0
    ends_target: bool = False
    deadline_s: float = 1.0
    risk: Risk = Risk.LOW
    plan_error: Exception | None = None
    execute_error: BaseException | None = None
    permission: str = ""
    inverse: Request | None = None
    looks: list[Look | Exception] = field(default_factory=lambda: [Look(Phase.CONVERGED, "gone")])
    sights: dict[str, tuple[Sight, str]] = field(default_factory=dict)
    """By the target's name; unchanged where there is none."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    receipt: Receipt = field(default_factory=lambda: Receipt("signal sent"))
    sent: list[str] = field(default_factory=list)
    """Names of the targets that something was sent to."""
    looked_at: list[Sent] = field(default_factory=list)

    def forbidden(self, request: Request) -> str:
        return ""

    async def plan(self, request: Request) -> Action:
        if self.plan_error:
            raise self.plan_error
        return Action(
            request=request,
            before="running",
            after="cancelled",
            risk=self.risk,
            command="psql …",
            preview=("no preview",),
            deadline_s=self.deadline_s,
            permission=self.permission,
            inverse=self.inverse,
            evidence=self.evidence,
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        return self.sights.get(action.request.target.name, (Sight.UNCHANGED, ""))

    async def execute(self, action: Action) -> Receipt:
        self.sent.append(action.request.target.name)
        if self.execute_error:
            raise self.execute_error
        return self.receipt

    async def look(self, sent: Sent) -> Look:
        self.looked_at.append(sent)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look


@dataclass
class Bench:
    """A performer in a folder of its own; its clock goes on by a second each time somebody looks at it."""

    folder: Path
    verb: Scripted = field(default_factory=Scripted)
    profile: Profile = field(default_factory=lambda: Profile.model_validate({"name": "t", "environment": "dev"}))
    consent: Consent | None = field(default_factory=lambda: Consent(Ask.KEY))
    progress: Progress = lambda request, what: None
    reading: Reading[Any] = field(default_factory=lambda: Reading("database:orders", 2.0, taken_at=0.0))

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder, "t", "dev")
        self.guard = GuardState(
            read_only=self.profile.starts_read_only, clock=lambda: 100.0, reading_of=lambda name: self.reading
        )
        self.confirmed: list[Action] = []
        self.asked: list[Ask] = []

    @property
    def performer(self) -> Performer:
        ticks = itertools.count()
        return Performer(
            self.profile,
            {(self.verb.name, "database:orders"): self.verb},
            self.guard,
            self.journal,
            monotonic=lambda: float(next(ticks)),
            pause=lambda seconds: asyncio.sleep(0),
        )

    async def confirm(self, action: Action, ask: Ask) -> Consent | None:
        self.confirmed.append(action)
        self.asked.append(ask)
        return self.consent

    async def run(self, request: Request = REQUEST) -> Outcome:
        return await self.performer.perform(request, self.confirm, self.progress)

    def told(self) -> list[str]:
        return [entry["what"] for entry in self.journal.entries()]

    def endings(self) -> list[str | None]:
        return [entry.get("ending") for entry in self.journal.entries()]
