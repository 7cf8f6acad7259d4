"""The systems of a profile: clusters, services, databases, poolers and Redis servers."""

from typing import Annotated

from pydantic import Field

from profiles.declared import DeclaredPatch, Manifest
from profiles.guards import ClusterGuards
from profiles.probes import Inside, Login, OwnPath, Probe
from profiles.sentinel import SCHEMES
from profiles.values import (
    AbsolutePath,
    Address,
    SecretReference,
    Strict,
    SystemName,
    Timeout,
    http_address,
    with_scheme,
)
from profiles.via import Via


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
