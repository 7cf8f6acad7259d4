"""The one gate below the keys: may this request run now, and if not, why.

`refusal` is asked twice: by a pane to explain a key, and by `perform` when the action runs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from profiles.schema import Profile
from tui.actions.action import Request
from tui.sources.reading import Reading, Snapshot


@dataclass(slots=True)
class GuardState:
    """What the guard knows besides the profile; owned by the app, or by a headless run."""

    read_only: bool
    """Whether writing must be armed; from the profile and `--read-only`."""
    locked: bool = False
    """Whether arming is refused: `--read-only` on the command line, or the profile's `guards.locked`."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that only grow: setting the machine's clock back must not lengthen the armed window."""
    armed_until: float = 0.0
    """`clock()` time at which the armed window ends."""
    reading_of: Callable[[str], Reading[Snapshot] | None] = field(default=lambda source: None)
    """The newest reading of a source; None when it is not one of this profile."""

    def arm(self, seconds: float) -> str | None:
        """Open the armed window; returns why not, None when it is open."""
        if self.locked:
            return "opstui was started read-only; start it again without --read-only to change anything"
        self.armed_until = self.clock() + seconds
        return None

    def disarm(self) -> None:
        """Close the armed window."""
        self.armed_until = 0.0

    @property
    def armed_for_s(self) -> float:
        """Seconds left of the armed window; 0 when it is closed."""
        return max(0.0, self.armed_until - self.clock())

    @property
    def can_write(self) -> bool:
        """Whether changes are possible at all right now."""
        return not self.locked and (not self.read_only or self.armed_for_s > 0)


def refusal(request: Request, profile: Profile, state: GuardState) -> str | None:
    """Return why `request` must not run now, in words with the remedy; None when nothing stands against it."""
    if state.locked:
        return "opstui was started read-only; start it again without --read-only to change anything"
    if not state.can_write:
        return f"{profile.name} is read-only; press W to arm writing for {profile.guards.arm_for / 60:g} min"
    if request.verb in profile.guards.deny:
        return f"the profile denies {request.verb} (guards.deny)"
    target = request.target
    allowed = profile.guards.namespaces
    if target.source.startswith("kubernetes:") and allowed is not None and target.where not in allowed:
        return f"the profile allows changes only in the namespaces {', '.join(allowed) or '(none)'}"
    reading = state.reading_of(target.source)
    if reading is None:
        return f"{target.source} is not a system of this profile"
    if reading.error is not None:
        return f"what you see is old ({reading.error}); wait until {target.source.rstrip(':')} answers again"
    return None
