"""Changes of workloads: images, revisions, replicas, pauses; rollouts that begin, finish or stand still."""

from collections.abc import Callable, Iterator
from typing import Final

from tui.rules import Level
from tui.sources.kubernetes.workloads import Workload
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.kubernetes_turn import is_new
from tui.timeline.standing import Condition

_SOURCE: Final = "kubernetes:"
_ROLLS_OUT: Final = ("Deployment", "StatefulSet", "DaemonSet")
_LIVES: Final = (*_ROLLS_OUT, "CronJob")
"""Kinds that people make and delete; Jobs come and go by themselves."""

Stands = Callable[[str], bool]
"""Whether a condition of this key lasts at present."""


def entries(old: Workload | None, workload: Workload, now: float) -> Iterator[Entry]:
    """Yield what was changed about a workload since `old`; None: it is new."""
    if old is None:
        if workload.kind in _LIVES and is_new(workload.created_at, now):
            yield _entry(workload, "new", f"{_name(workload)} was created", now)
        return
    told = list(_changes(old, workload))
    if not told and workload.generation > old.generation and workload.kind in _LIVES:
        told.append(("spec", "its spec was changed"))
    for what, words in told:
        yield _entry(workload, what, f"{_name(workload)}: {words}", now)
    if workload.kind == "Job" and workload.status == "Failed" and old.status != "Failed":
        text = f"{_name(workload)} failed: {workload.problem}" if workload.problem else f"{_name(workload)} failed"
        yield _entry(workload, "failed", text, now, Level.CRITICAL)


def removal(workload: Workload, now: float) -> Iterator[Entry]:
    """Yield that a workload was deleted."""
    if workload.kind in _LIVES:
        yield _entry(workload, "deleted", f"{_name(workload)} was deleted", now, Level.WARN)


def keys(workload: Workload) -> tuple[str, str]:
    """Return the keys of what may last about a workload: that it rolls out, and that something is wrong with it."""
    return f"rollout {workload.uid}", f"stuck {workload.uid}"


def lasting(old: Workload | None, workload: Workload, stands: Stands) -> Iterator[tuple[str, Condition | str]]:
    """Yield whether a workload rolls out now, and whether its controller says that something is wrong."""
    if workload.kind not in _ROLLS_OUT:
        return
    rollout, stuck = keys(workload)
    about, name = _object(workload), _name(workload)
    is_replaced = _has_new_template(old, workload) or _holds_old_pods(workload)
    if is_replaced or (stands(rollout) and not _has_arrived(workload)):
        revision = f" revision {workload.revision}" if workload.revision else ""
        text, over = f"{name} rolls out{revision}", f"{name} rolls out no more"
        yield rollout, Condition(rollout, "rollout", text, over, Level.OK, about)
    else:
        yield rollout, f"{name}: rollout finished, {workload.ready_words()} ready"
    if workload.problem:
        text = sentence(f"{name} stands still: {workload.problem}")
        yield stuck, Condition(stuck, "stuck", text, f"{name} goes on", Level.CRITICAL, about)
    else:
        yield stuck, ""


def _has_new_template(old: Workload | None, workload: Workload) -> bool:
    if old is None:
        return False
    # A Deployment's controller numbers its templates, a moment after somebody has changed the images.
    return old.revision != workload.revision if workload.kind == "Deployment" else old.images != workload.images


def _holds_old_pods(workload: Workload) -> bool:
    """Tell whether there are pods of an older template: more pods than the updated ones."""
    return workload.updated is not None and workload.current > workload.updated and not workload.paused


def _has_arrived(workload: Workload) -> bool:
    return (
        workload.updated is not None
        and workload.observed_generation >= workload.generation
        and workload.updated >= workload.desired
        and workload.current == workload.updated
        and not workload.missing
    )


def _changes(old: Workload, workload: Workload) -> Iterator[tuple[str, str]]:
    if old.images != workload.images:
        yield "image", _image_words(old, workload)
    if old.desired != workload.desired and workload.kind in ("Deployment", "StatefulSet"):
        yield "scale", f"replicas {old.desired} → {workload.desired}"
    if old.paused != workload.paused:
        yield "paused", "paused" if workload.paused else "goes on"


def _image_words(old: Workload, workload: Workload) -> str:
    before = dict(zip(old.containers, old.images, strict=False))
    after = dict(zip(workload.containers, workload.images, strict=False))
    changed = [
        _image_change(before.get(name, "none"), after.get(name, "none"))
        for name in {**after, **before}
        if before.get(name) != after.get(name)
    ]
    return f"image {', '.join(changed)}"


def _image_change(before: str, after: str) -> str:
    """Return two images without registry and path, and without the second name where it is the same."""
    (name, tag), (new_name, new_tag) = map(_named, (before, after))
    return f"{name} {tag} → {new_tag}" if name == new_name else f"{name} {tag} → {new_name} {new_tag}"


def _named(image: str) -> tuple[str, str]:
    """Return an image's name and tag; of a digest only as much as tells it from another."""
    name, at, digest = image.rpartition("/")[2].partition("@")
    name, _, tag = name.partition(":")
    return name, f"{tag}{at}{digest[:19]}"


def _name(workload: Workload) -> str:
    return f"{workload.kind} {workload.namespace}/{workload.name}"


def _object(workload: Workload) -> str:
    return f"{workload.kind.lower()}/{workload.namespace}/{workload.name}"


def _entry(workload: Workload, what: str, text: str, now: float, level: Level = Level.OK) -> Entry:
    return Entry(
        id=identity(workload.uid, what, workload.generation, text),
        at=now,
        source=_SOURCE,
        what=what,
        text=sentence(text),
        level=level,
        object=_object(workload),
        fold=f"{what} {workload.uid}",
    )
