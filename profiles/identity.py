"""The `identity` of a profile: by what its systems are known, so that another one in their place is noticed.

Names say little: a context, a service name or an address may lead elsewhere tomorrow. `opstui profile pin` writes this.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from profiles.values import Strict, SystemName


class Pins(Strict):
    """What one system must be; every fact that is given must hold."""

    @model_validator(mode="after")
    def _pins_something(self) -> "Pins":
        if not self.model_fields_set:
            raise ValueError(f"pins nothing: give {', '.join(type(self).model_fields)}, or some of them")
        return self


class KubernetesPins(Pins):
    """Which cluster it must be."""

    namespace_uid: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """UID of the namespace kube-system (`kubectl get ns kube-system -o jsonpath={.metadata.uid}`), which stands for
    the cluster."""
    server: Annotated[str, Field(pattern=r"^https?://[^/@\s]+$")] | None = None
    """The API server as `https://host:port`, for accounts that may not read that namespace."""
    ca_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 fingerprint of the CA in the kubeconfig, 64 hexadecimal digits without colons."""


class PostgresPins(Pins):
    """Which server a database must be on. A clone or a standby shares all but address, port and role."""

    system_identifier: int | None = None
    """`SELECT system_identifier FROM pg_control_system()`: made with the server's data, shared by its copies."""
    cluster_name: str | None = None
    """The setting `cluster_name`, for roles that may not read the system identifier."""
    address: str | None = None
    """`inet_server_addr()`: the server's own address, also behind a pooler."""
    port: int | None = None
    """`inet_server_port()`."""
    database: str | None = None
    """`current_database()`."""
    role: Literal["primary", "standby"] | None = None
    """Whether it replays another server's changes (`pg_is_in_recovery()`): after a fail-over it is the other one."""


class RedisPins(Pins):
    """Which server it must be."""

    role: Literal["master", "replica"] | None = None
    """Its role in replication (`INFO replication`): after a fail-over it is the other one."""
    cluster_myid: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """`CLUSTER MYID`, in cluster mode: the node's own name, which outlives restarts."""


class Identity(Strict):
    """By what the systems are known: where another one answers, every change is refused."""

    kubernetes: KubernetesPins | None = None
    """Which cluster the one under `kubernetes` must be."""
    clusters: dict[SystemName, KubernetesPins] = Field(default_factory=dict)
    """Which cluster each must be, by its name under `clusters`."""
    postgres: dict[SystemName, PostgresPins] = Field(default_factory=dict)
    """Which server each database must be on, by its name under `databases`."""
    redis: dict[SystemName, RedisPins] = Field(default_factory=dict)
    """Which server each must be, by its name under `redis`."""
