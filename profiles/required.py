"""What must be so in an environment, for `opstui check`: replicas, versions, ConfigMaps, variables."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from profiles.values import Strict, SystemName

WorkloadPath = Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")]
"""`namespace/kind/name`, as in a service's `workload`."""

VersionBound = Annotated[str, Field(pattern=r"^\s*(?:>=|<=|==|>|<)?\s*v?\d{1,9}(?:\.\d{1,9}){0,5}\s*$")]
"""`>=1.4`, `<2`, `==1.4.2`; a version alone must be met exactly. Missing parts count as 0."""


class Required(Strict):
    """What must be so; what is not is critical."""

    replicas: dict[WorkloadPath, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """How many ready pods a workload must have at least, by `namespace/kind/name`; `us:namespace/kind/name` in one of
    several clusters."""
    config_maps: dict[Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")], list[str]] = Field(default_factory=dict)
    """Which ConfigMaps there must be, by `namespace/name` or `us:namespace/name`, and the keys each must have."""
    variables: dict[WorkloadPath, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    """Which environment variables every container of a workload must have, by `namespace/kind/name` or
    `us:namespace/kind/name`; names only."""
    versions: dict[SystemName, VersionBound] = Field(default_factory=dict)
    """Which version a service's health document must tell, by the service's name: `>=1.4`."""

    def in_clusters(self, name: str) -> Iterator[tuple[str | None, str, Any]]:
        """Yield what `replicas`, `config_maps` or `variables` require: the cluster that is named, None where none is;
        the path there; and what is required of it."""
        wanted: Mapping[str, Any] = getattr(self, name)
        for written, what in wanted.items():
            cluster, colon, path = written.rpartition(":")
            yield cluster if colon else None, path, what
