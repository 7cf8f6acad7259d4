"""How far a rollout has come, what a dry run changes, and who will fight it: objects in, words out."""

from typing import Any

import pytest

from tui.actions.action import Look, Phase
from tui.actions.kubernetes.impact import autoscaler_words, budget_words, owners_words, restart_words, state_words
from tui.actions.kubernetes.preview import changed_fields, differing
from tui.actions.kubernetes.rollout import rollout
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.kubernetes.workloads import parse_workload


def _object(
    *, wanted: int = 3, generation: int = 2, observed: int = 2, strategy: Any = None, **status: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": "api", "namespace": "shop", "uid": "u", "generation": generation},
        "spec": {"replicas": wanted, "strategy": strategy or {}, "updateStrategy": strategy or {}},
        "status": {"observedGeneration": observed, **status},
    }


def _failing(name: str) -> Any:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"phase": "Running", "containerStatuses": [{"name": "app", "state": waiting}]}
    return parse_pod({"metadata": {"name": name, "uid": name}, "spec": {"containers": [{}]}, "status": status})


_FULL = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}


@pytest.mark.parametrize(
    ("kind", "obj", "look"),
    [
        (
            "Deployment",
            _object(observed=1, **_FULL),
            Look(Phase.WAITING, "waiting for the controller to see the change"),
        ),
        ("Deployment", _object(**_FULL | {"updatedReplicas": 1}), Look(Phase.WAITING, "1 of 3 updated")),
        (
            "Deployment",
            _object(**_FULL | {"replicas": 4}),
            Look(Phase.WAITING, "3 of 3 updated, 1 old still there"),
        ),
        (
            "Deployment",
            _object(**_FULL | {"availableReplicas": 2}),
            Look(Phase.WAITING, "3 of 3 updated, 2 available"),
        ),
        ("Deployment", _object(**_FULL), Look(Phase.CONVERGED, "3 of 3 ready")),
        ("Deployment", _object(wanted=0), Look(Phase.CONVERGED, "no pods left")),
        (
            "StatefulSet",
            _object(**_FULL, currentRevision="a", updateRevision="b"),
            Look(Phase.WAITING, "3 of 3 updated"),
        ),
        (
            "StatefulSet",
            _object(**_FULL, currentRevision="b", updateRevision="b"),
            Look(Phase.CONVERGED, "3 of 3 ready"),
        ),
        (
            "StatefulSet",
            _object(**_FULL | {"updatedReplicas": 1}, strategy={"rollingUpdate": {"partition": 2}}),
            Look(Phase.CONVERGED, "3 of 3 ready"),
        ),
        (
            "DaemonSet",
            _object(desiredNumberScheduled=5, updatedNumberScheduled=2, numberAvailable=5),
            Look(Phase.WAITING, "2 of 5 updated"),
        ),
        (
            "DaemonSet",
            _object(desiredNumberScheduled=5, updatedNumberScheduled=5, numberAvailable=4),
            Look(Phase.WAITING, "5 of 5 updated, 4 available"),
        ),
        ("ReplicaSet", _object(readyReplicas=2), Look(Phase.WAITING, "0 of 3 pods there, 2 ready")),
    ],
)
def test_a_rollout_is_judged_as_kubectl_does(kind: str, obj: dict[str, Any], look: Look) -> None:
    assert rollout(kind, obj, []) == look


def test_a_rollout_that_the_controller_gave_up_has_not_converged() -> None:
    gave_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    look = rollout("Deployment", _object(**_FULL | {"updatedReplicas": 1}, conditions=[gave_up]), [])
    assert look == Look(Phase.NOT_CONVERGED, "ProgressDeadlineExceeded: timed out")


_GAVE_UP = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}


@pytest.mark.parametrize(
    ("kind", "obj", "phase"),
    [
        ("Deployment", _object(wanted=0, **_FULL), Phase.WAITING),
        ("Deployment", _object(wanted=2, **_FULL), Phase.WAITING),
        ("StatefulSet", _object(wanted=2, **_FULL), Phase.WAITING),
        ("Deployment", _object(wanted=3, observed=1, **_FULL), Phase.WAITING),
        ("Deployment", _object(wanted=4, replicas=4, availableReplicas=3), Phase.WAITING),
        ("Deployment", _object(wanted=3, **_FULL, conditions=[_GAVE_UP]), Phase.CONVERGED),
        ("Deployment", _object(wanted=2, **_FULL, conditions=[_GAVE_UP]), Phase.WAITING),
        ("StatefulSet", _object(**_FULL, strategy={"type": "OnDelete"}, updateRevision="b"), Phase.CONVERGED),
        ("Deployment", _object(wanted=0), Phase.CONVERGED),
    ],
)
def test_scaling_has_converged_when_as_many_pods_are_there_and_no_sooner(
    kind: str, obj: dict[str, Any], phase: Phase
) -> None:
    assert rollout(kind, obj, [], is_scaled=True).phase is phase


def test_a_strategy_that_waits_for_deletions_does_not_converge() -> None:
    obj = _object(**_FULL, strategy={"type": "OnDelete"}, currentRevision="a", updateRevision="b")
    assert rollout("StatefulSet", obj, []).phase is Phase.NOT_CONVERGED


