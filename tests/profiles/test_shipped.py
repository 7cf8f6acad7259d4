import json
from pathlib import Path

import pytest

from profiles.loader import load
from profiles.places import SHIPPED
from profiles.schema import json_schema
from profiles.search import known_profiles

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_profile_is_valid(path: Path) -> None:
    assert load(str(path)).profile.name == path.stem


def test_the_list_shows_what_can_be_watched_only() -> None:
    assert [found.name for found in known_profiles()] == ["demo", "local"]


def test_the_shipped_schema_is_that_of_the_model() -> None:
    shipped = json.loads((SHIPPED / "profile.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(), "write it again: opstui profile schema > profiles/profile.schema.json"


def test_every_field_has_its_line_in_the_manual() -> None:
    schema = json_schema()
    forms = {"Profile": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, form in forms.items()
        for key, entry in form.get("properties", {}).items()
        if not entry.get("description")
    ]
    assert not bare


def test_every_default_rule_is_about_a_number_that_a_source_reports() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tui" / "sources").rglob("*.py"))
    unknown = [rule for rule in load("defaults").profile.rules if f'"{rule.partition(".")[2]}"' not in sources]
    assert not unknown


def test_the_demo_shows_every_kind_of_system() -> None:
    profile = load("demo").profile
    assert profile.kubernetes
    assert set(profile.services) == {"gateway", "api", "orders", "payments", "search", "auth", "edge"}
    assert profile.databases
    assert profile.redis
    assert {bool(source.pods) for source in profile.logs.values()} == {True, False}
    assert not profile.starts_read_only


def test_what_the_local_profile_does_not_find_is_no_error() -> None:
    profile = load("local").profile
    assert profile.kubernetes is not None
    assert profile.kubernetes.optional
    assert all(database.optional for database in profile.databases.values())
    assert all(server.optional for server in profile.redis.values())


@pytest.mark.parametrize("name", ["ncs-api", "platform"])
def test_the_examples_and_all_they_name_are_right(name: str) -> None:
    profile = load(str(SHIPPED / "examples" / f"{name}.yaml")).profile
    assert profile.contacts
    assert all(not name.endswith(".yaml") or Path(name).is_file() for name in profile.checklists)


def test_the_sandbox_can_also_be_reached_through_its_pods() -> None:
    profile = load(str(SHIPPED / "examples" / "demo-in-pods.yaml")).profile
    to_database, to_redis = profile.databases["shop"].via, profile.redis["cache"].via
    assert to_database is not None
    assert to_database.target == ("shop", "service", "postgres")
    assert to_redis is not None
    assert to_redis.target == ("shop", "statefulset", "redis")
