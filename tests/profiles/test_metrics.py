"""Metrics in a profile: one way to read each, and everything they name is there."""

from pathlib import Path

import pytest

from profiles.loader import load
from profiles.problems import ProfileError
from profiles.schema import Profile

HEAD = """
name: t
environment: dev
prometheus: {a: http://a:9090, b: http://b:9090}
databases: {shop: service=shop}
"""


def problems(folder: Path, metric: str, head: str = HEAD) -> list[str]:
    path = folder / "t.yaml"
    path.write_text(f"{head}metrics:\n  errors: {metric}\n", encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load(str(path))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (
            "{prometheus: up, sql: SELECT 1}",
            "give exactly one of prometheus, json, text, sql, redis, not prometheus, sql",
        ),
        ("{title: T}", "not none of them"),
        ("{json: http://h/s}", "json and path belong together"),
        ("{sql: SELECT 1, series: x}", "text and series belong together"),
        ("{json: http://h/s, path: 'a[', warn: 1}", "not a JMESPath expression"),
        ("{prometheus: up}", "there are 2 in prometheus; name one"),
        ("{prometheus: up, on: c}", "no system of this kind has that name"),
        ("{redis: [LLEN, q]}", "redis needs a redis section"),
        ("{prometheus: up, on: a, per_second: true}", "use rate() in the query"),
        ("{sql: SELECT 1, labels: {a: b}}", "labels is for text"),
        ("{json: ftp://h/s, path: a}", "must begin with http://, https://"),
        ("{json: 'http://u:p@h/s', path: a}", "a password must not stand in a profile"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, metric: str, words: str) -> None:
    (problem,) = problems(tmp_path, metric)
    assert words in problem
    assert "metrics.errors" in problem


def test_a_name_is_a_rule_s_name_too(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(f"{HEAD}metrics:\n  Error-Rate: up\n", encoding="utf-8")
    with pytest.raises(ProfileError):
        load(str(path))


def test_thresholds_become_rules_and_a_rule_of_that_name_wins() -> None:
    profile = Profile.model_validate(
        {
            "name": "t",
            "environment": "dev",
            "prometheus": {"a": "http://a:9090"},
            "metrics": {
                "errors": {"prometheus": "up", "warn": 1, "critical": 5, "for": "2m"},
                "free": {"prometheus": "up", "warn": 30, "critical": 7},
                "seen": "up",
            },
            "rules": {"metric.free": {"warn": 3}},
        }
    )
    rules = profile.thresholds
    assert (rules["metric.errors"].warn, rules["metric.errors"].critical, rules["metric.errors"].for_) == (1, 5, 120)
    assert rules["metric.free"].warn == 3
    assert "metric.seen" not in rules
