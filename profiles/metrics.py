"""Numbers that no system of a profile reports by itself: where each is read, and when it is too high."""

from typing import Annotated

from pydantic import Field, model_validator

from profiles.thresholds import Rule
from profiles.values import AbsolutePath, Address, Duration, SecretReference, Strict, SystemName, Timeout, http_address

_WAYS = ("prometheus", "json", "text", "sql", "redis")
_NEEDS = {"json": "path", "text": "series"}

MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
"""What this profile calls a metric: small letters, digits and `_`."""


def path_problem(path: str) -> str:
    """Return why something is no JMESPath expression; empty when it is one."""
    import jmespath  # only profiles that read JSON pay for it

    try:
        jmespath.compile(path)
    except jmespath.exceptions.JMESPathError as error:
        return str(error).splitlines()[0]
    return ""


class Prometheus(Strict):
    """One server that answers Prometheus' HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics."""

    url: Annotated[Address, http_address]
    """Where `/api/v1/query` is below; or `env:NAME` or `file:PATH`."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """Headers to send, each a reference."""
    ca_file: AbsolutePath | None = None
    """CA bundle to trust instead of the system's."""
    timeout: Timeout = 5.0
    """How long an answer may take."""


class Metric(Strict):
    """One number, or one for every series: exactly one of `prometheus`, `json`, `text`, `sql` and `redis`."""

    title: str | None = None
    """What people read; its name when left out."""
    prometheus: Annotated[str, Field(min_length=1)] | None = None
    """A PromQL query that gives instant values; its past is read too."""
    json_: Annotated[Annotated[Address, http_address] | None, Field(alias="json")] = None
    """URL of a JSON document; `path` says where in it the number is."""
    path: Annotated[str, Field(min_length=1)] | None = None
    """For `json`: a JMESPath expression, `pools[0].active` or `sum(queues[].length)`."""
    text: Annotated[Address, http_address] | None = None
    """URL of metrics in Prometheus' text format; `series` says which."""
    series: Annotated[str, Field(min_length=1)] | None = None
    """For `text`: the name of the series, as it stands in the document."""
    labels: dict[str, str] = Field(default_factory=dict)
    """For `text`: labels that the series must have."""
    sql: Annotated[str, Field(min_length=1)] | None = None
    """A SELECT of one number, run read-only; schemas must be named."""
    redis: Annotated[list[str], Field(min_length=1)] | None = None
    """A reading Redis command, `[LLEN, jobs]` or `[INFO, blocked_clients]`."""
    on: SystemName | None = None
    """Which of the profile's Prometheus servers, databases or Redis servers; may be left out where there is one."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """For `json` and `text`: headers to send, each a reference."""
    ca_file: AbsolutePath | None = None
    """For `json` and `text`: CA bundle to trust instead of the system's."""
    per_second: bool = False
    """Whether it only ever counts up: its growth per second is shown and judged. Not for `prometheus`: use `rate()`."""
    scale: Annotated[float, Field(gt=0)] = 1.0
    """What the number is multiplied by."""
    unit: Annotated[str, Field(max_length=12)] = ""
    """What it counts: `%`, `ms`, `B` (then written as KiB, MiB …), `s`, or a word."""
    every: Annotated[Duration, Field(ge=1)] = 15.0
    """How often it is read."""
    timeout: Timeout = 5.0
    """How long an answer may take."""
    warn: float | None = None
    """From this value on: warning; with `critical` below `warn`, small values are the bad ones."""
    critical: float | None = None
    """From this value on: critical."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long it must hold before it is an alert."""
    clear: float | None = None
    """The value it must come back to before the alert ends or its level falls; the threshold itself when left out."""

    @model_validator(mode="after")
    def _is_read_in_one_way(self) -> "Metric":
        given = [way for way in _WAYS if getattr(self, "json_" if way == "json" else way) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(_WAYS)}, not {', '.join(given) or 'none of them'}")
        way = given[0]
        for of, part in _NEEDS.items():
            if (getattr(self, part) is not None) != (of == way):
                raise ValueError(f"{of} and {part} belong together")
        if self.labels and way != "text":
            raise ValueError("labels is for text; in a prometheus query they stand in the query")
        if (self.headers or self.ca_file) and way not in ("json", "text"):
            raise ValueError("headers and ca_file are for json and text")
        if self.on is not None and way in ("json", "text"):
            raise ValueError(f"on names a system of this profile; {way} has its own URL")
        if self.per_second and way == "prometheus":
            raise ValueError("per_second is not for prometheus: use rate() in the query")
        return self

    @property
    def way(self) -> str:
        """How it is read: `prometheus`, `json`, `text`, `sql` or `redis`."""
        return next(way for way in _WAYS if getattr(self, "json_" if way == "json" else way) is not None)

    @property
    def rule(self) -> Rule | None:
        """When it is too high; None when the profile does not say."""
        if self.warn is None and self.critical is None:
            return None
        return Rule.model_validate(
            {"warn": self.warn, "critical": self.critical, "for": self.for_, "clear": self.clear}
        )
