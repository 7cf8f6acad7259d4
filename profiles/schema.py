"""The only description of the profile format.

Every field's docstring is the manual: `opstui profile schema` and the README's table are generated from it.
Unknown keys are errors.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> Any:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", value.strip())):
        return float(found[1]) * _UNITS[found[2]]
    if isinstance(value, str):
        raise ValueError("a duration is a number with a unit: 500ms, 30s, 10m, 1h, 1d")
    return value


Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float), Field(ge=0)]
"""Seconds; written `30s`, `10m`, `1h` or as a plain number of seconds."""


def _no_password(value: str) -> str:
    # Whatever stands between "user:" and "@" of a URL, and the keyword form, is a password by value.
    if re.search(r"^[a-z+]+://[^/?#@]*:[^/?#@]+@", value) or re.search(r"(?:^|[\s?&])password=(?!$)", value):
        raise ValueError(
            "a password must not stand in a profile; use password: env:NAME, file:PATH or {command: [...]}, "
            "~/.pgpass or a service file"
        )
    return value


Address = Annotated[str, AfterValidator(_no_password)]
"""A URL or DSN without a password, or a reference to one: `env:NAME`, `file:PATH`."""


class Strict(BaseModel):
    """The base of all: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class Command(Strict):
    """A program whose standard output is the value; run without a shell and without standard input."""

    command: Annotated[list[str], Field(min_length=1)]
    """Program and arguments."""
    timeout: Duration = 10.0
    """How long it may take."""


def _reference(value: Any) -> Any:
    if isinstance(value, str) and not re.match(r"(env|file):.+", value):
        raise ValueError("a secret is never written here; use env:NAME, file:PATH or {command: [...]}")
    return value


SecretReference = Annotated[str | Command, BeforeValidator(_reference)]
"""Where a secret is found: `env:NAME`, `file:PATH` (not readable by others) or `{command: [...]}`."""


class Kubernetes(Strict):
    """One cluster, as kubectl would reach it."""

    context: str | None = None
    """Context of the kubeconfig; its current one when left out."""
    kubeconfig: str | None = None
    """Path of the kubeconfig; `$KUBECONFIG`, else `~/.kube/config`, when left out."""
    namespaces: list[str] = []
    """Namespaces to watch; all when empty."""


class Service(Strict):
    """One HTTP service with a health document."""

    url: Address
    """The health URL."""
    workload: Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")] | None = None
    """What runs it, as `namespace/kind/name`."""
    slow_ms: Annotated[float, Field(gt=0)] = 1000
    """Latency from which the service counts as slow."""
    timeout: Duration = 5.0
    """How long an answer may take."""
    headers: dict[str, SecretReference] = {}
    """Headers to send, each a reference."""
    ca_file: str | None = None
    """CA bundle to trust instead of the system's."""


class Database(Strict):
    """One PostgreSQL database."""

    dsn: Address
    """`service=NAME`, `postgresql://user@host/db`, `host=… dbname=…`, `env:NAME` or `file:PATH`."""
    password: SecretReference | None = None
    """Where the password is, when not in `~/.pgpass` or a service file."""


class RedisInstance(Strict):
    """One Redis or Valkey server."""

    url: Address
    """`redis://host:6379/0`, `rediss://…`, `unix:///path?db=0`, `env:NAME` or `file:PATH`."""
    username: str | None = None
    """ACL user; the server's default user when left out."""
    password: SecretReference | None = None
    """Where the password is."""
    ca_file: str | None = None
    """CA bundle to trust instead of the system's."""


class LogSource(Strict):
    """One stream of log lines: exactly one of `file`, `pods` and `command`."""

    file: str | None = None
    """Path or glob of files to follow through rotation."""
    pods: str | None = None
    """Label selector of pods whose logs to follow."""
    namespace: str | None = None
    """Namespace of `pods`."""
    container: str | None = None
    """Container of `pods`; the first when left out."""
    command: list[str] | None = None
    """A program whose output to follow, as an argument list."""

    @model_validator(mode="after")
    def _exactly_one(self) -> "LogSource":
        given = [name for name in ("file", "pods", "command") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of file, pods and command, not {', '.join(given) or 'none of them'}")
        if self.pods is not None and self.namespace is None:
            raise ValueError("pods needs a namespace")
        return self


class Rule(Strict):
    """When a number is too high (or, with critical below warn, too low)."""

    warn: float | None = None
    """From this value on: warning."""
    critical: float | None = None
    """From this value on: critical."""
    for_: Annotated[Duration, Field(alias="for")] = 0.0
    """How long it must hold before it is an alert."""
    clear: float | None = None
    """The value it must come back to before the alert ends; the threshold itself when left out."""
    only: list[str] = []
    """Names of the systems (as in this profile) it holds for; all of the kind when empty."""

    @property
    def is_floor(self) -> bool:
        """Whether small values are the bad ones."""
        return self.warn is not None and self.critical is not None and self.critical < self.warn

    @model_validator(mode="after")
    def _has_a_threshold(self) -> "Rule":
        if self.warn is None and self.critical is None:
            raise ValueError("a rule needs warn, critical or both")
        return self


class Guards(Strict):
    """What may be changed through opstui, and how hard it is."""

    read_only: bool | None = None
    """Whether writing starts disarmed; when left out, it does in `prod` only."""
    locked: bool = False
    """Whether writing cannot be armed at all."""
    arm_for: Duration = 600.0
    """How long `W` arms writing."""
    deny: list[str] = []
    """Verbs that are always refused: restart, scale, cancel-query, terminate-backend."""
    namespaces: list[str] | None = None
    """Kubernetes namespaces in which something may be changed; all when left out."""


class Profile(Strict):
    """One environment: what to watch and what is allowed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Its name, as `opstui --profile NAME` takes it."""
    environment: Literal["prod", "staging", "dev", "sandbox"] = "prod"
    """What kind it is: decides the frame and the guards. Left out, it counts as production."""
    extends: str | None = None
    """Name or path of a profile to inherit from; keys given here win, mappings are merged."""
    refresh: Duration = 2.0
    """How often visible systems are read."""
    kubernetes: Kubernetes | None = None
    """The cluster."""
    services: dict[str, Service] = {}
    """HTTP services by name."""
    databases: dict[str, Database] = {}
    """PostgreSQL databases by name; a plain string is the dsn."""
    redis: dict[str, RedisInstance] = {}
    """Redis and Valkey servers by name; a plain string is the url."""
    logs: dict[str, LogSource] = {}
    """Log streams by name."""
    rules: dict[str, Rule] = {}
    """Thresholds by `kind.metric`, e.g. `database.connections_percent`."""
    guards: Guards = Guards()
    """What may be changed."""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        long = dict(data)
        for section, key in (("services", "url"), ("databases", "dsn"), ("redis", "url"), ("logs", "file")):
            if isinstance(entries := long.get(section), dict):
                long[section] = {
                    name: {key: entry} if isinstance(entry, str) else entry for name, entry in entries.items()
                }
        if isinstance(cluster := long.get("kubernetes"), str):
            long["kubernetes"] = {"context": cluster}
        return long

    @property
    def starts_read_only(self) -> bool:
        """Whether writing must be armed before anything can be changed."""
        if self.guards.read_only is not None:
            return self.guards.read_only
        return self.environment == "prod"
