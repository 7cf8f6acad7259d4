from pathlib import Path
from typing import get_args

import pytest

from profiles import places
from profiles.guards import VerbName
from profiles.loader import load
from profiles.problems import ProfileError
from tests.profiles.conftest import Write

MINIMAL = "environment: dev\n"


def problems(name_or_path: str | Path) -> list[str]:
    with pytest.raises(ProfileError) as wrong:
        load(str(name_or_path))
    return [str(problem) for problem in wrong.value.problems]


def test_five_lines_are_enough_for_a_cluster_and_a_database(write: Write) -> None:
    text = "name: prod\nkubernetes: prod-eu\ndatabases:\n  orders: service=orders\n"
    write("prod", text)
    profile = load("prod").profile
    assert len(text.splitlines()) <= 5
    assert profile.kubernetes is not None
    assert profile.kubernetes.context == "prod-eu"
    assert profile.databases["orders"].dsn == "service=orders"
    assert profile.environment == "prod"
    assert profile.starts_read_only


def test_a_profile_without_a_name_is_called_like_its_file(write: Write) -> None:
    write("quiet", MINIMAL)
    assert load("quiet").profile.name == "quiet"


def test_every_profile_inherits_the_default_rules_and_may_change_one(write: Write) -> None:
    write("mine", "rules:\n  database.blocked: {warn: 3}\n  redis.evicted_per_s: null\n")
    loaded = load("mine")
    rules = loaded.profile.rules
    assert (rules["database.blocked"].warn, rules["database.blocked"].critical) == (3, 10)
    assert "redis.evicted_per_s" not in rules
    assert [path.name for path in loaded.files] == ["mine.yaml", "defaults.yaml"]


def test_the_own_folder_comes_before_the_site_and_the_site_before_the_shipped(write: Write) -> None:
    places.SITE.mkdir()
    (places.SITE / "local.yaml").write_text("environment: staging\n")
    assert load("local").files[0].parent == places.SITE
    own = write("local", MINIMAL)
    assert load("local").files[0] == own


def test_a_bare_name_is_never_looked_up_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here.yaml").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)
    assert "there is no profile here" in problems("here")[0]
    assert load("./here.yaml").profile.name == "here"
    assert load("here.yaml").profile.name == "here"


@pytest.mark.parametrize(
    ("asked", "word"),
    [("dmeo", "did you mean demo?"), ("zzzz", "there are demo, local"), ("a b", "not a profile's name"), ("", "name")],
)
def test_an_unknown_name_is_answered_with_the_nearest_or_all(asked: str, word: str) -> None:
    (problem,) = problems(asked)
    assert word in problem


def test_mappings_are_merged_lists_replaced_and_names_not_inherited(write: Write) -> None:
    write(
        "base",
        "name: base\nenvironment: staging\nkubernetes: {context: c, namespaces: [a, b]}\n"
        "services:\n  api: https://api/health\n  web: https://web/\nrefresh: 5s\n",
    )
    write(
        "child",
        "extends: base\nkubernetes: {namespaces: [x]}\nservices:\n  api: {slow_ms: 50}\n  web: null\n"
        "databases:\n# nothing yet\n",
    )
    profile = load("child").profile
    assert profile.name == "child"
    assert (profile.environment, profile.refresh) == ("staging", 5)
    assert profile.kubernetes is not None
    assert (profile.kubernetes.context, profile.kubernetes.namespaces) == ("c", ["x"])
    assert set(profile.services) == {"api"}
    assert (profile.services["api"].url, profile.services["api"].slow_ms) == ("https://api/health", 50)


def test_extends_takes_a_path_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "base.yaml").write_text("environment: staging\n")
    (tmp_path / "mine.yaml").write_text("extends: team/base.yaml\n")
    assert load(str(tmp_path / "mine.yaml")).profile.environment == "staging"


def test_a_profile_may_extend_the_one_of_its_own_name_that_it_hides(write: Write) -> None:
    write("local", "extends: local\nservices: {web: 'http://127.0.0.1/'}\n")
    profile = load("local").profile
    assert set(profile.services) == {"web"}
    assert set(profile.databases) == {"local"}


def test_a_circle_is_told_with_its_members(write: Write) -> None:
    write("a", "extends: b\n")
    write("b", "name: b\nextends: a\n")
    (problem,) = problems("a")
    assert "b.yaml:2:1: extends: profiles inherit in a circle: a.yaml → b.yaml → a.yaml" in problem


def test_a_problem_of_an_inherited_file_names_that_file(write: Write) -> None:
    base = write("base", "services:\n  api: {url: 'ftp://x'}\n")
    write("child", "extends: base\nenviroment: dev\n")
    first, second = problems("child")
    assert first.startswith(f"{base}:2:9: services.api.url: the address must begin with http://, https://")
    assert second.endswith(":2:1: enviroment: unknown key; did you mean environment?")


