"""Is this really prod? The profile's pins beside what answers. Pure: facts in, findings out."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from profiles.identity import Identity, Pins
from profiles.schema import Profile
from tui.sources.reading import Reading, Snapshot
from tui.sources.text import clean
from tui.sources.trait import Identified, Trait

ReadingOf = Callable[[str], Reading[Snapshot] | None]
"""The newest reading of a source by its name; None when the profile has none."""

KUBERNETES: Final = "kubernetes:"
_SYSTEMS: Final = {"kubernetes": "Kubernetes", "database": "PostgreSQL", "redis": "Redis"}
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{40,64}")
_DIGITS: Final = 16
_WORDS: Final = {
    "namespace_uid": "UID of kube-system",
    "server": "API server",
    "ca_sha256": "CA",
    "cluster_myid": "node",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """One fact that the profile pins."""

    source: str
    """Name of the source: `kubernetes:`, `database:orders`."""
    key: str
    """Its field in the profile's `identity`."""
    value: str | int


@dataclass(frozen=True, slots=True)
class Finding:
    """A pin that is not confirmed: something else answers, or nobody knows."""

    pin: Pin
    found: str | int | None
    """What answers; None where that is not known."""
    why: str = ""
    """Why it is not known, with what helps; empty where it is."""

    @property
    def is_mismatch(self) -> bool:
        """Whether something else than what is pinned has answered."""
        return self.found is not None

    def __str__(self) -> str:
        name = f"{system_words(self.pin.source)}: {key_words(self.pin.key)}"
        answers = f"not verified: {self.why}" if self.found is None else f"{_brief(self.found)} answers"
        return f"{name} {_brief(self.pin.value)} expected, {answers}"


def pins(identity: Identity) -> Iterator[Pin]:
    """Yield every fact that a profile pins, by system."""
    if identity.kubernetes is not None:
        yield from _of(KUBERNETES, identity.kubernetes)
    for name, of_cluster in identity.clusters.items():
        yield from _of(f"{KUBERNETES}{name}", of_cluster)
    for name, pinned in identity.postgres.items():
        yield from _of(f"database:{name}", pinned)
    for name, of_redis in identity.redis.items():
        yield from _of(f"redis:{name}", of_redis)


def _of(source: str, pinned: Pins) -> Iterator[Pin]:
    for key in type(pinned).model_fields:
        if (value := getattr(pinned, key)) is not None:
            yield Pin(source, key, value)


def findings(identity: Identity, reading_of: ReadingOf) -> tuple[Finding, ...]:
    """Return every pin that is not confirmed by the last snapshot of its system, mismatches first.

    What answered wrongly stays so while its system is silent: only a good answer takes it back.
    """
    known: dict[str, Mapping[str, Trait]] = {}
    found: list[Finding] = []
    for pin in pins(identity):
        if pin.source not in known:
            known[pin.source] = traits(reading_of(pin.source))
        if (finding := compared(pin, known[pin.source].get(pin.key))) is not None:
            found.append(finding)
    return tuple(sorted(found, key=lambda finding: not finding.is_mismatch))


def compared(pin: Pin, trait: Trait | None) -> Finding | None:
    """Return what stands against a pin; None when it is confirmed. `trait` is None while nothing has answered."""
    if trait is None:
        return Finding(pin, None, "it has not answered yet; wait until it has")
    if trait.value is None:
        return Finding(pin, None, trait.missing)
    return None if trait.value == pin.value else Finding(pin, trait.value)


def traits(reading: Reading[Snapshot] | None) -> Mapping[str, Trait]:
    """Return what is known of a system, by key; empty when nothing is."""
    snapshot = reading.snapshot if reading is not None else None
    return {trait.key: trait for trait in snapshot.traits()} if isinstance(snapshot, Identified) else {}


def refusal(profile: Profile, source: str, reading_of: ReadingOf) -> str | None:
    """Return why nothing may be changed in a system for want of its identity; None when all pins allow it.

    A mismatch anywhere stands against every change: who is wrong about one system is wrong about the environment. What
    is only not verified stands against changes of that system.
    """
    found = findings(profile.identity, reading_of)
    for finding in found:
        if finding.is_mismatch:
            return f"this is not what profile {profile.name} expects: {finding} {remedy(profile)}"
    for finding in found:
        if finding.pin.source == source:
            return f"it is not sure that this is what profile {profile.name} expects: {finding}"
    return None


def remedy(profile: Profile) -> str:
    """Return what helps where a mismatch is right after all."""
    return f"(if that is right: opstui profile pin {profile.name})"


def system_words(source: str) -> str:
    """Return a system as people call it: `PostgreSQL orders`."""
    kind, _, name = source.partition(":")
    return f"{_SYSTEMS.get(kind, kind)} {name}".strip()


def key_words(key: str) -> str:
    """Return a pinned fact as people call it: `system identifier`."""
    return _WORDS.get(key, key.replace("_", " "))


def shown(value: str | int) -> str:
    """Return a pinned value, or what answers in its place, for the eye."""
    return clean(str(value), limit=200) if value != "" else "none"


def _brief(value: str | int) -> str:
    """Return it short enough for a sentence: sixteen digits of a fingerprint tell two apart."""
    text = shown(value)
    return f"{text[:_DIGITS]}…" if _FINGERPRINT.fullmatch(text) else text


def changed(before: Iterable[Finding], after: Iterable[Finding]) -> Iterator[tuple[str, str, bool]]:
    """Yield what is new on record between two looks: source, sentence, and whether it is a mismatch that began."""
    old = {finding.pin: finding for finding in before if finding.is_mismatch}
    new = {finding.pin: finding for finding in after}
    for pin, finding in new.items():
        if finding.is_mismatch and old.get(pin) != finding:
            yield pin.source, f"not as pinned: {finding}", True
    for pin in old:
        if pin not in new:
            words = f"{system_words(pin.source)}: {key_words(pin.key)} {shown(pin.value)} answers again, as expected"
            yield pin.source, words, False
