"""What the values of a profile may be: durations, addresses, paths, references to secrets."""

import os
import re
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from profiles.sentinel import is_sentinel, sentinels_of

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(written: str) -> float:
    """Return a duration with its unit (`500ms`, `30s`, `10m`, `1h`, `1d`) in seconds.

    Raises:
        ValueError: it is not one.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", written.strip()):
        return float(found[1]) * _UNITS[found[2]]
    raise ValueError("a duration is a number with a unit: 500ms, 30s, 10m, 1h, 1d")


def _seconds(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float), Field(ge=0)]
"""Seconds; written `30s`, `10m`, `1h` or as a plain number of seconds."""

Timeout = Annotated[Duration, Field(gt=0)]


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

WalkName = Annotated[str, Field(pattern=r"^(?:[a-z0-9][a-z0-9-]*|(?:.*/)?[^/]+\.ya?ml)$", max_length=1000)]
"""A checklist or runbook: the name of a shipped one (`daily`), or a path that ends in .yaml."""


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}; written like Europe/Berlin") from None


ZoneName = Annotated[str, AfterValidator(lambda name: zone_named(name).key)]
"""A time zone, such as `UTC` or `Europe/Berlin`."""


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
    timeout: Timeout = 10.0
    """How long it may take."""


def _reference(value: Any) -> Any:
    if isinstance(value, Command | dict):
        return value
    if not isinstance(value, str) or not re.match(r"(env|file):.+", value):
        raise ValueError("a secret is never written here; use env:NAME, file:PATH or {command: [...]}")
    if (
        value.startswith("file:")
        and not value.startswith("file:${sandbox.")
        and not os.path.isabs(os.path.expanduser(value[5:]))
    ):
        raise ValueError("the path of a secret must begin with / or ~/")
    return value


SecretReference = Annotated[str | Command, BeforeValidator(_reference)]
"""Where a secret is found: `env:NAME`, `file:PATH` (not readable by others) or `{command: [...]}`."""


def with_scheme(*schemes: str) -> AfterValidator:
    """Return what refuses an address that is neither a reference nor begins with one of these schemes."""

    def check(value: str) -> str:
        if not value.startswith(("env:", "file:", "${sandbox.", *(f"{scheme}://" for scheme in schemes))):
            raise ValueError(f"the address must begin with {', '.join(f'{scheme}://' for scheme in schemes)}")
        if not value.startswith(("env:", "file:", "${sandbox.")):
            _split(value)
        return value

    return AfterValidator(check)


def _split(url: str) -> None:
    if is_sentinel(url):
        sentinels_of(url)
        return
    # The parser's own words repeat parts of the address.
    try:
        urlsplit(url).port  # noqa: B018 -- reading it is the check
    except ValueError:
        raise ValueError("host and port of the address cannot be read; a port is a number up to 65535") from None


http_address = with_scheme("http", "https")
"""What refuses an address that is neither a reference nor `http://…` or `https://…`."""
