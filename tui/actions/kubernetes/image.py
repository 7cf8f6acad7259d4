"""Another image for one container."""

from typing import Final

from tui.actions.action import About, NotSentError, Request
from tui.actions.kubernetes.template import IDENTITY, INVERSE, VERIFICATION, WINDOW, Edit, TemplateVerb
from tui.actions.kubernetes.typed import has_fixed_tag, image_problem, repository
from tui.sources.kubernetes.fields import Object, text
from tui.sources.kubernetes.workloads import Workload

SET_IMAGE: Final = "set-image"


class SetImage(TemplateVerb):
    """`kubectl set image`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template`.

    Between the last test and the write there is no window: both are one transaction of the API server. Whether there
    is such an image only pulling it tells: pods that cannot are named while it is watched.
    """

    name = SET_IMAGE
    title = "Set image"
    about = About(
        system="Kubernetes",
        targets="one container of a Deployment, StatefulSet or DaemonSet",
        risk="medium",
        inverse=INVERSE,
        identity=IDENTITY,
        window=WINDOW,
        command="kubectl set image KIND/NAME CONTAINER=IMAGE",
        verification=VERIFICATION,
    )
    _what = "image"
    _done = "has the new image"

    async def _edit(self, request: Request, workload: Workload, container: Object) -> Edit:
        image, was = request.wanted.get("image"), text(container, "image")
        if not isinstance(image, str) or (problem := image_problem(image, was)):
            raise NotSentError(f"{request.target}: {problem if isinstance(image, str) else 'no image was named'}")
        impact = []
        if not has_fixed_tag(image):
            impact.append("no version in it: whatever the registry calls `latest` when each pod starts")
        if repository(image) != repository(was):
            impact.append(f"another repository: {repository(was)} → {repository(image)}")
        name = text(container, "name")
        return Edit(
            container={**container, "image": image},
            before=f"{name}: {was}",
            after=f"{name}: {image}",
            arguments=(f"{name}={image}",),
            impact=tuple(impact),
        )
