"""The only description of the profile format.

Every field's docstring is the manual: `opstui profile schema` and the README's table are generated from it.
Unknown keys are errors.
"""

from collections.abc import Container, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from profiles.guards import Guards
from profiles.hosts import DockerEngine, UnitName
from profiles.identity import Identity
from profiles.logs import FilterName, LogFilter, LogSource
from profiles.metrics import Metric, MetricName, Prometheus
from profiles.people import Contact, Hook, Script
from profiles.probes import unknown_links
from profiles.required import Required
from profiles.systems import Database, Kubernetes, PgBouncer, RedisInstance, Service
from profiles.thresholds import Rule
from profiles.values import (
    AbsolutePath,
    Duration,
    Strict,
    SystemName,
    WalkName,
)

SHORT_FORMS = {
    "kubernetes": "context",
    "clusters": "context",
    "services": "url",
    "databases": "dsn",
    "pgbouncer": "dsn",
    "redis": "url",
    "logs": "file",
    "docker": "socket",
    "prometheus": "url",
    "metrics": "prometheus",
    "filters": "show",
}
"""What a plain string in place of an entry stands for."""


def _short_form(section: str, form: type[BaseModel]) -> BeforeValidator:
    return BeforeValidator(
        lambda value: {SHORT_FORMS[section]: value} if isinstance(value, str) else value,
        json_schema_input_type=str | form,
    )


_DESCRIBED = (
    "values",
    "declared",
    "thresholds",
    "metrics",
    "identity",
    "guards",
    "hosts",
    "people",
    "probes",
    "required",
    "via",
    "systems",
    "logs",
    "schema",
)
"""The files whose docstrings are the manual."""

KINDS = ("service", "container", "unit", "kubernetes", "database", "pgbouncer", "redis", "logs", "host", "metric")
"""The kinds of systems, as rules and sources call them."""

RuleName = Annotated[str, Field(pattern=rf"^(?:{'|'.join(KINDS)})\.[a-z][a-z0-9_]*$")]
"""`kind.metric`, e.g. `database.connections_percent`."""


