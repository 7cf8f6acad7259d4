"""What a pod's template names: ConfigMaps, Secrets, volume claims, its service account, and how it uses each. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tui.sources.kubernetes.fields import Object, part, parts, text

CONFIG_MAP: Final = "ConfigMap"
SECRET: Final = "Secret"  # noqa: S105 - the kind, not one
CLAIM: Final = "PersistentVolumeClaim"
ACCOUNT: Final = "ServiceAccount"
REFERRED: Final = (CONFIG_MAP, SECRET, CLAIM, ACCOUNT)
"""The kinds of which it is known who uses them."""
_TOKENS: Final = "kube-api-access-"
"""How the volumes begin that every pod is given for its token."""
_SECTIONS: Final = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Reference:
    """One way in which a template names an object of its namespace."""

    kind: str
    """One of `REFERRED`."""
    name: str
    how: str
    """`env URL of app, key url`; `volume config, in app at /etc/app`."""
    is_optional: bool = False
    """Whether the pod also starts without it."""

    def words(self) -> str:
        """Return how it is used, in words."""
        return f"{self.how} (optional)" if self.is_optional else self.how


def references(pod_name: str, spec: Object) -> tuple[Reference, ...]:
    """Return what a pod's spec names, in the order in which it stands there.

    Args:
        pod_name: the pod's name: a generic ephemeral volume's claim is called after it; empty for a template.
        spec: `spec` of a Pod, or of a template.
    """
    return tuple(one for one in _references(pod_name, spec) if one.name)


def _references(pod_name: str, spec: Object) -> Iterator[Reference]:
    yield Reference(ACCOUNT, text(spec, "serviceAccountName") or "default", "runs as it")
    for one in parts(spec, "imagePullSecrets"):
        yield Reference(SECRET, text(one, "name"), "pulls images with it")
    containers = [container for section in _SECTIONS for container in parts(spec, section)]
    for container in containers:
        yield from _environment(container)
    for volume in parts(spec, "volumes"):
        name = text(volume, "name")
        if not name.startswith(_TOKENS):
            where = _mounts(name, containers)
            for kind, of, is_optional in _volume(pod_name, volume):
                yield Reference(kind, of, f"volume {name}{where}", is_optional)


def _environment(container: Object) -> Iterator[Reference]:
    name = text(container, "name")
    for variable in parts(container, "env"):
        source = part(variable, "valueFrom")
        for key, kind in (("configMapKeyRef", CONFIG_MAP), ("secretKeyRef", SECRET)):
            if ref := part(source, key):
                variable_name, of_key = text(variable, "name"), text(ref, "key")
                how = f"env {variable_name} of {name}" + (f", key {of_key}" if of_key != variable_name else "")
                yield Reference(kind, text(ref, "name"), how, ref.get("optional") is True)
    for one in parts(container, "envFrom"):
        prefix = text(one, "prefix")
        for key, kind in (("configMapRef", CONFIG_MAP), ("secretRef", SECRET)):
            if ref := part(one, key):
                how = f"envFrom in {name}" + (f", each as {prefix}…" if prefix else "")
                yield Reference(kind, text(ref, "name"), how, ref.get("optional") is True)


def _volume(pod_name: str, volume: Object) -> Iterator[tuple[str, str, bool]]:
    if source := part(volume, "configMap"):
        yield CONFIG_MAP, text(source, "name"), source.get("optional") is True
    if source := part(volume, "persistentVolumeClaim"):
        yield CLAIM, text(source, "claimName"), False
    if "ephemeral" in volume and pod_name:
        yield CLAIM, f"{pod_name}-{text(volume, 'name')}", False
    for source in parts(part(volume, "projected"), "sources"):
        for key, kind in (("configMap", CONFIG_MAP), ("secret", SECRET)):
            if one := part(source, key):
                yield kind, text(one, "name"), one.get("optional") is True
    for key in volume:
        # `secret` and `azureFile` name it directly, CSI and the older drivers by a reference.
        source = part(volume, key)
        if named := text(source, "secretName"):
            yield SECRET, named, source.get("optional") is True
        for ref in ("secretRef", "nodePublishSecretRef"):
            if named := text(part(source, ref), "name"):
                yield SECRET, named, False


def _mounts(volume: str, containers: Iterable[Object]) -> str:
    places = [
        f"{text(container, 'name')} at {text(mount, 'mountPath')}"
        for container in containers
        for mount in parts(container, "volumeMounts")
        if text(mount, "name") == volume
    ]
    return f", in {', '.join(places)}" if places else ", mounted nowhere"
