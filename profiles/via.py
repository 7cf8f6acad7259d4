"""How a server is reached that only the cluster can reach."""

from typing import Annotated

from pydantic import Field, model_validator

from profiles.values import Strict, SystemName

_NAMED = Annotated[str, Field(pattern=r"^[^/\s]+/[^/\s]+$", max_length=600)]


class Via(Strict):
    """A pod to go through: exactly one of `pod`, `service` and `workload`, and a port."""

    pod: _NAMED | None = None
    """One pod, as `namespace/name`."""
    service: _NAMED | None = None
    """The pods behind a service, as `namespace/name`: one that is ready is taken."""
    workload: (
        Annotated[
            str,
            Field(pattern=r"^[^/\s]+/(deployment|statefulset|daemonset|replicaset)/[^/\s]+$", max_length=600),
        ]
        | None
    ) = None
    """The pods of a workload, as `namespace/kind/name`: one that is ready is taken."""
    cluster: SystemName | None = None
    """Which of the profile's `clusters` it is in; the one under `kubernetes` when left out."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """The pod's port; for a service the service's."""

    @model_validator(mode="after")
    def _exactly_one(self) -> "Via":
        given = [name for name in ("pod", "service", "workload") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of pod, service and workload, not {', '.join(given) or 'none of them'}")
        return self

    @property
    def target(self) -> tuple[str, str, str]:
        """Namespace, kind (`pod`, `service`, `deployment`…) and name."""
        if self.workload is not None:
            namespace, kind, name = self.workload.split("/")
            return namespace, kind, name
        kind = "pod" if self.pod is not None else "service"
        namespace, name = (self.pod or self.service or "").split("/")
        return namespace, kind, name
