"""How the containers of a pod fare: healthy, crashing, out of memory, never ready, …"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.shapes import BEHAVIOUR

Pull = Literal["ok", "missing", "unconfigured"]


@dataclass(frozen=True)
class Behaviour:
    """What a container does once its pod has a node; times in simulated seconds."""

    pull: Pull = "ok"
    """`missing`: no such image; `unconfigured`: a ConfigMap it needs does not exist."""
    pull_s: float = 0.8
    ready_s: float | None = 2.0
    """Until the readiness probe succeeds; None: never. Without a probe it is ready at once."""
    run_s: float | None = None
    """Until it exits by itself; None: it does not."""
    exit_code: int = 0
    reason: str = "Completed"
    stop_s: float | None = 1.0
    """How long it takes to stop when asked to; None: until it is killed at the end of its grace period."""
    fits: bool = True
    """False: no node has room for it."""


BEHAVIOURS: Mapping[str, Behaviour] = {
    "healthy": Behaviour(),
    "crash-loop": Behaviour(run_s=3.0, exit_code=1, reason="Error", ready_s=5.0),
    "oom": Behaviour(run_s=20.0, exit_code=137, reason="OOMKilled"),
    "image-pull": Behaviour(pull="missing"),
    "config-error": Behaviour(pull="unconfigured"),
    "unready": Behaviour(ready_s=None),
    "slow-start": Behaviour(ready_s=25.0),
    "completes": Behaviour(run_s=8.0),
    "fails": Behaviour(run_s=4.0, exit_code=1, reason="Error"),
    "stubborn": Behaviour(stop_s=None),
    "pending": Behaviour(fits=False),
}
"""By the word that the annotation `sandbox.opstui/behaviour` says."""


class Behaviours:
    """Chooses the behaviour of each pod.

    The first of these decides: what `set_pod` said of the pod, what `set` said of its app, what `set_image` said of
    an image, its annotation.
    """

    def __init__(self) -> None:
        self._pods: dict[str, str] = {}
        self._apps: dict[tuple[str, str], str] = {}
        self._images: dict[str, str] = {}

    def set_pod(self, uid: str, word: str | None) -> None:
        """Let one pod behave so from its next start or probe on; None ends it.

        Raises:
            KeyError: no such behaviour.
        """
        if word is None:
            self._pods.pop(uid, None)
        else:
            self._pods[uid] = _known(word)

    def set(self, namespace: str, app: str, word: str | None) -> None:
        """Let pods labelled `app=…` behave so from their next start on; None ends it.

        Raises:
            KeyError: no such behaviour.
        """
        if word is None:
            self._apps.pop((namespace, app), None)
        else:
            self._apps[namespace, app] = _known(word)

    def set_image(self, image: str, word: str | None) -> None:
        """Let containers of an image behave so from their next start on; None ends it.

        Raises:
            KeyError: no such behaviour.
        """
        if word is None:
            self._images.pop(image, None)
        else:
            self._images[image] = _known(word)

    def of(self, pod: Object, container: str = "") -> Behaviour:
        """Return how a container of a pod fares; by default its first one."""
        meta, spec = pod["metadata"], pod["spec"]
        containers = spec["containers"]
        image = next((c.get("image", "") for c in containers if c["name"] == container), containers[0].get("image", ""))
        app = (meta.get("labels") or {}).get("app", "")
        word = self._pods.get(meta["uid"]) or self._apps.get((meta["namespace"], app)) or self._images.get(image)
        word = word or (meta.get("annotations") or {}).get(BEHAVIOUR)
        if container and container != containers[0]["name"] and word in ("crash-loop", "oom", "completes", "fails"):
            word = None  # a sidecar does not share the app's troubles
        if word is None and spec.get("restartPolicy") in ("Never", "OnFailure"):
            word = "completes"
        chosen = BEHAVIOURS.get(word or "healthy", BEHAVIOURS["healthy"])
        run_s = (meta.get("annotations") or {}).get(BEHAVIOUR + "-seconds")
        return replace(chosen, run_s=float(run_s)) if run_s and chosen.run_s else chosen


def _known(word: str) -> str:
    if word not in BEHAVIOURS:
        raise KeyError(word)
    return word