@pytest.mark.parametrize("place", ["h:99999", "h:secret-word", "[::1", "[secret-word]"])
def test_an_address_without_a_readable_host_and_port_is_a_mistake_of_the_profile(write: Write, place: str) -> None:
    write("odd", f"redis: {{cache: 'redis://{place}/0'}}\nservices: {{api: 'https://{place}/health'}}\n")
    found = problems("odd")
    assert len(found) == 2
    assert all("host and port of the address cannot be read" in problem for problem in found)
    assert "secret-word" not in "".join(found)


def test_a_missing_parent_does_not_hide_the_other_problems_nor_invent_any(write: Write) -> None:
    write("child", "extends: bsae\nservices:\n  api: {slow_ms: 5}\nrefersh: 2s\n")
    write("base", MINIMAL)
    first, second = problems("child")
    assert "extends: there is no profile bsae; did you mean base?" in first
    assert "did you mean refresh?" in second


def test_all_problems_come_at_once_in_the_order_of_their_lines(write: Write) -> None:
    path = write(
        "many",
        "environment: prd\nrefresh: fast\nkubernetes: {contxt: a}\nservices:\n  api: {workload: x}\n"
        "guards: {verbs: {deny: [restrat]}}\nrules:\n  databse.blocked: {warn: 1}\n"
        "  host.cpu_percent: {only: [x], warn: hot}\n",
    )
    said = [problem.removeprefix(f"{path}:") for problem in problems("many")]
    assert said == [
        "1:1: environment: must be one of prod, staging, dev, sandbox; did you mean prod?",
        "2:1: refresh: a duration is a number with a unit: 500ms, 30s, 10m, 1h, 1d",
        "3:14: kubernetes.contxt: unknown key; did you mean context?",
        "5:3: services.api: needs url; the health URL, `http://…` or `https://…`; or `env:NAME` or `file:PATH`",
        "5:9: services.api.workload: does not have the right form; what runs it, as `namespace/kind/name`",
        f"6:25: guards.verbs.deny.1: must be one of {', '.join(get_args(VerbName))}; did you mean restart?",
        "8:3: rules.databse.blocked: a rule is named kind.metric; did you mean database.blocked?",
        "9:33: rules.host.cpu_percent.warn: must be a number; from this value on: warning",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "databases: {o: 'postgresql://u:hunter2@h/d'}",
        "databases: {o: 'postgresql://u:hunter2/x@h/d'}",
        "databases: {o: 'host=h password=hunter2'}",
        "databases: {o: 'host=h password = hunter2'}",
        "databases: {o: 'postgresql:///d?sslpassword=hunter2'}",
        "databases: {o: {dsn: service=o, password: hunter2}}",
        "databases: {o: {dsn: service=o, password: {hunter2: x}}}",
        "databases: {o: {dsn: service=o, password: [hunter2]}}",
        "databases: {o: {dsn: service=o, pasword: hunter2}}",
        "redis: {c: 'redis://:hunter2@h'}",
        "services: {s: {url: 'http://h', headers: {Authorization: Bearer hunter2}}}",
        "services: {s: 'http://u:hunter2@h/'}",
        "environment: hunter2",
        "refresh: hunter2",
        "guards: hunter2",
        "'hunter2 hunter2': 1",
    ],
)
def test_a_misplaced_password_is_refused_and_never_repeated(write: Write, text: str) -> None:
    write("leak", text + "\n")
    with pytest.raises(ProfileError) as wrong:
        load("leak")
    assert "hunter2" not in str(wrong.value)
    assert "hunter2" not in repr(wrong.value)


def test_a_problem_cannot_reach_the_terminal_with_controls(write: Write) -> None:
    write("evil", 'services:\n  "a\\e]0;x\\a": 5\n')
    assert all(problem.isprintable() for problem in problems("evil"))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: \x00", "control character"),
        (b"x" * 300_000, "larger than"),
        (b"", "empty"),
    ],
)
def test_what_is_no_profile_is_told_apart(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    (problem,) = problems(path)
    assert word in problem


def test_rules_for_systems_that_are_not_there_are_told(write: Write) -> None:
    write("rules", "databases: {orders: service=o}\nrules:\n  database.blocked: {only: [order]}\n")
    assert (
        "rules.database.blocked.only.1: no system of this kind has that name; did you mean orders?"
        in problems("rules")[0]
    )


def test_logs_of_pods_need_a_cluster(write: Write) -> None:
    write("pods", "logs: {api: {pods: app=api, namespace: shop}}\n")
    assert "need a kubernetes section" in problems("pods")[0]


def test_paths_mean_the_same_from_every_folder(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    write("paths", "logs: {app: ~/app.log}\n")
    assert load("paths").profile.logs["app"].file == "/home/someone/app.log"
    write("relative", "logs: {app: app.log}\n")
    assert "must begin with / or ~/" in problems("relative")[0]


def test_a_value_that_is_neither_the_short_form_nor_a_mapping_is_told_both(write: Write) -> None:
    write("x", "redis: {cache: 7}\nkubernetes: 5\n")
    first, second = problems("x")
    assert "redis.cache: must be the url itself or a mapping" in first
    assert "kubernetes: must be the context itself or a mapping" in second
