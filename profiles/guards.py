"""The `guards` of a profile: what may be changed through opstui, and how hard it is."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from profiles.values import Duration, Strict, zone_named

VerbName = Literal[
    "restart",
    "scale",
    "undo-rollout",
    "pause-rollout",
    "resume-rollout",
    "delete-pod",
    "set-image",
    "set-env",
    "set-resources",
    "evict",
    "cordon",
    "uncordon",
    "drain",
    "suspend",
    "unsuspend",
    "run-job",
    "label",
    "annotate",
    "delete-networkpolicy",
    "restore-networkpolicy",
    "renew-certificate",
    "shell",
    "look-inside",
    "show-secret",
    "merge-patch",
    "apply",
    "cancel-query",
    "terminate-backend",
    "terminate-matching",
    "vacuum",
    "build-index",
    "set-parameter",
    "reset-statements",
    "enable-statements",
    "kill-client",
    "config-set",
    "unlink-keys",
    "flush-database",
    "save-snapshot",
    "purge-memory",
    "restart-container",
    "stop-container",
    "start-container",
    "restart-unit",
    "stop-unit",
    "start-unit",
    "probe",
    "tell",
    "run-script",
]
"""What can be done, as `opstui actions` lists it."""


class Verbs(Strict):
    """Which verbs may be used."""

    allow: list[VerbName] | None = None
    """Only these; all when left out."""
    deny: list[VerbName] = Field(default_factory=list)
    """None of these, also where `allow` names them."""


class Names(Strict):
    """Which names may be changed; a name may hold `*` and `?`, as a shell's."""

    allow: list[str] | None = None
    """Only these; all when left out."""
    deny: list[str] = Field(default_factory=list)
    """None of these, also where `allow` names them."""


def _allowed_only(form: type[BaseModel]) -> BeforeValidator:
    return BeforeValidator(
        lambda value: {"allow": value} if isinstance(value, list) else value,
        json_schema_input_type=list[str] | form,
    )


_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY: Final = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)", re.IGNORECASE)


class Freeze(Strict):
    """A time in which nothing is changed: once, between two dates, or every week."""

    from_: Annotated[str, Field(alias="from")]
    """When it begins: `2026-12-20T18:00` or, every week, `Fri 16:00`."""
    to: str
    """When it ends, written in the same form."""
    zone: str = "UTC"
    """Time zone of both, such as `Europe/Berlin`."""
    why: str = ""
    """What a person is told."""
    allow: list[VerbName] = Field(default_factory=list)
    """Verbs that may be used all the same."""

    @model_validator(mode="after")
    def _is_a_time(self) -> "Freeze":
        try:
            zone = zone_named(self.zone)
        except ValueError as error:
            raise ValueError(f"zone: {error}") from None
        weekly = [bool(_WEEKLY.fullmatch(text)) for text in (self.from_, self.to)]
        if weekly == [True, True]:
            return self
        try:
            begins, ends = (datetime.fromisoformat(text) for text in (self.from_, self.to))
        except ValueError:
            form = "`2026-12-20T18:00` or, every week, `Fri 16:00`"
            raise ValueError(f"from and to are both written as {form}") from None
        begins, ends = (time if time.tzinfo else time.replace(tzinfo=zone) for time in (begins, ends))
        if ends <= begins:
            raise ValueError("to must be later than from")
        return self

    def until(self, now: datetime) -> datetime | None:
        """Return when the freeze that holds at `now` ends, in its zone; None when it does not hold then."""
        zone = ZoneInfo(self.zone)
        here = now.astimezone(zone)
        if _WEEKLY.fullmatch(self.from_):
            begins, ends = _in_week_of(here, self.from_), _in_week_of(here, self.to)
            if ends <= begins:  # over the end of the week
                begins, ends = (begins - _WEEK, ends) if here < ends else (begins, ends + _WEEK)
        else:
            begins, ends = (datetime.fromisoformat(text) for text in (self.from_, self.to))
            begins, ends = (time if time.tzinfo else time.replace(tzinfo=zone) for time in (begins, ends))
        return ends.astimezone(zone) if begins <= here < ends else None


_WEEK: Final = timedelta(days=7)


def _in_week_of(now: datetime, written: str) -> datetime:
    day, _, clock = written.lower().partition(" ")
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    hour, minute = clock.split(":")
    return (monday + timedelta(days=_DAYS.index(day))).replace(hour=int(hour), minute=int(minute))


class Confirming(Strict):
    """How hard confirming is, by risk; it can be made harder than opstui's own measure, never easier."""

    low: Literal["key", "type", "type+reason"] | None = None
    """Cancelling a query, deleting one owned pod."""
    medium: Literal["key", "type", "type+reason"] | None = None
    """Restarting, scaling, terminating a backend."""
    high: Literal["key", "type", "type+reason"] | None = None
    """Scaling to 0, superusers' sessions, settings."""


class Guards(Strict):
    """What may be changed through opstui, and how hard it is."""

    read_only: bool | None = None
    """Whether writing starts disarmed; when left out, it does in `prod` only."""
    locked: bool = False
    """Whether writing cannot be armed at all."""
    arm_for: Duration = 600.0
    """How long `W` arms writing."""
    verbs: Annotated[Verbs, _allowed_only(Verbs)] = Verbs()
    """What may be done; a plain list is what is allowed."""
    namespaces: Annotated[Names, _allowed_only(Names)] = Names()
    """Kubernetes namespaces in which something may be changed; a plain list is what is allowed."""
    databases: Annotated[Names, _allowed_only(Names)] = Names()
    """Databases (as PostgreSQL calls them) whose sessions may be ended; a plain list is what is allowed."""
    roles: Annotated[Names, _allowed_only(Names)] = Names()
    """PostgreSQL roles and Redis users whose sessions may be ended; a plain list is what is allowed."""
    variables: Annotated[Names, _allowed_only(Names)] = Names()
    """Environment variables that may be set on containers (`set-env`); a plain list is what is allowed."""
    freeze: list[Freeze] = Field(default_factory=list)
    """Times in which nothing is changed."""
    max_per_minute: Annotated[int, Field(ge=1)] = 30
    """How many changes all opstui of this profile may send together within a minute."""
    confirm: Confirming = Confirming()
    """How hard confirming is."""


def _tightens(value: object) -> object:
    if value is False:
        raise ValueError("a cluster only tightens the profile's guards: leave it out instead")
    return value


_Tightening = Annotated[bool, BeforeValidator(_tightens, json_schema_input_type=Literal[True])]


class ClusterGuards(Strict):
    """What one cluster adds to the profile's guards. All of both hold: it tightens them and takes nothing back."""

    read_only: _Tightening = False
    """Whether writing there has to be armed also where the profile starts writable."""
    locked: _Tightening = False
    """Whether nothing can be changed there at all, armed or not."""
    verbs: Annotated[Verbs, _allowed_only(Verbs)] = Verbs()
    """What may be done there; a plain list is what is allowed."""
    namespaces: Annotated[Names, _allowed_only(Names)] = Names()
    """Namespaces there in which something may be changed; a plain list is what is allowed."""
    freeze: list[Freeze] = Field(default_factory=list)
    """Times in which nothing is changed there."""
    confirm: Confirming = Confirming()
    """How hard confirming is there."""
