"""Files in, walkthroughs or every problem out; and the shipped ones fit every profile."""

from pathlib import Path

import pytest

from profiles.loader import load
from profiles.places import SHIPPED
from profiles.problems import ProfileError
from profiles.schema import KINDS as KINDS_OF_SYSTEMS
from profiles.schema import Profile
from tui.panes.tabs import TABS
from tui.rules import NO_DATA
from tui.walkthroughs.format import KINDS_OF_STEPS, Look
from tui.walkthroughs.loading import Kind, Walkthrough, load_walk, shipped, walks_of

PROFILE = Profile.model_validate(
    {
        "name": "t",
        "environment": "dev",
        "services": {"api": "https://api.example.com/"},
        "databases": {"orders": "service=orders"},
        "contacts": {"oncall": {"who": "the rota", "phone": "112"}},
        "rules": {"database.blocked": {"warn": 1}},
    }
)

FIVE_MISTAKES = """\
title: Wrong in five ways
every: often
sections:
  - title: One
    steps:
      - check: Nobody waits
        rule: database.blokced
        warm: 3
      - check: The queue
        redis: [LLEN, jobs]
      - loook: at the pods
        open: Pods
      - branch: Which way?
        answers: {left: nowhere, right: end}
      - call: onkall
      - note: The end
        id: end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def problems(folder: Path, text: str, profile: Profile | None = PROFILE) -> list[str]:
    path = folder / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError) as raised:
        load_walk(str(path), "checklist", profile)
    return [str(problem).removeprefix(f"{path}:") for problem in raised.value.problems]


def walk(folder: Path, *steps: str, head: str = "title: T\n") -> Walkthrough:
    path = folder / "good.yaml"
    body = "".join(f"      - {step}\n" for step in steps)
    path.write_text(f"{head}sections:\n  - title: S\n    steps:\n{body}")
    return load_walk(str(path), "checklist", PROFILE)


def test_mistakes_of_every_kind_come_all_at_once_with_line_and_remedy(folder: Path) -> None:
    assert problems(folder, FIVE_MISTAKES) == [
        "2:1: every: a duration is a number with a unit: 500ms, 30s, 10m, 1h, 1d",
        "7:9: sections.1.steps.1.rule: there is no rule database.blokced; did you mean database.blocked?",
        "8:9: sections.1.steps.1.warm: unknown key; did you mean warn?",
        "9:9: sections.1.steps.2: redis needs warn, critical, at_least or is: from when on it is not well",
        "11:9: sections.1.steps.3: must have one of check, wait, look, ask, act, remember, note, call, tell, branch; "
        "did you mean look?",
        "14:19: sections.1.steps.4.answers.left: no step has the id nowhere",
        "15:9: sections.1.steps.5.call: the profile has no contact onkall; did you mean oncall?",
    ]


def test_a_walk_only_goes_forward(folder: Path) -> None:
    steps = "      - note: a\n        id: first\n      - note: b\n        then: first\n"
    text = f"title: T\nsections:\n  - title: S\n    steps:\n{steps}"
    (problem,) = problems(folder, text)
    assert problem == "8:9: sections.1.steps.2.then: first is not behind this step: a walk only goes forward"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{check: A, rule: database.blocked, sql: SELECT 1}", "read exactly one of rule, number"),
        ("{check: A}", "not none of them"),
        ("{check: A, rule: database.blocked, warn: 1}", "knows itself what is well"),
        ("{check: A, logs: {matching: '['}, warn: 1}", "not a regular expression"),
        (
            "{act: A, verb: restart, pick: root blockers}",
            "restart finds its targets by subject, failing, changed, named",
        ),
        ("{act: A, verb: shell, pick: failing}", "shell is no action of a walk"),
        ("{act: A, verb: scale, pick: failing}", "scale needs replicas"),
        ("{act: A, verb: terminate-matching, pick: matching, matching: idle}", "a duration behind the >"),
        ("{act: A, verb: explode, pick: failing}", "must be one of restart, scale"),
        ("{ask: A, answers: ['yes']}", "must not be empty"),
        ("{ask: A, answers: [a, b], well: [c]}", "none of the answers"),
        ("{check: A, number: databse.blocked, warn: 1}", "did you mean database.blocked?"),
        ("{check: A, sql: SELECT 1, on: [ordrs], warn: 1}", "did you mean orders?"),
        ("{check: A, script: scan}", "the profile has no script scan"),
        ("{tell: page}", "the profile has no hook page"),
        ("{check: A, number: database.blocked, on: '{subject}', warn: 1}", "stands for nothing of this kind"),
        ("{act: A, verb: restart, pick: subject}", "the subject is nothing that runs"),
        ("{remember: A, workloads: ['{subject}']}", "the subject is nothing that runs"),
    ],
)
def test_what_cannot_be_walked_is_said_with_the_remedy(folder: Path, step: str, words: str) -> None:
    (problem,) = problems(folder, f"title: T\nsections:\n  - title: S\n    steps:\n      - {step}\n")
    assert words in problem
    assert problem.startswith("5:"), "it names the line"


@pytest.mark.parametrize(
    "step", ["{check: c, rollout: ['usa:shop/deployment/api']}", "{remember: r, workloads: ['usa:shop/deployment/*']}"]
)
def test_a_workload_of_a_cluster_that_the_profile_does_not_have_is_a_mistake(folder: Path, step: str) -> None:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": {"eu": "c-eu", "us": "c-us"}})
    text = f"title: T\nsections:\n  - title: S\n    steps:\n      - {step}\n"
    (problem,) = problems(folder, text, profile)
    assert "the profile has no cluster usa" in problem
    (folder / "mine.yaml").write_text(text.replace("usa:", "us:"))
    assert load_walk(str(folder / "mine.yaml"), "checklist", profile).steps


def test_steps_are_called_by_their_titles_and_each_has_a_name_of_its_own(folder: Path) -> None:
    found = walk(folder, "note: Look around!", "note: Look around!", "{note: x, id: own}")
    assert [(placed.id, placed.number) for placed in found.steps] == [
        ("look-around", 1), ("look-around-2", 2), ("own", 3),
    ]  # fmt: skip


def test_a_file_that_others_can_write_is_refused(folder: Path) -> None:
    path = folder / "open.yaml"
    path.write_text("title: T\nsections: [{title: S, steps: [{note: a}]}]\n")
    path.chmod(0o666)
    with pytest.raises(ProfileError, match="chmod go-w"):
        load_walk(str(path), "checklist")


def test_a_wrong_file_costs_only_itself(folder: Path) -> None:
    (folder / "wrong.yaml").write_text("title: 3\n")
    profile = PROFILE.model_copy(update={"checklists": ["diagnostic", f"{folder}/wrong.yaml", "dayly"]})
    walks = walks_of(profile)
    assert [walk.name for walk in walks.found] == ["diagnostic"]
    said = "\n".join(map(str, walks.problems))
    assert "needs sections" in said
    assert "there is no checklist dayly; did you mean daily?" in said


# What ships


KINDS: tuple[Kind, ...] = ("checklist", "runbook")
SHIPPED_WALKS = [(kind, name) for kind in KINDS for name in shipped(kind)]


@pytest.mark.parametrize(("kind", "name"), SHIPPED_WALKS)
@pytest.mark.parametrize("profile", ["demo", "local"])
def test_every_shipped_one_fits_every_shipped_profile(kind: Kind, name: str, profile: str) -> None:
    found = load_walk(name, kind, load(profile).profile)
    assert found.title
    assert kind == "checklist" or found.definition.symptoms, "people look for a runbook by its symptoms"


@pytest.mark.parametrize(("kind", "name"), SHIPPED_WALKS)
def test_what_a_shipped_one_lets_people_look_at_is_there(kind: Kind, name: str) -> None:
    for placed in load_walk(name, kind).steps:
        if isinstance(placed.step, Look):
            tab = next(tab for tab in TABS if tab.title == placed.step.open)
            views = getattr(tab.pane(), "VIEWS", {"pods": "", "workloads": "", "events": "", "nodes": ""})
            assert placed.step.view is None or placed.step.view in views, placed.id


@pytest.mark.parametrize(("kind", "name"), SHIPPED_WALKS)
def test_the_alerts_that_offer_it_are_rules_that_there_are(kind: Kind, name: str) -> None:
    rules = load("demo").profile.rules
    for rule in load_walk(name, kind).definition.alerts:
        assert rule in rules or rule.endswith(f".{NO_DATA}"), f"{rule}: nothing would ever offer it"


def test_every_kind_of_system_that_can_be_cut_off_offers_a_runbook() -> None:
    offered = {rule for kind, name in SHIPPED_WALKS for rule in load_walk(name, kind).definition.alerts}
    silent = {rule.partition(".")[0] for rule in offered if rule.endswith(f".{NO_DATA}")}
    # A service that does not answer is down, by its own rule; of logs and the host the reason stands on their tabs.
    assert silent == set(KINDS_OF_SYSTEMS) - {"service", "logs", "host"}


def test_every_default_rule_of_the_systems_offers_a_runbook() -> None:
    offered = {rule for kind, name in SHIPPED_WALKS for rule in load_walk(name, kind).definition.alerts}
    # Containers and units are of hosts, which the runbooks are not about.
    apart = ("host.", "container.", "unit.")
    own = {rule for rule in load("demo").profile.rules if not rule.startswith(apart)}
    assert own - offered == {
        "service.certificate_days",
        "kubernetes.nodes_not_ready",
        "database.replication_lag_bytes",
        "database.replication_lag_s",
        "database.slot_retained_bytes",
        "database.wraparound_percent",
        "redis.clients_percent",
        "service.probe_state",
        "service.token_s",
        "pgbouncer.waiting_s",
        "pgbouncer.clients_percent",
        "redis.save_failed",
        "redis.link_down_s",
        "redis.masters_down",
        "redis.replica_lag_bytes",
        "redis.replica_lag_s",
        "redis.cluster_failing",
    }, "each that has none is known"


@pytest.mark.parametrize("name", ["ncs-api", "platform"])
def test_the_examples_walks_fit_them(name: str) -> None:
    walks = walks_of(load(str(SHIPPED / "examples" / f"{name}.yaml")).profile)
    assert not walks.problems
    assert len(walks.found) >= 16


def test_the_profiles_name_everything_that_ships() -> None:
    profile = load("demo").profile
    assert set(profile.checklists) == set(shipped("checklist"))
    assert set(profile.runbooks) == set(shipped("runbook"))
    assert (SHIPPED / "checklists").is_dir()
    assert set(KINDS_OF_STEPS) == {"check", "wait", "look", "ask", "act", "remember", "note", "call", "tell", "branch"}
