"""What a profile names that a person may do to a cluster: merge patches of single objects, and manifests to apply."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from profiles.values import AbsolutePath, Strict

_MARKS = frozenset({"labels", "annotations"})


class DeclaredPatch(Strict):
    """A merge patch of one object: suspend a tenant, raise its quota."""

    title: Annotated[str, Field(min_length=1)]
    """What the person reads: `Suspend tenant acme`."""
    resource: Annotated[str, Field(pattern=r"^[a-z0-9]+(\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$")]
    """The kind, as `kubectl api-resources` names it: `tenants.example.com`, `configmaps`; never `secrets`."""
    name: Annotated[str, Field(min_length=1)]
    """Of the object."""
    namespace: str = ""
    """Of the object; empty for what belongs to the cluster."""
    patch: Annotated[dict[str, Any], Field(min_length=1)]
    """What it is to hold afterwards (RFC 7386): `{spec: {suspended: true}}`; null takes a field away."""
    risk: Literal["low", "medium", "high"] = "high"
    """How much can be lost: decides how hard confirming is."""

    @model_validator(mode="after")
    def _changes_what_may_be_changed(self) -> "DeclaredPatch":
        if self.resource == "secrets":
            raise ValueError("a Secret's values must not stand in a profile")
        metadata = self.patch.get("metadata", {})
        if not isinstance(metadata, dict) or not metadata.keys() <= _MARKS:
            raise ValueError("of metadata only labels and annotations can be patched")
        if found := {"apiVersion", "kind", "status"} & self.patch.keys():
            raise ValueError(f"a patch cannot change {', '.join(sorted(found))}")
        return self


class Manifest(Strict):
    """A file of manifests that a person may apply: maintenance on, maintenance off."""

    title: Annotated[str, Field(min_length=1)]
    """What the person reads: `Maintenance page on`."""
    file: AbsolutePath
    """YAML with one manifest or several; nobody else may be able to write it. It holds no Secret."""
    risk: Literal["low", "medium", "high"] = "high"
    """How much can be lost: decides how hard confirming is."""
