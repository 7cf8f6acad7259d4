"""The only description of the profile format.

Every field's docstring is the manual: `opstui profile schema` and the README's table are generated from it.
Unknown keys are errors.
"""

import os
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

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

_Timeout = Annotated[Duration, Field(gt=0)]


_PASSWORD = re.compile(r"(?:^|[\s?&])(?:ssl)?password\s*=\s*[^\s&]", re.IGNORECASE)
"""The keyword form, in a DSN or in the query of a URL."""
_USER_AND_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:.*@", re.IGNORECASE)
"""`user:password@`; the password itself may hold any character, also `/` and `@`."""
_PORT_ONLY = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:\d+(?:[/?#]|$)", re.IGNORECASE)


def _no_password(value: str) -> str:
    if _PASSWORD.search(value) or (_USER_AND_PASSWORD.search(value) and not _PORT_ONLY.search(value)):
        raise ValueError(
            "a password must not stand in a profile; use password: env:NAME, file:PATH or {command: [...]}, "
            "~/.pgpass or a service file"
        )
    return value


Address = Annotated[str, Field(min_length=1), AfterValidator(_no_password)]
"""A URL or DSN without a password, or a reference to one: `env:NAME`, `file:PATH`."""


def _absolute(value: str) -> str:
    if value.startswith("${sandbox."):
        return value
    path = os.path.expanduser(value)
    if not os.path.isabs(path):
        raise ValueError("the path must begin with / or ~/, so that it means the same from every folder")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
"""A path from the root or, with `~/`, from home; `~` is resolved when the profile is loaded."""

SystemName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]
"""What this profile calls a system: letters, digits, `.`, `_` and `-`."""


def _scheme(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if not value.startswith(("env:", "file:", "${sandbox.", *(f"{scheme}://" for scheme in schemes))):
            raise ValueError(f"the address must begin with {', '.join(f'{scheme}://' for scheme in schemes)}")
        if not value.startswith(("env:", "file:", "${sandbox.")):
            _split(value)
        return value

    return AfterValidator(check)


def _split(url: str) -> None:
    # The parser's own words repeat parts of the address.
    try:
        urlsplit(url).port  # noqa: B018 -- reading it is the check
    except ValueError:
        raise ValueError("host and port of the address cannot be read; a port is a number up to 65535") from None


SHORT_FORMS = {"kubernetes": "context", "services": "url", "databases": "dsn", "redis": "url", "logs": "file"}
"""What a plain string in place of an entry stands for."""


def _short_form(section: str, form: type[BaseModel]) -> BeforeValidator:
    return BeforeValidator(
        lambda value: {SHORT_FORMS[section]: value} if isinstance(value, str) else value,
        json_schema_input_type=str | form,
    )


class Strict(BaseModel):
    """The base of all: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        defer_build=True,  # the start pays only for what a profile uses
    )


class Command(Strict):
    """A program whose standard output is the value; run without a shell and without standard input."""

    command: Annotated[list[str], Field(min_length=1)]
    """Program and arguments."""
    timeout: _Timeout = 10.0
    """How long it may take."""


def _reference(value: Any) -> Any:
    if isinstance(value, Command | dict):
        return value
    if not isinstance(value, str) or not re.match(r"(env|file):.+", value):
        raise ValueError("a secret is never written here; use env:NAME, file:PATH or {command: [...]}")
    if value.startswith("file:") and not os.path.isabs(os.path.expanduser(value[5:])):
        raise ValueError("the path of a secret must begin with / or ~/")
    return value


SecretReference = Annotated[str | Command, BeforeValidator(_reference)]
"""Where a secret is found: `env:NAME`, `file:PATH` (not readable by others) or `{command: [...]}`."""


class Kubernetes(Strict):
    """One cluster, as kubectl would reach it."""

    context: str | None = None
    """Context of the kubeconfig; its current one when left out."""
    kubeconfig: AbsolutePath | None = None
    """Path of the kubeconfig; `$KUBECONFIG`, else `~/.kube/config`, when left out."""
    namespaces: list[str] = []
    """Namespaces to watch; all when empty."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class Service(Strict):
    """One HTTP service with a health document."""

    url: Annotated[Address, _scheme("http", "https")]
    """The health URL, `http://…` or `https://…`; or `env:NAME` or `file:PATH`."""
    workload: Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")] | None = None
    """What runs it, as `namespace/kind/name`."""
    slow_ms: Annotated[float, Field(gt=0)] = 1000
    """Latency from which the service counts as slow."""
    timeout: _Timeout = 5.0
    """How long an answer may take."""
    headers: dict[str, SecretReference] = {}
    """Headers to send, each a reference."""
    ca_file: AbsolutePath | None = None
    """CA bundle to trust instead of the system's."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class Database(Strict):
    """One PostgreSQL database."""

    dsn: Address
    """`service=NAME`, `postgresql://user@host/db`, `host=… dbname=…`, `env:NAME` or `file:PATH`."""
    password: SecretReference | None = None
    """Where the password is, when not in `~/.pgpass` or a service file."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class RedisInstance(Strict):
    """One Redis or Valkey server."""

    url: Annotated[Address, _scheme("redis", "rediss", "unix")]
    """`redis://host:6379/0`, `rediss://…`, `unix:///path?db=0`, `env:NAME` or `file:PATH`."""
    username: str | None = None
    """ACL user; the server's default user when left out."""
    password: SecretReference | None = None
    """Where the password is."""
    ca_file: AbsolutePath | None = None
    """CA bundle to trust instead of the system's."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""


class LogSource(Strict):
    """One stream of log lines: exactly one of `file`, `pods` and `command`."""

    file: AbsolutePath | None = None
    """Path or glob of files to follow through rotation."""
    pods: str | None = None
    """Label selector of pods whose logs to follow."""
    namespace: str | None = None
    """Namespace of `pods`."""
    container: str | None = None
    """Container of `pods`; the first when left out."""
    command: Annotated[list[str], Field(min_length=1)] | None = None
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
    """The value it must come back to before the alert ends or its level falls; the threshold itself when left out."""
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


KINDS = ("service", "kubernetes", "database", "redis", "logs", "host")
"""The kinds of systems, as rules and sources call them."""

RuleName = Annotated[str, Field(pattern=rf"^(?:{'|'.join(KINDS)})\.[a-z][a-z0-9_]*$")]
"""`kind.metric`, e.g. `database.connections_percent`."""


class Guards(Strict):
    """What may be changed through opstui, and how hard it is."""

    read_only: bool | None = None
    """Whether writing starts disarmed; when left out, it does in `prod` only."""
    locked: bool = False
    """Whether writing cannot be armed at all."""
    arm_for: Duration = 600.0
    """How long `W` arms writing."""
    deny: list[Literal["restart", "scale", "cancel-query", "terminate-backend"]] = []
    """Verbs that are always refused."""
    namespaces: list[str] | None = None
    """Kubernetes namespaces in which something may be changed; all when left out."""


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
    services: dict[SystemName, Annotated[Service, _short_form("services", Service)]] = {}
    """HTTP services by name; a plain string is the url."""
    databases: dict[SystemName, Annotated[Database, _short_form("databases", Database)]] = {}
    """PostgreSQL databases by name; a plain string is the dsn."""
    redis: dict[SystemName, Annotated[RedisInstance, _short_form("redis", RedisInstance)]] = {}
    """Redis and Valkey servers by name; a plain string is the url."""
    logs: dict[SystemName, Annotated[LogSource, _short_form("logs", LogSource)]] = {}
    """Log streams by name; a plain string is the file."""
    rules: dict[RuleName, Rule] = {}
    """Thresholds by `kind.metric`, e.g. `database.connections_percent`."""
    guards: Guards = Guards()
    """What may be changed."""

    @property
    def starts_read_only(self) -> bool:
        """Whether writing must be armed before anything can be changed."""
        if self.guards.read_only is not None:
            return self.guards.read_only
        return self.environment == "prod"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema for editors; `name` may be left out there, the loader takes it from the file's name."""
    schema = Profile.model_json_schema()
    schema.pop("required", None)
    # Read from the source here and not by pydantic at every start, which would cost a tenth of the first frame.
    manual = _field_docstrings()
    for model, described in {"Profile": schema, **schema.get("$defs", {})}.items():
        for field, text in manual.get(model, {}).items():
            name = field.removesuffix("_")
            if name in described.get("properties", {}):
                described["properties"][name]["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "opstui profile"}


def _field_docstrings() -> dict[str, dict[str, str]]:
    """Return class → field → the docstring below the field, from this file's source."""
    import ast
    from pathlib import Path

    manual: dict[str, dict[str, str]] = {}
    for node in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        fields = manual.setdefault(node.name, {})
        for field, text in zip(node.body, node.body[1:], strict=False):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(docstring))),
                ):
                    fields[name] = " ".join(docstring.split())
                case _:
                    continue
    return manual
