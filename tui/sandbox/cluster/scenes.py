"""Scenes an on-call engineer meets: a release that crashes, pods that begin to crash where they stand."""

from __future__ import annotations

from tui.sandbox.cluster.behaviour import Behaviours
from tui.sandbox.cluster.kubelet import Kubelet
from tui.sandbox.cluster.resources import DEPLOYMENTS, PODS, Object
from tui.sandbox.cluster.shapes import is_active
from tui.sandbox.cluster.store import Store


class Scenes:
    """Breaks deployments, and mends them."""

    def __init__(self, store: Store, behaviours: Behaviours, kubelet: Kubelet) -> None:
        self._store = store
        self._behaviours = behaviours
        self._kubelet = kubelet
        self._images: dict[tuple[str, str], tuple[str, str]] = {}

    def crash_loop(self, namespace: str, deployment: str, how: str = "release") -> None:
        """Break a deployment.

        Args:
            namespace: where it is.
            deployment: its name, which is also the `app` label of its pods.
            how: `release`: a new image is rolled out whose containers crash, so that an undo mends it;
                `in-place`: its running pods begin to crash, and go on until `heal`.

        Raises:
            ApiError: 404, no such deployment.
            ValueError: no such way.
        """
        found = self._store.get(DEPLOYMENTS, namespace, deployment)
        if how == "in-place":
            self._behaviours.set(namespace, deployment, "crash-loop")
            for pod in list(self._store.things(PODS, namespace)):
                if (pod["metadata"].get("labels") or {}).get("app") == deployment and is_active(pod):
                    self._kubelet.crash(pod)
        elif how == "release":
            good = found["spec"]["template"]["spec"]["containers"][0]["image"]
            if good == self._images.get((namespace, deployment), ("", ""))[1]:
                return  # broken already
            bad = next_image(good)
            self._images[namespace, deployment] = (good, bad)
            self._behaviours.set_image(bad, "crash-loop")
            self._set_image(namespace, deployment, bad)
        else:
            raise ValueError(how)

    def heal(self, namespace: str, deployment: str) -> None:
        """Mend a deployment: its old image if the bad one is still there, and no more crashes."""
        self._behaviours.set(namespace, deployment, None)
        images = self._images.pop((namespace, deployment), None)
        found = self._store.find(DEPLOYMENTS, namespace, deployment)
        if images is None or found is None:
            return
        good, bad = images
        if found["spec"]["template"]["spec"]["containers"][0]["image"] == bad:
            self._set_image(namespace, deployment, good)
        self._behaviours.set_image(bad, None)

    def _set_image(self, namespace: str, deployment: str, image: str) -> None:
        def change(copy: Object) -> None:
            spec = copy["spec"]["template"]["spec"]
            old = spec["containers"][0]["image"]
            for container in [*spec["containers"], *spec.get("initContainers", ())]:
                if container["image"] == old:
                    container["image"] = image

        self._store.modify(DEPLOYMENTS, namespace, deployment, change)


def next_image(image: str) -> str:
    """Return the image of the next release: the last number of its tag is one more."""
    name, _, tag = image.rpartition(":")
    head, dot, last = tag.rpartition(".")
    return f"{name}:{head}{dot}{int(last) + 1}" if last.isdigit() else f"{image}-next"
