"""The logs of a profile, and its filters of them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from profiles.hosts import ContainerName
from profiles.thresholds import Rule
from profiles.values import (
    AbsolutePath,
    Duration,
    Strict,
    SystemName,
    Timeout,
    ZoneName,
)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class LogSource(Strict):
    """One stream of log lines: exactly one of `file`, `pods`, `workload`, `pod`, `docker` and `command`."""

    file: AbsolutePath | None = None
    """Path or glob of files to follow through rotation."""
    pods: str | None = None
    """Label selector of pods whose logs to follow."""
    workload: Annotated[str, Field(pattern=r"^(deployment|statefulset|daemonset|replicaset|job)/[^/]+$")] | None = None
    """A workload, as `deployment/api`, whose pods to follow while they come and go."""
    pod: Annotated[str, Field(min_length=1)] | None = None
    """Name of the pod to follow, or a pattern of names: `api-*`; `*` for all of the namespace."""
    namespace: str | None = None
    """Namespace of `pods`, `workload` or `pod`."""
    cluster: SystemName | None = None
    """Which of the profile's `clusters` has them; the one under `kubernetes` when left out."""
    container: str | None = None
    """Container of the pods; the first when left out; `*` for all of them, init containers included."""
    previous: bool = False
    """Whether to begin with the log of the container before its last restart, where there is one."""
    docker: ContainerName | None = None
    """Name or pattern of the containers whose logs to follow."""
    engine: SystemName | None = None
    """Which engine of the profile's `docker` section has them; its first when left out."""
    command: Annotated[list[str], Field(min_length=1)] | None = None
    """A program whose output to follow, as an argument list."""
    zone: ZoneName | None = None
    """Time zone of times in its lines that name none, as `UTC` or `Europe/Berlin`; this machine's when left out."""

    @property
    def is_of_pods(self) -> bool:
        """Whether a cluster has it."""
        return self.pods is not None or self.workload is not None or self.pod is not None

    @model_validator(mode="after")
    def _exactly_one(self) -> "LogSource":
        names = ("file", "pods", "workload", "pod", "docker", "command")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            wanted = f"{', '.join(names[:-1])} and {names[-1]}"
            raise ValueError(f"give exactly one of {wanted}, not {', '.join(given) or 'none of them'}")
        if self.is_of_pods and self.namespace is None:
            raise ValueError(f"{given[0]} needs a namespace")
        if not self.is_of_pods and (self.container or self.previous or self.cluster):
            raise ValueError("container, previous and cluster are for pods")
        if self.zone is not None and (self.is_of_pods or self.docker is not None):
            raise ValueError("zone is for files and commands; the lines of containers have times of their own")
        return self


class LogFilter(Strict):
    """Lines of logs that matter: offered by name in the Logs tab, and with a threshold a rule on how many there are."""

    show: Annotated[
        list[str], Field(min_length=1), BeforeValidator(_one_or_more, json_schema_input_type=str | list[str])
    ]
    """What a line must be, as one types it in the Logs tab: `level = ERROR and path ~ ^/api`, or an expression."""
    hide: Annotated[list[str], BeforeValidator(_one_or_more, json_schema_input_type=str | list[str])] = Field(
        default_factory=list
    )
    """What it must not be."""
    logs: list[SystemName] = Field(default_factory=list)
    """Names of the logs it is for; all when empty."""
    within: Timeout = 10.0
    """How far back messages count for the thresholds."""
    warn: float | None = None
    """From so many messages on within that time: warning."""
    critical: float | None = None
    """From so many messages on within that time: critical."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long it must hold before it is an alert."""
    clear: float | None = None
    """The number it must come back to before the alert ends or its level falls; the threshold itself when left out."""

    @property
    def rule(self) -> Rule | None:
        """The rule that its thresholds make; None without any."""
        if self.warn is None and self.critical is None:
            return None
        given = {"warn": self.warn, "critical": self.critical, "for": self.for_, "clear": self.clear, "only": self.logs}
        return Rule.model_validate(given)


_OF_EVERY_LOG = ("errors_per_s", "lines_per_s", "dropped", "gaps")


def _no_number_of_logs(name: str) -> str:
    if name in _OF_EVERY_LOG:
        raise ValueError(f"{name} is a number that every log has; call the filter otherwise")
    return name


FilterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63), AfterValidator(_no_number_of_logs)]
"""What this profile calls a filter of logs: small letters, digits and `_`; its rule is `logs.NAME`."""
