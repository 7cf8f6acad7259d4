"""What a service is asked beside its health: probes and what they expect, a login, how it is seen from inside."""

from collections.abc import Container, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from profiles.metrics import path_problem
from profiles.values import Duration, SecretReference, Strict, Timeout

METHODS = ("get", "head", "post", "put", "patch", "delete")
_READING = ("get", "head")
_PRIVATE_WORDS = ("password", "passwd", "secret", "token", "key", "credential")


def _own_path(value: str) -> str:
    # `//host/` and `/\host/` would lead, with our token, to somebody else.
    if not value.startswith("/") or value[1:2] in ("/", "\\") or any(not 33 <= ord(sign) < 127 for sign in value):
        raise ValueError("a path on the service's own host is needed, without spaces: /api/v1/status")
    return value


OwnPath = Annotated[str, Field(max_length=2000), AfterValidator(_own_path)]
"""A path on the host of the service's url, with its query: `/api/v1/status?full=1`."""


def _jmespath(value: str) -> str:
    if why := path_problem(value):
        raise ValueError(f"not a JMESPath expression: {why}")
    return value


JsonPath = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_jmespath)]
"""A JMESPath expression: `data.status`, `length(items)`."""

StatusCode = Annotated[int, Field(ge=100, le=599)]
_StatusCodes = Annotated[
    list[StatusCode],
    Field(min_length=1),
    BeforeValidator(
        lambda value: [value] if isinstance(value, int) else value, json_schema_input_type=StatusCode | list[StatusCode]
    ),
]
_Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=200)]
"""A header's name."""
_Plain = str | bool | int | float | None


class Expect(Strict):
    """What must be so of an answer; all of it."""

    status: _StatusCodes | None = None
    """The status code, or several that will do; any 2xx when left out."""
    text: Annotated[str, Field(min_length=1)] | None = None
    """What the body must contain, as it stands."""
    body: dict[JsonPath, _Plain] = Field(default_factory=dict)
    """What a JSON body must hold: a JMESPath expression and the value it must give, `{status: ok}`."""
    header: dict[_Token, str] = Field(default_factory=dict)
    """Headers that must be there, and what each must contain; `""` for anything."""
    latency_ms: Annotated[float, Field(gt=0)] | None = None
    """How long it may take from the first look-up to the last byte; what takes longer is degraded, not down."""
    certificate_days: Annotated[float, Field(ge=0)] | None = None
    """How many days the certificate must be good for; what ends sooner is degraded."""


class Cors(Strict):
    """What a browser asks before a page of another origin may call the service."""

    path: OwnPath
    """What the page wants to call."""
    origin: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]
    """Where the page comes from: `https://shop.example.com`."""
    method: Annotated[str, Field(pattern=r"^[A-Z]+$")] = "GET"
    """With which method it wants to call."""
    ask: list[_Token] = Field(default_factory=list)
    """Headers it wants to send: `[Authorization]`."""


class Probe(Strict):
    """One request and what it must bring: exactly one of `get`, `head`, `post`, `put`, `patch`, `delete` and `cors`.

    What could write (all but `get`, `head` and `cors`) is never sent by itself, only when a person confirms it.
    """

    get: OwnPath | None = None
    """Path to GET."""
    head: OwnPath | None = None
    """Path to HEAD: the answer has no body."""
    post: OwnPath | None = None
    """Path to POST to."""
    put: OwnPath | None = None
    """Path to PUT to."""
    patch: OwnPath | None = None
    """Path to PATCH."""
    delete: OwnPath | None = None
    """Path to DELETE."""
    cors: Cors | None = None
    """A CORS preflight; it is well when the service lets that page call."""
    headers: dict[_Token, SecretReference] = Field(default_factory=dict)
    """Headers to send, each a reference."""
    json_: Annotated[Any, Field(alias="json")] = None
    """The body, sent as JSON; nothing secret, it is shown before it is sent."""
    login: bool = False
    """Whether the service's `login` is done before, and its token sent along."""
    expect: Expect = Expect()
    """What must be so of the answer; any 2xx when left out."""
    every: Annotated[Duration, Field(ge=1)] = 30.0
    """How often it is sent."""
    timeout: Timeout = 5.0
    """How long the answer may take."""

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Probe":
        given = [name for name in (*METHODS, "cors") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(METHODS)} and cors, not {' and '.join(given) or 'none'}")
        if self.json_ is not None and given[0] not in ("post", "put", "patch"):
            raise ValueError("json goes with post, put and patch")
        return self

    @property
    def method(self) -> str:
        """The HTTP method it is sent with."""
        if self.cors is not None:
            return "OPTIONS"
        return next(name for name in METHODS if getattr(self, name) is not None).upper()

    @property
    def path(self) -> str:
        """The path it asks for."""
        if self.cors is not None:
            return self.cors.path
        return next(str(path) for name in METHODS if (path := getattr(self, name)) is not None)

    @property
    def writes(self) -> bool:
        """Whether it could change something, so that only a person sends it."""
        return self.cors is None and self.method.lower() not in _READING


class Login(Strict):
    """How to get a token; it is kept in memory only, and renewed before it expires."""

    post: OwnPath
    """Path to POST to."""
    form: dict[str, SecretReference] = Field(default_factory=dict)
    """Names and values of a form, each a reference: `{username: env:PROBE_USER, password: env:PROBE_PASSWORD}`."""
    json_: Annotated[dict[str, SecretReference], Field(alias="json")] = Field(default_factory=dict)
    """The same as a JSON object, in place of `form`."""
    fields: dict[str, str] = Field(default_factory=dict)
    """What else to send along that is no secret: `{grant_type: password}`."""
    token: JsonPath = "access_token"  # noqa: S105 -- where it is in the answer
    """Where the token is in the answer."""
    refresh: OwnPath | None = None
    """Path to POST `{"refresh_token": …}` to for a new token; without it, it logs in anew."""
    refresh_token: JsonPath = "refresh_token"  # noqa: S105 -- as above
    """Where the refresh token is in the answer."""
    timeout: Timeout = 5.0
    """How long the answer may take."""

    @model_validator(mode="after")
    def _has_something_to_send(self) -> "Login":
        if bool(self.form) == bool(self.json_):
            raise ValueError("give either form or json")
        if private := [name for name in self.fields if any(word in name.lower() for word in _PRIVATE_WORDS)]:
            raise ValueError(f"fields are shown as they are; {', '.join(private)} belongs to form or json")
        return self


Inside = Annotated[str, Field(pattern=r"^(?:https:)?\d{1,5}(?:/[!-~]*)?$")]
"""`8080`, `8080/health` or `https:8443/health`: port and path on the pods of `workload`."""


def unknown_links(services: Mapping[str, Any], known: Mapping[str, Container[str]], *, has_cluster: bool) -> list[str]:
    """Return what services name that the profile does not have, in words.

    Args:
        services: the profile's services.
        known: which `logs`, `databases` and `redis` it has.
        has_cluster: whether it has one.
    """
    found: list[str] = []
    for name, service in services.items():
        for field, section in (("logs", "logs"), ("database", "databases"), ("redis", "redis")):
            if (wanted := getattr(service, field)) is not None and wanted not in known[section]:
                found.append(f"services.{name}.{field}: {section} has no {wanted}")
        if service.inside is not None and (service.workload is None or not has_cluster):
            found.append(f"services.{name}.inside needs the service's workload, and kubernetes: in the profile")
        if service.login is None and (probes := [probe for probe, entry in service.probes.items() if entry.login]):
            found.append(f"services.{name}.probes.{probes[0]}.login needs the service's login")
    return found
