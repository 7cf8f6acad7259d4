"""What one cluster of the profile allows less than the profile does: found by the source that a change is for."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles.guards import ClusterGuards
from profiles.schema import Profile

_KIND = "kubernetes"


@dataclass(frozen=True, slots=True)
class Tighter:
    """The guards of one cluster."""

    name: str
    """What people call it: its name under `clusters`, or `kubernetes`."""
    place: str
    """Where they stand in the profile: `clusters.us.guards`."""
    guards: ClusterGuards

    @property
    def words(self) -> str:
        """What of the profile's guards is tighter there, and where that stands; empty: nothing is."""
        added = [name for name in ClusterGuards.model_fields if name in self.guards.model_fields_set]
        return f"{', '.join(added)} ({self.place})" if added else ""


def tighter(profile: Profile, source: str) -> Tighter | None:
    """Return the guards of the cluster that a source reads; None where it reads none of the profile's."""
    kind, _, name = source.partition(":")
    entry = profile.every_cluster.get(name) if kind == _KIND else None
    if entry is None:
        return None
    return Tighter(name or _KIND, f"clusters.{name}.guards" if name else f"{_KIND}.guards", entry.guards)


def unwritable(profile: Profile, *, is_armed: bool) -> list[str]:
    """Return the names of the clusters in which nothing can be changed although elsewhere something can."""
    return [one.name for one in _every(profile) if one.guards.locked or (one.guards.read_only and not is_armed)]


def has_read_only(profile: Profile) -> bool:
    """Tell whether there is a cluster for which writing is armed also where the profile starts writable."""
    return any(one.guards.read_only and not one.guards.locked for one in _every(profile))


def _every(profile: Profile) -> Iterator[Tighter]:
    for name in profile.every_cluster:
        if (found := tighter(profile, f"{_KIND}:{name}")) is not None:
            yield found
