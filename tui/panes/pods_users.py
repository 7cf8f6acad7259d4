"""Who uses a ConfigMap, Secret, volume claim or service account, and what a pod uses: lines of a page. Pure."""

from collections.abc import Iterator

from tui.sources.kubernetes.fields import Object, Owner
from tui.sources.kubernetes.references import CONFIG_MAP, SECRET, references
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.users import User, Users

_BY_API = dict.fromkeys((CONFIG_MAP, SECRET), "; a program may still read it by the API")
_EVERYWHERE = ("ServiceAccount", "default")


def used_by_lines(found: Users, kind: str, namespace: str) -> Iterator[str]:
    """Yield who uses an object of this kind, under its heading."""
    yield ""
    yield f"Used by: {len(found.users)}, read just now" if found.users else f"Used by: nobody in {namespace}"
    for user in found.users:
        yield f"  {user.name}{_pods(user)}"
        yield from (f"    {how}" for how in user.how)
    if not found.users:
        yield "  no pod and no template names it" + _BY_API.get(kind, "")
    if found.missing:
        yield f"  not all was looked at: {'; '.join(found.missing)}"


def _pods(user: User) -> str:
    if user.name.startswith("Pod/") or not (user.pods or user.is_templated):
        return ""
    count = "1 pod" if user.pods == 1 else f"{user.pods} pods"
    return f", {count}" + ("" if user.is_templated else ", no longer in its template")


def uses_lines(pod_name: str, spec: Object) -> Iterator[str]:
    """Yield what a pod, or a template, uses, under its heading."""
    by_object: dict[tuple[str, str], list[str]] = {}
    for one in references(pod_name, spec):
        by_object.setdefault((one.kind, one.name), []).append(one.words())
    by_object.pop(_EVERYWHERE, None)
    if by_object:
        yield ""
        yield "Uses"
    for (kind, name), how in by_object.items():
        yield f"  {kind}/{name}: {'; '.join(dict.fromkeys(how))}"


def above(snapshot: KubernetesSnapshot, controller: Owner) -> Owner:
    """Return the workload that a pod's controller belongs to, the controller itself where it belongs to nothing."""
    found = snapshot.replica_sets.get(controller.uid) or snapshot.workloads.get(controller.uid)
    return found.owner if found is not None and found.owner is not None else controller
