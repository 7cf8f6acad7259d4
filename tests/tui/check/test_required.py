"""What a profile requires, against what systems say."""

import pytest
from pydantic import ValidationError

from profiles.schema import Profile
from tui.check.required import is_met, required_of
from tui.check.selection import SelectionError, selected


@pytest.mark.parametrize(
    ("told", "bound", "met"),
    [
        ("1.4.2", ">=1.4", True), ("1.10", ">=1.9", True), ("v1.4.0", "1.4", True), ("1.3.9", ">=1.4", False),
        ("1.4.0-rc1", ">=1.4", False), ("1.4.0-rc1", "<1.4", True), ("1.4.0+build.7", "==1.4.0", True),
        ("2", "<2", False), ("2.0.1", "> 2", True), ("18.6 (Debian)", "<=18.6", True),
        ("", ">=1", None), ("main", ">=1", None), ("1.4rc1", ">=1", None), ("9" * 400, ">=1", None),
    ],
)  # fmt: skip
def test_versions_are_compared_by_their_numbers(told: str, bound: str, met: bool | None) -> None:
    assert is_met(told, bound) is met


def profile(**required: object) -> Profile:
    return Profile.model_validate({
        "name": "t", "kubernetes": "k", "services": {"api": "http://a/"}, "required": required,
    })  # fmt: skip


def test_what_is_required_is_asked_of_its_system_only() -> None:
    both = profile(replicas={"shop/deployment/api": 2}, versions={"api": ">=1.4"})
    assert list(required_of(both.required)) == [
        ("kubernetes:", "required.replicas"), ("service:api", "required.versions"),
    ]  # fmt: skip
    sources = ["service:api", "kubernetes:", "host:"]
    assert selected(both, sources, ["required"]).sources == {"service:api", "kubernetes:"}
    assert selected(both, sources, ["required.versions"]).sources == {"service:api"}
    assert selected(both, sources, ["host"]).required == ()
    assert len(selected(both, sources, ()).required) == 2


def test_what_is_not_required_cannot_be_named() -> None:
    with pytest.raises(SelectionError, match="no required: section"):
        selected(profile(), ["service:api"], ["required"])


@pytest.mark.parametrize(
    "required",
    [
        {"versions": {"web": "1"}}, {"versions": {"api": "new"}}, {"replicas": {"api": 2}},
        {"replicas": {"shop/deployment/api": 0}},
    ],
)  # fmt: skip
def test_what_cannot_be_required_is_a_mistake_of_the_profile(required: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        profile(**required)
