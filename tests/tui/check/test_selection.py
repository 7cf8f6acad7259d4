"""What `--only` names in, what is judged out."""

import pytest

from profiles.schema import Profile
from tui.check.selection import SelectionError, selected

PROFILE = Profile.model_validate({
    "name": "t",
    "databases": {"orders": "service=o", "billing": "service=b"},
    "redis": {"cache": "redis://c"},
    "rules": {
        "database.blocked": {"warn": 1}, "database.active_s": {"warn": 5, "only": ["billing"]},
        "redis.memory_percent": {"warn": 85}, "kubernetes.crash_loops": {"warn": 1},
    },
})  # fmt: skip
SOURCES = ["database:orders", "database:billing", "redis:cache", "host:"]


def meant(*only: str) -> tuple[set[str], set[str]]:
    found = selected(PROFILE, SOURCES, only)
    return set(found.probes), {f"{source} {name}" for source, name, _ in found.rules}


def test_without_a_word_everything_is_meant_and_only_of_a_rule_counts() -> None:
    assert meant() == (
        set(SOURCES),
        {
            "database:orders database.blocked", "database:billing database.blocked",
            "database:billing database.active_s", "redis:cache redis.memory_percent",
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("only", "probes", "rules"),
    [
        (["redis"], {"redis:cache"}, {"redis:cache redis.memory_percent"}),
        (["database:orders"], {"database:orders"}, {"database:orders database.blocked"}),
        (["database.active_s"], set(), {"database:billing database.active_s"}),
        (["host, database.active_s"], {"host:"}, {"database:billing database.active_s"}),
        (["host", "redis:cache"], {"host:", "redis:cache"}, {"redis:cache redis.memory_percent"}),
    ],
)
def test_kinds_systems_and_rules_are_told_apart(only: list[str], probes: set[str], rules: set[str]) -> None:
    assert meant(*only) == (probes, rules)


def test_only_what_is_meant_is_read() -> None:
    assert selected(PROFILE, SOURCES, ["database.active_s"]).sources == {"database:billing"}


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("databse", "did you mean database?"),
        ("database:oders", "did you mean database:orders?"),
        ("redis.memory_pct", "did you mean redis.memory_percent?"),
        ("kubernetes", "the profile has no kubernetes to judge"),
        ("kubernetes.crash_loops", "the profile has no kubernetes to judge"),
        ("xyzzy\x1b[2J", "there are database, redis, host"),
    ],
)
def test_what_is_not_there_is_an_error_with_the_nearest_spelling(only: str, words: str) -> None:
    with pytest.raises(SelectionError) as error:
        meant("host", only)
    assert words in str(error.value)
    assert "\x1b" not in str(error.value)
