"""Scenes an on-call engineer meets: releases that crash, leak or misbehave, and pods that break where they stand."""

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
        self._wedged: dict[tuple[str, str], list[str]] = {}

    def release(self, namespace: str, deployment: str, word: str) -> str:
        """Roll out the next image of a deployment and return it; an undo mends what is wrong with it.

        Args:
            namespace: where it is.
            deployment: its name.
            word: how the containers of that image fare, a key of `BEHAVIOURS`.

        Raises:
            ApiError: 404, no such deployment.
        """
        found = self._store.get(DEPLOYMENTS, namespace, deployment)
        good = image_of(found)
        if good == self._images.get((namespace, deployment), ("", ""))[1]:
            return good  # it is out already
        bad = next_image(good)
        self._images[namespace, deployment] = (good, bad)
        self._behaviours.set_image(bad, word)
        self._set_image(namespace, deployment, bad)
        return bad

    def is_out(self, namespace: str, deployment: str) -> bool:
        """Return whether a release that `release` rolled out is what shall run, or still runs in a pod."""
        bad = self._images.get((namespace, deployment), ("", ""))[1]
        found = self._store.find(DEPLOYMENTS, namespace, deployment)
        running = [pod["spec"]["containers"][0]["image"] for pod in self._active(namespace, deployment)]
        return bool(bad) and (bad in running or (found is not None and image_of(found) == bad))

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
        if how == "in-place":
            self._store.get(DEPLOYMENTS, namespace, deployment)
            self._behaviours.set(namespace, deployment, "crash-loop")
            for pod in self._active(namespace, deployment):
                self._kubelet.crash(pod)
        elif how == "release":
            self.release(namespace, deployment, "crash-loop")
        else:
            raise ValueError(how)

    def wedge(self, namespace: str, deployment: str) -> tuple[str, ...]:
        """Let the present pods of a deployment fail their readiness probes until they are gone, or `heal`.

        Returns their uids. New pods are well, so that a restart mends it.

        Raises:
            ApiError: 404, no such deployment.
        """
        self._store.get(DEPLOYMENTS, namespace, deployment)
        pods = self._active(namespace, deployment)
        uids = [pod["metadata"]["uid"] for pod in pods]
        self._wedged.setdefault((namespace, deployment), []).extend(uids)
        for pod in pods:
            self._behaviours.set_pod(pod["metadata"]["uid"], "unready")
            self._kubelet.wedge(pod)
        return tuple(uids)

    def heal(self, namespace: str, deployment: str) -> None:
        """Mend a deployment: its old image if the bad one is still there, and no more crashes or failing probes."""
        self._behaviours.set(namespace, deployment, None)
        for uid in self._wedged.pop((namespace, deployment), ()):
            self._behaviours.set_pod(uid, None)
        images = self._images.pop((namespace, deployment), None)
        found = self._store.find(DEPLOYMENTS, namespace, deployment)
        if images is None or found is None:
            return
        good, bad = images
        if image_of(found) == bad:
            self._set_image(namespace, deployment, good)
        self._behaviours.set_image(bad, None)

    def _active(self, namespace: str, app: str) -> list[Object]:
        found = self._store.things(PODS, namespace)
        return [p for p in found if (p["metadata"].get("labels") or {}).get("app") == app and is_active(p)]

    def _set_image(self, namespace: str, deployment: str, image: str) -> None:
        def change(copy: Object) -> None:
            spec = copy["spec"]["template"]["spec"]
            old = spec["containers"][0]["image"]
            for container in [*spec["containers"], *spec.get("initContainers", ())]:
                if container["image"] == old:
                    container["image"] = image

        self._store.modify(DEPLOYMENTS, namespace, deployment, change)


def image_of(workload: Object) -> str:
    """Return the image of the first container in a workload's template."""
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])


def next_image(image: str) -> str:
    """Return the image of the next release: the last number of its tag is one more."""
    name, _, tag = image.rpartition(":")
    head, dot, last = tag.rpartition(".")
    return f"{name}:{head}{dot}{int(last) + 1}" if last.isdigit() else f"{image}-next"
