"""The one gate below the keys: may this request run now, and if not, why.

`refusal` is asked twice: by a pane to explain a key, and by `perform` when the action runs.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from profiles.guards import ClusterGuards, Guards, Names
from profiles.schema import Profile
from tui import pins
from tui.actions.action import NO_SYSTEM, Request
from tui.actions.cluster_guards import tighter
from tui.sources.reading import Reading, Snapshot

_STARTED_READ_ONLY: Final = "opstui was started read-only; start it again without --read-only to change anything"
_MINUTE_S: Final = 60.0
_IN: Final = {"variable": "of"}


@dataclass(slots=True)
class GuardState:
    """What the guard knows besides the profile; owned by the app, or by a headless run."""

    read_only: bool
    """Whether writing must be armed; from the profile, `--read-only` and `--share`."""
    locked: bool = False
    """Whether arming is refused: `--read-only` on the command line, or the profile's `guards.locked`."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow: setting the machine's clock back must not lengthen the armed window."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    """The time of day, for freeze windows."""
    armed_until: float = 0.0
    """`clock()` time at which the armed window ends."""
    armed_by: str = ""
    """Who opened it; empty while it is closed."""
    reading_of: Callable[[str], Reading[Snapshot] | None] = field(default=lambda source: None)
    """The newest reading of a source; None when it is not one of this profile."""
    _counted: dict[str, float] = field(default_factory=dict)
    """`clock()` time by action of the changes that were sent within the last minute, ours and others'."""

    def arm(self, seconds: float, by: str = "") -> str | None:
        """Open the armed window; returns why not, None when it is open."""
        if self.locked:
            return _STARTED_READ_ONLY
        self.armed_until, self.armed_by = self.clock() + seconds, by
        return None

    def disarm(self) -> None:
        """Close the armed window."""
        self.armed_until, self.armed_by = 0.0, ""

    @property
    def armed_for_s(self) -> float:
        """Seconds left of the armed window; 0 when it is closed."""
        return max(0.0, self.armed_until - self.clock())

    @property
    def can_write(self) -> bool:
        """Whether changes are possible at all right now, in what the profile does not hold tighter."""
        return not self.locked and (not self.read_only or self.armed_for_s > 0)

    def count(self, action: str, ago_s: float = 0.0) -> None:
        """Note that an action was sent, by this opstui or another; each counts once, and for a minute."""
        if ago_s < _MINUTE_S:
            self._counted.setdefault(action, self.clock() - ago_s)

    @property
    def sent_lately(self) -> int:
        """How many changes were sent within the last minute."""
        since = self.clock() - _MINUTE_S
        self._counted = {action: at for action, at in self._counted.items() if at > since}
        return len(self._counted)


def refusal(request: Request, profile: Profile, state: GuardState) -> str | None:
    """Return why `request` must not run now, in words with the remedy; None when nothing stands against it."""
    return next(_reasons(request, profile, state), None)


def _reasons(request: Request, profile: Profile, state: GuardState) -> Iterator[str]:
    if state.locked:
        yield _STARTED_READ_ONLY
    # Before the offer to arm: nobody should arm writing for what is not theirs to change.
    if (reason := pins.refusal(profile, request.target.source, state.reading_of)) is not None:
        yield reason
    own = tighter(profile, request.target.source)
    if own is not None and own.guards.locked:
        yield f"{own.name} is locked: nothing is changed in it from here ({own.place}.locked)"
    arm = f"press W to arm writing for {profile.guards.arm_for / 60:g} min"
    if not state.can_write:
        yield f"{profile.name} is read-only; {arm}"
    if own is not None and own.guards.read_only and not state.armed_for_s:
        yield f"{own.name} is read-only ({own.place}.read_only); {arm}"
    yield from _denied(request, profile)
    yield from _frozen(request, profile, state.now())
    if request.target.source != NO_SYSTEM:
        yield from _unseen(request.target.source, state)
    if state.sent_lately >= profile.guards.max_per_minute:
        yield (
            f"{state.sent_lately} changes were sent within a minute, and the profile allows "
            f"{profile.guards.max_per_minute} (guards.max_per_minute); wait"
        )


def was_disarmed(request: Request, profile: Profile, state: GuardState) -> bool:
    """Tell whether somebody closed the armed window by hand, or never opened it; not that its time ran out."""
    own = tighter(profile, request.target.source)
    is_armed_first = state.read_only or (own is not None and own.guards.read_only)
    return state.locked or (is_armed_first and state.armed_until == 0.0)


def denial(request: Request, profile: Profile) -> str | None:
    """Return why the profile's lists deny `request`, for what changes nothing and so needs no arming; None: nothing."""
    return next(_denied(request, profile), None)


def _unseen(source: str, state: GuardState) -> Iterator[str]:
    reading = state.reading_of(source)
    if reading is None:
        yield f"{source} is not a system of this profile"
    elif reading.error is not None:
        yield f"what you see is old ({reading.error}); wait until {source.rstrip(':')} answers again"


def _layers(request: Request, profile: Profile) -> Iterator[tuple[str, str, Guards | ClusterGuards]]:
    """Yield the guards that hold for a request: where they stand, the words for where they hold, and they."""
    yield "guards", "", profile.guards
    if (own := tighter(profile, request.target.source)) is not None:
        yield own.place, f" in {own.name}", own.guards


def _denied(request: Request, profile: Profile) -> Iterator[str]:
    for place, where, guards in _layers(request, profile):
        verbs = guards.verbs
        if request.verb in verbs.deny:
            yield f"the profile denies {request.verb}{where} ({place}.verbs.deny)"
        if verbs.allow is not None and request.verb not in verbs.allow:
            yield f"the profile allows only {', '.join(verbs.allow) or 'nothing'}{where} ({place}.verbs.allow)"
        names = {"namespace": guards.namespaces}
        if isinstance(guards, Guards):
            names |= {"database": guards.databases, "role": guards.roles, "variable": guards.variables}
        yield from _scope_denied(request.target.scope, names, place)


def _scope_denied(scope: Mapping[str, str], names: Mapping[str, Names], place: str) -> Iterator[str]:
    for kind, listed in names.items():
        name = scope.get(kind)
        if name is None:
            continue
        if not name and (listed.deny or listed.allow is not None):
            every = f"the profile does not allow every {kind} ({place}.{kind}s)"
            unseen = "it belongs to no namespace" if kind == "namespace" else f"its {kind} cannot be seen"
            yield f"{unseen}, and {every}"
            continue
        if any(fnmatchcase(name, pattern) for pattern in listed.deny):
            yield f"the profile denies changes {_IN.get(kind, 'in')} {kind} {name} ({place}.{kind}s.deny)"
        if listed.allow is not None and not any(fnmatchcase(name, pattern) for pattern in listed.allow):
            allowed = ", ".join(listed.allow) or "(none)"
            yield f"the profile allows changes only {_IN.get(kind, 'in')} the {kind}s {allowed} ({place}.{kind}s.allow)"


def _frozen(request: Request, profile: Profile, now: datetime) -> Iterator[str]:
    for place, where, guards in _layers(request, profile):
        for freeze in guards.freeze:
            until = freeze.until(now)
            if until is not None and request.verb not in freeze.allow:
                why = f": {freeze.why}" if freeze.why else ""
                yield f"frozen{where} until {until:%a %Y-%m-%d %H:%M} {until.tzname()}{why} ({place}.freeze)"
