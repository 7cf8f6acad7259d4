"""The only description of the profile format.

Every field's docstring is the manual: `opstui profile schema` and the README's table are generated from it.
Unknown keys are errors.
"""

from collections.abc import Container, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from profiles.declared import DeclaredPatch, Manifest
from profiles.guards import ClusterGuards, Guards
from profiles.hosts import ContainerName, DockerEngine, UnitName
from profiles.identity import Identity
from profiles.metrics import Metric, MetricName, Prometheus
from profiles.people import Contact, Hook, Script
from profiles.probes import Inside, Login, OwnPath, Probe, unknown_links
from profiles.required import Required
from profiles.sentinel import SCHEMES
from profiles.thresholds import Rule
from profiles.values import (
    AbsolutePath,
    Address,
    Duration,
    SecretReference,
    Strict,
    SystemName,
    Timeout,
    WalkName,
    ZoneName,
    http_address,
    with_scheme,
)
from profiles.via import Via

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


class SavedView(Strict):
    """One view of the Pods tab, kept by name."""

    show: str = "pods"
    """`pods`, `workloads`, `events`, `nodes`, `recent` (what changed), or any kind by a name that kubectl takes."""
    namespace: str = ""
    """Only this one; all when empty."""
    faults: bool = False
    """Whether only what needs somebody is shown."""
    filter: str = ""
    """As typed behind `/`: text, `/regex/`, `!text`, `-l LABELS`, `-f FIELDS`."""


class Kubernetes(Strict):
    """One cluster, as kubectl would reach it."""

    context: str | None = None
    """Context of the kubeconfig; its current one when left out."""
    kubeconfig: AbsolutePath | None = None
    """Path of the kubeconfig; `$KUBECONFIG`, else `~/.kube/config`, when left out."""
    namespaces: list[str] = Field(default_factory=list)
    """Namespaces to watch; all when empty."""
    views: dict[str, SavedView] = Field(default_factory=dict)
    """Views of the Pods tab that `v` offers, by name."""
    patches: dict[SystemName, DeclaredPatch] = Field(default_factory=dict)
    """Merge patches of single objects that the Pods tab offers, by name."""
    manifests: dict[SystemName, Manifest] = Field(default_factory=dict)
    """Files of manifests that the Pods tab offers to apply, by name."""
    guards: ClusterGuards = ClusterGuards()
    """What is tighter in it than the profile's `guards` say."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class Service(Strict):
    """One HTTP service with a health document."""

    url: Annotated[Address, http_address]
    """The health URL, `http://…` or `https://…`; or `env:NAME` or `file:PATH`."""
    workload: Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")] | None = None
    """What runs it, as `namespace/kind/name`."""
    cluster: SystemName | None = None
    """Which of the profile's `clusters` runs it; the one under `kubernetes` when left out."""
    slow_ms: Annotated[float, Field(gt=0)] = 1000
    """Latency from which the service counts as slow."""
    timeout: Timeout = 5.0
    """How long an answer may take."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """Headers to send, each a reference."""
    ca_file: AbsolutePath | None = None
    """CA bundle to trust instead of the system's."""
    probes: dict[SystemName, Probe] = Field(default_factory=dict)
    """What else to ask it, by name, and what must come back."""
    login: Login | None = None
    """How to get a token, for probes that need one."""
    token: SecretReference | None = None
    """A JWT or API key to look into: who it is for, and when it expires; it is neither shown nor sent."""
    stats: list[OwnPath] = Field(default_factory=list)
    """Paths of metrics in Prometheus' text format, or of numbers in JSON, to look through."""
    inside: Inside | None = None
    """Where the pods of `workload` answer, `8080/health`: asked by the API server, beside the url."""
    logs: SystemName | None = None
    """Which of the profile's logs are its own."""
    database: SystemName | None = None
    """Which of the profile's databases it uses."""
    redis: SystemName | None = None
    """Which of the profile's Redis servers it uses."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class Database(Strict):
    """One PostgreSQL database."""

    dsn: Address
    """`service=NAME`, `postgresql://user@host/db`, `host=… dbname=…`, `env:NAME` or `file:PATH`."""
    password: SecretReference | None = None
    """Where the password is, when not in `~/.pgpass` or a service file."""
    via: Via | None = None
    """A pod through which it is reached: a forward on a socket of opstui's own. TLS is spoken through it where
    `sslmode` promises it, with the dsn's host as the name in the certificate."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class PgBouncer(Strict):
    """The admin console of one PgBouncer."""

    dsn: Address
    """`postgresql://user@host:6432/pgbouncer`, `host=… port=6432 dbname=pgbouncer`, `service=NAME`, `env:NAME` or
    `file:PATH`; the user must be among its `stats_users`."""
    password: SecretReference | None = None
    """Where the password is, when not in `~/.pgpass` or a service file."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class RedisInstance(Strict):
    """One Redis or Valkey server."""

    url: Annotated[Address, with_scheme("redis", "rediss", "unix", *SCHEMES)]
    """`redis://host:6379/0`, `rediss://…`, `unix:///path?db=0`, `env:NAME`, `file:PATH`; or the master that sentinels
    know: `redis+sentinel://host:26379,host:26379/NAME/0`, `rediss+sentinel://…`."""
    username: str | None = None
    """ACL user; the server's default user when left out."""
    password: SecretReference | None = None
    """Where the password is."""
    via: Via | None = None
    """A pod through which it is reached: a forward on a socket of opstui's own. `rediss://` is spoken through it, with
    the url's host as the name in the certificate."""
    ca_file: AbsolutePath | None = None
    """CA bundle to trust instead of the system's."""
    queues: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    """Keys that are queues (lists, streams, sorted sets): their length, what is pending and for how long is watched."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


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
    "schema",
)
"""The files whose docstrings are the manual."""

KINDS = ("service", "container", "unit", "kubernetes", "database", "pgbouncer", "redis", "logs", "host", "metric")
"""The kinds of systems, as rules and sources call them."""

RuleName = Annotated[str, Field(pattern=rf"^(?:{'|'.join(KINDS)})\.[a-z][a-z0-9_]*$")]
"""`kind.metric`, e.g. `database.connections_percent`."""

_OF_EVERY_LOG = ("errors_per_s", "lines_per_s", "dropped", "gaps")


def _no_number_of_logs(name: str) -> str:
    if name in _OF_EVERY_LOG:
        raise ValueError(f"{name} is a number that every log has; call the filter otherwise")
    return name


FilterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63), AfterValidator(_no_number_of_logs)]
"""What this profile calls a filter of logs: small letters, digits and `_`; its rule is `logs.NAME`."""


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
