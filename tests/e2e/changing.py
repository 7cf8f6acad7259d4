"""One opstui in a pseudo-terminal on a cluster of its own, in which many changes are asked for one after the other."""

import contextlib
import copy
import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.e2e.own_cluster import OwnCluster
from tests.e2e.terminal import RULES, Terminal, opstui
from tui.sandbox.cluster.api import Write
from tui.sandbox.cluster.resources import Object, Resource

BUSY_MACHINE_S: Final = 40.0
PODS, WORKLOADS, NODES = "RESTARTS", "UP-TO-DA", "INTERNAL-IP"
"""Views of the Pods tab, by a column that only this view has."""
ROLLOUT: Final = "REVISION, ITS PODS"
"""The column by which the view of one workload's rollout is known."""
_VIEWS: Final = {PODS: 0, WORKLOADS: 1, NODES: 3}
"""Where they stand in the order of `tab`: events and what changed lie between."""
_OF_ANY_KIND: Final = 5
_ENDS: Final = ("outcome", "refused", "cancelled")


class Desk:
    """The program, the cluster it is on, and the journal it keeps."""

    def __init__(self, cluster: OwnCluster, folder: Path, user: str = "admin", **kubernetes: Any) -> None:
        """Open the Pods tab as a user of the cluster; `kubernetes` is more of that section of the profile."""
        self.cluster, self.folder = cluster, folder
        self.user = f"sandbox:{user}"
        kubeconfig = folder / f"{user}.kubeconfig"
        cluster.do(lambda it: it.write_kubeconfig(kubeconfig, user))
        profile = {
            "name": "cluster",
            # Where y is enough for what is of medium risk: how confirming is asked for has tests of its own.
            "environment": "dev",
            "kubernetes": {"kubeconfig": str(kubeconfig), **kubernetes},
            "guards": {"max_per_minute": 10_000},
            "rules": RULES,
        }
        path = folder / "cluster.yaml"
        path.write_text(json.dumps(profile))
        path.chmod(0o600)
        env = {"XDG_STATE_HOME": str(folder / "state")}
        self.screen = Terminal(opstui("--profile", str(path)), size=(160, 45), env=env, folder=folder)
        self._read = self._mark = 0
        self.screen.wait("✓.* k8s", BUSY_MACHINE_S)
        self.screen.press("2")
        self.screen.wait("Workloads", BUSY_MACHINE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.screen.close()

    # The cluster

    def stored(self, resource: Resource, namespace: str, name: str) -> Any:
        """Return a copy of an object as the API server has it; None when there is none."""
        found: list[Any] = []
        self.cluster.do(lambda it: found.append(copy.deepcopy(it.store.find(resource, namespace, name))))
        return found[0]

    def modify(self, resource: Resource, namespace: str, name: str, change: Callable[[Object], object]) -> None:
        """Change an object as somebody else would."""

        def changed(thing: Object) -> None:
            change(thing)

        self.cluster.do(lambda it: it.store.modify(resource, namespace, name, changed))

    def put_back(self, resource: Resource, before: Object) -> None:
        """Give an object the content that it had."""
        meta = before["metadata"]

        def back(thing: Object) -> None:
            for key in [key for key in thing if key not in ("metadata", "status", "kind", "apiVersion")]:
                thing.pop(key)
            thing.update({k: copy.deepcopy(v) for k, v in before.items() if k not in ("metadata", "status")})
            for key in ("labels", "annotations"):
                thing["metadata"].pop(key, None)
                if key in meta:
                    thing["metadata"][key] = copy.deepcopy(meta[key])

        self.modify(resource, meta.get("namespace", ""), meta["name"], back)

    def sent(self) -> list[Write]:
        """Return what this user has asked for beside reading; questions about their own rights left out."""
        found: list[Write] = []
        self.cluster.do(
            lambda it: found.extend(one for one in it.server.writes if one.user == self.user and not one.is_review)
        )
        return found

    def writes(self) -> list[Write]:
        """Return what this user has sent that could change something: no dry runs."""
        return [one for one in self.sent() if not one.is_dry_run]

    # The screen

    def close(self) -> None:
        """Close the dialog that is open; a key that came too soon after Escape would count as one with Alt."""
        self.screen.press("esc")
        self.screen.wait(lambda text: "┌" not in text, BUSY_MACHINE_S)

    def home(self) -> None:
        """Close what an earlier test may have left open, and forget how that ended."""
        for _ in range(5):
            if "┌" in self.screen.text():
                with contextlib.suppress(AssertionError):
                    self.close()
        if ROLLOUT in self.screen.text():  # where a change of a template leads
            self.screen.press("esc")
            self.screen.wait(WORKLOADS, BUSY_MACHINE_S)
        self._read = sum(one["what"] in _ENDS for one in self.entries())
        self._mark = len(self.screen.raw)

    def choose(self, view: str, name: str) -> None:
        """Put the cursor on the only object of this name in a view."""
        self.home()
        for _ in range(10):  # a screen between two views may be taken for the first
            now = next((place for head, place in _VIEWS.items() if head in self.screen.text()), _OF_ANY_KIND)
            self.screen.send("\t" * ((_VIEWS[view] - now) % (_OF_ANY_KIND + 1)))
            with contextlib.suppress(AssertionError):
                self.screen.wait(view, BUSY_MACHINE_S / 10)
                break
        self.screen.wait(view, BUSY_MACHINE_S)
        self._filter(name)

    def choose_kind(self, kind: str, name: str) -> None:
        """Open the view of any kind, with the cursor on the only object of this name."""
        self.home()
        self.screen.press("r")
        self.screen.wait("Look at which kind")
        self.screen.press(kind, "enter")
        self.screen.wait(rf"Changed +{kind}")
        self._filter(name)

    def _filter(self, name: str) -> None:
        self.screen.press("/")
        self.screen.wait("(?m)^/")
        self.screen.press(f"-f metadata.name={name}", "enter")
        self.screen.wait(lambda text: _rows(text, name) == 1 and "x Change" in text, BUSY_MACHINE_S)

    def menu(self, words: str) -> None:
        """Choose an entry of the menu of changes."""
        self.screen.press("x")
        self.screen.wait("Change what")
        self.screen.press(words)
        self.screen.wait(rf"> .*{re.escape(words)}")
        self.screen.press("enter")

    def asks(self, title: str) -> str:
        """Wait for the dialog that asks for a confirmation, and return the screen."""
        return self.screen.wait(rf"(?s){title}.*(y: do it|tab: next field)", BUSY_MACHINE_S)

    def agree(self, name: str) -> None:
        """Confirm what a dialog asks: by `y`, or by the name where it wants that."""
        key = "y"
        if "y: do it" not in self.screen.text():
            self.screen.press(name, "enter")
            self.screen.wait("enter: DO IT", BUSY_MACHINE_S)
            key = "enter"
        # A yes does not count while the dialog tells anew that the target changed.
        self.screen.insist(key, "do nothing")

    def take_back(self, verb: str, name: str) -> None:
        """Choose a change among those that can be taken back, and let the dialog ask for it."""
        self.screen.press("U")
        self.screen.wait("Take back which change")
        self.screen.press(f"{verb} {name}")
        self.screen.wait(rf"> {verb} {name}")
        self.screen.press("enter")
        if "take it back" in self.screen.wait(r"take it back|Undo: [^\n]*\?", BUSY_MACHINE_S):
            self.screen.press("enter")
        self.asks("Undo: ")

    def row(self, name: str, pattern: str, *, is_there: bool = True) -> None:
        """Wait until the row of an object matches, or no longer does."""

        def is_so(text: str) -> bool:
            lines = [line for line in text.splitlines()[5:-2] if name in line]
            return bool(lines) and (re.search(pattern, lines[0]) is not None) is is_there

        self.screen.wait(is_so, BUSY_MACHINE_S)

    def said(self, words: str) -> None:
        """Wait until the screen says so, or has said so since the cursor was put: what is told makes room for more."""
        wanted = _squashed(words)

        def is_so(text: str) -> bool:
            return wanted in _squashed(text) or wanted in _squashed(_drawn(self.screen.raw[self._mark :]))

        self.screen.wait(is_so, BUSY_MACHINE_S)

    # The record

    def entries(self) -> list[dict[str, Any]]:
        """Return the journal."""
        files = list((self.folder / "state").rglob("cluster.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def outcome(self) -> Mapping[str, Any]:
        """Wait for the next end of a change that is on record, and for the screen to say it."""
        deadline = time.monotonic() + BUSY_MACHINE_S
        while len(ends := [one for one in self.entries() if one["what"] in _ENDS]) <= self._read:
            assert time.monotonic() < deadline, f"nothing ended; the screen:\n{self.screen.text()}"
            time.sleep(0.05)
        self._read += 1
        return ends[self._read - 1]

    def ends(self, ending: str, words: str = "") -> Mapping[str, Any]:
        """Wait for the next end of a change, which must be this one, on record and on the screen."""
        found = self.outcome()
        assert (found["ending"], words in found["detail"]) == (ending, True), found
        self.said(ending.upper())
        return found


def _rows(text: str, name: str) -> int:
    """Return how many rows a filtered view shows, once its cursor is on the one."""
    rows = [line for line in text.splitlines()[5:-2] if line[:1] in (" ", ">") and line[2:3].strip()]
    return len(rows) if any(line.startswith(">") and name in line for line in rows) else 0


def _drawn(raw: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;<=>?]*[A-Za-z]", "", raw.decode(errors="replace"))


def _squashed(text: str) -> str:
    return re.sub(r"[^\w:→~+]", "", text)
