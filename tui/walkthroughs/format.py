"""The only description of the format of a checklist or runbook.

Every field's docstring is the manual: `opstui walk schema` is generated from it. Unknown keys are errors.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from profiles.guards import VerbName
from profiles.schema import RuleName
from profiles.values import Duration, Strict, SystemName

SUBJECT: Final = "{subject}"
"""What the walk is about, where a name may stand: the service, database or workload chosen at its start."""

Text = Annotated[str, Field(min_length=1, max_length=2000)]
StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
WorkloadPath = Annotated[str, Field(pattern=r"^(?:\{subject\}|[^/\s]+/[^/\s]+/[^/\s]+)$")]
"""`namespace/kind/name` as kubectl knows them, `us:namespace/kind/name` in one of several clusters, or `{subject}`."""
TabName = Literal["Services", "Pods", "Database", "Redis", "Logs", "Resources", "Timeline"]


class LogCount(Strict):
    """Which lines of a log to count."""

    of: SystemName | None = None
    """Name of one log of the profile; all of them when left out."""
    level: Literal["warn", "error"] | None = None
    """Only lines that call themselves that bad or worse."""
    matching: str | None = None
    """Only lines that hold this regular expression, case ignored."""
    within: Duration = 3600.0
    """How far back; where a log holds less, the evidence says from when on was counted."""


class Condition(Strict):
    """What is read, and from which value on it is not well: exactly one thing to read."""

    rule: RuleName | None = None
    """A rule of the profile, `kind.metric`: judged as the alerts are."""
    number: RuleName | None = None
    """Any number a system reports, `kind.metric`; judged by `warn`, `critical`, `at_least` or `is` here."""
    alerts: Literal["none"] | None = None
    """`none`: no alert is up, and every system answers."""
    sql: Text | None = None
    """One SELECT that returns one value; read only, at most 3 s, `search_path=pg_catalog`: name schemas."""
    redis: Annotated[list[str], Field(min_length=1)] | None = None
    """One reading command with its arguments: `[LLEN, queue]`, `[INFO, rdb_last_bgsave_status]`."""
    rollout: list[WorkloadPath] | None = None
    """Workloads that must be rolled out whole: all pods new, there and available."""
    pods: Literal["none failing"] | None = None
    """`none failing`: no pod is failing, of the subject's workload where it is one."""
    logs: LogCount | None = None
    """How many lines of logs."""
    script: SystemName | None = None
    """A script of the profile; its exit code counts."""
    recorded: Literal["alerts", "changes", "actions"] | None = None
    """How many alerts were raised, systems changed or actions taken, by opstui's own record, `within` that time."""
    on: list[SystemName] | Literal["{subject}"] | None = None
    """Names of the systems it is read on; all of its kind when left out."""
    within: Duration | None = None
    """For `recorded`: how far back; since this checklist's last run when left out."""
    over: Annotated[Duration, Field(gt=0, le=86_400)] | None = None
    """For `number`: judge what it was over this time, at most `24h`, and not what it is now."""
    of: Literal["average", "max", "min", "p95"] = "max"
    """With `over`: which figure is judged; the others are told."""
    warn: float | None = None
    """From this value on: warning; with `critical` below `warn`, small values are the bad ones."""
    critical: float | None = None
    """From this value on: failed."""
    at_least: float | None = None
    """Below this value: failed."""
    is_: Annotated[str | float | bool | None, Field(alias="is")] = None
    """The value it must be; everything else: failed."""

    @property
    def what(self) -> str:
        """Name of the field that says what is read."""
        return next(iter(self._given()), "")

    def _given(self) -> Iterator[str]:
        return (name for name in _READINGS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _reads_one_thing(self) -> "Condition":
        given = list(self._given())
        if len(given) != 1:
            raise ValueError(f"read exactly one of {', '.join(_READINGS)}, not {' and '.join(given) or 'none of them'}")
        bounds = [self.warn, self.critical, self.at_least, self.is_]
        if given[0] in _NEED_BOUNDS and all(bound is None for bound in bounds):
            raise ValueError(f"{given[0]} needs warn, critical, at_least or is: from when on it is not well")
        if given[0] in _TAKE_NO_BOUNDS and any(bound is not None for bound in bounds):
            raise ValueError(f"{given[0]} knows itself what is well: leave warn, critical, at_least and is out")
        if self.within is not None and given[0] != "recorded":
            raise ValueError("within belongs to recorded; logs have their own")
        if self.over is not None and given[0] != "number":
            raise ValueError("over belongs to number")
        if "of" in self.model_fields_set and self.over is None:
            raise ValueError("of belongs to over: which figure of that time is judged")
        return self


_READINGS: Final = (
    "rule", "number", "alerts", "sql", "redis", "rollout", "pods", "logs", "script", "recorded",
)  # fmt: skip
_NEED_BOUNDS: Final = ("number", "sql", "redis", "logs")
_TAKE_NO_BOUNDS: Final = ("rule", "alerts", "rollout", "pods", "script")


class _Step(Strict):
    id: StepId | None = None
    """What a branch calls it; made from its title when left out."""
    why: Text | None = None
    """What it is good for, and what to make of what one sees."""
    then: StepId | None = None
    """Id of the step to go on at after this one, a later one: what another answer of a branch leads to lies between."""
    link: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    """A page that belongs to it."""


class Check(_Step, Condition):
    """Evidence first, then the verdict that follows from it; a person overrides it with a note only."""

    check: Text
    """What must be so."""
    confirm: bool = False
    """Whether a person must agree to it too: then `--auto` leaves it to one."""


class Wait(_Step, Condition):
    """Wait until something is well again."""

    wait: Text
    """What is waited for."""
    deadline: Duration = 300.0
    """How long; after that it has failed."""


class Look(_Step):
    """Open a tab at the right place, and look."""

    look: Text
    """What to look at."""
    open: TabName
    """The tab."""
    view: str | None = None
    """Its view: `locks`, `statements`, `events`…"""
    filter: str | None = None
    """What its filter is set to; `{subject}` is the subject's name."""


class Question(_Step):
    """Something only a person knows."""

    ask: Text
    """The question."""
    answers: Annotated[list[Text], Field(min_length=2)] = Field(default=["yes", "no"])
    """What may be answered."""
    well: list[Text] = Field(default=["yes"])
    """The answers that pass; any other one fails. Empty: none fails."""

    @model_validator(mode="after")
    def _well_is_an_answer(self) -> "Question":
        if strangers := [word for word in self.well if word not in self.answers]:
            raise ValueError(f"well holds {strangers[0]}, which is none of the answers")
        return self


PICKS: Final[Mapping[str, tuple[str, ...]]] = {
    "restart": ("subject", "failing", "changed", "named"),
    "scale": ("subject", "failing", "named"),
    "undo-rollout": ("subject", "failing", "changed", "named"),
    "pause-rollout": ("subject", "changed", "named"),
    "resume-rollout": ("subject", "named"),
    "delete-pod": ("failing",),
    "cancel-query": ("root blockers", "longest", "matching"),
    "terminate-backend": ("root blockers", "longest", "matching"),
    "terminate-matching": ("matching",),
    "kill-client": ("biggest",),
    "config-set": ("named",),
}
"""Verb → how its targets may be found."""


class Act(_Step):
    """A change, through the guard: nothing is sent before the person has confirmed it."""

    act: Text
    """What is done."""
    verb: VerbName
    """How, as `opstui actions` lists it."""
    pick: Literal["subject", "failing", "changed", "named", "root blockers", "longest", "matching", "biggest"]
    """How targets are found: `subject`, the `workloads` named here, what is `failing` or `changed` lately, sessions
    that are `root blockers`, run `longest` or are `matching`, or the `biggest` clients by memory."""
    workloads: list[WorkloadPath] = Field(default_factory=list)
    """For `named`: which."""
    within: Duration = 3600.0
    """For `changed`: how far back a rollout counts."""
    matching: str | None = None
    """For `matching`: `idle > 1h`, `idle in transaction > 5m`, `active > 10m`."""
    application: str | None = None
    """For sessions: only those of this application_name; `{subject}` is the subject's name."""
    on: list[SystemName] | Literal["{subject}"] | None = None
    """Names of the databases or Redis servers, or of clusters where there are several; all when left out."""
    all: bool = False
    """Whether it is done to every target found, one after the other, in place of one that is chosen."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | Literal["asked", "remembered"] | None = None
    """For scale: how many; `asked` of the person; or as an earlier step `remembered`."""
    setting: str | None = None
    """For config-set: which parameter."""
    value: str | None = None
    """For config-set: to what; asked when left out."""
    temporary: Duration | None = None
    """After which time opstui reminds to take it back; for good when left out."""

    @model_validator(mode="after")
    def _fits(self) -> "Act":
        if not (picks := PICKS.get(self.verb, ())):
            raise ValueError(f"{self.verb} is no action of a walk; those are {', '.join(PICKS)}")
        if self.pick not in picks:
            raise ValueError(f"{self.verb} finds its targets by {', '.join(picks)}, not by {self.pick}")
        if self.verb == "scale" and self.replicas is None:
            raise ValueError("scale needs replicas: a number, asked or remembered")
        if self.verb == "config-set" and self.setting is None:
            raise ValueError("config-set needs a setting")
        if self.verb != "config-set" and self.pick == "named" and not self.workloads:
            raise ValueError("named needs workloads")
        if self.pick == "matching" and self.matching is None:
            raise ValueError("matching needs matching: idle > 1h")
        return self


class Remember(_Step):
    """Keep numbers of replicas, for a later step that brings them back."""

    remember: Text
    """What is kept."""
    workloads: Annotated[list[WorkloadPath], Field(min_length=1)]
    """Of which workloads; a name may hold `*`: every one that it fits."""


class Note(_Step):
    """Something a person does or writes down; it never fails."""

    note: Text
    """What."""


class Call(_Step):
    """Somebody to call."""

    call: SystemName
    """A contact of the profile."""


class Tell(_Step):
    """Tell others by a hook of the profile; guarded, and never in the sandbox."""

    tell: SystemName
    """A hook of the profile."""


class Branch(_Step):
    """Go on at another step, by what is read or by what a person answers."""

    branch: Text
    """The question."""
    answers: Annotated[dict[Text, StepId], Field(min_length=2)]
    """Answer → id of the step to go on at; a later one."""


Step = Check | Wait | Look | Question | Act | Remember | Note | Call | Tell | Branch

KINDS_OF_STEPS: Final[Mapping[str, type[Step]]] = {
    "check": Check, "wait": Wait, "look": Look, "ask": Question, "act": Act, "remember": Remember, "note": Note,
    "call": Call, "tell": Tell, "branch": Branch,
}  # fmt: skip
"""The key that makes a step what it is → its form."""


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"[{key}]" for key in KINDS_OF_STEPS if key in value), None)
    return next((f"[{key}]" for key, form in KINDS_OF_STEPS.items() if isinstance(value, form)), None)


AnyStep = Annotated[
    Annotated[Check, Tag("[check]")]
    | Annotated[Wait, Tag("[wait]")]
    | Annotated[Look, Tag("[look]")]
    | Annotated[Question, Tag("[ask]")]
    | Annotated[Act, Tag("[act]")]
    | Annotated[Remember, Tag("[remember]")]
    | Annotated[Note, Tag("[note]")]
    | Annotated[Call, Tag("[call]")]
    | Annotated[Tell, Tag("[tell]")]
    | Annotated[Branch, Tag("[branch]")],
    Discriminator(_kind),
]


class Section(Strict):
    """Steps that belong together."""

    title: Text
    """What they are about."""
    steps: Annotated[list[AnyStep], Field(min_length=1)]
    """In the order in which they are walked."""


class Definition(Strict):
    """A checklist or a runbook."""

    title: Text
    """What it is called."""
    when: Text | None = None
    """When it is walked, for people: `every morning before the first release`."""
    every: Annotated[Duration, Field(ge=60)] | None = None
    """How often it is due (`1d`, `7d`); never by itself when left out."""
    about: Literal["service", "workload", "database", "redis"] | None = None
    """What one of it is about; asked at its start, and `{subject}` in its steps."""
    symptoms: list[Text] = Field(default_factory=list)
    """Words by which people look for it: `503`, `too many clients`."""
    alerts: list[RuleName] = Field(default_factory=list)
    """Rules whose alerts offer it; `database.no_data`, of any kind: a system that does not answer offers it."""
    sections: Annotated[list[Section], Field(min_length=1)]
    """Its steps, in sections."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema for editors."""
    from pathlib import Path

    from profiles.described import described

    return described(Definition, [Path(__file__)], "opstui checklist or runbook")


def title_of(step: Step) -> str:
    """Return what a step says: its question, its change, what must be so."""
    return str(getattr(step, kind_of(step)))


def kind_of(step: Step) -> str:
    """Return the key that makes a step what it is: `check`, `act`…"""
    return next(key for key, form in KINDS_OF_STEPS.items() if type(step) is form)