def test_failing_pods_are_named_the_first_three_of_them() -> None:
    pods = [_failing(f"api-{n}") for n in range(5)]
    look = rollout("Deployment", _object(**_FULL | {"updatedReplicas": 2}), pods)
    named = ", ".join(f"CrashLoopBackOff: api-{n}" for n in range(3))
    assert look.detail == f"2 of 3 updated, 5 failing: {named} and 2 more"


def test_a_preview_names_only_what_a_person_changed() -> None:
    before: dict[str, Any] = {
        "metadata": {"resourceVersion": "1", "generation": 1, "labels": {"a": "1"}},
        "spec": {"containers": [{"image": "x:1"}], "paused": True},
        "status": {"replicas": 1},
    }
    after: dict[str, Any] = {
        "metadata": {"resourceVersion": "2", "generation": 2, "labels": {"a": "1"}, "annotations": {"k/x": "v\x1b"}},
        "spec": {"containers": [{"image": "x:2"}]},
        "status": {"replicas": 9},
    }
    assert set(changed_fields(before, after)) == {
        '+ metadata.annotations["k/x"]: v␛',
        "~ spec.containers[0].image: x:1 → x:2",
        "- spec.paused: True",
    }
    assert changed_fields(before, before) == ("nothing: it is already so",)


def test_containers_and_variables_are_compared_by_name_whatever_their_place() -> None:
    def template(*containers: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"containers": list(containers)}}

    proxy, main = {"name": "proxy", "image": "proxy:1"}, {"name": "main", "image": "main:1"}
    changed = {**main, "image": "main:2", "env": [{"name": "LEVEL", "value": "debug"}]}
    assert differing(template(proxy, main), template(changed, proxy)) == (
        '~ spec.containers["main"].image: main:1 → main:2',
        "+ spec.containers[\"main\"].env: [{'name': 'LEVEL', 'value': 'debug'}]",
    )


def test_a_variable_that_may_be_a_secret_is_compared_and_never_shown() -> None:
    def template(value: str, *more: dict[str, Any]) -> dict[str, Any]:
        env = [{"name": "DB_PASSWORD", "value": value}, {"name": "PLAIN", "value": value}, *more]
        return {"spec": {"containers": [{"name": "main", "env": env}]}}

    lines = differing(template("hunter1"), template("hunter2", {"name": "API_TOKEN", "value": "hunter3"}))
    path = 'spec.containers["main"].env'
    assert lines[0] == f'~ {path}["DB_PASSWORD"].value: (hidden) → (hidden)'
    assert lines[1] == f'~ {path}["PLAIN"].value: hunter1 → hunter2'
    assert "hunter3" not in " ".join(lines)
    assert "DB_PASSWORD', 'value': (hidden)" in " ".join(differing({"spec": {}}, template("plain")))


@pytest.mark.parametrize(("path", "value", "shown"), [
    (("data", "DB_PASSWORD"), "hunter2", False),
    (("data", "app.ini"), "[db]\npassword = hunter2\n", False),
    (("data", "URL"), "postgres://shop:hunter2@db/shop", False),
    (("spec", "apiToken"), "hunter2", False),
    (("spec", "secretName"), "hunter2", True),
    (("data", "LOG_LEVEL"), "hunter2", True),
])  # fmt: skip
def test_a_field_that_is_called_like_a_secret_is_compared_and_never_shown(
    path: tuple[str, str], value: str, shown: bool
) -> None:
    section, name = path
    (line,) = changed_fields({section: {name: "before"}}, {section: {name: value}})
    assert name in line
    assert ("hunter2" in line) is shown
    (line,) = changed_fields({section: {}}, {section: {name: value}})
    assert ("hunter2" in line) is shown


def test_an_autoscaler_that_will_fight_is_named() -> None:
    workload = parse_workload("Deployment", _object(**_FULL))
    autoscaler = {
        "metadata": {"name": "api-hpa"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "api"}, "minReplicas": 2, "maxReplicas": 8},
    }
    assert list(autoscaler_words([autoscaler], workload, 5)) == [
        "HorizontalPodAutoscaler api-hpa sets the replicas between 2 and 8: it will undo this"
    ]
    assert "switched off" in next(autoscaler_words([autoscaler], workload, 0))
    other = parse_workload("StatefulSet", _object(**_FULL))
    assert not list(autoscaler_words([autoscaler], other, 5))


def test_a_gitops_owner_is_named() -> None:
    obj = _object(**_FULL)
    obj["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    assert list(owners_words(parse_workload("Deployment", obj))) == [
        "managed by Argo CD: it may put its own state back"
    ]


def test_only_budgets_of_these_pods_are_named() -> None:
    budgets = [
        {"metadata": {"name": "api"}, "spec": {"selector": {"matchLabels": {"app": "api"}}}, "status": {}},
        {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}, "status": {}},
    ]
    assert [line.split()[1] for line in budget_words(budgets, {"app": "api", "tier": "x"})] == ["api"]


def test_a_restart_that_leaves_nobody_serving_says_so() -> None:
    obj = _object(wanted=1, strategy={"type": "Recreate"})
    workload = parse_workload("Deployment", obj)
    words = list(restart_words(workload, obj))
    assert "all stop before new ones start" in words[0]
    assert "serves nobody" in words[1]


def test_what_is_wrong_already_is_said() -> None:
    workload = parse_workload("Deployment", _object(**_FULL | {"updatedReplicas": 1, "availableReplicas": 1}))
    assert list(state_words(workload)) == [
        "a rollout is under way: 1 of 3 updated",
        "2 of 3 pods are not available now",
    ]
