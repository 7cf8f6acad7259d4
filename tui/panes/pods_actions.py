"""More keys of the Pods tab that change something: containers' templates, nodes, CronJobs, labels."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.asking import TEMPORARY_HINT, split_temporary, temporary
from tui.actions.kubernetes.environment import env_request
from tui.actions.kubernetes.image import SET_IMAGE
from tui.actions.kubernetes.marks import ANNOTATE, LABEL, mark_request
from tui.actions.kubernetes.resources import SET_RESOURCES, resources_words
from tui.actions.kubernetes.template import template_request
from tui.actions.kubernetes.typed import (
    image_of,
    image_problem,
    mark_problem,
    resources,
    resources_problem,
    variable_problem,
)
from tui.panes import pods_offers
from tui.panes.pods_bundle import bundle
from tui.panes.pods_changes import PodsChanges
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Workload
from widgets.clipboard import write_to_file
from widgets.dialogs import Choice, ChooseDialog, InputDialog

_NOT_YET = "nothing is sent before you confirm"


class PodsActions(PodsChanges):
    """Set image, variable and resources; evict, cordon, drain; run a CronJob's job; label and annotate."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("I", "set_image", "Set image of a container", show=False, id=pods_offers.SET_IMAGE),
        Binding("E", "set_env", "Set variable of a container", show=False, id=pods_offers.SET_ENV),
        Binding("V", "evict", "Evict pod: delete it if its budget allows", show=False, id=pods_offers.EVICT),
        Binding("K", "cordon", "Cordon node, or uncordon it", show=False, id=pods_offers.CORDON),
        Binding("O", "drain", "Drain node: cordon it and evict its pods", show=False, id=pods_offers.DRAIN),
        Binding("J", "run_job", "Run a CronJob now", show=False, id=pods_offers.RUN_JOB),
    ]

    # What needs no value

    def action_evict(self) -> None:
        """Ask to evict the pod under the cursor, or those that are marked."""
        self._request(pods_offers.EVICT)

    def action_cordon(self) -> None:
        """Ask to cordon the node under the cursor, or to uncordon one that is."""
        self._request(pods_offers.CORDON)

    def action_drain(self) -> None:
        """Ask to drain the node under the cursor."""
        self._request(pods_offers.DRAIN)

    def action_run_job(self) -> None:
        """Ask to run the CronJob under the cursor now."""
        self._request(pods_offers.RUN_JOB)

    def _request(self, binding: str) -> None:
        if requests := self._asked(binding):
            self.post_message(self.Requested(requests))

    # A container's template

    def action_set_image(self) -> None:
        """Ask for another image of a container of the workload under the cursor, or of the pod's own."""
        self._with_container(pods_offers.SET_IMAGE, self._ask_image)

    def _ask_image(self, workload: Workload, container: Object) -> None:
        name, image = text(container, "name"), text(container, "image")

        def typed(answer: str | None) -> None:
            if answer is not None:
                value, for_s = split_temporary(answer)
                wanted = {"container": name, "image": image_of(value, image)}
                self.post_message(self.Requested([template_request(SET_IMAGE, workload, wanted, for_s)]))

        dialog = InputDialog(
            f"Image of {name} in {_named(workload)}",
            text=f"only :tag for another version of the same; {_NOT_YET}\n{TEMPORARY_HINT}",
            value=image,
            problem=temporary(lambda value: image_problem(value, image)),
        )
        self.app.push_screen(dialog, typed)

    def action_set_env(self) -> None:
        """Ask for a variable of a container of the workload under the cursor, or of the pod's own."""
        self._with_container(pods_offers.SET_ENV, self._ask_env)

    def _ask_env(self, workload: Workload, container: Object) -> None:
        name = text(container, "name")
        known = ", ".join(text(one, "name") for one in parts(container, "env")) or "none"

        def typed(answer: str | None) -> None:
            if answer is not None:
                value, for_s = split_temporary(answer)
                self.post_message(self.Requested([env_request(workload, name, value, for_s)]))

        dialog = InputDialog(
            f"Variable of {name} in {_named(workload)}",
            text=f"it has: {known}; NAME- takes one away; no secrets; {_NOT_YET}\n{TEMPORARY_HINT}",
            placeholder="LOG_LEVEL=debug for 30m",
            problem=temporary(variable_problem),
        )
        self.app.push_screen(dialog, typed)

    def action_set_resources(self) -> None:
        """Ask for other requests and limits of a container of the workload under the cursor, or of the pod's own."""
        self._with_container(pods_offers.SET_RESOURCES, self._ask_resources)

    def _ask_resources(self, workload: Workload, container: Object) -> None:
        name, has = text(container, "name"), resources_words(container)

        def typed(answer: str | None) -> None:
            if answer is not None:
                value, for_s = split_temporary(answer)
                changed = {k: v for k, v in resources(value).items() if resources(has).get(k) != v}
                wanted = {"container": name, **(changed or resources(value))}
                self.post_message(self.Requested([template_request(SET_RESOURCES, workload, wanted, for_s)]))

        dialog = InputDialog(
            f"Requests and limits of {name} in {_named(workload)}",
            text=f"what is not named stays; limits.cpu=- takes one away; {_NOT_YET}\n{TEMPORARY_HINT}",
            value=has,
            placeholder="requests.cpu=250m limits.memory=2Gi",
            problem=temporary(resources_problem),
        )
        self.app.push_screen(dialog, typed)

    def _with_container(self, binding: str, then: Callable[[Workload, Object], None]) -> None:
        """Go on with a container of the workload, read afresh: the only one, or the one that is chosen."""
        if self._asked(binding) is not None and self.snapshot is not None:
            (workload,) = pods_offers.workloads_of(self.chosen, self.snapshot)
            self.begin(self._choose_container(workload, then))

    async def _choose_container(self, workload: Workload, then: Callable[[Workload, Object], None]) -> None:
        if (source := self.source) is None:
            return
        name = _named(workload)
        try:
            obj = await self.patiently(source.fetch(workload.kind, workload.namespace, workload.name), name)
        except SourceError as error:
            self.post_message(self.Told(f"{name}: its containers cannot be read: {error}", "warn"))
            return
        spec = part(obj, "spec", "template", "spec")
        found = {text(one, "name"): one for key in ("containers", "initContainers") for one in parts(spec, key)}
        chosen: str | None = next(iter(found), None)
        if len(found) > 1:
            init = {text(one, "name") for one in parts(spec, "initContainers")}
            choices = [
                Choice(one, f"{one} (init)" if one in init else one, text(container, "image"))
                for one, container in found.items()
            ]
            chosen = await self.app.push_screen_wait(ChooseDialog(f"Which container of {name}?", choices))
        if chosen is not None:
            then(workload, found[chosen])

    # A bundle to hand on

    def action_bundle(self) -> None:
        """Write all about the workload under the cursor, or the pod's own, to a file."""
        if self.offered(pods_offers.BUNDLE) is None or (snapshot := self.snapshot) is None:
            return
        (workload,) = pods_offers.workloads_of(self.chosen, snapshot)
        if (source := self.source) is None:
            self.post_message(self.Told("no cluster to read it from"))
        else:
            self.begin(self._write_bundle(source, workload, snapshot))

    async def _write_bundle(self, source: KubernetesSource, workload: Workload, snapshot: KubernetesSnapshot) -> None:
        text = await self.patiently(
            bundle(source, workload, self.desk.now(), snapshot), f"all about {_named(workload)}"
        )
        stem = f"{workload.kind.lower()}-{workload.namespace}-{workload.name}-bundle"
        try:
            path = await asyncio.to_thread(write_to_file, text, Path.cwd(), stem)
        except OSError as error:
            self.post_message(self.Told(f"not written: {error.strerror or error}", "critical"))
        else:
            self.post_message(self.Told(f"{_named(workload)}: {len(text.splitlines())} lines are in {path}", "ok"))

    # Labels and annotations

    def action_label(self) -> None:
        """Ask for a label of what is under the cursor, or marked."""
        self._ask_mark(pods_offers.LABEL, LABEL)

    def action_annotate(self) -> None:
        """Ask for an annotation of what is under the cursor, or marked."""
        self._ask_mark(pods_offers.ANNOTATE, ANNOTATE)

    def _ask_mark(self, binding: str, verb: str) -> None:
        if self._asked(binding) is None:
            return
        facts = pods_offers.markable(self.chosen)

        def typed(answer: str | None) -> None:
            if answer is not None:
                value, for_s = split_temporary(answer)
                self.post_message(self.Requested([mark_request(verb, fact, value, for_s) for fact in facts]))

        first, *more = facts
        dialog = InputDialog(
            f"{verb.capitalize()} {first.name}" + (f" and {len(more)} more" if more else ""),
            text=f"key=value, or key- to take it away; {_NOT_YET}\n{TEMPORARY_HINT}",
            placeholder="example.com/team=shop" if verb == LABEL else "example.com/why=looked at by ops",
            problem=temporary(lambda value: mark_problem(value, is_label=verb == LABEL)),
        )
        self.app.push_screen(dialog, typed)


def _named(workload: Workload) -> str:
    return f"{workload.kind} {workload.namespace}/{workload.name}"
