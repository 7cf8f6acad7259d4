"""What a profile says of one machine: its container engines and its systemd units."""

from typing import Annotated

from pydantic import Field

from profiles.values import AbsolutePath, Strict

UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.@*?\[\]\\][A-Za-z0-9:_.@*?\[\]\\-]*$", max_length=255)]
"""A systemd unit by name (`nginx`, `postgresql@15-main`, `backup.timer`) or pattern (`web-*`)."""

ContainerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9*?\[][A-Za-z0-9_.*?\[\]!-]*$", max_length=255)]
"""A container by name or pattern (`web-*`)."""


def is_pattern(name: str) -> bool:
    """Tell whether a name stands for any number of things."""
    return any(sign in name for sign in "*?[")


class DockerEngine(Strict):
    """One engine with Docker's API behind a Unix socket: Docker, or Podman's `podman.socket`."""

    socket: AbsolutePath = "/var/run/docker.sock"
    """Path of its socket."""
    containers: list[ContainerName] = Field(default_factory=list)
    """Names or patterns of the containers to show; all when empty. One that is named exactly must be there and run."""
    optional: bool = False
    """Whether it may be absent: as long as it has never answered, that is no error."""