class Profile(Strict):
    """One environment: what to watch and what is allowed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Its name, as `opstui --profile NAME` takes it; the file's when left out."""
    environment: Literal["prod", "staging", "dev", "sandbox"] = "prod"
    """What kind it is: decides the frame and the guards. Left out, it counts as production."""
    extends: str | None = None
    """Name or path of a profile to inherit from; keys given here win, mappings are merged."""
    refresh: Annotated[Duration, Field(ge=0.2)] = 2.0
    """How often visible systems are read."""
    kubernetes: Annotated[Kubernetes, _short_form("kubernetes", Kubernetes)] | None = None
    """The cluster; a plain string is the context."""
    clusters: dict[SystemName, Annotated[Kubernetes, _short_form("clusters", Kubernetes)]] = Field(default_factory=dict)
    """More clusters by name, or all of them; a plain string is the context. The Pods tab shows one at a time."""
    services: dict[SystemName, Annotated[Service, _short_form("services", Service)]] = Field(default_factory=dict)
    """HTTP services by name; a plain string is the url."""
    databases: dict[SystemName, Annotated[Database, _short_form("databases", Database)]] = Field(default_factory=dict)
    """PostgreSQL databases by name; a plain string is the dsn."""
    pgbouncer: dict[SystemName, Annotated[PgBouncer, _short_form("pgbouncer", PgBouncer)]] = Field(default_factory=dict)
    """PgBouncers by name; a plain string is the dsn of the admin console."""
    redis: dict[SystemName, Annotated[RedisInstance, _short_form("redis", RedisInstance)]] = Field(default_factory=dict)
    """Redis and Valkey servers by name; a plain string is the url."""
    docker: dict[SystemName, Annotated[DockerEngine, _short_form("docker", DockerEngine)]] = Field(default_factory=dict)
    """Engines of containers by name; a plain string is the socket."""
    systemd: list[UnitName] = Field(default_factory=list)
    """Units of this machine's systemd, by name or pattern; `.service` may be left out."""
    logs: dict[SystemName, Annotated[LogSource, _short_form("logs", LogSource)]] = Field(default_factory=dict)
    """Log streams by name; a plain string is the file."""
    prometheus: dict[SystemName, Annotated[Prometheus, _short_form("prometheus", Prometheus)]] = Field(
        default_factory=dict
    )
    """Prometheus servers by name, for `metrics`; a plain string is the url."""
    metrics: dict[MetricName, Annotated[Metric, _short_form("metrics", Metric)]] = Field(default_factory=dict)
    """Numbers by name, read where they are; a plain string is a PromQL query."""
    log_spool_mib: Annotated[int, Field(ge=0, le=65_536)] = 512
    """MiB of log lines that are kept on disk, beyond the million in memory, while opstui runs; 0: none."""
    filters: dict[FilterName, Annotated[LogFilter, _short_form("filters", LogFilter)]] = Field(default_factory=dict)
    """Filters of logs by name; a plain string is what they show. With a threshold, each is the rule `logs.NAME`."""
    rules: dict[RuleName, Rule] = Field(default_factory=dict)
    """Thresholds by `kind.metric`, e.g. `database.connections_percent`."""
    required: Required = Required()
    """What must be so, for `opstui check`."""
    identity: Identity = Identity()
    """By what the systems are known; `opstui profile pin` writes it."""
    guards: Guards = Guards()
    """What may be changed."""
    checklists: list[WalkName] = Field(default_factory=list)
    """Checklists by name (`daily`: a shipped one) or path; a relative path starts from this file's folder."""
    runbooks: list[WalkName] = Field(default_factory=list)
    """Runbooks by name (`lock-contention`: a shipped one) or path; a relative path starts from this file's folder."""
    scripts: dict[SystemName, Script] = Field(default_factory=dict)
    """Programs to run: by their exit code a checklist may check something, and a person may run each (`run-script`)."""
    contacts: dict[SystemName, Contact] = Field(default_factory=dict)
    """Whom to call, in the order in which to call them."""
    hooks: dict[SystemName, Hook] = Field(default_factory=dict)
    """What tells others: a page, a channel, a status page. Each is a guarded action."""
    bell: Literal["never", "critical", "all"] = "never"
    """Which alerts ring the terminal's bell when they come."""
    state_dir: AbsolutePath | None = None
    """A folder that a team shares for its journals (mode 2770, its group the team's); your own when left out."""

    @model_validator(mode="after")
    def _keeps_the_sandbox_apart(self) -> "Profile":
        if self.state_dir is not None and self.environment == "sandbox":
            raise ValueError("state_dir: the sandbox has a journal of its own, which no team shares")
        return self

    @model_validator(mode="after")
    def _knows_its_engines(self) -> "Profile":
        for name, log in self.logs.items():
            if log.docker is not None and not self.docker:
                raise ValueError(f"logs.{name}: logs of containers need an engine; add: docker: {{local: {{}}}}")
            if log.engine is not None and log.engine not in self.docker:
                raise ValueError(f"logs.{name}: docker has no engine {log.engine}")
        return self

    @model_validator(mode="after")
    def _makes_rules_of_filters(self) -> "Profile":
        for name, entry in self.filters.items():
            if (rule := entry.rule) is not None:
                self.rules.setdefault(f"logs.{name}", rule)
        return self

    @model_validator(mode="after")
    def _requires_what_it_names(self) -> "Profile":
        for name in ("replicas", "config_maps", "variables"):
            for cluster, path, _ in self.required.in_clusters(name):
                if not self.every_cluster:
                    raise ValueError(f"required.{name} needs kubernetes: in the profile")
                if self.cluster_meant(cluster) is None:
                    known = ", ".join(f"{one}:{path}" for one in self.clusters)
                    said = "which cluster has it?" if cluster is None else f"there is no cluster {cluster};"
                    raise ValueError(f"required.{name}: {path}: {said} write {known or path}")
        if unknown := [name for name in self.required.versions if name not in self.services]:
            raise ValueError(f"required.versions: services has no {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _goes_through_a_cluster(self) -> "Profile":
        for section, entries in (("databases", self.databases), ("redis", self.redis)):
            for name, entry in entries.items():
                if entry.via is not None and not self.every_cluster:
                    raise ValueError(f"{section}.{name}.via needs kubernetes: in the profile")
        return self

    @model_validator(mode="after")
    def _has_what_services_name(self) -> "Profile":
        known: dict[str, Container[str]] = {"logs": self.logs, "databases": self.databases, "redis": self.redis}
        if wrong := unknown_links(self.services, known, has_cluster=bool(self.every_cluster)):
            raise ValueError("; ".join(wrong))
        return self

    @property
    def systems(self) -> Mapping[str, Mapping[str, BaseModel]]:
        """What has a name, by kind and name: services, engines, databases, PgBouncers, Redis servers, logs, metrics.

        Clusters only where there are several to tell apart; the one under `kubernetes` has the empty name.
        """
        return {
            **({"kubernetes": self.every_cluster} if self.clusters else {}),
            "service": self.services,
            "container": self.docker,
            "database": self.databases,
            "pgbouncer": self.pgbouncer,
            "redis": self.redis,
            "logs": self.logs,
            "metric": self.metrics,
        }

    @property
    def every_cluster(self) -> Mapping[str, Kubernetes]:
        """Every cluster by name; the one under `kubernetes` comes first and has the empty name."""
        return {**({"": self.kubernetes} if self.kubernetes is not None else {}), **self.clusters}

    def cluster_meant(self, named: str | None) -> str | None:
        """Return the name of the cluster that a link means: the one it names, else the only one or `kubernetes`.

        None where there is no such cluster, or it would be a guess.
        """
        every = self.every_cluster
        if named is not None:
            return named if named in every else None
        return next(iter(every)) if "" in every or len(every) == 1 else None

    @property
    def thresholds(self) -> Mapping[str, Rule]:
        """Every rule by `kind.metric`: those of `rules`, and those that metrics bring as `metric.NAME`."""
        own = {f"metric.{name}": rule for name, metric in self.metrics.items() if (rule := metric.rule) is not None}
        return {**own, **self.rules}

    @property
    def starts_read_only(self) -> bool:
        """Whether writing must be armed before anything can be changed."""
        if self.guards.read_only is not None:
            return self.guards.read_only
        return self.environment == "prod"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema for editors; `name` may be left out there, the loader takes it from the file's name."""
    # Imported here: nothing of it is needed to read a profile without mistakes.
    from pathlib import Path

    from profiles.described import described

    files = (Path(__file__).with_name(f"{name}.py") for name in _DESCRIBED)
    schema = described(Profile, files, "opstui profile")
    schema.pop("required", None)
    return schema
